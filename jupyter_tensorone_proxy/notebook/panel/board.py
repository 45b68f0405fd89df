"""What is in the panel, and what happens there: told by the worker, asked by rows and forms.

The worker tells from its thread and people click from the kernel's, so everything happens under
one lock; nothing waits for the network while it is held.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from typing import Any

from ...client import ProxyClient
from ...commands.choices import Wish, fields_of
from ...commands.results import MappingResult
from ...commands.rows import Row, Viewer
from ...commands.text import NOTHING_YET, place_of
from ...commands.verbs import create_or_update, see
from ...detection.watcher import DetectedPort
from ...errors import ProxyError
from ...settings import Settings
from . import html
from .forms import ExposeForm
from .kit import Kit
from .offers import Offer
from .picture import Picture
from .rows import PortRow, told
from .worker import Job, Worker

SAID_SECONDS = 30.0
"""How long it is said that something went well."""

UNSEEN_SECONDS = 60.0
"""How long a panel that nobody sees goes on."""

_CLOSE_SECONDS = 5.0
_LAST_SECONDS = 1.0
"""Jupyter gives a kernel 2.5 s to end by itself."""

_MOST_ROWS = 50
"""How many ports are shown until somebody asks for more: each is several models in the page."""


class Board:
    """The panel's content.

    Args:
        settings: Where the API is; found out if None.

    Attributes:
        viewer: Who looks, once that is known.
        is_shown: Whether a page shows it, as far as pages tell.
    """

    def __init__(self, settings: Settings | None) -> None:
        self.viewer = Viewer()
        self.is_shown = False
        self._used_at = time.monotonic()
        self._stale_at: float | None = None
        self._closed = False
        self._opened: set[str] = set()
        self._rows: dict[str, PortRow] = {}
        self._offers: dict[int, Offer] = {}
        self._found: tuple[DetectedPort, ...] = ()
        self._picture: Picture | None = None
        self._seen_at = ""
        self._most = _MOST_ROWS
        self._form: ExposeForm | None = None
        self._worker = Worker(self, settings)
        kit = self._kit = Kit(self)
        self._header = kit.html(html.looking(), grow=True)
        self._notice = kit.html()
        self._nothing = kit.html()
        self._list = kit.column()
        self._more = kit.button("Show all", "Show all exposed ports", self._show_all)
        self._offered = kit.column()
        self._offering = kit.html(html.heading("Running in this notebook, and not exposed"))
        self._expose = kit.toggle("Expose a port…", "Expose a port by its number", self._on_form)
        refresh = kit.button("Refresh", "Look again now", self.refresh)
        self._top = (kit.line(self._header, refresh), self._notice, self._nothing)
        self._button = kit.line(self._expose)
        self._bottom = kit.column(self._offered, self._button, framed=True)
        self.parts = (*self._top, self._list, self._bottom)

    # --- for people ------------------------------------------------------------------------

    def refresh(self) -> None:
        """Look again now, also if nobody looked for a while."""
        self.used()
        self._worker.wake()

    def used(self) -> None:
        """Take that somebody is there."""
        self._used_at = time.monotonic()

    def do(self, job: Job) -> None:
        """Have something done, and say so meanwhile."""
        with self._kit.lock:
            self.say(f"{job.doing} …", "neutral")
            self._worker.wake(job)

    def say(self, text: str, tone: html.Tone = "good") -> None:
        """Say how something went."""
        with self._kit.lock:
            if not self._closed:
                self._notice.value = html.notice(text, tone)
                self._stale_at = time.monotonic() + SAID_SECONDS if tone == "good" else None

    def look_closely(self, port_id: str, *, at: bool) -> None:
        """Begin to look at a port's details, or stop."""
        (self._opened.add if at else self._opened.discard)(port_id)
        if at:
            self._worker.wake()

    def close(self, *, farewell: bool = False) -> None:
        """Stop, and take away what is secret, and then everything.

        Args:
            farewell: Leave the rest, and tell the pages that still show it that it is over.
        """
        with self._kit.lock:
            if self._closed:
                return
            for row in self._rows.values():
                row.hide_secrets()
            if farewell:
                self._header.value = html.over()
            self._closed = True
        self._worker.end(_LAST_SECONDS if farewell else _CLOSE_SECONDS)
        if not farewell:
            self._kit.close()

    @property
    def count(self) -> int | None:
        """How many ports are exposed; None if that is not known yet."""
        return None if self._picture is None else len(self._picture.rows)

    @property
    def is_running(self) -> bool:
        """Whether its thread is there."""
        return self._worker.is_running

    # --- for the worker --------------------------------------------------------------------

    def is_watching(self) -> bool:
        """Say whether anybody may be looking."""
        return self.is_shown or time.monotonic() - self._used_at < UNSEEN_SECONDS

    def opened(self) -> Collection[str]:
        """Return the ids of mappings that are looked at closely."""
        return frozenset(self._opened)

    def show(self, picture: Picture, viewer: Viewer, settings: Settings) -> None:
        """Take a new picture."""
        with self._kit.lock:
            if self._closed:
                return
            self._picture, self.viewer, self._seen_at = picture, viewer, html.clock()
            self._header.value = html.header(picture.config, place_of(picture.config, settings))
            self._nothing.value = "" if picture.rows else html.hint(NOTHING_YET)
            self._arrange(picture)
            self._arrange_offers()

    def offer(self, ports: tuple[DetectedPort, ...]) -> None:
        """Take what this kernel's programs listen on."""
        with self._kit.lock:
            if self._closed:
                return
            for row in self._rows.values():
                row.tick()
            if self._stale_at is not None and time.monotonic() >= self._stale_at:
                self._notice.value, self._stale_at = "", None
            if ports != self._found:
                self._found = ports
                self._arrange_offers()

    def away(self, error: ProxyError) -> None:
        """Take that the API cannot be asked, and why."""
        with self._kit.lock:
            if not self._closed:
                self._header.value = html.away(error, self._seen_at)

    def failed(self, error: Exception) -> None:
        """Take that something did not work, and why."""
        if isinstance(error, ProxyError):
            self.say(str(error), "bad")
            return
        what = f"The panel itself failed ({type(error).__name__}); this is a mistake of ours."
        self.say(f"{what} Run the cell again; `%tensorone list` works meanwhile.", "bad")

    def paused(self) -> None:
        """Take that nothing more comes until somebody asks."""
        with self._kit.lock:
            if not self._closed:
                for row in self._rows.values():
                    row.hide_secrets()
                self._header.value = html.paused()

    # --- arranging -------------------------------------------------------------------------

    def _arrange(self, picture: Picture) -> None:
        shown = picture.rows[: self._most]
        gone = self._rows.keys() - {row.mapping.id for row in shown}
        for row in shown:
            port_id, details = row.mapping.id, picture.details.get(row.mapping.id)
            if port_id not in self._rows:
                self._rows[port_id] = PortRow(self._kit, row, self)
            self._rows[port_id].update(row, details)
        boxes = [self._rows[row.mapping.id].box for row in shown]
        more = [self._more] if len(picture.rows) > len(shown) else []
        _set_children(self._list, (*boxes, *more))
        for port_id in gone:
            self._opened.discard(port_id)
            self._rows.pop(port_id).close()

    def _arrange_offers(self) -> None:
        """Offer what is not exposed yet."""
        exposed = {row.mapping.internal_port for row in self._rows_known()}
        free = {port.port: port for port in self._found if port.port not in exposed}
        gone = [self._offers.pop(port) for port in self._offers.keys() - free.keys()]
        for number, port in free.items():
            if number not in self._offers:
                self._offers[number] = Offer(self._kit, port, self._take)
            self._offers[number].update(port)
        lines = tuple(self._offers[number].box for number in free)
        _set_children(self._offered, (self._offering, *lines) if lines else ())
        for offer in gone:
            offer.kit.close()

    def _rows_known(self) -> tuple[Row, ...]:
        return self._picture.rows if self._picture is not None else ()

    def _show_all(self) -> None:
        self._most = 1_000_000
        self._worker.wake()

    def _on_form(self, opened: bool) -> None:  # noqa: FBT001 - a toggle's value
        old, self._form = self._form, None
        if opened:
            self._form = ExposeForm(self._kit, self.viewer, self._expose_port)
        forms = (self._form.box,) if self._form is not None else ()
        self._bottom.children = (self._offered, self._button, *forms)
        if old is not None:
            old.kit.close()

    # --- exposing --------------------------------------------------------------------------

    def _take(self, port: DetectedPort) -> None:
        """Expose a port that was found, privately."""
        service = port.service
        path = (service.health_path if service else None) or ""
        fields = fields_of(Wish(port.name[:100], health_path=path), self.viewer.me)
        if service and service.app_protocol != "http":
            fields["app_protocol"] = service.app_protocol
        self._expose_port(port.port, fields, persistent=False)

    def _expose_port(self, port: int, fields: dict[str, Any], persistent: bool) -> None:  # noqa: FBT001 - ExposePort
        def expose(client: ProxyClient, viewer: Viewer) -> MappingResult:
            what, mapping = create_or_update(client, port, fields, viewer, persistent=persistent)
            return MappingResult(what, see(client, mapping, viewer))

        def done(result: MappingResult) -> None:
            with self._kit.lock:
                if self._form is not None:
                    self._expose.value = False
                self.say(f"{result.what.capitalize()}: {told(result.row)}")

        self.do(Job(f"Exposing port {port}", expose, done))


def _set_children(box: Any, children: tuple[Any, ...]) -> None:
    """Set children only if they are others: every setting redraws the box."""
    if tuple(box.children) != children:
        box.children = children
