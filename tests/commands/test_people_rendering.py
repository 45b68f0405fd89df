"""How links, sessions, users, requests and events read; and that nothing in them comes alive."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from html.parser import HTMLParser
from typing import Any

import pytest

from jupyter_tensorone_proxy.commands.credential_results import ShareResult, TokenResult
from jupyter_tensorone_proxy.commands.people_results import AccessResult, DoneResult, TableResult
from jupyter_tensorone_proxy.commands.people_tables import (
    events_table,
    links_table,
    log_table,
    sessions_table,
    users_table,
)
from jupyter_tensorone_proxy.commands.results import Result
from jupyter_tensorone_proxy.commands.rows import make_row
from jupyter_tensorone_proxy.models import AccessLogEntry, ClusterAccess, PortMapping
from jupyter_tensorone_proxy.people import Event, Link, Session, User
from tests.fixtures.lines import ANA

EVIL = "<script>alert(1)</script>\x1b[31m\u202e\n"
URL = "https://localhost:32001/.tensorone/link?token=eyJ.abc&next=/"
NOON = datetime(2026, 1, 15, 12, tzinfo=timezone.utc)
MAPPING = PortMapping.from_server(
    {"id": "port_1", "internal_port": 6006, "description": "TensorBoard", "url": "https://h:1"}
)


def _link(**fields: Any) -> Link:
    soon = (datetime.now(timezone.utc) + timedelta(hours=8)).isoformat()
    known = {"id": "link_1", "port_id": "port_1", "user": "ben", "expires_at": soon}
    return Link.from_server({**known, **fields})


def _share(name: str = "TensorBoard", **fields: Any) -> ShareResult:
    mapping = MAPPING.model_copy(update={"description": name})
    row = make_row(mapping, ANA, default_authentication=True)
    return ShareResult(row, _link(url=URL, one_time=False, **fields))


class _Tags(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the tag."""
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}


def test_r13_the_card_of_a_share_says_until_when_and_what_to_do() -> None:
    """The link is the one credential a cell may hold: it ends, and the card says when and how."""
    html = _share().html()
    assert "ben can open TensorBoard (port 6006) by this link until " in html
    assert re.search(r"\((8 h|7 h 59 min) from now\)", html)
    for hint in ("send it to them alone", "--once", "%tensorone revoke --link link_1"):
        assert hint in html


def test_the_link_is_copied_by_a_click_and_not_followed() -> None:
    """One click selects it whole, without a script; whoever shares must not be signed in as ben."""
    html = _share().html()
    assert "user-select: all" in html
    assert URL.replace("&", "&amp;") in html
    tags = _Tags(html)
    assert not {"a", "script", "input", "button", "img"} & set(tags.tags)
    assert tags.attributes <= {"style"}


def test_a_link_for_once_says_so() -> None:
    """It needs no hint at `--once`."""
    row = make_row(MAPPING, ANA, default_authentication=True)
    result = ShareResult(row, _link(url=URL, one_time=True))
    assert "by this link, once, until" in result.text()
    assert "--once" not in result.text()


def test_r48_a_credential_is_in_no_representation() -> None:
    """What a log or a traceback shows of a result has neither link nor token."""
    token = TokenResult(User(name="bot", token="eyJ.secret"))
    for result in (_share(), token):
        assert "eyJ" not in repr(result)
    assert "eyJ" not in repr(_share().link)


def test_a_saved_token_is_not_in_its_result() -> None:
    """Who wrote it to a file reads where it is."""
    result = TokenResult(User(name="bot", has_token=True), saved_to="/home/ana/bot")
    assert "The token of bot is in /home/ana/bot" in result.text()
    assert "user-select" not in result.html()


def test_tables_say_how_long_ago_in_a_terminal_and_when_in_a_cell() -> None:
    """A cell is read again next week; a terminal is read now."""
    then = datetime.now(timezone.utc) - timedelta(minutes=5, seconds=2)
    session = Session(id="ses_1", port_id="port_1", user="ben", created_at=then, via="token")
    table = sessions_table([session], {"port_1": MAPPING})
    assert "5 min ago" in table.text()
    assert "ago" not in table.html()
    assert f'<time datetime="{then.isoformat()}">{then.astimezone():%Y-%m-%d %H:%M}' in table.html()


@pytest.mark.parametrize(
    ("via", "link_id", "came"),
    [
        ("open", "link_1", "by themselves"),
        ("link", "link_1", "by link_1"),
        ("token", None, "by their token"),
        (None, None, "by a link"),
    ],
)
def test_how_somebody_came_in_is_said(via: str | None, link_id: str | None, came: str) -> None:
    """Through Jupyter, by which link, or with a token."""
    session = Session(id="ses_1", port_id="port_1", user="ben", via=via, link_id=link_id)
    assert came in sessions_table([session], {}).text()


def test_what_is_no_longer_exposed_is_said_so() -> None:
    """A log outlives the mapping it tells of."""
    entry = AccessLogEntry(port_id="port_9", status_code=200, path="/x", timestamp=NOON)
    assert "/x" in log_table([entry], {"port_1": MAPPING}).text()
    assert "no longer exposed" in links_table([_link(port_id="port_9")], {}).text()


def test_failures_in_the_log_are_coloured_on_a_terminal_only() -> None:
    """5xx red, 4xx yellow, others plain; without colours there are no escape codes."""
    entries = [
        AccessLogEntry(port_id="port_1", status_code=status, path="/", timestamp=NOON)
        for status in (500, 404, 200)
    ]
    table = log_table(entries, {"port_1": MAPPING})
    _, fine, missing, failed = table.text(color=True).splitlines()
    assert failed.startswith("\x1b[31m")
    assert missing.startswith("\x1b[33m")
    assert "\x1b" not in fine + table.text() + table.html()


def test_who_did_it_through_what_is_said() -> None:
    """A person and a path, or an address and whoever visited."""
    events = [
        Event(id=1, timestamp=NOON, action="port.created", actor="ana", via="magic"),
        Event(
            id=2,
            timestamp=NOON,
            action="session.refused",
            via="visit",
            client_ip="10.0.0.9",
            details={"reason": "not invited", "user": "eve"},
        ),
        Event(id=3, timestamp=NOON, action="keys.rotated", via="api"),
    ]
    table = events_table(events, {})
    _, first, second, third = table.text().splitlines()
    assert "ana (magic)" in first
    assert "eve (visit from 10.0.0.9)" in second
    assert "reason=not invited" in second
    assert "somebody (api)" in third
    assert table.last_id == 3


def _hostile_results() -> list[Result]:
    """Return one of each result, with everything in it hostile, as a server could answer."""
    fields = {"port_id": "port_1", "user": EVIL, "client_ip": EVIL, "created_at": EVIL}
    odd = {"id": EVIL, "last_seen": 7, "via": EVIL, "link_id": EVIL, "used_at": EVIL}
    ports = {"port_1": PortMapping.from_server({"id": "port_1", "description": EVIL})}
    entry = {"method": EVIL, "path": EVIL, "status_code": EVIL, "timestamp": EVIL, **fields}
    event = {"id": 1, "timestamp": EVIL, "action": EVIL, "actor": EVIL, "via": EVIL}
    return [
        links_table([_link(**fields, id=EVIL, used_at=EVIL, expires_at=EVIL)], ports),
        sessions_table([Session.from_server({**fields, **odd})], ports),
        users_table([User.from_server({"name": EVIL, "created_at": EVIL, "disabled": EVIL})]),
        log_table([AccessLogEntry.from_server(entry)], ports),
        events_table([Event.from_server({**event, "details": {EVIL: EVIL}})], ports),
        events_table([Event.from_server({**event, "details": EVIL})], ports),
        AccessResult(ClusterAccess.from_server({"session_timeout_minutes": EVIL})),
        AccessResult(ClusterAccess.from_server({"ip_whitelist": [EVIL], "rate_limiting": EVIL})),
        DoneResult(f"{EVIL!r} is out.", "`sessions` shows who is in."),
        TokenResult(User.from_server({"name": EVIL}), saved_to=EVIL),
        _share(EVIL, user=EVIL, id=EVIL),
        _share(EVIL, expires_at=EVIL),
    ]


@pytest.mark.parametrize("number", range(12))
def test_r28_hostile_values_stay_text(number: int) -> None:
    """No name, path or value adds an element, an attribute, a colour or a line."""
    result = _hostile_results()[number]
    tags = _Tags(result.html())
    assert "script" not in tags.tags
    assert tags.attributes <= {"style", "scope", "datetime"}
    text = result.text()
    assert "\x1b" not in text
    assert "\u202e" not in text
    if isinstance(result, TableResult):
        assert len(text.splitlines()) == 2
    assert result._repr_mimebundle_()["text/plain"] == text
