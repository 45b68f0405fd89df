"""R6: a port is exposed only while its listening socket belongs to the gateway's user.

Another user of the machine who takes the port of a service that has ended would be shown to its
visitors, with their requests and everything they type.
"""

from __future__ import annotations

import os
import socket
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from jupyter_tensorone_proxy import ProxyClient
from jupyter_tensorone_proxy.errors import ProtectedPortError
from jupyter_tensorone_proxy.gateway.desired import Address
from jupyter_tensorone_proxy.gateway.ownership import Ownership
from jupyter_tensorone_proxy.sockets import listening_sockets
from tests.fixtures.gateway import RunningGateway, free_port, free_range, run_gateway, wait_until
from tests.fixtures.processes import NOBODY, foreign_service, kill, serves
from tests.fixtures.services.web import web_service
from tests.gateway.conftest import PUBLIC, ExposePort, RunGateway

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0, reason="only root can start a service as another user"
)


def _status(gateway: RunningGateway, url: str | None) -> tuple[int, str]:
    with gateway.visitor() as visitor:
        answer = visitor.get(url or "")
    if "json" not in answer.headers.get("content-type", ""):
        return answer.status_code, answer.text
    return answer.status_code, answer.json()["error"]["code"]


NOT_YOURS = (503, "SERVICE_NOT_YOURS")


# --- creating -------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])  # noqa: S104 - what others may do
def test_r06_another_users_port_is_not_exposed(
    client: ProxyClient, expose: ExposePort, host: str
) -> None:
    """403 PROTECTED_PORT that says why and what to do; forcing it does not help."""
    with foreign_service(host=host) as foreign:
        for force in (False, True):
            with pytest.raises(ProtectedPortError, match="another user") as found:
                expose(foreign.port, force=force)
            assert "--service-users" in str(found.value)
        with pytest.raises(ProtectedPortError):
            expose(free_port(), replicas=[foreign.port])
        assert client.list_ports() == []
        assert foreign.visits() == 0


def test_r06_a_mapping_cannot_be_turned_to_another_users_port(
    client: ProxyClient, expose: ExposePort
) -> None:
    """Updates are judged like creates, and what was there stays."""
    mapping = expose(free_port())
    with foreign_service() as foreign:
        for change in ({"internal_port": foreign.port}, {"replicas": [foreign.port]}):
            with pytest.raises(ProtectedPortError, match="another user"):
                client.update_port(mapping.id, **change)
        assert foreign.visits() == 0
    (kept,) = client.list_ports()
    assert (kept.internal_port, kept.replicas) == (mapping.internal_port, None)


def test_a_port_where_nothing_listens_yet_is_exposed(
    gateway: RunningGateway, expose: ExposePort
) -> None:
    """Nobody owns it, so it may become ours: until then the page says that nothing answers."""
    assert _status(gateway, expose(free_port()).url) == (502, "SERVICE_UNREACHABLE")


def test_r06_another_users_loopback_address_is_not_exposed_either(
    gateway: RunningGateway, client: ProxyClient, expose: ExposePort
) -> None:
    """Asked for by its address it is refused; taken later, it is closed."""
    with foreign_service(host="127.0.0.2") as foreign:
        with pytest.raises(ProtectedPortError, match="another user"):
            expose(foreign.port, internal_host="127.0.0.2")
        assert client.list_ports() == []
    with web_service("mine", host="127.0.0.2") as service:
        mapping = expose(service.port)
        assert mapping.internal_host == "127.0.0.2"
        assert serves(gateway, mapping.url, "mine")
    with foreign_service(service.port, host="127.0.0.2"):
        assert wait_until(lambda: _status(gateway, mapping.url) == NOT_YOURS)


# --- while it is exposed --------------------------------------------------------------------


def test_r06_a_port_that_another_user_takes_is_closed_and_opens_again(
    gateway: RunningGateway, client: ProxyClient, expose: ExposePort
) -> None:
    """The service ends, somebody else takes its port: 503; it comes back: 200, nothing to do."""
    with web_service("mine") as service:
        mapping = expose(service.port)
        assert serves(gateway, mapping.url, "mine")
    with foreign_service(service.port) as foreign:
        assert wait_until(lambda: _status(gateway, mapping.url) == NOT_YOURS)
        assert client.list_ports()[0].status == "error"
        visited = foreign.visits()
    assert wait_until(lambda: _status(gateway, mapping.url) == (502, "SERVICE_UNREACHABLE"))
    with web_service("mine", port=service.port):
        assert wait_until(lambda: serves(gateway, mapping.url, "mine"))
    assert client.list_ports()[0].status == "active"
    assert visited <= 40  # at most what came in the half second until it was seen


def test_r06_the_closed_page_says_what_to_do(gateway: RunningGateway, expose: ExposePort) -> None:
    """People get a page that names the port; visitors who must sign in still must."""
    with web_service() as service:
        public, private = expose(service.port), None
        with web_service() as other:
            private = expose(other.port, access_control={"authentication_required": True})
    with foreign_service(service.port), foreign_service(other.port):
        assert wait_until(lambda: _status(gateway, public.url) == NOT_YOURS)
        with gateway.visitor(headers={"accept": "text/html"}) as visitor:
            page = visitor.get(public.url or "")
            assert (page.status_code, page.headers["content-type"][:9]) == (503, "text/html")
            assert f"its port is {service.port}" in page.text
            assert visitor.get(private.url or "").status_code == 302
        assert _status(gateway, private.url) == (401, "UNAUTHORIZED")


def test_r06_a_request_never_falls_over_to_another_users_address(
    gateway: RunningGateway, expose: ExposePort
) -> None:
    """IPv4 is ours and stops answering; IPv6 of the same port is theirs, and is not tried."""
    if not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")
    with web_service("mine") as service:
        mapping = expose(service.port)
        with foreign_service(service.port, host="::1") as foreign:
            # Nothing is closed: the address that serves is ours.
            assert wait_until(lambda: _sees_foreign(service.port))
            assert serves(gateway, mapping.url, "mine")
    with foreign_service(service.port, host="::1") as foreign:
        assert wait_until(lambda: _status(gateway, mapping.url) == NOT_YOURS)
        assert [_status(gateway, mapping.url) for _ in range(5)] == [NOT_YOURS] * 5
        assert foreign.visits() <= 40  # as above


def _sees_foreign(port: int) -> bool:
    return any(s.port == port and s.uid == NOBODY for s in listening_sockets())


def test_r06_one_replica_of_another_user_is_left_out(
    gateway: RunningGateway, expose: ExposePort
) -> None:
    """The others serve on; not one request goes to the lost one once it is seen."""
    with ExitStack() as stack:
        mine = stack.enter_context(web_service("mine"))
        with web_service("mine") as lost:
            mapping = expose(mine.port, replicas=[lost.port])
        foreign = stack.enter_context(foreign_service(lost.port))
        with gateway.client() as api:
            assert wait_until(lambda: api.list_ports()[0].status == "error")
        answers = {_text(gateway, mapping.url) for _ in range(30)}
        assert answers == {"mine"}
        assert foreign.visits() == 0


def _text(gateway: RunningGateway, url: str | None) -> str:
    with gateway.visitor() as visitor:
        return visitor.get(url or "").text


def test_r06_health_checks_do_not_visit_another_users_service(
    gateway: RunningGateway, expose: ExposePort
) -> None:
    """Checks of a port that was lost end, so that their path and Host are not told either."""
    with web_service() as service:
        mapping = expose(service.port, health_check={"path": "/health", "interval_seconds": 1})
    with foreign_service(service.port) as first:
        assert wait_until(lambda: _status(gateway, mapping.url) == NOT_YOURS)
        first.visits()
    with foreign_service(service.port) as second:
        assert wait_until(lambda: _status(gateway, mapping.url) == NOT_YOURS)
        assert not wait_until(lambda: False, seconds=2.5)  # two checks would have been due
        assert second.visits() <= 1


def test_r06_a_restart_of_either_process_keeps_it_closed(
    gateway: RunningGateway, expose: ExposePort
) -> None:
    """Nobody has a moment in which the other user's service is reached."""
    with web_service() as service:
        mapping = expose(service.port)
    with foreign_service(service.port):
        assert wait_until(lambda: _status(gateway, mapping.url) == NOT_YOURS)
        kill(gateway, "control")
        assert {_status(gateway, mapping.url) for _ in range(20)} == {NOT_YOURS}
    with foreign_service(service.port) as foreign:
        assert wait_until(lambda: _status(gateway, mapping.url) == NOT_YOURS)
        foreign.visits()
    with foreign_service(service.port) as foreign:
        assert wait_until(lambda: _status(gateway, mapping.url) == NOT_YOURS)
        kill(gateway, "envoy")
        assert wait_until(lambda: _answers(gateway, mapping.url))
        assert {_status(gateway, mapping.url) for _ in range(20)} == {NOT_YOURS}


def _answers(gateway: RunningGateway, url: str | None) -> bool:
    try:
        return bool(_status(gateway, url))
    except httpx.TransportError:
        return False


def test_r06_raw_services_are_closed_too(gateway: RunningGateway, client: ProxyClient) -> None:
    """No page can be shown there: the connection ends, and no byte reaches the other user."""
    with web_service() as service:
        mapping = client.create_port(
            internal_port=service.port,
            description="raw",
            app_protocol="tcp",
            access_control={"authentication_required": False, "ip_whitelist": ["127.0.0.0/8"]},
        )
    with foreign_service(service.port) as foreign:
        assert wait_until(lambda: client.list_ports()[0].status == "error")
        for _ in range(3):
            with gateway.visitor() as visitor, pytest.raises(httpx.TransportError):
                visitor.get((mapping.url or "").replace("tls://", "https://"))
        assert foreign.visits() == 0


def test_the_administrator_may_trust_another_user(start: RunGateway) -> None:
    """With `--service-users nobody` that user's services are exposed like one's own."""
    gateway = start("--external-ports", free_range(5), "--service-users", "nobody")
    with foreign_service() as foreign, gateway.client() as api:
        mapping = api.create_port(
            internal_port=foreign.port, description="trusted", access_control=PUBLIC
        )
        assert serves(gateway, mapping.url, "foreign")


def test_an_unknown_service_user_is_refused_at_the_start(tmp_path: Path) -> None:
    """A misspelt name would otherwise look like a rule."""
    with (
        pytest.raises(AssertionError, match="not every name in 'nobody,nobdy' is a user here"),
        run_gateway(tmp_path, "--service-users", "nobody,nobdy"),
    ):
        pytest.fail("it started")


# --- whom a connection would find -----------------------------------------------------------


def test_the_most_particular_socket_decides() -> None:
    """Ours on 127.0.0.1 is what a connection finds, whoever holds the wildcard of the port."""
    with web_service() as service, foreign_service(service.port, host="::1"):
        asked = {Address("tcp", host, service.port) for host in ("127.0.0.1", "::1")}
        assert Ownership().foreign(asked) == {Address("tcp", "::1", service.port)}
        assert Ownership([NOBODY]).foreign(asked) == frozenset()
    with foreign_service(host="0.0.0.0") as foreign:  # noqa: S104 - what others may do
        asked = {Address(kind, "127.0.0.1", foreign.port) for kind in ("tcp", "udp")}
        assert Ownership().foreign(asked) == {Address("tcp", "127.0.0.1", foreign.port)}
