"""`rate_limit`, `rate_limiting.per_user_limit` and `rate_limiting.global_limit` in the traffic."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from jupyter_tensorone_proxy import ProxyClient
from tests.fixtures.gateway import wait_until
from tests.fixtures.traffic import Expose, Visit

_SLOW_REFILL = {"requests_per_minute": 1}


def _statuses(visitor: httpx.Client, url: str, count: int) -> list[int]:
    return [visitor.get(url).status_code for _ in range(count)]


def test_p25_a_burst_passes_and_the_next_request_is_told_when_to_come_back(
    expose: Expose, visit: Visit
) -> None:
    """`burst_size` requests pass at once; then 429 with Retry-After and the state of the bucket."""
    limit = {"requests_per_minute": 20, "burst_size": 4}
    exposed = expose(access={"public_access": True, "rate_limit": limit})
    visitor = visit()
    answers = [visitor.get(exposed.url) for _ in range(5)]
    assert [a.status_code for a in answers] == [200, 200, 200, 200, 429]
    assert [a.headers["x-ratelimit-remaining"] for a in answers[:4]] == ["3", "2", "1", "0"]
    assert {a.headers["x-ratelimit-limit"] for a in answers[:4]} == {"4"}
    refusal = answers[-1]
    assert refusal.headers["retry-after"] == "3"
    assert refusal.json()["error"]["code"] == "RATE_LIMIT_EXCEEDED"
    assert refusal.json()["success"] is False
    assert len(exposed.service.seen) == 4


def test_a_browser_over_the_limit_sees_a_page(expose: Expose, visit: Visit) -> None:
    """People get a page, programs JSON."""
    limit = {"requests_per_minute": 1, "burst_size": 1}
    exposed = expose(access={"public_access": True, "rate_limit": limit})
    visitor = visit(headers={"accept": "text/html"})
    visitor.get(exposed.url)
    refusal = visitor.get(exposed.url)
    assert refusal.status_code == 429
    assert refusal.headers["content-type"].startswith("text/html")
    assert refusal.headers["retry-after"] == "60"


def test_the_bucket_refills_at_its_rate(expose: Expose, visit: Visit) -> None:
    """After Retry-After has passed, exactly the refilled requests pass."""
    limit = {"requests_per_minute": 60, "burst_size": 2}
    exposed = expose(access={"public_access": True, "rate_limit": limit})
    visitor = visit()
    while visitor.get(exposed.url).status_code == 200:
        pass
    start = time.monotonic()
    assert wait_until(lambda: visitor.get(exposed.url).status_code == 200, seconds=5)
    assert time.monotonic() - start < 2
    time.sleep(2.1)
    assert _statuses(visitor, exposed.url, 4).count(200) == 2


def test_without_burst_size_a_minutes_requests_may_come_at_once(
    expose: Expose, visit: Visit
) -> None:
    """`burst_size` is `requests_per_minute` where it is missing."""
    exposed = expose(access={"public_access": True, "rate_limit": {"requests_per_minute": 6}})
    assert _statuses(visit(), exposed.url, 7) == [200] * 6 + [429]


def test_one_ports_limit_leaves_the_others_alone(expose: Expose, visit: Visit) -> None:
    """Each mapping has a bucket of its own."""
    tight = {"public_access": True, "rate_limit": {**_SLOW_REFILL, "burst_size": 1}}
    one, other = expose("one", access=tight), expose("other", access=tight)
    visitor = visit()
    assert _statuses(visitor, one.url, 2) == [200, 429]
    assert _statuses(visitor, other.url, 2) == [200, 429]


def test_a_refused_visitor_costs_no_token(expose: Expose, visit: Visit) -> None:
    """Whoever may not come in cannot use up the limit of those who may."""
    limit = {"requests_per_minute": 1, "burst_size": 2}
    exposed = expose(
        access={"public_access": True, "rate_limit": limit, "blocked_ips": ["127.0.0.2"]}
    )
    assert _statuses(visit("127.0.0.2"), exposed.url, 5) == [403] * 5
    assert _statuses(visit(), exposed.url, 3) == [200, 200, 429]


def test_each_signed_in_person_has_a_limit_over_all_ports(
    expose: Expose, visit: Visit, cluster: ProxyClient
) -> None:
    """`per_user_limit` follows the person from port to port, and is nobody else's."""
    cluster.update_access(rate_limiting={"per_user_limit": {**_SLOW_REFILL, "burst_size": 3}})
    private = {"authentication_required": True}
    one, other = expose("one", access=private), expose("other", access=private)
    ana = visit(token=cluster.create_user("ana").token)
    ben = visit(token=cluster.create_user("ben").token)
    assert _statuses(ana, one.url, 2) + _statuses(ana, other.url, 2) == [200, 200, 200, 429]
    assert _statuses(ben, other.url, 4) == [200, 200, 200, 429]


def test_where_nobody_signs_in_each_address_has_a_limit(
    expose: Expose, visit: Visit, cluster: ProxyClient
) -> None:
    """`per_user_limit` counts by client address on public ports; no header changes that."""
    cluster.update_access(rate_limiting={"per_user_limit": {**_SLOW_REFILL, "burst_size": 2}})
    exposed = expose()
    spoofed = visit("127.0.0.3", headers={"x-forwarded-for": "203.0.113.7", "x-real-ip": "8.8.8.8"})
    assert _statuses(visit("127.0.0.2"), exposed.url, 3) == [200, 200, 429]
    assert _statuses(visit("127.0.0.2"), exposed.url, 1) == [429]
    assert _statuses(spoofed, exposed.url, 3) == [200, 200, 429]


def test_all_ports_together_have_a_limit(
    expose: Expose, visit: Visit, cluster: ProxyClient
) -> None:
    """`global_limit` is one bucket for every mapping, exact under concurrency."""
    one, other = expose("one"), expose("other")
    cluster.update_access(rate_limiting={"global_limit": {**_SLOW_REFILL, "burst_size": 40}})

    def ten(number: int) -> list[int]:
        visitor = visit(f"127.0.0.{2 + number}")
        return _statuses(visitor, (one, other)[number % 2].url, 10)

    with ThreadPoolExecutor(6) as pool:
        statuses = [status for batch in pool.map(ten, range(6)) for status in batch]
    assert statuses.count(200) == 40
    assert statuses.count(429) == 20
    assert len(one.service.seen) + len(other.service.seen) == 40
    refusal = visit().get(one.url)
    assert refusal.json()["error"]["code"] == "RATE_LIMIT_EXCEEDED"
    assert refusal.headers["retry-after"] == "60"


def test_a_global_limit_is_lifted_at_once(
    expose: Expose, visit: Visit, cluster: ProxyClient
) -> None:
    """Taking the limit away takes effect on the next request."""
    exposed = expose()
    cluster.update_access(rate_limiting={"global_limit": {**_SLOW_REFILL, "burst_size": 1}})
    visitor = visit()
    assert _statuses(visitor, exposed.url, 2) == [200, 429]
    cluster.update_access(rate_limiting=None)
    assert _statuses(visitor, exposed.url, 3) == [200] * 3


@pytest.mark.parametrize("field", ["global_limit", "per_user_limit"])
def test_a_port_of_one_mappings_change_keeps_the_shared_count(
    expose: Expose, visit: Visit, cluster: ProxyClient, field: str
) -> None:
    """Creating and editing mappings does not refill what all of them share."""
    cluster.update_access(rate_limiting={field: {**_SLOW_REFILL, "burst_size": 2}})
    exposed = expose()
    visitor = visit()
    assert _statuses(visitor, exposed.url, 3) == [200, 200, 429]
    expose("another")
    cluster.update_port(exposed.mapping.id, description="renamed")
    assert _statuses(visitor, exposed.url, 1) == [429]
