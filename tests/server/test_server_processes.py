"""Processes and stacks through a Jupyter server's REST door, against an API on the network."""

from __future__ import annotations

import json
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_tensorone_proxy.errors import NotFoundError, ProcessError
from jupyter_tensorone_proxy.server.processes.events import SCHEMA_ID
from jupyter_tensorone_proxy.stacks.processes.folder import folder_of, sockets
from jupyter_tensorone_proxy.stacks.processes.remote import RemoteRunner
from jupyter_tensorone_proxy.stacks.processes.spec import ProcessSpec
from tests.fixtures.fake_api import KEY
from tests.fixtures.gateway import is_alive
from tests.fixtures.runner import WEB

SERVICE = {"stack": "lab", "name": "site", "command": WEB, "ready_path": "/"}


@pytest.fixture
def started(jp_serverapp: Any, jp_asyncio_loop: Any, api: Any) -> Iterator[Any]:
    """Start the extension, as a Jupyter server does; its services end with the test."""
    api.extensions = ("links", "stacks")
    extensions = jp_serverapp.extension_manager
    jp_asyncio_loop.run_until_complete(extensions.start_all_extensions())
    yield jp_serverapp
    jp_asyncio_loop.run_until_complete(extensions.stop_all_extensions())
    assert sockets() == []


def data(answer: Any) -> Any:
    """Return what an answer holds."""
    body = json.loads(answer.body)
    assert body["success"], body
    return body["data"]


def failure(answer: Any) -> dict[str, Any]:
    """Return the error that an answer holds."""
    error: dict[str, Any] = json.loads(answer.body)["error"]
    return error


@pytest.mark.usefixtures("started")
async def test_a_service_is_started_read_restarted_stopped_and_forgotten(fetch: Any) -> None:
    """The whole life of a service through the door, each answer in the contract's envelope."""
    made = await fetch("POST", "api/processes", body=SERVICE)
    assert made.code == 201
    service = data(made)
    path = f"api/processes/{service['id']}"
    assert (service["state"], service["stack"], service["name"]) == ("running", "lab", "site")
    assert data(await fetch("GET", "api/processes")) == [service]
    assert data(await fetch("GET", path)) == service
    log = data(await fetch("GET", f"{path}/log?lines=1"))
    assert len(log["lines"]) == 1
    assert data(await fetch("GET", f"{path}/log?after={log['cursor']}"))["lines"] == []
    again = data(await fetch("POST", f"{path}/restart"))
    assert again["replicas"][0]["pid"] != service["replicas"][0]["pid"]
    assert data(await fetch("POST", f"{path}/stop"))["state"] == "stopped"
    assert data(await fetch("POST", f"{path}/start"))["state"] == "running"
    data(await fetch("DELETE", path))
    assert data(await fetch("GET", "api/processes")) == []
    for method, gone in (("GET", path), ("DELETE", path), ("POST", f"{path}/stop")):
        answer = await fetch(method, gone)
        assert (answer.code, failure(answer)["code"]) == (404, "NOT_FOUND")


@pytest.mark.usefixtures("started")
@pytest.mark.parametrize(
    ("body", "code", "said"),
    [
        ({**SERVICE, "command": [sys.executable, "-c", "exit('no')"]}, 502, "exit code 1"),
        ({**SERVICE, "command": ["nosuchprogram"]}, 502, "is not installed here"),
        ({**SERVICE, "command": ["{prot}"]}, 422, "no placeholder {prot}"),
        ({**SERVICE, "commands": WEB}, 422, "did you mean command?"),
        ({**SERVICE, "inherited": {"A": "1"}}, 422, "is for kernels"),
        ({"name": "x"}, 422, "Field required"),
    ],
)
async def test_what_cannot_be_started_is_told(
    fetch: Any, body: dict[str, Any], code: int, said: str
) -> None:
    """The status, the code and the reason; nothing runs afterwards."""
    answer = await fetch("POST", "api/processes", body=body)
    error = failure(answer)
    assert answer.code == code
    assert error["code"] == ("PROCESS_FAILED" if code == 502 else "VALIDATION_ERROR")
    assert said in json.dumps(error)
    states = [group["state"] for group in data(await fetch("GET", "api/processes"))]
    assert "running" not in states


@pytest.mark.usefixtures("started")
async def test_a_stack_is_planned_applied_listed_and_removed(fetch: Any, api: Any) -> None:
    """PUT applies, `dry_run` only says what would be, DELETE removes all that the stack made."""
    stack = {
        "name": "lab",
        "services": [
            {"name": "site", "command": WEB, "path": "/"},
            {"name": "there", "port": 7000},
            {"name": "bad", "command": [sys.executable, "-c", "exit('broken {port}')"]},
        ],
    }
    planned = data(await fetch("PUT", "api/stacks?dry_run=true", body=stack))
    assert [change["action"] for change in planned["changes"]] == ["create"] * 3
    assert api.mappings == {}
    applied = data(await fetch("PUT", "api/stacks", body=stack))
    assert [service["name"] for service in applied["services_created"]] == ["site", "there"]
    (failed,) = applied["services_failed"]
    assert failed["name"] == "bad"
    assert "broken 2" in failed["error"]
    (listed,) = data(await fetch("GET", "api/stacks"))
    assert listed["name"] == "lab"
    assert {port["description"] for port in listed["ports"]} == {"site", "there"}
    states = {process["name"]: process["state"] for process in listed["processes"]}
    assert states == {"site": "running", "bad": "failed"}
    data(await fetch("DELETE", "api/stacks/lab"))
    assert data(await fetch("GET", "api/stacks")) == []
    assert api.mappings == {}


@pytest.mark.usefixtures("started")
async def test_a_wrong_stack_is_told_with_its_place(fetch: Any, api: Any) -> None:
    """A declaration that cannot be understood is 422, and nothing is sent."""
    answer = await fetch("PUT", "api/stacks", body={"name": "lab", "services": [{"name": "x"}]})
    assert answer.code == 422
    assert "services[0] (x), port: is missing" in failure(answer)["message"]
    assert (await fetch("PUT", "api/stacks?prune=maybe", body={})).code == 422
    assert api.changes == []


async def test_r50_the_door_for_kernels_is_this_users_alone(started: Any) -> None:
    """The socket has mode 0600, its folder 0700, and both are gone with the server."""
    (socket,) = sockets()
    assert socket.parent == folder_of(os.getpid())
    assert stat.S_IMODE(socket.stat().st_mode) == 0o600
    assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700
    runner = RemoteRunner(socket)
    spec = ProcessSpec.model_validate({**SERVICE, "inherited": dict(os.environ)})
    (port,) = await runner.place(spec)
    group = await runner.start(spec)
    assert group.ports == [port]
    assert await runner.list_groups("lab") == [group]
    assert await runner.list_groups("other") == []
    assert any("Serving" in s for s in (await runner.log(group.id, lines=9, replica=0)).lines)
    await runner.settle(spec)
    bad = {**SERVICE, "name": "bad", "command": [sys.executable, "-c", "exit(1)"]}
    with pytest.raises(ProcessError, match="exit code 1"):
        await runner.start(ProcessSpec.model_validate(bad))
    with pytest.raises(NotFoundError):
        await runner.act("svc_0", "stop")
    await started.extension_manager.stop_all_extensions()
    assert not is_alive(group.replicas[0].pid or 0)
    with pytest.raises(ProcessError, match="does not answer"):
        await runner.list_groups()


async def test_a_services_whole_life_is_told_as_events(started: Any, fetch: Any) -> None:
    """Front ends hear of each change, without what it printed or what started it."""
    told: list[dict[str, Any]] = []

    async def listen(logger: Any, schema_id: str, data: dict[str, Any]) -> None:
        told.append({"schema": schema_id, **data})

    started.event_logger.add_listener(schema_id=SCHEMA_ID, listener=listen)
    path = f"api/processes/{data(await fetch('POST', 'api/processes', body=SERVICE))['id']}"
    await fetch("POST", f"{path}/stop")
    bad = {**SERVICE, "name": "bad", "command": [sys.executable, "-c", "exit('t0ps3cret')"]}
    await fetch("POST", "api/processes", body=bad)
    states = [(event["name"], event["state"]) for event in told]
    assert states == [
        *(("site", state) for state in ("starting", "running", "stopping", "stopped")),
        *(("bad", state) for state in ("starting", "failed")),
    ]
    assert "t0ps3cret" not in json.dumps(told)


async def test_a_server_that_cannot_open_the_door_starts_all_the_same(
    jp_serverapp: Any, fetch: Any
) -> None:
    """What is wrong is told; kernels are not led to a door that is not there."""
    folder_of(os.getpid()).write_text("this is in the way")
    await jp_serverapp.extension_manager.start_all_extensions()
    assert (await fetch("GET", "api/processes")).code == 200
    answer = await fetch("POST", "api/processes", body=SERVICE)
    assert "Its output cannot be kept" in failure(answer)["message"]
    given: dict[str, Any] = {}
    jp_serverapp.kernel_manager.pre_start_kernel(None, given)
    assert "TENSORONE_KERNEL_ID" in given["env"]
    assert "TENSORONE_SERVER_SOCKET" not in given["env"]
    await jp_serverapp.extension_manager.stop_all_extensions()


@pytest.mark.usefixtures("started")
async def test_r16_services_know_neither_the_key_nor_the_token(
    fetch: Any, jp_serverapp: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the variable is called: a value that holds Jupyter's token is left out."""
    token = jp_serverapp.identity_provider.token
    monkeypatch.setenv("SOME_URL", f"http://localhost/?token={token}")
    monkeypatch.setenv("TENSORONE_API_KEY", KEY)
    pid = data(await fetch("POST", "api/processes", body=SERVICE))["replicas"][0]["pid"]
    process = Path(f"/proc/{pid}")
    seen = (process / "environ").read_bytes() + (process / "cmdline").read_bytes()
    assert b"PATH=" in seen
    assert token.encode() not in seen
    assert KEY.encode() not in seen
