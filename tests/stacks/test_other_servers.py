"""Stacks and a server of the contract alone; and how many requests are on the way at once."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import threading
from collections import Counter
from pathlib import Path

import httpx
import pytest

from jupyter_tensorone_proxy import AsyncProxyClient, ProxyClient, Stack
from jupyter_tensorone_proxy.errors import NotSupportedError
from tests.fixtures.fake_api import KEY, FakeApi
from tests.stacks.conftest import stack_of

DATA = Path(__file__).parents[1] / "contract" / "data"
TEAM = {
    "team_name": "ML Research Team",
    "team_members": ["alice_researcher", "bob_engineer", "carol_scientist"],
}


def test_a_server_of_the_contract_gets_the_contracts_requests(served_api: FakeApi) -> None:
    """What arrives is what is documented, field by field, in the order of priority."""
    with ProxyClient() as client:
        assert Stack.ml_environment(TEAM).apply(client).complete
    documented = [
        json.loads(path.read_text())["body"] for path in DATA.glob("request_environment_*.json")
    ]
    sent = [body for _, body in served_api.changes]
    key = lambda body: body["internal_port"]  # noqa: E731 - said in one line
    assert sorted(sent, key=key) == sorted(documented, key=key)
    assert {key(body) for body in sent[:2]} == {8888, 6006}
    assert {key(body) for body in sent[4:]} == {9090, 3000}


def test_such_a_server_is_brought_into_line_too(served_api: FakeApi) -> None:
    """Applying is idempotent there, and changes only what differs."""
    with ProxyClient() as client:
        Stack.ml_environment(TEAM).apply(client)
        assert len(Stack.ml_environment(TEAM).apply(client).services_unchanged) == 6
        other = Stack.ml_environment({**TEAM, "team_members": ["ana"]})
        served_api.calls.clear()
        assert len(other.apply(client).services_updated) == 6
    assert {json.dumps(body) for _, body in served_api.changes} == {
        '{"access_control": {"allowed_users": ["ana"]}}'
    }


def test_pruning_is_refused_where_nobody_remembers(served_api: FakeApi) -> None:
    """Nothing is removed on a guess, and nothing else is done either."""
    served_api.add(7000, description="TensorBoard for ML Research Team team")
    with ProxyClient() as client, pytest.raises(NotSupportedError, match="nothing was done"):
        Stack.ml_environment(TEAM).apply(client, prune=True)
    assert served_api.changes == []


def test_changes_of_one_priority_are_made_at_once_and_not_too_many() -> None:
    """Several requests are on the way together, at most ten; a lower priority waits its turn."""
    api = FakeApi()
    flying: Counter[str] = Counter()
    most, mixed = 0, []

    async def handle(request: httpx.Request) -> httpx.Response:
        nonlocal most
        if request.method == "GET":
            return api.handle(request)
        kind = json.loads(request.content)["description"][0]
        flying[kind] += 1
        most = max(most, sum(flying.values()))
        mixed.append(len([k for k, count in flying.items() if count]) > 1)
        await asyncio.sleep(0.01)
        flying[kind] -= 1
        return api.handle(request)

    services = [
        {"name": f"{priority[0]}{i}", "port": start + i, "priority": priority}
        for start, priority in ((1000, "low"), (2000, "high"))
        for i in range(25)
    ]

    async def main() -> None:
        transport = httpx.MockTransport(handle)
        async with AsyncProxyClient(
            api_url="https://api.example.com", api_key=KEY, cluster_id="c", transport=transport
        ) as client:
            assert len((await stack_of(*services).apply_async(client)).services_created) == 50

    asyncio.run(main())
    assert 2 <= most <= 10
    assert not any(mixed)


def test_an_interrupt_ends_the_wait(served_api: FakeApi) -> None:
    """Ctrl-C, or a notebook's stop button, does not wait for an API that says nothing."""
    served_api.go_on.clear()
    timer = threading.Timer(0.5, os.kill, [os.getpid(), signal.SIGINT])
    timer.start()
    with ProxyClient() as client, pytest.raises(KeyboardInterrupt):
        Stack.ml_environment(TEAM).apply(client)
    timer.join()
    assert not served_api.go_on.is_set()
    assert served_api.calls == []  # nobody waited for an answer
