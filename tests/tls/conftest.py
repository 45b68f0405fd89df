"""What every test of certificates needs: an authority to compare with, and an exposed service."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from jupyter_tensorone_proxy.gateway.authority import LocalAuthority
from jupyter_tensorone_proxy.gateway.desired import Certificate
from tests.fixtures.certificates import CompanyAuthority, shake_hands, strict_context
from tests.fixtures.gateway import RunningGateway
from tests.fixtures.services.processes import program
from tests.fixtures.services.web import web_service
from tests.fixtures.traffic import Exposed
from tests.fixtures.trust_stores import Home

ExposeOn = Callable[..., Exposed]
NAMES = ["nb.lab.example", "localhost"]
"""Names of a gateway's host."""

DAY = timedelta(days=1)


@pytest.fixture
def company(tmp_path: Path) -> CompanyAuthority:
    """Return an authority that is not the gateway's."""
    return CompanyAuthority(tmp_path / "company")


@pytest.fixture
def expose_on() -> Iterator[ExposeOn]:
    """Return a function that exposes a web service, publicly, on a gateway of the test's own."""
    with ExitStack() as stack:

        def expose(gateway: RunningGateway, **fields: Any) -> Exposed:
            service = stack.enter_context(web_service())
            with gateway.client() as client:
                mapping = client.create_port(
                    internal_port=service.port,
                    description="web",
                    access_control={"public_access": True},
                    **fields,
                )
            return Exposed(service, mapping)

        yield expose


@contextmanager
def open_websocket(
    gateway: RunningGateway, exposed: Exposed, trusted: Path | None = None
) -> Iterator[ClientConnection]:
    """Open a WebSocket to the service as its own page does.

    Args:
        gateway: Whose authority is trusted.
        exposed: The service.
        trusted: Another authority to trust.
    """
    files = [Path(gateway.runtime["ca_file"]), *([trusted] if trusted else [])]
    url = exposed.url.replace("https:", "wss:")
    with connect(f"{url}/ws", ssl=strict_context(*files), origin=Origin(exposed.url)) as websocket:
        yield websocket


def echoes(websocket: ClientConnection, text: str) -> bool:
    """Say whether the service still answers on an open WebSocket."""
    websocket.send(text)
    return websocket.recv(timeout=10) == text


def now() -> datetime:
    """Return the current time."""
    return datetime.now(timezone.utc)


def host(authority: LocalAuthority) -> Certificate:
    """Return the certificate for the host's names."""
    return authority.host_certificate(NAMES, kept_as="leaf")


def accepts(certificate: Certificate, name: str, *trusted: Path) -> None:
    """Shake hands as strictly as Python 3.13 does.

    Raises:
        ssl.SSLCertVerificationError: The client does not accept the certificate.
    """
    chain = certificate.chain_pem + certificate.private_key_pem
    shake_hands(chain, name, strict_context(*trusted))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """Be somebody with a CA, whose Chromium has been used once and has no store yet."""
    found = Home(tmp_path / "home", tmp_path / "state", program("certutil"))
    found.chromium.mkdir(parents=True)
    found.state.mkdir()
    LocalAuthority(found.state, ["localhost"])
    monkeypatch.setenv("HOME", str(found.path))
    monkeypatch.setenv("TENSORONE_STATE_DIR", str(found.state))
    return found


def ca_of(home: Home) -> x509.Certificate:
    """Return the certificate of the home's CA."""
    return x509.load_pem_x509_certificate((home.state / "ca.pem").read_bytes())
