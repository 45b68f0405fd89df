"""`…/access-logs`: the log page by page, by mapping, by time and by status; kept within bounds."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import httpx
import pytest

from jupyter_tensorone_proxy import ProxyClient
from tests.api.test_error_answers import require_error
from tests.fixtures.gateway import wait_until
from tests.fixtures.traffic import Expose, Exposed, Visit

Ask = Callable[..., Any]
STATUSES = [200, 201, 301, 404, 404, 418, 500, 503]


@pytest.fixture
def ask(api: httpx.Client) -> Ask:
    """Return a function that gets one page of the log."""

    def ask(**query: Any) -> Any:
        answer = api.get("/proxy/access-logs", params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    return ask


@pytest.fixture
def visited(expose: Expose, visit: Visit, ask: Ask) -> Exposed:
    """Return a service that answered with each of the statuses, in their order."""
    exposed, visitor = expose(), visit()
    for status in STATUSES:
        visitor.get(f"{exposed.url}/status/{status}")
    assert wait_until(lambda: len(ask(port_id=exposed.mapping.id)["data"]) == len(STATUSES))
    return exposed


def codes(page: Any) -> list[int]:
    """Return the statuses of a page's entries."""
    return [entry["status_code"] for entry in page["data"]]


def test_the_newest_comes_first(visited: Exposed, ask: Ask) -> None:
    """The log of a mapping is its own, in the reverse order of its requests."""
    assert codes(ask(port_id=visited.mapping.id)) == STATUSES[::-1]
    assert ask(port_id="port_none") == {
        "success": True,
        "data": [],
        "meta": {"next_before": None},
    }


@pytest.mark.parametrize("limit", [1, 3, 8, 50])
def test_pages_have_every_entry_once(visited: Exposed, ask: Ask, limit: int) -> None:
    """Following `next_before` leads through the whole log, also while it grows."""
    found: list[int] = []
    before: dict[str, int] = {}
    while True:
        page = ask(port_id=visited.mapping.id, limit=limit, **before)
        assert len(page["data"]) <= limit
        found += codes(page)
        if page["meta"]["next_before"] is None:
            break
        before = {"before": page["meta"]["next_before"]}
    assert found == STATUSES[::-1]


@pytest.mark.parametrize(
    ("status", "expected"),
    [(404, [404, 404]), (4, [418, 404, 404]), (5, [503, 500]), (2, [201, 200]), (502, [])],
)
def test_a_status_or_a_class_of_statuses_can_be_asked_for(
    visited: Exposed, ask: Ask, status: int, expected: list[int]
) -> None:
    """`404` is that status, `4` is every status from 400 to 499."""
    assert codes(ask(port_id=visited.mapping.id, status=status)) == expected


def test_a_span_of_time_can_be_asked_for(visited: Exposed, visit: Visit, ask: Ask) -> None:
    """`since` is included, `until` is not; without a zone both are UTC."""
    time.sleep(0.05)
    between = datetime.now(timezone.utc)
    visit().get(f"{visited.url}/status/222")
    mine = {"port_id": visited.mapping.id}
    assert wait_until(lambda: len(ask(**mine)["data"]) == len(STATUSES) + 1)
    assert codes(ask(**mine, since=between.isoformat())) == [222]
    assert codes(ask(**mine, since=between.replace(tzinfo=None).isoformat())) == [222]
    elsewhere = between.astimezone(timezone(timedelta(hours=9)))
    assert codes(ask(**mine, since=elsewhere.isoformat())) == [222]
    assert codes(ask(**mine, until=between.isoformat())) == STATUSES[::-1]
    newest = ask(**mine)["data"][0]["timestamp"]
    assert codes(ask(**mine, since=newest)) == [222]
    assert codes(ask(**mine, until=newest)) == STATUSES[::-1]
    assert codes(ask(**mine, until="0001-01-01T00:00:00")) == []


@pytest.mark.parametrize(
    "query",
    [
        {"limit": 0},
        {"limit": 1001},
        {"status": 600},
        {"status": "ok"},
        {"before": 0},
        {"before": 2**63},
        {"since": "yesterday"},
        {"stauts": 404},
    ],
)
def test_a_wrong_query_is_refused_by_name(api: httpx.Client, query: dict[str, Any]) -> None:
    """422 names the parameter; nothing is ignored."""
    answer = api.get("/proxy/access-logs", params=query)
    (problem,) = require_error(answer, 422, "VALIDATION_ERROR")["fields"]
    assert problem["field"] == next(iter(query))


def test_the_document_shows_the_same_entries(
    visited: Exposed, ask: Ask, client: ProxyClient
) -> None:
    """GET …/proxy has the last requests of all mappings together."""
    shown = client.get_proxy(include_access_logs=True).access_logs
    assert shown
    assert [e.id for e in shown] == [e["id"] for e in ask(limit=50)["data"]]
