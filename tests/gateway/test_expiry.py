"""Mappings that end by themselves: at their moment, with their sessions, whatever happened."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

import httpx
import pytest

from jupyter_tensorone_proxy import InvalidRequestError, ProxyClient
from tests.fixtures.gateway import RunningGateway, wait_until
from tests.fixtures.services.web import WebService
from tests.gateway.conftest import ExposePort, RunGateway


def soon(seconds: float) -> datetime:
    """Return a moment of the near future, or past."""
    return datetime.now(timezone.utc) + timedelta(seconds=seconds)


def closed(gateway: RunningGateway, url: str | None) -> Callable[[], bool]:
    """Return a function that says whether nobody answers at a URL any more."""

    def is_closed() -> bool:
        with gateway.visitor() as visitor:
            try:
                visitor.get(url or "")
            except httpx.ConnectError:
                return True
        return False

    return is_closed


def test_a_mapping_ends_at_its_moment(
    gateway: RunningGateway, client: ProxyClient, service: WebService, expose: ExposePort
) -> None:
    """It serves until then; afterwards its port is closed, and the audit says why."""
    stays = expose(40_001)
    mapping = expose(service.port, expires_at=soon(3))
    assert mapping.expires_at is not None
    with gateway.visitor() as visitor:
        assert visitor.get(mapping.url or "").text == service.name
    assert wait_until(closed(gateway, mapping.url), seconds=15)
    assert datetime.now(timezone.utc) >= mapping.expires_at
    assert [m.id for m in client.list_ports()] == [stays.id]
    (event,) = client.list_events(action="port.deleted")
    assert (event.port_id, event.via) == (mapping.id, "gateway")
    assert event.details["reason"] == "expired"


def test_who_came_in_is_signed_out_at_its_end(
    gateway: RunningGateway, client: ProxyClient, expose: ExposePort
) -> None:
    """No session and no link outlive the mapping."""
    mapping = expose(40_001, access_control={"authentication_required": True}, expires_at=soon(3))
    link = client.create_link(mapping.id, user="ben", one_time=False, expires_in_seconds=3600)
    with gateway.visitor() as visitor:
        assert visitor.get(link.url).status_code == 302
    assert [session.user for session in client.list_sessions()] == ["ben"]
    assert wait_until(lambda: not client.list_ports(), seconds=15)
    assert not client.list_links()
    assert not client.list_sessions()


def test_an_end_can_be_put_off_and_lifted(client: ProxyClient, expose: ExposePort) -> None:
    """What is extended in time stays; null is for ever."""
    mapping = expose(40_001, expires_at=soon(4))
    later = client.update_port(mapping.id, expires_at=soon(3600))
    assert later.expires_at is not None
    assert later.expires_at > soon(3000)
    assert client.update_port(mapping.id, expires_at=None).expires_at is None
    assert not wait_until(lambda: not client.list_ports(), seconds=6)


@pytest.mark.parametrize("end", [soon(-1), "2026-01-15T14:30:00Z"])
def test_an_end_in_the_past_is_refused(
    expose: ExposePort, client: ProxyClient, end: object
) -> None:
    """The field is named, and nothing is exposed for a second."""
    with pytest.raises(InvalidRequestError) as caught:
        expose(40_001, expires_at=end)
    (problem,) = caught.value.details["fields"]
    assert problem["field"] == "expires_at"
    assert "is in the past" in problem["message"]
    assert not client.list_ports()


def test_what_ended_while_the_gateway_was_stopped_is_not_served_again(
    start: RunGateway, tmp_path: Path, service: WebService
) -> None:
    """A restart after the moment begins without the mapping; one with time left is there."""
    first = start(state=tmp_path / "kept")
    with first.client() as client:
        fields = {"access_control": {"public_access": True}}
        client.create_port(
            internal_port=service.port, description="gone", expires_at=soon(1.5), **fields
        )
        client.create_port(
            internal_port=40_001, description="stays", expires_at=soon(3600), **fields
        )
    first.process.kill()
    first.process.wait(10)
    over = soon(2)
    assert wait_until(lambda: soon(0) > over, seconds=5)
    second = start(state=tmp_path / "kept")
    with second.client() as client:
        assert [m.description for m in client.list_ports()] == ["stays"]
        (event,) = client.list_events(action="port.deleted")
        assert event.details["reason"] == "expired"
