"""What a kernel that no Jupyter server started learns of itself: who it is.

Such a kernel, of `nbclient` or a console, has nobody who told it. If a Jupyter server of this user
runs, that watches it too (`detection.kernels`): so what it exposes can go with it, and what
it starts says whose it is. Without one nobody would notice its end, and nothing is bound to it.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from ..kernels import MARKER, kernel_id_of


def introduce_itself(shell: Any) -> None:
    """Put this kernel's id into the environment, where its Jupyter server would have put it.

    Args:
        shell: IPython's shell; one without a kernel has nothing to say.
    """
    application = getattr(getattr(shell, "kernel", None), "parent", None)
    file = getattr(application, "abs_connection_file", None)
    kernel_id = kernel_id_of(file) if isinstance(file, str) else None
    if kernel_id is None or os.environ.get(MARKER) == kernel_id:
        return
    if _is_watched():
        os.environ[MARKER] = kernel_id


def _is_watched() -> bool:
    """Say whether a Jupyter server of this user runs."""
    from jupyter_core.paths import jupyter_runtime_dir

    for file in Path(jupyter_runtime_dir()).glob("jpserver-*.json"):
        try:
            os.kill(int(json.loads(file.read_text())["pid"]), 0)
        except (OSError, ValueError, TypeError, KeyError):  # gone, or no such file
            continue
        return True
    return False
