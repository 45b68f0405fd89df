"""`ProxyPanel`: what is exposed, live and to be changed, made of ipywidgets.

::

    panel ──▶ rows, exposing, header ──▶ forms, sharing, details
      │                                     ▲
      ▼                                     │ words, choices, plots: commands/
    worker ──▶ picture ──▶ client ──────────┘

`panel` is the widget. `worker` is its one thread: it looks (`picture`), waits until there is news
(`news`) and does what was clicked, so that the panel goes on while a cell runs and a slow API holds
no cell up. What is decided (who can open a port, what a change means) is in `commands`.

ipywidgets is an optional dependency; without it, importing this package says how to get it.
"""

from __future__ import annotations

from ...errors import ConfigurationError

try:
    import ipywidgets as _ipywidgets  # noqa: F401 - asked for here, so that one place can say so
except ImportError:
    raise ConfigurationError(
        "The panel needs ipywidgets, which is not installed in this kernel's environment.",
        suggestion="Run `%pip install 'jupyter-tensorone-proxy[widgets]'`, then restart the kernel;"
        " `%tensorone list` works without.",
    ) from None

from .panel import ProxyPanel

__all__ = ["ProxyPanel"]
