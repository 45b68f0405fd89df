"""`ProxyPanel`: the widget. It knows whether somebody looks, and when it is over."""

from __future__ import annotations

import atexit
import functools
import logging
import weakref
from typing import Any

import ipywidgets as widgets

from ...client import ProxyClient
from .board import Board
from .html import PANEL_CLASS

_log = logging.getLogger(__name__)
_panels: weakref.WeakSet[ProxyPanel] = weakref.WeakSet()


class ProxyPanel(widgets.VBox):  # type: ignore[misc] # ipywidgets has no types
    """What is exposed, live and to be changed, in a cell.

    It goes on updating while cells run, and stops asking while nobody sees it. What goes wrong is a
    line in it; it raises nothing into the notebook.

    Args:
        client: Whose API to speak to; by default what `ProxyClient()` finds, at each try anew.

    Raises:
        ConfigurationError: ipywidgets is not installed.

    Example:
        >>> from jupyter_tensorone_proxy import ProxyPanel
        >>> panel = ProxyPanel()
        >>> panel.close()
    """

    def __init__(self, client: ProxyClient | None = None) -> None:
        self._board = Board(client.settings if client is not None else None)
        super().__init__(children=self._board.parts, layout=widgets.Layout(width="auto"))
        self.add_class(PANEL_CLASS)
        self._view_count = 0  # from None: pages count their views of it from now on
        self.observe(self._on_views, "_view_count")
        _end_with_the_kernel()
        _panels.add(self)
        self._board.refresh()

    def refresh(self) -> None:
        """Look again now, also if nobody looked for a while."""
        self._board.refresh()

    def close(self) -> None:
        """Take the panel away, here and in every page, and stop its thread."""
        if self.comm is None:
            return
        _panels.discard(self)
        self._board.close()
        self.layout.close()
        super().close()

    def end(self) -> None:
        """Stop, and say in the pages that still show it that it is over."""
        _panels.discard(self)
        self._board.close(farewell=True)

    def __repr__(self) -> str:
        count = self._board.count
        told = "looking" if count is None else f"{count} exposed"
        return f"<ProxyPanel: {told}>"

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        # A page cannot tell that it shows it while this cell still runs, and some never tell.
        self._board.is_shown = True
        self._board.refresh()
        return super()._repr_mimebundle_(**kwargs)

    def _on_views(self, change: Any) -> None:
        """Take in how many views of it the pages have."""
        self._board.is_shown = change["new"] > 0
        self._board.used()
        if change["new"] > change["old"]:
            self._board.refresh()


@functools.cache
def _end_with_the_kernel() -> None:
    """Have every panel end before the interpreter does, which would cut its thread off."""
    atexit.register(_end_all)


def _end_all() -> None:
    for panel in list(_panels):
        _end(panel)


def _end(panel: ProxyPanel) -> None:
    try:
        panel.end()
    except Exception as error:  # noqa: BLE001 - the kernel ends; nobody is left to be told
        _log.debug("A panel did not end well.", exc_info=error)
