"""What every test of the traffic needs: a gateway, visitors, and services to expose."""

from __future__ import annotations

import contextlib
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
from jupyter_tensorone_proxy.models import ClusterAccess, Compression, NetworkConfiguration
from tests.fixtures.gateway import RunningGateway, run_gateway
from tests.fixtures.services.web import web_service
from tests.fixtures.traffic import (
    RAW,
    Expose,
    Exposed,
    ExposeRaw,
    OpenWebSocket,
    SendRaw,
    SignIn,
    Visit,
)

_NETWORK = NetworkConfiguration(compression=Compression())


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    """Run one gateway for all tests of a file."""
    with run_gateway(tmp_path_factory.mktemp("state")) as running:
        yield running


@pytest.fixture(scope="module")
def client(gateway: RunningGateway) -> Iterator[ProxyClient]:
    """Return a client of the gateway's API."""
    with gateway.client() as api:
        yield api


@pytest.fixture
def cluster(client: ProxyClient) -> Iterator[ProxyClient]:
    """Return the client for tests that change what holds for all ports; it is undone."""
    yield client
    client.update_access(**ClusterAccess().model_dump())
    client.update_proxy(enabled=True, allowed_ips=[])
    client.update_proxy(network_configuration=_NETWORK.model_dump())


@pytest.fixture
def expose(client: ProxyClient) -> Iterator[Expose]:
    """Return a function that starts a web service and exposes it, publicly unless told."""
    with ExitStack() as stack:

        def expose(
            name: str = "web", *, access: dict[str, Any] | None = None, **fields: Any
        ) -> Any:
            service = stack.enter_context(web_service(name))
            mapping = client.create_port(
                internal_port=service.port,
                description=name,
                access_control=access or {"public_access": True},
                **fields,
            )
            stack.callback(client.delete_port, mapping.id)
            return Exposed(service, mapping)

        yield expose


@pytest.fixture(scope="module")
def trust(gateway: RunningGateway) -> ssl.SSLContext:
    """Return what trusts the gateway's own authority, and speaks HTTP/1.1."""
    return _trust(gateway)


def _trust(gateway: RunningGateway) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=gateway.runtime["ca_file"])


@pytest.fixture
def expose_raw(client: ProxyClient) -> Iterator[ExposeRaw]:
    """Return a function that exposes a port without sign-in, of any protocol."""
    made: list[str] = []

    def create(port: int, **fields: Any) -> PortMapping:
        mapping = client.create_port(
            **{"internal_port": port, "description": "raw", "access_control": RAW} | fields
        )
        made.append(mapping.id)
        return mapping

    yield create
    for mapping_id in made:
        client.delete_port(mapping_id)


@pytest.fixture
def visit(gateway: RunningGateway) -> Iterator[Visit]:
    """Return a function that makes visitors: from an address, as a user, over HTTP/2."""
    context = _trust(gateway)  # not the others': the client's HTTP/2 changes what it offers
    with ExitStack() as stack:

        def visit(address: str = "127.0.0.1", token: str | None = None, **options: Any) -> Any:
            transport = httpx.HTTPTransport(
                verify=context, local_address=address, http2=options.pop("http2", False)
            )
            headers = options.pop("headers", {})
            if token:
                headers = {**headers, "authorization": f"Bearer {token}"}
            visitor = httpx.Client(transport=transport, headers=headers, timeout=20, **options)
            return stack.enter_context(visitor)

        yield visit


@pytest.fixture
def api(gateway: RunningGateway) -> Iterator[httpx.Client]:
    """Return plain HTTP to the gateway's API, under its one cluster."""
    with httpx.Client(
        base_url=f"{gateway.api_url}/v1/clusters/local",
        headers={"authorization": f"Bearer {gateway.api_key}"},
    ) as plain:
        yield plain


@pytest.fixture
def sign_in(visit: Visit, client: ProxyClient) -> SignIn:
    """Return a function that signs somebody in to a mapping by a link, as a browser does."""

    def sign_in(exposed: Exposed, user: str = "ana", **options: Any) -> httpx.Client:
        browser = visit(**options)
        link = client.create_link(exposed.mapping.id, user=user, path="/landing")
        assert browser.get(link.url).status_code == 302
        return browser

    return sign_in


@pytest.fixture
def websocket(trust: ssl.SSLContext) -> Iterator[OpenWebSocket]:
    """Return a function that opens a WebSocket from the mapping's own page, unless told."""
    with ExitStack() as stack:

        def open_one(
            exposed: Exposed, path: str = "/ws", origin: str | None = "own", **options: Any
        ) -> ClientConnection:
            sent = exposed.url if origin == "own" else origin
            url = exposed.url.replace("https", "wss", 1) + path
            page = Origin(sent) if sent else None
            made: ClientConnection = connect(url, ssl=trust, origin=page, **options)
            return stack.enter_context(made)

        yield open_one


@pytest.fixture
def send_raw(trust: ssl.SSLContext) -> SendRaw:
    """Return a function that sends bytes over TLS, and returns all that comes back."""

    def send(
        exposed: Exposed,
        *pieces: bytes,
        server_name: str = "localhost",
        then_close: bool = False,
    ) -> bytes:
        address = ("127.0.0.1", exposed.port)
        received = b""
        with (
            socket.create_connection(address, timeout=5) as plain,
            trust.wrap_socket(plain, server_hostname=server_name) as raw,
            contextlib.suppress(
                TimeoutError, ConnectionResetError, ssl.SSLEOFError
            ),  # kept, or cut
        ):
            first, *others = pieces
            raw.sendall(first)
            for piece in others:  # each when there was an answer to the one before
                received += raw.recv(65_536)
                raw.sendall(piece)
            if then_close:
                raw.shutdown(socket.SHUT_WR)
            while piece := raw.recv(65_536):
                received += piece
        return received

    return send
