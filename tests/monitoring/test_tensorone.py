"""Monitors against an API without our extensions, as TensorOne's own is."""

from __future__ import annotations

import pytest

from jupyter_tensorone_proxy import Monitor, access_logs, usage
from jupyter_tensorone_proxy.errors import NotSupportedError
from tests.fixtures.fake_api import FakeApi, served_api  # noqa: F401 - a fixture
from tests.fixtures.services.web import web_service
from tests.monitoring.conftest import HEALTH, PageService, quick, shows


@pytest.fixture
def fake_api() -> FakeApi:
    """Return an API that knows no links, sessions or logs."""
    return FakeApi(extensions=())


def test_public_services_are_watched(
    served_api: FakeApi,  # noqa: F811 - the fixture
) -> None:
    """Health and response times as ever; requests by its statistics, errors are not known."""
    with web_service("board") as board:
        mapping = served_api.add(
            board.port,
            description="board",
            url=f"http://127.0.0.1:{board.port}",
            health_check=HEALTH,
        )
        with quick() as monitor:
            assert shows(monitor, lambda result: result.looks >= 2 and result.well)
            mapping["usage_statistics"]["total_requests"] += 100
            assert shows(monitor, lambda r: (r["board"].seen.rates.request_rate or 0) > 0)
            rates = monitor.result()["board"].seen.rates
        assert (rates.error_rate, rates.p95) == (None, None)
        board.healthy = False
        assert Monitor().check()["board"].seen.reason == "/health answers 503"


def test_a_service_that_wants_sign_in_says_what_is_missing(
    served_api: FakeApi,  # noqa: F811 - the fixture
    pages: PageService,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """There are no links to sign in with; the reason says so, and a token helps."""
    monkeypatch.setenv("TENSORONE_USER", "ana")
    pages.statuses["/"] = 401
    served_api.add(pages.port, description="private", url=f"http://127.0.0.1:{pages.port}")
    seen = Monitor().check()["private"].seen
    assert seen.healthy is False
    assert "does not have links" in seen.reason
    pages.statuses["/"] = 503
    assert Monitor(token="t").check()["private"].seen.reason == "/ answers 503"


def test_r16_a_token_is_not_sent_in_the_clear(
    served_api: FakeApi,  # noqa: F811 - the fixture
) -> None:
    """Where the API says that a service is at plain http on another machine, nothing is sent."""
    served_api.add(8000, description="plain", url="http://203.0.113.9:8000")
    seen = Monitor(token="t", timeout_seconds=0.5).check()["plain"].seen
    assert seen.reason == "its address is not https, so nobody is signed in there"


def test_tables_say_what_is_not_there(
    served_api: FakeApi,  # noqa: F811 - the fixture
) -> None:
    """Usage is the contract's; the log is ours alone."""
    served_api.add(8000, description="board")
    assert usage().set_index("port").loc[8000, "total_requests"] == 214
    with pytest.raises(NotSupportedError, match="does not have access-logs"):
        access_logs()
