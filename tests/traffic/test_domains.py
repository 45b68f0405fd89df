"""`custom_domain`: several services on one external port, told apart by SNI and Host.

Their certificates are tested elsewhere (tests/tls); here nobody looks at them.
"""

from __future__ import annotations

import itertools
import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from jupyter_tensorone_proxy import PortMapping, ProxyClient
from jupyter_tensorone_proxy.errors import ExternalPortInUseError
from jupyter_tensorone_proxy.gateway.xds.sign_in import session_cookie
from tests.fixtures.services.web import WebService, web_service
from tests.fixtures.traffic import Exposed

A, B, C = "a.lab.example", "b.lab.example", "c.lab.example"
PRIVATE = {"authentication_required": True}

CARELESS = ssl.create_default_context()
CARELESS.check_hostname, CARELESS.verify_mode = False, ssl.CERT_NONE


class Street:
    """One external port with a service at every domain.

    Args:
        client: Exposes them.
    """

    def __init__(self, client: ProxyClient) -> None:
        self._client = client
        self._stack = ExitStack()
        self.port: int | None = None

    def add(self, domain: str, **fields: Any) -> Exposed:
        """Start a service and expose it at a domain."""
        service = self._stack.enter_context(web_service(domain))
        access = fields.pop("access", {"public_access": True})
        made = self._client.create_port(
            internal_port=service.port,
            description=domain,
            custom_domain=domain,
            external_port=self.port,
            access_control=access,
            **fields,
        )
        self.port = made.external_port
        return Exposed(service, made)

    def remove(self, mapping: PortMapping) -> None:
        """Stop exposing one."""
        self._client.delete_port(mapping.id)

    def get(self, sni: str, host: str | None = None, **headers: str) -> httpx.Response:
        """Ask for a page: TLS for one name, HTTP for another if told."""
        with httpx.Client(verify=CARELESS, timeout=10) as visitor:
            return visitor.get(
                f"https://127.0.0.1:{self.port}/",
                headers={"host": host or f"{sni}:{self.port}", **headers},
                extensions={"sni_hostname": sni},
            )

    def websocket(self, domain: str) -> ClientConnection:
        """Open a WebSocket from the domain's own page."""
        connection = connect(
            f"wss://{domain}:{self.port}/ws",
            sock=socket.create_connection(("127.0.0.1", self.port or 0)),
            ssl=CARELESS,
            server_hostname=domain,
            origin=Origin(f"https://{domain}:{self.port}"),
        )
        return self._stack.enter_context(connection)

    def close(self) -> None:
        """Remove everything."""
        for mapping in self._client.list_ports():
            self._client.delete_port(mapping.id)
        self._stack.close()


@pytest.fixture
def street(client: ProxyClient) -> Iterator[Street]:
    """Return an external port without any domain yet."""
    made = Street(client)
    yield made
    made.close()


def test_each_domain_leads_to_its_own_service(street: Street) -> None:
    """Three domains on one port, each with a URL and a certificate of its own name."""
    exposed = {domain: street.add(domain) for domain in (A, B, C)}
    assert len({e.port for e in exposed.values()}) == 1
    for domain, one in exposed.items():
        assert one.url == f"https://{domain}:{street.port}"
        for host in (domain, f"{domain}:{street.port}", domain.upper(), f"{domain}."):
            assert street.get(domain, host).text == domain
    seen = exposed[A].service.seen[0]
    assert seen.values("x-forwarded-host") == [A]
    assert seen.values("host") == [f"127.0.0.1:{exposed[A].service.port}"]


def test_r32_a_wrong_pair_of_names_is_misdirected(street: Street) -> None:
    """SNI of one domain with the Host of another: 421, whatever its spelling; no service hears."""
    exposed = [street.add(domain) for domain in (A, B)]
    hosts = [
        B,
        f"{B}:{street.port}",
        B.upper(),
        f"{B}.",
        "localhost",
        "127.0.0.1",
        f"x.{A}",
        f"{A}.x",
    ]
    for host in hosts:
        answer = street.get(A, host)
        assert answer.status_code == 421, host
        assert answer.json()["error"]["code"] == "MISDIRECTED_REQUEST"
    assert all(e.service.seen == [] for e in exposed)


def test_r32_a_session_of_one_domain_opens_no_other(street: Street, client: ProxyClient) -> None:
    """Nor does it open its own mapping through the other's name."""
    one, other = street.add(A, access=PRIVATE), street.add(B, access=PRIVATE)
    link = httpx.URL(client.create_link(one.mapping.id, user="ana").url)
    with httpx.Client(verify=CARELESS) as browser:
        landed = browser.get(
            link.copy_with(host="127.0.0.1"),
            headers={"host": A},
            extensions={"sni_hostname": A},
        )
    cookie = landed.headers.get_list("set-cookie")[0].partition(";")[0]
    token = cookie.partition("=")[2]
    assert street.get(A, cookie=cookie).status_code == 200
    for sni, host, mapping in itertools.product((A, B), (A, B), (one, other)):
        if (sni, host, mapping) != (A, A, one):
            stolen = f"{session_cookie(mapping.mapping.id)}={token}"
            assert street.get(sni, host, cookie=stolen).status_code in {401, 421}
    assert other.service.seen == []
    assert len(one.service.seen) == 1


@pytest.mark.parametrize(
    "sni", ["localhost", "x.a.lab.example", "lab.example", "evil.example", None]
)
def test_r32_a_name_nobody_has_gets_no_connection(street: Street, sni: str | None) -> None:
    """Without a domain of ours in the TLS hello there is no handshake."""
    exposed = street.add(A)
    with (
        socket.create_connection(("127.0.0.1", exposed.port), timeout=5) as plain,
        pytest.raises((ssl.SSLError, ConnectionError)),
    ):
        CARELESS.wrap_socket(plain, server_hostname=sni)
    assert exposed.service.seen == []


def test_a_neighbours_coming_and_going_cuts_nothing(street: Street) -> None:
    """Adding, editing and removing domains of a port keeps another's open WebSocket."""
    street.add(A)
    talk = street.websocket(A)

    def says(text: str) -> None:
        talk.send(text)
        assert talk.recv(timeout=10) == text

    says("alone")
    second = street.add(B)
    says("with a neighbour")
    third = street.add(C, access=PRIVATE)
    street._client.update_port(second.mapping.id, description="renamed", ssl_redirect=False)
    says("with two")
    street._client.update_port(third.mapping.id, custom_domain="d.lab.example")
    says("one moved")
    street.remove(second.mapping)
    street.remove(third.mapping)
    says("alone again")
    assert street.get(A).text == A


def test_the_first_domain_may_go_before_the_others(street: Street) -> None:
    """Whoever made the port is no more than the others."""
    first, second = street.add(A), street.add(B)
    talk = street.websocket(B)
    street.remove(first.mapping)
    talk.send("still here")
    assert talk.recv(timeout=10) == "still here"
    assert street.get(B).text == B
    with pytest.raises(httpx.TransportError):
        street.get(A)
    street.remove(second.mapping)
    with pytest.raises(httpx.ConnectError):
        street.get(B)


def test_a_port_is_shared_only_by_domains(street: Street, client: ProxyClient) -> None:
    """Neither a mapping without a domain nor the same domain again may join."""
    one = street.add(A)
    with web_service() as service:
        for fields in ({}, {"custom_domain": A}, {"custom_domain": A.upper()}):
            with pytest.raises(ExternalPortInUseError):
                _create(client, service, external_port=one.port, **fields)
    assert street.get(A).text == A


def _create(client: ProxyClient, service: WebService, **fields: Any) -> PortMapping:
    return client.create_port(internal_port=service.port, description="x", **fields)
