"""One exposed port in the panel: what there is to say, its buttons, and what they open."""

from __future__ import annotations

import argparse
from typing import Any, Protocol

from ...client import ProxyClient
from ...commands import people_verbs, verbs
from ...commands.results import MappingResult
from ...commands.rows import Row, Viewer, readable
from ...people import Session
from . import html
from .forms import EditForm
from .kit import Kit
from .picture import Details
from .sharing import ShareForm
from .worker import Job

_NOBODY_TOLD = "This server does not tell who is signed in."


class Desk(Protocol):
    """What a row may ask of its panel."""

    viewer: Viewer

    def do(self, job: Job) -> None:
        """Have something done, and say so meanwhile."""

    def say(self, text: str, tone: html.Tone = "good") -> None:
        """Say how something went."""

    def look_closely(self, port_id: str, *, at: bool) -> None:
        """Begin to look at a port's details, or stop."""


class PortRow:
    """One exposed port.

    Args:
        whole: The panel's kit.
        row: The mapping.
        desk: The panel.
    """

    def __init__(self, whole: Kit, row: Row, desk: Desk) -> None:
        kit = self._kit = whole.part()
        self._desk, self.row = desk, row
        about = f"{row.name} (port {row.mapping.internal_port})"
        self._summary = kit.html(grow=True)
        self._details = kit.toggle("Details", f"Health and use of {about}", self._on_details)
        self._sharing = kit.toggle("Share…", f"Let one person in to {about}", self._on_share)
        self._editing = kit.toggle("Edit…", f"Change {about}", self._on_edit)
        stop = kit.button("Stop", f"Stop exposing {about}", self._stop)
        buttons = (self._details, self._sharing, self._editing, stop)
        self.box = kit.column(kit.line(self._summary, kit.group(*buttons)), framed=True)
        self._close_up: CloseUp | None = None
        self._share: ShareForm | None = None
        self._edit: EditForm | None = None
        self.update(row, None)

    def update(self, row: Row, details: Details | None) -> None:
        """Show what is known now; forms that are open stay as they are.

        Args:
            row: The mapping.
            details: What is known of it closely; None if it is not looked at.
        """
        self.row = row
        self._summary.value = html.summary(row)
        if self._close_up is not None and details is not None:
            self._close_up.update(row, details)

    def tick(self) -> None:
        """Take away what was shown long enough."""
        if self._share is not None:
            self._share.hide_if_late()

    def close(self) -> None:
        """Take the row away."""
        self._kit.close()

    def hide_secrets(self) -> None:
        """Take a link off the screen."""
        if self._share is not None:
            self._share.hide()

    # --- what the buttons open -------------------------------------------------------------

    def _on_details(self, opened: bool) -> None:  # noqa: FBT001 - a toggle's value
        self._desk.look_closely(self.row.mapping.id, at=opened)
        old = self._close_up
        self._close_up = CloseUp(self._kit, self._desk) if opened else None
        self._arrange(old)

    def _on_share(self, opened: bool) -> None:  # noqa: FBT001 - a toggle's value
        self.hide_secrets()
        old = self._share
        self._share = ShareForm(self._kit, self.row, self._make_link) if opened else None
        self._arrange(old)

    def _on_edit(self, opened: bool) -> None:  # noqa: FBT001 - a toggle's value
        old, self._edit = self._edit, None
        if opened:
            cancel = self._close_edit
            self._edit = EditForm(self._kit, self.row, self._desk.viewer, self._save, cancel)
        self._arrange(old)

    def _arrange(self, old: CloseUp | ShareForm | EditForm | None) -> None:
        parts = [part for part in (self._edit, self._share, self._close_up) if part is not None]
        self.box.children = (self.box.children[0], *(part.box for part in parts))
        if old is not None:
            old.kit.close()

    def _close_edit(self) -> None:
        self._editing.value = False

    # --- what is done ----------------------------------------------------------------------

    def _save(self, changes: dict[str, Any]) -> None:
        if not changes:
            self._desk.say(f"Nothing of {self.row.name} was changed.", "neutral")
            self._close_edit()
            return
        port_id = self.row.mapping.id

        def change(client: ProxyClient, viewer: Viewer) -> MappingResult:
            mapping = client.update_port(port_id, **changes)
            return MappingResult("updated", verbs.see(client, mapping, viewer))

        def done(result: MappingResult) -> None:
            self._close_edit()
            self._desk.say(f"Changed: {told(result.row)}")

        self._desk.do(Job(f"Changing {self.row.name}", change, done))

    def _stop(self) -> None:
        port = argparse.Namespace(port=self.row.mapping.internal_port)

        def stop(client: ProxyClient, viewer: Viewer) -> MappingResult:
            return verbs.unexpose(client, port, viewer)

        def done(result: MappingResult) -> None:
            self._desk.say(result.text())

        self._desk.do(Job(f"Stopping {self.row.name}", stop, done))

    def _make_link(self, asked: argparse.Namespace) -> None:
        def done(result: Any) -> None:
            if self._share is not None:
                self._share.show(result)
                self._desk.say("The link is below; send it to them alone.")

        self._desk.do(Job("Making a link", lambda c, v: people_verbs.share(c, asked, v), done))


def told(row: Row) -> str:
    """Return what a change made of a port, for a sentence that is not changed later.

    Args:
        row: The mapping.
    """
    return f"{row.name}, port {row.mapping.internal_port}, {row.address} · {row.who_can_open}"


class CloseUp:
    """Health, use and sessions of one port.

    Args:
        whole: The kit of what it is a part of.
        desk: The panel.
    """

    def __init__(self, whole: Kit, desk: Desk) -> None:
        kit = self.kit = whole.part()
        self._desk = desk
        self._usage = kit.html(html.hint("Looking …"))
        self._who = kit.html()
        self._people = kit.column()
        self._lines: dict[str, _SessionLine] = {}
        self.box = kit.column(self._usage, self._who, self._people, inset=True)

    def update(self, row: Row, details: Details) -> None:
        """Show what is known now.

        Args:
            row: The mapping.
            details: What is known of it.
        """
        self._usage.value = html.usage(row, details)
        people = details.sessions
        count = len(people or ())
        told = _NOBODY_TOLD if people is None else f"Signed in: {count or 'nobody'}"
        self._who.value = html.heading(told)
        self._list({person.id: person for person in people or ()})

    def _list(self, people: dict[str, Session]) -> None:
        gone = [self._lines.pop(key) for key in self._lines.keys() - people.keys()]
        for key, person in people.items():
            if key not in self._lines:
                self._lines[key] = _SessionLine(self.kit, self._desk, person)
            self._lines[key].update(person)
        wanted = tuple(self._lines[key].box for key in people)
        if wanted != self._people.children:
            self._people.children = wanted
        for line in gone:
            line.kit.close()


class _SessionLine:
    """One signed-in visitor."""

    def __init__(self, whole: Kit, desk: Desk, person: Session) -> None:
        kit = self.kit = whole.part()
        self._desk, self._id = desk, person.id
        about = f"Sign {readable(person.user)} out; their pages close within seconds"
        self._said = kit.html(grow=True)
        self.box = kit.line(self._said, kit.button("Sign out", about, self._sign_out))

    def update(self, person: Session) -> None:
        """Say who it is."""
        self._said.value = html.session(person)

    def _sign_out(self) -> None:
        asked = argparse.Namespace(session=self._id, link=None, user=None, port=None)

        def done(result: Any) -> None:
            self._desk.say(result.text())

        self._desk.do(Job("Signing out", lambda c, v: people_verbs.revoke(c, asked, v), done))
