"""The verbs: one argument grammar, plain functions, and how their results read.

::

    grammar ──▶ fields ──▶ verbs ──▶ results ──▶ text, card
                             ▲          ▲
                          exposure     rows

`jupyter tensorone …` (``cli.py``) and ``%tensorone …`` (``notebook/magics.py``) are two rims on
this package. Nothing here prints, exits or knows IPython. Importing the package imports none of
its modules, so that completing a verb does not cost the HTTP client.
"""
