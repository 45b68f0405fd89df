"""Services that listen on another loopback address than the usual ones are reached there."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from jupyter_tensorone_proxy import PortMapping, ProxyClient
from jupyter_tensorone_proxy.errors import InvalidRequestError, ProtectedPortError
from tests.fixtures.gateway import free_port, wait_until
from tests.fixtures.services.web import web_service
from tests.fixtures.traffic import ExposeRaw, Visit

WEB = {"access_control": {"public_access": True}}


def _get(visit: Visit, mapping: PortMapping, path: str = "/", **options: Any) -> httpx.Response:
    answer: httpx.Response = visit().get(f"{mapping.url}{path}", **options)
    return answer


@pytest.mark.parametrize("host", ["127.0.0.2", "127.9.8.7"])
def test_a_service_on_another_loopback_address_is_found_there(
    expose_raw: ExposeRaw, visit: Visit, host: str
) -> None:
    """Nobody has to say where it listens; the service sees its own address as Host and Origin."""
    with web_service("there", host=host) as service:
        made = expose_raw(service.port, **WEB)
        assert made.internal_host == host
        assert _get(visit, made).text == "there"
        sent = {"origin": str(made.url)}
        assert visit().post(f"{made.url}/headers", headers=sent).status_code == 200
        assert service.seen[-1].values("host") == [f"{host}:{service.port}"]
        assert service.seen[-1].values("origin") == [f"http://{host}:{service.port}"]
        to = f"http://{host}:{service.port}/headers?a=1"
        answer = _get(visit, made, "/redirect", params={"to": to})
        assert answer.headers["location"] == "/headers?a=1"


def test_a_service_on_ipv6_alone_needs_no_field(expose_raw: ExposeRaw, visit: Visit) -> None:
    """`::1` is tried where nothing listens on 127.0.0.1."""
    with web_service("six", host="::1") as service:
        made = expose_raw(service.port, **WEB)
        assert made.internal_host is None
        assert _get(visit, made).text == "six"


def test_the_usual_address_wins_where_both_listen(expose_raw: ExposeRaw, visit: Visit) -> None:
    """Two services with one port number: the usual one, or the one that is asked for."""
    with (
        web_service("usual") as service,
        web_service("other", port=service.port, host="127.0.0.2"),
    ):
        made = expose_raw(service.port, **WEB)
        assert (made.internal_host, _get(visit, made).text) == (None, "usual")


def test_the_address_can_be_asked_for_and_changed(
    expose_raw: ExposeRaw, client: ProxyClient, visit: Visit
) -> None:
    """Of several, the one that is named; null goes back to the usual ones."""
    with (
        web_service("usual") as service,
        web_service("other", port=service.port, host="127.0.0.2"),
    ):
        made = expose_raw(service.port, internal_host="127.0.0.2", **WEB)
        assert _get(visit, made).text == "other"
        client.update_port(made.id, internal_host=None)
        assert _get(visit, made).text == "usual"


def test_a_mapping_that_is_pointed_elsewhere_looks_anew(
    expose_raw: ExposeRaw, client: ProxyClient, visit: Visit
) -> None:
    """From an unusual address to a usual one and back, by the port alone; the URL stays."""
    with web_service("first", host="127.0.0.2") as first, web_service("second") as second:
        made = expose_raw(first.port, **WEB)
        for service, host in ((second, None), (first, "127.0.0.2")):
            moved = client.update_port(made.id, internal_port=service.port)
            assert (moved.internal_host, moved.url) == (host, made.url)
            assert _get(visit, made).text == service.name


def test_r18_health_is_checked_where_the_service_is(
    expose_raw: ExposeRaw, client: ProxyClient
) -> None:
    """The check goes to the same address as visitors do."""
    with web_service("checked", host="127.0.0.2") as service:
        check = {"path": "/health", "interval_seconds": 1}
        made = expose_raw(service.port, health_check=check, **WEB)

        def health() -> str | None:
            return next(m.health_status for m in client.list_ports() if m.id == made.id)

        assert wait_until(lambda: health() == "healthy")
        service.healthy = False
        assert wait_until(lambda: health() == "unhealthy")
        service.healthy = True
        assert wait_until(lambda: health() == "healthy")


@pytest.mark.parametrize(
    "host",
    [
        "192.0.2.1",
        "10.0.0.1",
        "169.254.169.254",
        "0.0.0.0",  # noqa: S104 - it is refused
        "::",
        "fe80::1%lo",
        "::1%lo",
        "::ffff:10.0.0.1",
        "localhost",
        "example.com",
        "127.1",
        "0x7f000001",
        "127.0.0.2\n",
        "",
    ],
)
def test_r04_no_address_of_another_machine_is_taken(client: ProxyClient, host: str) -> None:
    """Names, networks, and what only looks like loopback: 422 that names the field."""
    with pytest.raises(InvalidRequestError, match="internal_host"):
        client.create_port(internal_port=free_port(), description="far", internal_host=host)
    assert client.list_ports() == []


def test_r47_a_protected_port_is_protected_at_every_address(client: ProxyClient) -> None:
    """Another loopback address is no way around the list."""
    with pytest.raises(ProtectedPortError):
        client.create_port(internal_port=6379, description="redis", internal_host="127.0.0.2")
