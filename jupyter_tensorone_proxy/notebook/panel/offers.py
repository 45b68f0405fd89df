"""A port that could be exposed: what it is, and the button that does it."""

from __future__ import annotations

from collections.abc import Callable

from ...commands.rows import readable
from ...detection.watcher import DetectedPort
from . import html
from .kit import Kit

Take = Callable[[DetectedPort], None]


class Offer:
    """One port that something of this notebook listens on.

    Args:
        whole: The panel's kit.
        port: As it was found.
        take: Told the port if somebody wants it exposed.
    """

    def __init__(self, whole: Kit, port: DetectedPort, take: Take) -> None:
        kit = self.kit = whole.part()
        self._port, self._take = port, take
        self._said = kit.html(grow=True)
        about = f"Expose {readable(port.name)} (port {port.port}), for you alone"
        self.box = kit.line(self._said, kit.button("Expose", about, self._on_click, kind="primary"))

    def update(self, port: DetectedPort) -> None:
        """Say what it is.

        Args:
            port: As it was found.
        """
        self._port = port
        self._said.value = html.detected(port)

    def _on_click(self) -> None:
        self._take(self._port)
