"""`expose()` in Python: for as long as a block runs, or until told otherwise."""

from __future__ import annotations

import threading
import warnings
from typing import Any

import httpx
import pytest

from jupyter_tensorone_proxy import ProxyClient, expose
from jupyter_tensorone_proxy.errors import (
    ApiUnreachableError,
    InvalidRequestError,
    PortAlreadyMappedError,
)
from tests.fixtures.fake_api import KEY, FakeApi


def test_expose_ends_with_its_block(client: ProxyClient, fake_api: FakeApi, as_ana: None) -> None:
    """Inside the block the port is exposed, for me alone; after it, it is not."""
    with expose(6006, description="TensorBoard", client=client) as mapping:
        assert mapping.url == "https://localhost:32001"
        assert fake_api.mappings[mapping.id]["access_control"]["allowed_users"] == ["ana"]
    assert not fake_api.mappings


def test_expose_without_a_block_stays(client: ProxyClient, fake_api: FakeApi) -> None:
    """`expose(...).url` keeps the port exposed until somebody ends it; twice is no harm."""
    exposure = expose(6006, client=client)
    assert exposure.url
    assert "port 6006" in exposure._repr_html_()
    assert fake_api.mappings
    exposure.unexpose()
    exposure.unexpose()
    assert not fake_api.mappings


def test_expose_ends_when_its_block_fails(client: ProxyClient, fake_api: FakeApi) -> None:
    """The block's exception goes on, and nothing stays exposed."""
    with pytest.raises(ZeroDivisionError), expose(6006, client=client):
        _ = 1 / 0
    assert not fake_api.mappings


def test_expose_removes_only_what_it_made(client: ProxyClient, fake_api: FakeApi) -> None:
    """A port that was exposed before the block is exposed after it, with the new settings."""
    fake_api.add(6006, description="old")
    with expose(6006, description="new", client=client) as mapping:
        assert not mapping.created
    assert [m["description"] for m in fake_api.mappings.values()] == ["new"]


def test_create_port_of_the_client_still_raises(client: ProxyClient, fake_api: FakeApi) -> None:
    """Only the verb is forgiving."""
    fake_api.add(6006)
    with pytest.raises(PortAlreadyMappedError):
        client.create_port(internal_port=6006, description="again")


def test_a_failure_to_unexpose_does_not_hide_the_blocks_own(fake_api: FakeApi) -> None:
    """The block's exception is raised; that the port is still exposed is a warning."""
    down = threading.Event()

    def network(request: httpx.Request) -> httpx.Response:
        if down.is_set():
            raise httpx.ConnectError("refused", request=request)
        return fake_api.handle(request)

    with ProxyClient(
        api_url="https://api.example.com",
        api_key=KEY,
        cluster_id="cluster_abc123",
        transport=httpx.MockTransport(network),
    ) as client:

        def lose_the_network(port: int, divisor: int) -> None:
            down.clear()
            with expose(port, client=client):
                down.set()
                _ = 1 / divisor

        with pytest.warns(UserWarning, match="Port 6006 is still exposed"):  # noqa: SIM117 - PT031
            with pytest.raises(ZeroDivisionError):
                lose_the_network(6006, 0)
        with pytest.raises(ApiUnreachableError):
            lose_the_network(7000, 1)


def test_expose_finds_the_api_by_itself(served_api: FakeApi) -> None:
    """Without a client the environment says where the API is."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with expose(6006) as mapping:
            assert served_api.mappings[mapping.id]["description"] == "port 6006"
    assert not served_api.mappings


@pytest.mark.parametrize("port", [0, 65536, True, "80", "80 ", 80.0])
def test_r08_expose_takes_only_whole_port_numbers(
    client: ProxyClient, fake_api: FakeApi, port: Any
) -> None:
    """What is not an integer from 1 to 65535 is refused before anything is sent."""
    with pytest.raises(InvalidRequestError, match="internal_port"):
        expose(port, client=client)
    assert not fake_api.changes
