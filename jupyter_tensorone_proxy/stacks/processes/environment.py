"""The environment of a service: that of whoever asked, without what is Jupyter's and ours."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Mapping
from pathlib import Path

_OURS = ("TENSORONE_", "JUPYTERHUB_", "JPY_", "JUPYTER_TOKEN", "CONFIGPROXY_")
"""Beginnings of names: keys, tokens, and what says that a process is a kernel's."""

_KERNELS = {"PYDEVD_USE_FRAME_EVAL", "TENSORBOARD_PROXY_URL"}
_KERNELS_PLOTS = "inline"  # of MPLBACKEND: a service has no cell to show plots in


def service_environment(
    base: Mapping[str, str], *, secrets: Collection[str] = ()
) -> dict[str, str]:
    """Return what a service may know of an environment.

    Args:
        base: The environment of whoever asks.
        secrets: Values that must not be in it, under whatever name.

    Example:
        >>> service_environment({"HOME": "/home/ana", "TENSORONE_API_KEY": "k", "X": "my t0k3n"},
        ...     secrets=["t0k3n"])
        {'PYTHONUNBUFFERED': '1', 'HOME': '/home/ana'}
    """
    kept = {
        name: value
        for name, value in base.items()
        if not name.startswith(_OURS)
        and name not in _KERNELS
        and not (name == "MPLBACKEND" and _KERNELS_PLOTS in value)
        and not any(secret and secret in value for secret in secrets)
    }
    # What a service prints is read while it runs.
    return {"PYTHONUNBUFFERED": "1", **kept}


def own_environment() -> dict[str, str]:
    """Return what a service may know of this process's environment.

    Programs of this Python's environment come first, as if it were activated: what a notebook
    imports is what it runs.
    """
    folder = str(Path(sys.executable).parent)
    path = os.environ.get("PATH", os.defpath)
    if folder not in path.split(os.pathsep):
        path = f"{folder}{os.pathsep}{path}"
    return service_environment({**os.environ, "PATH": path})
