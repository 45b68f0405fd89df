"""Requests and usage as tables of pandas."""

from __future__ import annotations

import sys
from datetime import datetime, timedelta, timezone

import httpx
import pandas as pd
import pytest

from jupyter_tensorone_proxy import ProxyClient, access_logs, usage
from jupyter_tensorone_proxy.errors import ConfigurationError, PortNotFoundError
from tests.fixtures.gateway import free_port, wait_until
from tests.fixtures.services.web import WebService
from tests.monitoring.conftest import Expose

_REQUESTS = 12


@pytest.fixture
def visited(expose: Expose, client: ProxyClient, board: WebService) -> str:
    """Expose a service, visit it, and return its mapping's id."""
    mapping = expose(board.port)
    for number in range(_REQUESTS):
        status = 500 if number % 3 == 0 else 200
        httpx.get(f"{mapping.url}/status/{status}", verify=False)  # noqa: S501 - trust is not the question
    assert wait_until(lambda: len(client.access_logs(port_id=mapping.id)) == _REQUESTS)
    return mapping.id


def test_every_request_is_a_line(visited: str, board: WebService) -> None:
    """The oldest first, with moments, numbers and the service's name."""
    assert visited
    frame = access_logs(board.port)
    assert len(frame) == _REQUESTS
    assert isinstance(frame["timestamp"].dtype, pd.DatetimeTZDtype)
    assert frame["timestamp"].is_monotonic_increasing
    assert set(frame["name"]) == {"board"}
    assert frame["status_code"].value_counts().to_dict() == {200: 8, 500: 4}
    assert frame.groupby("path").response_time_ms.quantile(0.95).min() >= 0
    assert len(access_logs(board.port, status=5)) == 4
    later = datetime.now(timezone.utc) + timedelta(hours=1)
    assert access_logs(board.port, since=later).empty
    assert list(access_logs(board.port, since=later).columns) == list(frame.columns)


def test_a_long_log_is_read_page_by_page(
    visited: str, board: WebService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many as were asked for, the newest of them, none twice."""
    assert visited
    monkeypatch.setattr("jupyter_tensorone_proxy.monitoring.frames._PAGE", 5)
    everything = access_logs(board.port)
    assert len(everything) == _REQUESTS
    newest = access_logs(board.port, limit=7)
    pd.testing.assert_frame_equal(newest, everything.tail(7).reset_index(drop=True))


def test_every_service_is_a_line(visited: str, board: WebService, client: ProxyClient) -> None:
    """What the proxy counted, with its types; a client that was given stays open."""
    assert visited
    frame = usage(client=client).set_index("port")
    assert frame.loc[board.port, "total_requests"] == _REQUESTS
    assert frame.loc[board.port, "unique_visitors"] == 1
    assert frame["avg_response_time_ms"].dtype == float
    assert isinstance(frame["last_accessed"].dtype, pd.DatetimeTZDtype)
    assert len(usage(board.port)) == 1
    assert client.list_ports()


def test_nothing_exposed_is_an_empty_table(client: ProxyClient) -> None:
    """With its columns, so that what is done with it works."""
    assert client.list_ports() == []
    frame = usage()
    assert frame.empty
    assert {"port", "total_requests"} <= set(frame.columns)


def test_a_port_that_is_not_exposed_is_told(client: ProxyClient) -> None:
    """An empty table would look as if nobody had come."""
    port = free_port()
    with pytest.raises(PortNotFoundError):
        access_logs(port, client=client)
    with pytest.raises(PortNotFoundError):
        usage(port, client=client)
    with pytest.raises(ConfigurationError, match="limit: 0"):
        access_logs(limit=0, client=client)


def test_without_pandas_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """One short line with the command, before anything is asked."""
    monkeypatch.setitem(sys.modules, "pandas", None)
    for call in (access_logs, usage):
        with pytest.raises(ConfigurationError, match=r"needs pandas.* Run: pip install pandas"):
            call()
