"""When a call is tried again, how long it waits, and when it gives up. Nothing here sleeps."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from typing import Any

import httpx
import pytest

from jupyter_tensorone_proxy.client import _operations as ops
from jupyter_tensorone_proxy.client._exchange import LONGEST_PAUSE_SECONDS, MAX_TRIES
from jupyter_tensorone_proxy.errors import (
    ApiTimeoutError,
    ApiUnreachableError,
    ClusterNotFoundError,
    DataPlaneUnavailableError,
    PortNotFoundError,
    ProxyError,
    RateLimitedError,
    UnexpectedAnswerError,
)
from tests.fixtures.tensorone import Driver, Reply, failure, success

CREATE = ops.create_port(internal_port=6006, description="TensorBoard")
DELETE = ops.delete_port("port_1")
IDEMPOTENT: list[ops.Operation[Any]] = [
    ops.list_clusters(),
    ops.update_port("port_1", description="x"),
    DELETE,
]
DOWN = failure(503, "DATA_PLANE_UNAVAILABLE")
BUSY = failure(429, "RATE_LIMIT_EXCEEDED")
PAGE = httpx.Response(503, html="<h1>Service Unavailable</h1>")
BROKEN = [
    httpx.ConnectError("refused"),
    httpx.ReadError("reset"),
    httpx.WriteError("broken pipe"),
    httpx.RemoteProtocolError("hung up"),
]


def good(operation: ops.Operation[Any]) -> httpx.Response:
    """Return an answer that the operation can read."""
    return success([] if operation == IDEMPOTENT[0] else {"id": "port_1"})


@pytest.mark.parametrize("trouble", [DOWN, BUSY, PAGE, *BROKEN], ids=repr)
@pytest.mark.parametrize("operation", IDEMPOTENT, ids=lambda op: op.method)
def test_an_idempotent_call_is_tried_again(operation: ops.Operation[Any], trouble: Reply) -> None:
    """GET, PUT and DELETE outlive a busy server and a broken connection."""
    driver = Driver([trouble, trouble, good(operation)])
    driver.run(operation)
    assert len(driver.requests) == 3
    first, *others = [(r.method, r.url, r.headers, r.content) for r in driver.requests]
    assert others == [first, first]


@pytest.mark.parametrize("trouble", [DOWN, BUSY, httpx.Response(429)], ids=["503", "429", "bare"])
def test_a_post_is_tried_again_when_it_was_surely_not_done(trouble: httpx.Response) -> None:
    """The API's own 503 says that nothing was changed, and any 429 turned the request away."""
    driver = Driver([trouble, success({"id": "port_1"})])
    assert driver.run(CREATE).id == "port_1"


@pytest.mark.parametrize("trouble", [PAGE, *BROKEN], ids=repr)
def test_a_post_that_may_have_been_done_is_not_tried_again(trouble: Reply) -> None:
    """A broken connection, or a 503 page of something in between, could mean a second mapping."""
    driver = Driver([trouble])
    with pytest.raises(ProxyError):
        driver.run(CREATE)
    assert driver.pauses == []


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 500, 502, 507])
def test_other_refusals_are_final(status: int) -> None:
    """What will not get better by waiting is raised at once."""
    driver = Driver([failure(status, "SOMETHING")])
    with pytest.raises(ProxyError):
        driver.run(ops.list_clusters())
    assert len(driver.requests) == 1


@pytest.mark.parametrize("error", [httpx.ReadTimeout("slow"), httpx.ConnectTimeout("slow")])
def test_no_answer_in_time_is_not_tried_again(error: httpx.TimeoutException) -> None:
    """The caller said how long to wait; four times that would be a lie."""
    driver = Driver([error])
    with pytest.raises(ApiTimeoutError, match="timeout_seconds"):
        driver.run(ops.list_clusters())


@pytest.mark.parametrize(
    ("trouble", "kind"),
    [
        (DOWN, DataPlaneUnavailableError),
        (BUSY, RateLimitedError),
        (PAGE, UnexpectedAnswerError),
        (BROKEN[0], ApiUnreachableError),
    ],
)
def test_the_last_try_says_why(trouble: Reply, kind: type[ProxyError]) -> None:
    """After four tries the last failure is raised."""
    driver = Driver([trouble] * MAX_TRIES)
    with pytest.raises(kind):
        driver.run(ops.list_clusters())
    assert (len(driver.requests), driver.replies) == (MAX_TRIES, [])


def test_pauses_double_and_jitter_only_adds() -> None:
    """Pauses are 0.2, 0.4 and 0.8 s, and up to half as long again."""
    for jitter, expected in [(0.0, [0.2, 0.4, 0.8]), (1.0, [0.3, 0.6, 1.2])]:
        driver = Driver([BUSY, BUSY, BUSY, success([])], jitter=jitter)
        driver.run(ops.list_clusters())
        assert driver.pauses == pytest.approx(expected)


def test_retry_after_in_seconds_is_obeyed() -> None:
    """The pause is never shorter than the server asks."""
    asked = failure(429, "RATE_LIMIT_EXCEEDED", retry_after="7")
    driver = Driver([asked, success([])], jitter=0.5)
    driver.run(ops.list_clusters())
    assert 7 <= driver.pauses[0] < 7.2


def test_retry_after_as_a_date_is_read_by_the_servers_clock() -> None:
    """A date is compared with the answer's own Date, so a wrong clock here does no harm."""
    now = datetime(1999, 12, 31, 23, 59, tzinfo=timezone.utc)
    until = format_datetime(now + timedelta(seconds=9), usegmt=True)
    asked = failure(503, "X", retry_after=until, date=format_datetime(now, usegmt=True))
    driver = Driver([asked, success([])])
    driver.run(ops.list_clusters())
    assert driver.pauses == [9.0]


@pytest.mark.parametrize(
    "value", ["soon", "-5", "", "Wed, 21 Oct 2015 07:28:00 GMT", "1.5e3", "Thu, 99 Foo", "²"]
)
def test_a_senseless_retry_after_is_as_good_as_none(value: str) -> None:
    """What is no number of seconds and no date to come leaves the usual pause."""
    raw = [(b"retry-after", value.encode())]
    asked = httpx.Response(503, json={"error": {"code": "X"}}, headers=raw)
    driver = Driver([asked, success([])])
    driver.run(ops.list_clusters())
    assert driver.pauses == [0.2]


@pytest.mark.parametrize("value", ["31", "86400", "9" * 400])
def test_a_long_retry_after_is_told_not_waited_for(value: str) -> None:
    """Waiting longer than the limit is the caller's decision; the error says how long."""
    driver = Driver([failure(429, "RATE_LIMIT_EXCEEDED", retry_after=value)])
    with pytest.raises(RateLimitedError) as caught:
        driver.run(ops.list_clusters())
    assert (driver.pauses, caught.value.retry_after) == ([], float(value))


def test_all_pauses_together_are_bounded() -> None:
    """Several pauses that are short enough alone do not add up to more than the limit."""
    asked = failure(429, "RATE_LIMIT_EXCEEDED", retry_after="20")
    driver = Driver([asked] * MAX_TRIES)
    with pytest.raises(RateLimitedError):
        driver.run(ops.list_clusters())
    assert driver.pauses == [20.0]
    assert sum(driver.pauses) <= LONGEST_PAUSE_SECONDS


@pytest.mark.parametrize("lost", [BROKEN[1], BROKEN[3], PAGE], ids=repr)
def test_a_delete_whose_answer_was_lost_is_done(lost: Reply) -> None:
    """If the second try finds nothing to delete, the first one deleted it."""
    driver = Driver([lost, failure(404, "PORT_NOT_FOUND")])
    driver.run(DELETE)
    assert len(driver.requests) == 2


@pytest.mark.parametrize("early", [BROKEN[0], DOWN, BUSY, httpx.Response(429)], ids=repr)
def test_a_delete_that_never_arrived_is_not_taken_for_done(early: Reply) -> None:
    """A try that surely did nothing does not explain a 404."""
    driver = Driver([early, failure(404, "PORT_NOT_FOUND")])
    with pytest.raises(PortNotFoundError):
        driver.run(DELETE)


def test_a_delete_on_an_unknown_cluster_is_not_taken_for_done() -> None:
    """After a lost answer, "no such cluster" still means that nothing was deleted."""
    driver = Driver([BROKEN[1], failure(404, "CLUSTER_NOT_FOUND")])
    with pytest.raises(ClusterNotFoundError):
        driver.run(DELETE)


def test_an_update_whose_mapping_is_gone_is_not_taken_for_done() -> None:
    """Only for DELETE is "not found" the wished-for end."""
    driver = Driver([BROKEN[1], failure(404, "PORT_NOT_FOUND")])
    with pytest.raises(PortNotFoundError):
        driver.run(IDEMPOTENT[1])
