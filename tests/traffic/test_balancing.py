"""`load_balancer` and `replicas`: who answers, how long he may take, and what if he is gone."""

from __future__ import annotations

import asyncio
import collections
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest

from jupyter_tensorone_proxy import PortMapping, ProxyClient
from tests.fixtures.gateway import RunningGateway, wait_until
from tests.fixtures.services.faulty import faulty_service
from tests.fixtures.services.web import web_service
from tests.fixtures.traffic import Expose, Visit

PUBLIC = {"public_access": True}
NO_CHECK = {"enabled": False}


class Team:
    """Replicas of one service behind one mapping."""

    def __init__(self, client: ProxyClient, size: int, **fields: Any) -> None:
        self._client = client
        self._stacks = [ExitStack() for _ in range(size)]
        self.members = [
            stack.enter_context(web_service(f"replica {number}"))
            for number, stack in enumerate(self._stacks)
        ]
        first, *others = self.members
        self.mapping: PortMapping = client.create_port(
            internal_port=first.port,
            description="team",
            replicas=[member.port for member in others],
            **{"access_control": PUBLIC, **fields},
        )

    @property
    def url(self) -> str:
        """The public URL."""
        return str(self.mapping.url)

    def stop(self, number: int) -> None:
        """Stop one replica."""
        self._stacks[number].close()

    def close(self) -> None:
        """Stop all, and expose them no more."""
        self._client.delete_port(self.mapping.id)
        for stack in self._stacks:
            stack.close()


MakeTeam = Callable[..., Team]


@pytest.fixture
def team(client: ProxyClient) -> Iterator[MakeTeam]:
    """Return a function that starts replicas and exposes them."""
    with ExitStack() as stack:

        def make(size: int = 3, **fields: Any) -> Team:
            made = Team(client, size, **fields)
            stack.callback(made.close)
            return made

        yield make


def _answers(visitor: httpx.Client, url: str, count: int) -> collections.Counter[str]:
    return collections.Counter(visitor.get(url).text for _ in range(count))


@pytest.mark.parametrize("algorithm", ["round_robin", "least_connections", "random"])
def test_every_replica_gets_its_share(team: MakeTeam, visit: Visit, algorithm: str) -> None:
    """Each replica answers about as often as the others; in turn, evenly."""
    made = team(load_balancer={"algorithm": algorithm}, health_check=NO_CHECK)
    shares = _answers(visit(), made.url, 90)
    least = 26 if algorithm == "round_robin" else 12
    assert len(shares) == 3
    assert min(shares.values()) >= least, shares


def test_least_connections_spares_the_busy_replica(team: MakeTeam, gateway: RunningGateway) -> None:
    """Requests go around a replica that has long ones to work on."""
    made = team(2, load_balancer={"algorithm": "least_connections"}, health_check=NO_CHECK)
    trust = ssl.create_default_context(cafile=gateway.runtime["ca_file"])

    def busy() -> list[int]:
        return [len(member.seen) for member in made.members]

    async def ask_seven_times() -> None:
        # Over one connection, because each worker of Envoy counts for itself.
        async with httpx.AsyncClient(verify=trust, http2=True, timeout=20) as visitor:
            asked = []
            for number in range(1, 8):
                asked.append(asyncio.create_task(visitor.get(f"{made.url}/slow/3000")))
                while sum(busy()) < number:  # noqa: ASYNC110 - the service is in another thread
                    await asyncio.sleep(0.01)
                assert abs(busy()[0] - busy()[1]) <= 1
            await asyncio.gather(*asked)

    asyncio.run(ask_seven_times())
    assert sorted(busy()) == [3, 4]


def test_ip_hash_keeps_each_address_at_one_replica(team: MakeTeam, visit: Visit) -> None:
    """The same address always finds the same replica; addresses spread over all."""
    made = team(load_balancer={"algorithm": "ip_hash"}, health_check=NO_CHECK)
    homes = {}
    for number in range(2, 26):
        found = _answers(visit(f"127.0.0.{number}"), made.url, 3)
        assert len(found) == 1
        homes[number] = next(iter(found))
    assert len(set(homes.values())) == 3


def test_session_affinity_follows_the_person_not_the_address(
    team: MakeTeam, visit: Visit, client: ProxyClient
) -> None:
    """With `session_affinity` a signed-in person stays at one replica, from wherever."""
    affine = {"session_affinity": True}
    made = team(load_balancer=affine, health_check=NO_CHECK, access_control={})
    homes = set()
    for number in range(12):
        token = client.create_user(f"person {number}").token
        found = collections.Counter[str]()
        for address in ("127.0.0.1", "127.0.0.2", "127.0.0.3"):
            found += _answers(visit(address, token=token), made.url, 2)
        assert len(found) == 1, found
        homes |= set(found)
    assert len(homes) > 1


def test_a_killed_replica_fails_no_idempotent_request(team: MakeTeam, visit: Visit) -> None:
    """While a replica goes away, GETs are answered by the others."""
    made = team(health_check=NO_CHECK)
    visitor = visit()
    _answers(visitor, made.url, 9)
    made.stop(1)
    assert set(_answers(visitor, made.url, 60)) == {"replica 0", "replica 2"}


def test_timeout_seconds_ends_a_slow_answer(expose: Expose, visit: Visit) -> None:
    """`timeout_seconds` → 504 as JSON; without it there is no limit."""
    hurried = expose(load_balancer={"timeout_seconds": 1})
    answer = visit().get(f"{hurried.url}/slow/3000")
    assert answer.status_code == 504
    assert answer.json()["error"]["code"] == "SERVICE_TIMEOUT"
    assert visit().get(f"{hurried.url}/slow/200").text == "at last"


@pytest.mark.parametrize(
    ("retries", "method", "tries"), [(0, "GET", 1), (2, "GET", 3), (2, "POST", 1)]
)
def test_retries_repeat_idempotent_requests_only(
    client: ProxyClient, visit: Visit, retries: int, method: str, tries: int
) -> None:
    """A request without an answer is tried `retries` times more, a POST never."""
    with faulty_service("reset") as service:
        made = client.create_port(
            internal_port=service.port,
            description="faulty",
            access_control=PUBLIC,
            health_check=NO_CHECK,
            load_balancer={"retries": retries},
        )
        answer = visit().request(method, str(made.url))
        client.delete_port(made.id)
    assert answer.status_code == 502
    assert service.requests == tries


def test_an_unhealthy_replica_gets_no_requests_until_it_is_well(
    team: MakeTeam, visit: Visit, client: ProxyClient
) -> None:
    """`health_check` gates each replica by itself; the mapping stays healthy."""
    check = {"path": "/health", "interval_seconds": 1, "timeout_seconds": 1, "retries": 1}
    made = team(health_check=check)
    ill = made.members[1]
    ill.healthy = False
    visitor = visit()
    assert wait_until(lambda: ill.name not in _answers(visitor, made.url, 9), seconds=6)
    assert wait_until(lambda: _status(client, made.mapping) == "healthy", seconds=6)
    ill.healthy = True
    assert wait_until(lambda: ill.name in _answers(visitor, made.url, 9), seconds=6)


def test_replicas_serve_as_soon_as_they_are_created(team: MakeTeam, visit: Visit) -> None:
    """Checked by their health path, they get the very next request, and every one after it."""
    made = team(health_check={"path": "/health", "interval_seconds": 30})
    visitor = visit()
    assert {visitor.get(made.url).status_code for _ in range(20)} == {200}


def test_with_no_healthy_replica_the_visitor_is_told(
    team: MakeTeam, visit: Visit, client: ProxyClient
) -> None:
    """503 that says so; not an answer of a replica that is not well."""
    check = {"path": "/health", "interval_seconds": 1, "timeout_seconds": 1, "retries": 1}
    made = team(2, health_check=check)
    for member in made.members:
        member.healthy = False
    visitor = visit()
    assert wait_until(lambda: visitor.get(made.url).status_code == 503, seconds=6)
    assert visitor.get(made.url).json()["error"]["code"] == "SERVICE_UNHEALTHY"
    assert wait_until(lambda: _status(client, made.mapping) == "unhealthy", seconds=6)


def test_a_service_alone_is_tried_even_when_its_check_fails(
    expose: Expose, visit: Visit, client: ProxyClient
) -> None:
    """Without replicas there is nobody else to ask: the check informs, and gates nothing."""
    check = {"path": "/health", "interval_seconds": 1, "timeout_seconds": 1, "retries": 1}
    exposed = expose(health_check=check)
    exposed.service.healthy = False
    assert wait_until(lambda: _status(client, exposed.mapping) == "unhealthy", seconds=6)
    assert visit().get(exposed.url).status_code == 200


@pytest.mark.parametrize(
    ("check", "balancer", "status"),
    [
        ({"path": "/status/204"}, {}, "healthy"),
        ({"path": "/status/204", "expected_status": 200}, {}, "unhealthy"),
        ({"path": "/status/418", "expected_status": 418}, {}, "healthy"),
        ({"path": "/status/500"}, {}, "unhealthy"),
        ({}, {"health_check_path": "/status/500"}, "unhealthy"),
        ({}, {}, "healthy"),
        ({"path": "/redirect?to=https://example.com/"}, {}, "healthy"),
        ({"enabled": False}, {}, "disabled"),
        ({"path": "/status/500"}, {"health_check_enabled": False}, "disabled"),
    ],
)
def test_health_is_what_the_check_asks_for(
    expose: Expose,
    client: ProxyClient,
    check: dict[str, Any],
    balancer: dict[str, Any],
    status: str,
) -> None:
    """`path`, `expected_status`, `enabled`, and `health_check_path` of the load balancer."""
    fast = {"interval_seconds": 1, "timeout_seconds": 1, "retries": 2, **check}
    exposed = expose(health_check=fast, **({"load_balancer": balancer} if balancer else {}))
    assert wait_until(lambda: _status(client, exposed.mapping) == status, seconds=6)


def test_retries_of_the_health_check_are_failures_in_a_row(
    expose: Expose, client: ProxyClient
) -> None:
    """`retries: 3` means healthy until the third failure; `consecutive_failures` counts them."""
    check = {"path": "/health", "interval_seconds": 1, "timeout_seconds": 1, "retries": 3}
    exposed = expose(health_check=check)
    assert wait_until(lambda: _status(client, exposed.mapping) == "healthy", seconds=6)
    exposed.service.healthy = False
    seen: list[tuple[str | None, int]] = []

    def unhealthy() -> bool:
        mapping = _mapping(client, exposed.mapping)
        assert mapping.health_check is not None
        seen.append((mapping.health_status, mapping.health_check.consecutive_failures))
        return mapping.health_status == "unhealthy"

    assert wait_until(unhealthy, seconds=8)
    assert {failures for status, failures in seen if status == "healthy"} >= {0, 1, 2}
    assert all(failures >= 3 for status, failures in seen if status == "unhealthy")


def _mapping(client: ProxyClient, mapping: PortMapping) -> PortMapping:
    return next(m for m in client.list_ports() if m.id == mapping.id)


def _status(client: ProxyClient, mapping: PortMapping) -> str | None:
    return _mapping(client, mapping).health_status
