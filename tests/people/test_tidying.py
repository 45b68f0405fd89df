"""What has ended is forgotten, and not too early; nothing grows for ever."""

from __future__ import annotations

import json
import sqlite3
import time
from datetime import datetime, timedelta, timezone
from typing import Any

from jupyter_tensorone_proxy import ProxyClient
from tests.fixtures.gateway import RunningGateway, wait_until
from tests.fixtures.traffic import Expose, SignIn, Visit, cookie_header

SOON_SECONDS = 45
"""It is looked every 10 s; a busy machine needs longer."""


def _change(gateway: RunningGateway, statement: str, *rows: tuple[Any, ...]) -> None:
    """Change the store from outside, as if time had passed."""
    with sqlite3.connect(gateway.state_dir / "state.db", timeout=20) as database:
        database.executemany(statement, rows)


def _count(gateway: RunningGateway, query: str, *values: Any) -> int:
    with sqlite3.connect(gateway.state_dir / "state.db", timeout=20) as database:
        return int(database.execute(query, values).fetchone()[0])


def _ago(**span: float) -> str:
    moment = datetime.now(timezone.utc) - timedelta(**span)
    return moment.strftime("%Y-%m-%d %H:%M:%S.%f")


def test_r21_revoked_stays_revoked_until_well_after_its_end(
    private: Expose, sign_in: SignIn, client: ProxyClient, visit: Visit, gateway: RunningGateway
) -> None:
    """Envoy is told to refuse it 10 minutes longer than it lasts (clocks are set back), not ever.

    The cookies here outlive their rows, so that what Envoy was told shows.
    """
    exposed = private()
    browsers = {age: sign_in(exposed, f"ana-{age}") for age in (5, 60)}
    cookies = {age: {"cookie": cookie_header(browser)} for age, browser in browsers.items()}
    client.revoke_sessions(port_id=exposed.mapping.id)
    ages = [(_ago(minutes=age), f"ana-{age}") for age in browsers]
    _change(gateway, "update sessions set expires_at = ? where user = ?", *ages)
    assert wait_until(
        lambda: visit(headers=cookies[60]).get(exposed.url).status_code == 200,
        seconds=SOON_SECONDS,
    )
    assert visit(headers=cookies[5]).get(exposed.url).status_code == 401
    rows = "select count(*) from sessions where user = ?"
    assert [_count(gateway, rows, f"ana-{age}") for age in (5, 60)] == [1, 0]


def test_what_ended_leaves_the_store(
    private: Expose, sign_in: SignIn, client: ProxyClient, gateway: RunningGateway
) -> None:
    """Sessions, links and revoked tokens of yesterday go by themselves; those of today stay."""
    exposed = private()
    sign_in(exposed, "today")
    sign_in(exposed, "yesterday")
    client.create_link(exposed.mapping.id, user="yesterday", expires_in_seconds=60)
    kept = client.create_link(exposed.mapping.id, user="today", expires_in_seconds=3600)
    client.create_user("yesterday-token")
    client.rotate_user_token("yesterday-token")
    for table in ("sessions", "links"):
        statement = f"update {table} set expires_at = ? where user = 'yesterday'"  # noqa: S608 - ours
        _change(gateway, statement, (_ago(days=1),))
    _change(gateway, "update revoked_tokens set expires_at = ?", (_ago(days=1),))
    gone = (
        "select (select count(*) from sessions where user = 'yesterday') + "
        "(select count(*) from links where user = 'yesterday') + "
        "(select count(*) from revoked_tokens)"
    )
    assert wait_until(lambda: _count(gateway, gone) == 0, seconds=SOON_SECONDS)
    assert kept.id in {link.id for link in client.list_links(exposed.mapping.id)}
    sessions = client.list_sessions(port_id=exposed.mapping.id)
    assert {session.user for session in sessions} == {"today"}


def test_sessions_that_were_long_not_seen_are_forgotten_while_running(
    private: Expose, sign_in: SignIn, client: ProxyClient, gateway: RunningGateway
) -> None:
    """When sessions were last seen is kept for a month, without waiting for the next start."""
    exposed = private()
    sign_in(exposed).get(exposed.url)
    (session,) = client.list_sessions(port_id=exposed.mapping.id)

    def seen(token_id: str) -> int:
        with sqlite3.connect(gateway.state_dir / "usage.db", timeout=20) as database:
            query = "select count(*) from seen where token_id = ?"
            return int(database.execute(query, (token_id,)).fetchone()[0])

    with sqlite3.connect(gateway.state_dir / "usage.db", timeout=20) as database:
        long_ago = time.time() - 31 * 86_400
        database.execute("insert into seen values ('ses_of_long_ago', ?)", (long_ago,))
    assert wait_until(lambda: seen("ses_of_long_ago") == 0, seconds=SOON_SECONDS)
    assert wait_until(lambda: seen(session.id) == 1)


def test_refusals_and_failing_checks_do_not_push_out_what_was_changed(
    private: Expose, client: ProxyClient, gateway: RunningGateway
) -> None:
    """Whoever has themselves refused ten thousand times erases no trace of anybody's changes."""
    exposed = private("remembered")
    insert = "insert into events (timestamp, action, via, port_id, details) values (?, ?, ?, ?, ?)"
    told = json.dumps({"reason": "expired link", "user": None})
    for action in ("session.refused", "health.changed", "session.started"):
        row = (_ago(minutes=1), action, "visit", exposed.mapping.id, told)
        _change(gateway, insert, *[row] * 10_500)
    count = "select count(*) from events where action = ?"
    assert wait_until(
        lambda: _count(gateway, count, "session.started") <= 10_000, seconds=SOON_SECONDS
    )
    assert _count(gateway, count, "session.refused") == 2_000
    assert _count(gateway, count, "health.changed") <= 2_010  # checks go on
    created = client.list_events(action="port.created", port_id=exposed.mapping.id)
    assert [event.details["fields"]["description"] for event in created] == ["remembered"]
