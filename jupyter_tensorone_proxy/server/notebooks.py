"""Which notebook a kernel belongs to, and what it wishes; asked anew each time, so moves follow."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from jupyter_core.utils import ensure_async
from tornado.web import HTTPError

from .auto_expose.wishes import Wish, read_wishes

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Notebooks:
    """Asks the Jupyter server.

    Args:
        session_manager: Knows which kernel a document has.
        contents_manager: Reads documents.
    """

    session_manager: Any
    contents_manager: Any

    async def paths(self) -> dict[str, str]:
        """Return kernel id → path of its document, for kernels that have one."""
        sessions = await ensure_async(self.session_manager.list_sessions())
        return {s["kernel"]["id"]: s["path"] for s in sessions if s.get("kernel")}

    async def wishes_of(self, kernel_id: str) -> tuple[tuple[Wish, ...], list[str]]:
        """Return what the kernel's notebook wishes, and what could not be read of that."""
        path = (await self.paths()).get(kernel_id, "")
        if not path.endswith(".ipynb"):
            return (), []
        try:
            model = await ensure_async(self.contents_manager.get(path, type="notebook"))
        except HTTPError as error:  # gone, moved, or no notebook
            _log.info("The wishes of %s cannot be read: %s", path, error.reason or error)
            return (), []
        return read_wishes(model["content"].get("metadata"))
