"""A service breaks the protocol, or breaks off: visitors see a failure, and nothing of ours."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import IO, get_args

import httpx
import pytest

from tests.fixtures.gateway import RunningGateway, free_range, run_gateway
from tests.fixtures.services.faulty import Fault, faulty_service
from tests.fixtures.services.web import WebService
from tests.gateway.conftest import ExposePort

IN_BODY: tuple[Fault, ...] = ("reset-in-body", "close-in-body", "cut-chunk")
PASSED_ON: tuple[Fault, ...] = ("bad-status", "unasked-upgrade")
"""Envoy hands these status lines on; the visitor's own HTTP library refuses them."""

REFUSED: tuple[Fault, ...] = tuple(f for f in get_args(Fault) if f not in IN_BODY + PASSED_ON)
OURS = ("envoy", "upstream", "127.0.0.1", "reset reason", "secret", "alert(1)")


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    """Run one gateway for all tests of this file."""
    with run_gateway(
        tmp_path_factory.mktemp("state"), "--external-ports", free_range(60)
    ) as running:
        yield running


@pytest.mark.parametrize("fault", REFUSED)
@pytest.mark.parametrize("accept", ["application/json", "text/html"])
def test_r59_a_hostile_answer_is_502_or_503_and_leaks_nothing(
    gateway: RunningGateway, expose: ExposePort, fault: Fault, accept: str
) -> None:
    """Neither the service's bytes nor Envoy's own words about them reach the visitor."""
    envoy = gateway.children()["envoy"]
    with faulty_service(fault) as service:
        url = expose(service.port).url or ""
        with gateway.visitor(headers={"accept": accept}) as visitor:
            answer = visitor.get(url)
        assert service.requests >= 1
    assert answer.status_code in {502, 503}
    assert answer.headers["content-type"].split(";")[0] == accept
    told = f"{answer.text} {answer.headers}".lower()
    assert [word for word in OURS if word in told] == []
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert gateway.children()["envoy"] == envoy


@pytest.mark.parametrize("fault", PASSED_ON)
@pytest.mark.parametrize("http2", [False, True])
def test_r59_an_answer_of_no_known_status_is_no_success(
    gateway: RunningGateway,
    expose: ExposePort,
    fault: Fault,
    http2: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """What Envoy hands on of it no HTTP library takes for a good answer."""
    envoy = gateway.children()["envoy"]
    with faulty_service(fault) as service:
        url = expose(service.port).url or ""
        trust = ssl.create_default_context(cafile=gateway.runtime["ca_file"])
        with httpx.Client(verify=trust, http2=http2, timeout=20) as visitor:
            try:
                succeeded = visitor.get(url).is_success
            except httpx.ProtocolError:
                succeeded = False
    assert not succeeded
    assert gateway.children()["envoy"] == envoy


@pytest.mark.parametrize("fault", IN_BODY)
@pytest.mark.parametrize("http2", [False, True])
def test_p44_an_answer_that_breaks_off_is_a_failure(
    gateway: RunningGateway,
    expose: ExposePort,
    fault: Fault,
    http2: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """Over HTTP/1.1 and HTTP/2 the client is told, and never takes a part for the whole."""
    envoy = gateway.children()["envoy"]
    with faulty_service(fault) as service:
        url = expose(service.port).url or ""
        trust = ssl.create_default_context(cafile=gateway.runtime["ca_file"])
        with (
            httpx.Client(verify=trust, http2=http2, timeout=20) as visitor,
            pytest.raises(httpx.RemoteProtocolError),
        ):
            visitor.get(url)
        assert service.requests == 1
    assert gateway.children()["envoy"] == envoy


def test_p44_a_download_that_breaks_off_is_not_a_whole_file(
    gateway: RunningGateway, expose: ExposePort, tmp_path: Path
) -> None:
    """A client that saves as it reads knows too: it has less than was promised, and an error."""
    with faulty_service("reset-in-body") as service:
        url = expose(service.port).url or ""
        saved = tmp_path / "file"
        with (
            gateway.visitor() as visitor,
            saved.open("wb") as file,
            pytest.raises(httpx.RemoteProtocolError),
        ):
            _save(visitor, url, file)
        assert saved.stat().st_size < 100_000


def _save(visitor: httpx.Client, url: str, file: IO[bytes]) -> None:
    with visitor.stream("GET", url) as answer:
        assert answer.status_code == 200
        for piece in answer.iter_bytes():
            file.write(piece)


@pytest.mark.parametrize("fault", ["reset", "garbage", "big-header"])
def test_r59_a_hostile_service_disturbs_no_other(
    gateway: RunningGateway, service: WebService, expose: ExposePort, fault: Fault
) -> None:
    """A hundred of its failures, and another mapping answers every one of its requests."""
    other = expose(service.port).url or ""
    with faulty_service(fault) as faulty, gateway.visitor() as visitor:
        url = expose(faulty.port).url or ""
        for _ in range(100):
            assert visitor.get(url).status_code in {502, 503}
            assert visitor.get(other).text == service.name
