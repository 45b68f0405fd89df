"""Applying a stack to a real gateway: create, update what differs, leave, remove its own."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from jupyter_tensorone_proxy import AsyncProxyClient, ProxyClient, Stack, StackResult
from jupyter_tensorone_proxy.errors import ApiUnreachableError
from tests.fixtures.gateway import RunningGateway, free_port
from tests.fixtures.services.web import web_service
from tests.stacks.conftest import by_name, stack_of


def pair(ports: list[int], **of_first: Any) -> Stack:
    """Return a stack of two services."""
    return stack_of(
        {"name": "one", "port": ports[0], "path": "/", **of_first},
        {"name": "two", "port": ports[1]},
    )


def names(found: tuple[Any, ...]) -> list[str]:
    """Return the services' names."""
    return [each.name for each in found]


def test_a_stack_is_served_once_it_is_applied(gateway: RunningGateway, proxy: ProxyClient) -> None:
    """The very next request to a created service's address is answered by the service."""
    with web_service("board") as service, gateway.visitor() as visitor:
        stack = stack_of({"name": "b", "port": service.port, "path": "/", "auth_required": False})
        result = stack.apply(proxy)
        (created,) = result.services_created
        assert visitor.get(str(created.url)).text == "board"
    mapping = result.mapping("b")
    assert (created.url, created.port) == (mapping.url, mapping.external_port)
    assert (created.category, created.priority, created.auth_required) == (
        "services",
        "medium",
        False,
    )


def test_applying_again_changes_nothing(proxy: ProxyClient, ports: list[int]) -> None:
    """The second time every service is left, and no mapping was touched."""
    stack = pair(ports, limits={"requests_per_minute": 60}, cors={"allowed_methods": ["GET"]})
    assert names(stack.apply(proxy).services_created) == ["one", "two"]
    before = proxy.list_ports()
    again = stack.apply(proxy)
    assert names(again.services_unchanged) == ["one", "two"]
    assert stack.plan(proxy).is_done
    assert [m.updated_at for m in proxy.list_ports()] == [m.updated_at for m in before]


def test_the_environment_is_applied_idempotently(proxy: ProxyClient) -> None:
    """The contract's six services are created, then left; the summary is the contract's."""
    stack = Stack.ml_environment({"team_name": "NLP", "team_members": ["ana", "ben"]})
    summary = stack.apply(proxy).access_summary
    assert (summary.total_services, summary.authenticated_services) == (6, 5)
    assert summary.public_services == 1
    urls = {m.internal_port: m.url for m in proxy.list_ports()}
    assert summary.team_access_urls == {s.name: urls[s.port] for s in stack.services}
    assert len(stack.apply(proxy).services_unchanged) == 6


def test_only_what_differs_is_updated(proxy: ProxyClient, ports: list[int]) -> None:
    """One value changes in one mapping; its other values, its address and the rest stay."""
    pair(ports, limits={"requests_per_minute": 60, "burst_size": 5}).apply(proxy)
    before = by_name(proxy)
    changed = pair(ports, limits={"requests_per_minute": 61, "burst_size": 5})
    (planned, _) = changed.plan(proxy).changes
    assert planned.body == {"access_control": {"rate_limit": {"requests_per_minute": 61}}}
    result = changed.apply(proxy)
    assert (names(result.services_updated), names(result.services_unchanged)) == (["one"], ["two"])
    after = by_name(proxy)
    assert after["one"].url == before["one"].url
    assert after["two"].updated_at == before["two"].updated_at
    assert changed.plan(proxy).is_done


def test_what_is_no_longer_said_is_reset(proxy: ProxyClient, ports: list[int]) -> None:
    """A limit or check that is taken out of the file is gone, inside tables too."""
    pair(
        ports,
        limits={"requests_per_minute": 60, "burst_size": 5},
        health={"interval_seconds": 5},
        blocked_ips=["203.0.113.1"],
        ssl_redirect=False,
    ).apply(proxy)
    plain = pair(ports, limits={"requests_per_minute": 60})
    assert names(plain.apply(proxy).services_updated) == ["one"]
    shown = next(m for m in proxy.get_proxy().port_mappings if m.description == "one").to_wire()
    assert shown["access_control"] == {
        "authentication_required": True,
        "allowed_users": ["ana"],
        "rate_limit": {"requests_per_minute": 60},
    }
    assert shown["health_check"] == {"enabled": True, "path": "/"}
    assert "ssl_redirect" not in shown
    assert plain.plan(proxy).is_done


def test_a_service_that_moves_keeps_its_address(proxy: ProxyClient, ports: list[int]) -> None:
    """Its mapping is pointed at the new port."""
    stack_of({"name": "one", "port": ports[0]}).apply(proxy)
    (before,) = proxy.list_ports()
    moved = stack_of({"name": "one", "port": ports[1]})
    assert names(moved.apply(proxy, prune=True).services_updated) == ["one"]
    (after,) = proxy.list_ports()
    assert (after.id, after.url, after.internal_port) == (before.id, before.url, ports[1])


def test_pruning_removes_what_the_stack_made_and_nothing_else(
    proxy: ProxyClient, ports: list[int]
) -> None:
    """What somebody exposed by hand stays, also where the stack named it for a while."""
    proxy.create_port(internal_port=ports[2], description="by hand")
    proxy.create_port(internal_port=ports[3], description="adopted", ssl_redirect=False)
    stack_of({"name": "other", "port": free_port()}, name="another").apply(proxy)
    stack_of(
        {"name": "one", "port": ports[0]},
        {"name": "two", "port": ports[1]},
        {"name": "adopted", "port": ports[3]},
    ).apply(proxy)
    smaller = stack_of({"name": "two", "port": ports[1]})
    kept = smaller.apply(proxy)
    assert (kept.leftovers, kept.services_removed) == (("one",), ())
    assert "one" in by_name(proxy)
    pruned = smaller.apply(proxy, prune=True)
    assert (pruned.leftovers, pruned.services_removed) == ((), ("one",))
    left = by_name(proxy)
    assert left.keys() == {"by hand", "adopted", "other", "two"}
    assert left["adopted"].to_wire()["ssl_redirect"] is False


def test_what_another_stack_has_is_refused_and_left(proxy: ProxyClient, ports: list[int]) -> None:
    """Two stacks that claim one port do not take it from each other in turns."""
    stack_of({"name": "one", "port": ports[0]}, name="first").apply(proxy)
    (before,) = proxy.list_ports()
    result = stack_of({"name": "mine", "port": ports[0]}, name="second").apply(proxy, prune=True)
    (failed,) = result.services_failed
    assert "belongs to the stack 'first'" in failed.error
    assert proxy.list_ports()[0].updated_at == before.updated_at


def test_one_that_fails_stops_no_other_and_is_repaired(
    proxy: ProxyClient, ports: list[int]
) -> None:
    """Its error is in the result; the others are exposed; the next apply does the rest alone."""
    with socket.socket() as somebody:
        external = _external_port(proxy, ports[3])
        somebody.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        somebody.bind(("127.0.0.1", external))
        somebody.listen()
        stack = stack_of(
            {"name": "one", "port": ports[0], "priority": "high", "external_port": external},
            {"name": "two", "port": ports[1], "priority": "high"},
            {"name": "three", "port": ports[2], "priority": "low"},
        )
        first = stack.apply(proxy)
        (failed,) = first.services_failed
        assert failed.name == "one"
        assert "in use" in failed.error
        assert names(first.services_created) == ["two", "three"]
        assert not first.complete
        assert first.access_summary.total_services == 2
    second = stack.apply(proxy)
    assert (names(second.services_created), second.complete) == (["one"], True)
    assert names(second.services_unchanged) == ["two", "three"]


def _external_port(api: ProxyClient, port: int) -> int:
    """Return an external port of the gateway's range that is free."""
    mapping = api.create_port(internal_port=port, description="for its external port")
    api.delete_port(mapping.id)
    return int(mapping.external_port or 0)


def test_services_are_created_in_the_order_of_their_priority(
    proxy: ProxyClient, ports: list[int]
) -> None:
    """High comes before medium, and that before low, whatever the file's order is."""
    stack_of(
        {"name": "c", "port": ports[0], "priority": "low"},
        {"name": "b", "port": ports[1]},
        {"name": "a", "port": ports[2], "priority": "high"},
    ).apply(proxy)
    created = sorted(proxy.list_ports(), key=lambda mapping: str(mapping.created_at))
    assert [mapping.description for mapping in created] == ["a", "b", "c"]


def test_a_plan_changes_nothing(proxy: ProxyClient, ports: list[int]) -> None:
    """A dry run says what each service would become, and the gateway stays as it is."""
    plan = pair(ports).plan(proxy)
    assert [change.action for change in plan.changes] == ["create", "create"]
    assert not plan.is_done
    assert proxy.list_ports() == []


def test_the_same_is_there_for_event_loops(proxy: ProxyClient, ports: list[int]) -> None:
    """`apply_async` and `plan_async` are awaited; `apply` works inside of a running loop too."""

    async def main() -> tuple[StackResult, StackResult]:
        async with AsyncProxyClient(settings=proxy.settings) as opened:
            assert not (await pair(ports).plan_async(opened)).is_done
            awaited = await pair(ports).apply_async(opened)
        return awaited, pair(ports).apply(proxy)

    awaited, blocking = asyncio.run(main())
    assert names(awaited.services_created) == ["one", "two"]
    assert names(blocking.services_unchanged) == ["one", "two"]


def test_without_a_client_the_running_gateway_is_found(
    gateway: RunningGateway, proxy: ProxyClient, ports: list[int]
) -> None:
    """`Stack(...).apply()` needs to be told nothing on a laptop."""
    assert pair(ports).apply().complete
    assert len(proxy.list_ports()) == 2


def test_an_api_that_does_not_answer_is_an_error(ports: list[int]) -> None:
    """If it is not even known what there is, nothing is tried."""
    url = f"http://127.0.0.1:{free_port()}"
    with (
        ProxyClient(api_url=url, api_key="k", cluster_id="c") as nobody,
        pytest.raises(ApiUnreachableError),
    ):
        pair(ports).apply(nobody)
