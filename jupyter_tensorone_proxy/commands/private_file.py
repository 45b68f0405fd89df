"""Writing a credential to a file that only this user can read."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from ..errors import ProxyError


@contextmanager
def private_file(path: str) -> Iterator[IO[str]]:
    """Open a file of mode 0600 that takes the place of `path` when the block ends well.

    It is opened before the block, so that nothing is made whose secret then has no place.

    Args:
        path: Where; ``~`` is this user's home.

    Raises:
        ProxyError: It cannot be written there.
    """
    target = Path(path).expanduser()
    try:
        if target.is_dir():
            raise IsADirectoryError(None, "it is a directory")
        number, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    except OSError as error:
        raise ProxyError(
            f"{target} cannot be written: {error.strerror}.", suggestion="Choose another --save."
        ) from None
    try:
        with os.fdopen(number, "w") as file:
            yield file
        Path(temporary).replace(target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
