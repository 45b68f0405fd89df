"""Rules of the server and wishes of notebooks: what is exposed by itself, and for whom."""

from __future__ import annotations

import getpass
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import nbformat
import pytest

from tests.fixtures.gateway import free_range
from tests.fixtures.jupyter import JupyterServer, Kernel, attach, run_jupyter
from tests.fixtures.ports import comes, detected, listening, mappings, serve


def _port() -> int:
    return int(free_range(1).partition("-")[0])


def _configure(directory: Path, **traits: Any) -> None:
    """Write what an administrator would into Jupyter's configuration."""
    (directory / "config").mkdir()
    file = directory / "config" / "jupyter_server_config.json"
    file.write_text(json.dumps({"AutoExpose": traits}))


@pytest.fixture(scope="module")
def ports() -> dict[str, int]:
    """Return ports that the rules are about."""
    first = int(free_range(6).partition("-")[0])
    names = ("exposed", "ignored", "denied", "limited", "public", "noticed")
    return {name: first + number for number, name in enumerate(names)}


@pytest.fixture(scope="module")
def ruled(
    tmp_path_factory: pytest.TempPathFactory, ports: dict[str, int]
) -> Iterator[JupyterServer]:
    """Run a server with rules."""
    public = {"access_control": {"public_access": True}, "description": "By rule"}
    rules = [
        {"port": ports["ignored"], "action": "ignore"},
        {"port": ports["exposed"], "action": "expose", "settings": {"description": "By rule"}},
        {"port": ports["public"], "action": "expose", "settings": public},
        {"port": ports["denied"], "action": "expose"},
    ]
    directory = tmp_path_factory.mktemp("ruled")
    _configure(directory, rules=rules, denied_ports=[ports["denied"]], max_exposed=4)
    with run_jupyter(directory) as server:
        server.request("GET", "api/proxy").raise_for_status()
        yield server


@pytest.fixture
def kernel(ruled: JupyterServer) -> Iterator[Kernel]:
    """Run a kernel of its own for a test."""
    with ruled.kernel() as started:
        yield started


@pytest.mark.parametrize("name", ["exposed", "public"])
def test_r31_a_rule_exposes_a_port_for_its_user_alone(
    ruled: JupyterServer, kernel: Kernel, ports: dict[str, int], name: str
) -> None:
    """Sign-in is required, whatever the rule says; only the server's user gets in."""
    port = ports[name]
    serve(kernel, port)
    assert comes(lambda: port in mappings(ruled))
    mapping = mappings(ruled)[port]
    assert mapping["description"] == "By rule"
    assert mapping["access_control"]["authentication_required"] is True
    assert mapping["access_control"]["allowed_users"] == [getpass.getuser()]
    assert mapping["kernel_id"]
    assert detected(ruled)[port]["decision"] == "expose"


def test_a_rule_can_ignore_and_an_administrator_deny(
    ruled: JupyterServer, kernel: Kernel, ports: dict[str, int]
) -> None:
    """An ignored port is told of to nobody; a denied one is noticed, and not exposed."""
    with listening(ruled) as events:
        serve(kernel, ports["ignored"])
        serve(kernel, ports["denied"])
        assert comes(lambda: any(e["port"] == ports["denied"] for e in events.of("detected_port")))
    told = {event["port"]: event for event in events.of("detected_port")}
    assert told[ports["denied"]]["decision"] == "notify"
    assert ports["ignored"] not in told
    assert not {ports["ignored"], ports["denied"]} & set(mappings(ruled))


@contextmanager
def _notebook(server: JupyterServer, name: str, expose: Any) -> Iterator[tuple[Kernel, Path, str]]:
    """Save a notebook with wishes, and start its kernel as Lab does: by a session."""
    path = server.state_dir.parent / name
    notebook: Any = nbformat.v4.new_notebook()
    notebook.metadata["tensorone"] = {"expose": expose}
    nbformat.write(notebook, path)
    body = {"path": name, "type": "notebook", "name": name, "kernel": {"name": "python3"}}
    session = server.jupyter("POST", "api/sessions", json=body).raise_for_status().json()
    try:
        with attach(server, session["kernel"]["id"]) as kernel:
            yield kernel, path, session["id"]
    finally:
        server.jupyter("DELETE", f"api/sessions/{session['id']}")


def test_a_notebooks_wish_is_followed_privately(ruled: JupyterServer) -> None:
    """A port or a service that the notebook names is exposed for its user, with name and check."""
    port = _port()
    wish = {"port": port, "name": "My app", "health_path": "/"}
    with _notebook(ruled, "wishing.ipynb", [wish]) as (kernel, _, _):
        serve(kernel, port)
        assert comes(lambda: port in mappings(ruled))
        mapping = mappings(ruled)[port]
        assert mapping["description"] == "My app"
        assert mapping["health_check"]["path"] == "/"
        assert mapping["access_control"]["allowed_users"] == [getpass.getuser()]
        assert detected(ruled)[port]["notebook"] == "wishing.ipynb"
    assert comes(lambda: port not in mappings(ruled))


def test_r31_a_wish_for_public_access_is_a_question(ruled: JupyterServer) -> None:
    """A notebook from anybody cannot open a port to everybody; people are asked."""
    port = _port()
    with (
        listening(ruled) as events,
        _notebook(ruled, "public.ipynb", [{"port": port, "public": True}]) as (kernel, _, _),
    ):
        serve(kernel, port)
        assert comes(lambda: port in mappings(ruled))
        assert comes(lambda: events.of("detected_port"))
        assert mappings(ruled)[port]["access_control"]["authentication_required"] is True
    assert events.of("detected_port")[0]["question"] == "public"


def test_a_wish_that_is_saved_later_counts_from_then_on(ruled: JupyterServer) -> None:
    """A port that was only noticed is exposed when the notebook says so and is saved."""
    port = _port()
    with _notebook(ruled, "later.ipynb", []) as (kernel, path, _):
        serve(kernel, port)
        assert comes(lambda: port in detected(ruled))
        assert port not in mappings(ruled)
        notebook: Any = nbformat.read(path, as_version=4)
        notebook.metadata["tensorone"] = {"expose": [{"port": port}]}
        body = {"type": "notebook", "format": "json", "content": notebook}
        ruled.jupyter("PUT", "api/contents/later.ipynb", json=body).raise_for_status()
        assert comes(lambda: port in mappings(ruled))


def test_a_renamed_notebook_is_followed(ruled: JupyterServer) -> None:
    """Where a port comes from is told by the notebook's name of now."""
    port = _port()
    with _notebook(ruled, "old.ipynb", [{"port": port}]) as (kernel, _, session_id):
        serve(kernel, port)
        assert comes(lambda: port in mappings(ruled))
        for path, body in (
            ("api/contents/old.ipynb", {"path": "new.ipynb"}),
            (f"api/sessions/{session_id}", {"path": "new.ipynb"}),
        ):
            ruled.jupyter("PATCH", path, json=body).raise_for_status()
        assert comes(lambda: detected(ruled)[port]["notebook"] == "new.ipynb")
        assert port in mappings(ruled)


@pytest.mark.parametrize(
    "expose",
    [
        "not a list",
        [7, None, [], {"port": "6006"}, {"port": True}, {"port": 70000}, {}, {"service": "../x"}],
        [{"port": 1, "health_path": "//evil"}],
        [{"port": 1}] * 100,
    ],
)
def test_broken_wishes_are_told_and_harm_nothing(ruled: JupyterServer, expose: Any) -> None:
    """What cannot be read is in the log; ports of the notebook are noticed as always."""
    port = _port()
    with _notebook(ruled, "broken.ipynb", expose) as (kernel, _, _):
        serve(kernel, port)
        assert comes(lambda: port in detected(ruled))
        assert port not in mappings(ruled)
    assert "wish" in ruled.log.read_text() or "expose is not a list" in ruled.log.read_text()


def test_a_rule_with_a_bad_pattern_is_told_at_the_start(tmp_path: Path) -> None:
    """The server says which rule is wrong and how, and goes on without this extension."""
    _configure(tmp_path, rules=[{"command": "(", "action": "expose"}])
    with run_jupyter(tmp_path) as server:
        assert server.request("GET", "api/proxy").status_code == httpx.codes.NOT_FOUND
        said = server.log.read_text()
    assert "Rule 1 of AutoExpose.rules: command '('" in said
    assert "unterminated subpattern" in said
