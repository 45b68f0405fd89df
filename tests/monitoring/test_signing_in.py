"""Monitors of private services: signed in as somebody, and out again."""

from __future__ import annotations

import logging

import pytest

from jupyter_tensorone_proxy import Monitor, ProxyClient
from tests.fixtures.ana import ExposeMine, expose_mine  # noqa: F401 - a fixture
from tests.monitoring.conftest import QUICK_SECONDS, quick, shows


def test_a_private_service_is_asked_signed_in_and_nobody_stays_signed_in(
    expose_mine: ExposeMine,  # noqa: F811 - the fixture
    client: ProxyClient,
) -> None:
    """It takes one session that ends by itself within minutes, and with the monitor at once."""
    mine = expose_mine()
    with quick(mine.service.port) as monitor:
        assert shows(monitor, lambda result: result.looks >= 4 and result.well)
        (session,) = client.list_sessions()
        assert session.user == "ana"
        assert session.expires_at is not None
        assert session.created_at is not None
        assert (session.expires_at - session.created_at).total_seconds() <= 16 * 60
    assert client.list_sessions() == []


def test_r25_signing_in_logs_neither_link_nor_cookie(
    expose_mine: ExposeMine,  # noqa: F811 - the fixture
    caplog: pytest.LogCaptureFixture,
) -> None:
    """However much is logged: what could sign somebody in is not among it."""
    caplog.set_level(logging.DEBUG)
    mine = expose_mine()
    with quick(mine.service.port) as monitor:
        assert shows(monitor, lambda result: result.looks >= 2 and result.well)
    assert [record for record in caplog.records if record.name == "httpx"], "it does log"
    for secret in ("token=", "eyJ", "__Host-"):
        assert secret not in caplog.text


def test_a_session_that_was_ended_is_begun_anew(
    expose_mine: ExposeMine,  # noqa: F811 - the fixture
    client: ProxyClient,
) -> None:
    """Revoking sessions does not make a service look ill for longer than a moment."""
    mine = expose_mine()
    with Monitor(mine.service.port, interval_seconds=QUICK_SECONDS, timeout_seconds=0.5) as monitor:
        assert shows(monitor, lambda result: result.looks >= 2 and result.well)
        client.revoke_sessions()
        looks = monitor.result().looks
        assert shows(monitor, lambda result: result.looks > looks + 2 and result.well)
    assert client.list_sessions() == []


def test_who_may_not_in_is_told_so(expose_mine: ExposeMine) -> None:  # noqa: F811 - the fixture
    """A service for others is reported with the reason; somebody on its list can be named."""
    mine = expose_mine(users=("ben",))
    refused = Monitor(mine.service.port).check()[mine.service.port].seen
    assert refused.healthy is False
    assert "signing in failed" in refused.reason
    assert Monitor(mine.service.port, user="ben").check().well


def test_a_users_token_takes_no_session(
    expose_mine: ExposeMine,  # noqa: F811 - the fixture
    client: ProxyClient,
) -> None:
    """Programs may sign in by their token: no link is made."""
    token = client.create_user("watcher").token
    mine = expose_mine(users=("watcher",))
    with quick(mine.service.port, token=token) as monitor:
        assert shows(monitor, lambda result: result.looks >= 2 and result.well)
        assert client.list_sessions() == []
        assert str(token) not in repr(vars(monitor))
    client.delete_user("watcher")


def test_r45_one_services_session_is_not_sent_to_another(
    expose_mine: ExposeMine,  # noqa: F811 - the fixture
) -> None:
    """Services on other ports of the host name get neither its cookie nor any other."""
    first, second = expose_mine("first"), expose_mine("second")
    first.service.seen.clear()
    with quick() as monitor:
        assert shows(monitor, lambda result: result.looks >= 3 and len(result) == 2 and result.well)
    for service in (first.service, second.service):
        assert service.seen
        assert not [value for seen in service.seen for value in seen.values("cookie")]
