"""Stacks: several services declared together, and made so.

::

    TOML, Python ──▶ declaration ──▶ stack ──▶ planning ──▶ applying ──▶ results
                     (judging)                  (pure)     (client, processes)

A stack says which services there are, for whom and how; `apply` creates what is missing, updates
what differs and leaves the rest. What has a command is started too (``processes/``); what else
listens on the ports is not its affair.

A stack is shown as verbs' results are, so this package stands on ``commands``, and the rims
(``cli.py``, ``notebook/``) take all verbs from `runs`.

Public names are had from ``jupyter_tensorone_proxy``. This file imports nothing, because a Jupyter
server needs ``processes`` when it starts, and the rest when somebody applies a stack.
"""
