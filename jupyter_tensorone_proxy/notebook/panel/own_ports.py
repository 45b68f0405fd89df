"""The ports that something started from this kernel listens on.

The Jupyter server's detection is used, but not the server: a kernel has no key to it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Collection
from typing import Any

from ...detection.processes import Root
from ...detection.watcher import DetectedPort, Surroundings, Watcher
from ...errors import ConfigurationError
from ...kernels import MARKER
from ...services import Catalogue


class OwnPorts:
    """Looks what listens, each time it is asked."""

    def __init__(self) -> None:
        kernel_id = os.environ.get(MARKER) or "this kernel"
        self._roots = (Root("kernel", kernel_id, os.getpid()),)
        surroundings = Surroundings(lambda: self._roots, _kernels_own)
        self._watcher = Watcher(surroundings, _catalogue(), _ignore, _ignore)

    async def look(self) -> tuple[DetectedPort, ...]:
        """Return the ports that can be exposed, by port."""
        await self._watcher.look(self._roots)
        return tuple(port for port in self._watcher.ports if port.can_be_exposed)


def _kernels_own() -> Collection[int]:
    """Return the ports of this kernel itself."""
    # Importing it, where this is no kernel, would have all widgets speak to a kernel.
    kernel: Any = sys.modules.get("ipykernel.kernelapp")
    if kernel is None or not kernel.IPKernelApp.initialized():
        return ()
    from ipykernel.connect import get_connection_info

    told: Any = get_connection_info(unpack=True)
    return {port for name, port in told.items() if name.endswith("_port")}


def _catalogue() -> Catalogue:
    try:
        return Catalogue.load()
    except ConfigurationError:  # another package's entry is wrong; it is the server that says so
        return Catalogue()


async def _ignore(_port: DetectedPort) -> None:
    """Do nothing: the panel asks."""
