"""The verbs: one argument grammar, plain functions, and how their results read.

::

    grammar ──▶ fields ──▶ verbs ──▶ results ──▶ text, card
                             ▲          ▲
                          exposure     rows

The verbs about people are built alike: `people_options` in the grammar's table; `people_verbs`,
`user_verbs` and `record_verbs`; and `people_tables` on `people_results`, or `credential_results`
for what is shown once. `runs` has every verb with its function.

`jupyter tensorone …` (``cli.py``) and ``%tensorone …`` (``notebook/magics.py``) are two rims on
this package. Nothing here prints, exits or knows IPython. Importing the package imports none of
its modules, so that completing a verb does not cost the HTTP client.
"""
