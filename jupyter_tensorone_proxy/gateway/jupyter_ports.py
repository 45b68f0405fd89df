"""Which ports belong to Jupyter: kernels' own, and those of Jupyter servers.

Jupyter writes both into its runtime directory: `kernel-….json` is a kernel's connection file,
`jpserver-PID.json` tells where a server listens. Whoever reaches a kernel's port, or is let in to a
Jupyter server, can run anything as its user.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_KERNEL_PORTS = ("shell_port", "iopub_port", "stdin_port", "control_port", "hb_port")


@dataclass(frozen=True)
class JupyterPorts:
    """Reads Jupyter's runtime directory, anew for every question: there are few files.

    Args:
        directory: The runtime directory; None where there is no Jupyter.
    """

    directory: Path | None

    def of_kernels(self) -> frozenset[int]:
        """Return the ports on which kernels listen for their Jupyter server."""
        return frozenset(
            file[name]
            for file in self._files("kernel-*.json")
            for name in _KERNEL_PORTS
            if isinstance(file.get(name), int)
        )

    def of_servers(self) -> frozenset[int]:
        """Return the ports of Jupyter servers that run."""
        return frozenset(
            file["port"]
            for file in self._files("jpserver-*.json")
            if isinstance(file.get("port"), int) and _is_alive(file.get("pid"))
        )

    def _files(self, pattern: str) -> Iterator[dict[str, Any]]:
        if self.directory is None:
            return
        for path in self.directory.glob(pattern):
            try:
                content = json.loads(path.read_text())
            except (OSError, ValueError):  # gone, or just being written
                continue
            if isinstance(content, dict):
                yield content


def _is_alive(pid: object) -> bool:
    if not isinstance(pid, int) or pid < 1:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
