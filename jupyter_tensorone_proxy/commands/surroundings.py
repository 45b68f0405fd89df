"""Where the code runs, as far as it matters for showing something."""

from __future__ import annotations

import sys


def in_kernel() -> bool:
    """Say whether a front end shows what is displayed; IPython is not imported to find out."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return hasattr(shell, "kernel")
