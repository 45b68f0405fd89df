"""`app_protocol`: what a service speaks; https here, gRPC and others among the real services."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import connect
from websockets.typing import Origin

from jupyter_tensorone_proxy.errors import InvalidRequestError
from tests.fixtures.services.web import web_service
from tests.fixtures.traffic import RAW, Exposed, ExposeRaw, Visit


@pytest.fixture(scope="module")
def self_signed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Make a certificate that nobody trusts, for another name."""
    directory = tmp_path_factory.mktemp("certificate")
    certificate, key = directory / "cert.pem", directory / "key.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-subj", "/CN=elsewhere", "-days", "1"),
            *("-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    return certificate, key


def test_an_https_service_is_reached_by_tls(
    expose_raw: ExposeRaw, visit: Visit, trust: ssl.SSLContext, self_signed: tuple[Path, Path]
) -> None:
    """Its certificate is not checked; redirects, Origin and WebSockets are as with http."""
    with web_service("by tls", certificate=self_signed) as service:
        made = expose_raw(service.port, app_protocol="https")
        exposed = Exposed(service, made)
        assert made.url == f"https://localhost:{made.external_port}"
        assert visit().post(exposed.url, headers={"origin": exposed.url}).text == "by tls"
        local = f"https://127.0.0.1:{service.port}"
        assert service.seen[-1].values("origin") == [local]
        to = {"to": f"{local}/moved"}
        answer = visit().get(f"{exposed.url}/redirect", params=to)
        assert answer.headers["location"] == "/moved"
        url = f"wss://localhost:{made.external_port}/ws"
        with connect(url, ssl=trust, origin=Origin(exposed.url)) as talk:
            talk.send("hello")
            assert talk.recv(timeout=10) == "hello"


def test_an_http_service_that_is_said_to_be_https_is_not_reached(
    expose_raw: ExposeRaw, visit: Visit
) -> None:
    """502 that says nothing answers, instead of a plain connection."""
    with web_service() as service:
        made = expose_raw(service.port, app_protocol="https")
        assert visit().get(str(made.url)).status_code == 502
        assert service.seen == []


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"app_protocol": "tcp", "access_control": {}}, "ip_whitelist"),
        ({"app_protocol": "tcp", "access_control": {"authentication_required": True}}, "sign-in"),
        ({"protocol": "udp", "access_control": {"authentication_required": True}}, "sign-in"),
        ({"protocol": "udp", "access_control": {**RAW, "allowed_users": ["ana"]}}, "sign-in"),
    ],
)
def test_raw_services_say_that_nobody_can_sign_in_to_them(
    expose_raw: ExposeRaw, fields: dict[str, Any], named: str
) -> None:
    """They must be asked for without it, and the error says what guards them instead."""
    with pytest.raises(InvalidRequestError, match=named):
        expose_raw(1, **fields)
