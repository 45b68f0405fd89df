"""The API key for kernels: by file, so that it is in no notebook that prints its environment.

A key that the Jupyter server was given in `TENSORONE_API_KEY` is written to a file that only this
user can read, for as long as the server runs; kernels get the file's name instead of the key.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from jupyter_core.paths import jupyter_runtime_dir, secure_write

KEY = "TENSORONE_API_KEY"
KEY_FILE = "TENSORONE_API_KEY_FILE"


class KernelKeyFile:
    """The file; there is none if the environment holds no key.

    Args:
        environ: The Jupyter server's environment.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._key = environ.get(KEY, "")
        self._path = Path(jupyter_runtime_dir()) / f"tensorone-api-key-{os.getpid()}"

    def variables(self) -> dict[str, str]:
        """Write the file if it is needed, and return the variable that names it."""
        if not self._key:
            return {}
        if not self._path.exists():
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with secure_write(str(self._path)) as file:
                file.write(self._key)
        return {KEY_FILE: str(self._path)}

    def remove(self) -> None:
        """Remove the file, if it was written."""
        if self._key:
            self._path.unlink(missing_ok=True)
