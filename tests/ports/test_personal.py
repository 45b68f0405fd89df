"""What a person answered, "Always" or "Ignore": followed within what the administrator allows."""

from __future__ import annotations

import getpass
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_tensorone_proxy.server.auto_expose.personal import (
    NOTHING,
    PersonalSettings,
    parse_settings,
)
from tests.fixtures.gateway import free_range
from tests.fixtures.jupyter import JupyterServer, Kernel, run_jupyter
from tests.fixtures.ports import comes, detected, listening, mappings, serve

_SETTINGS = "lab/api/settings/jupyter-tensorone-proxy:settings"


@pytest.fixture(scope="module")
def denied() -> int:
    """Return the port that the administrator denies."""
    return int(free_range(1).partition("-")[0])


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory, denied: int) -> Iterator[JupyterServer]:
    """Run a JupyterLab whose administrator denies a port."""
    directory = tmp_path_factory.mktemp("lab")
    (directory / "config").mkdir()
    file = directory / "config" / "jupyter_server_config.json"
    file.write_text(json.dumps({"AutoExpose": {"denied_ports": [denied]}}))
    with run_jupyter(directory, module="jupyterlab") as server:
        server.request("GET", "api/proxy").raise_for_status()
        yield server


@pytest.fixture
def kernel(lab: JupyterServer) -> Iterator[Kernel]:
    """Run a kernel of its own for a test."""
    with lab.kernel() as started:
        yield started


def _answer(lab: JupyterServer, **settings: Any) -> None:
    """Save settings as JupyterLab's page does, which writes comments around them."""
    raw = "{\n  // Ports\n  " + json.dumps(settings)[1:]
    lab.jupyter("PUT", _SETTINGS, json={"raw": raw}).raise_for_status()


def _port() -> int:
    return int(free_range(1).partition("-")[0])


def test_always_exposes_the_port_for_its_user_alone(lab: JupyterServer, kernel: Kernel) -> None:
    """Once answered, the port is exposed by the server itself, also while no page is open."""
    port = _port()
    _answer(lab, answers=[{"port": port, "action": "expose"}])
    serve(kernel, port)
    assert comes(lambda: port in mappings(lab))
    access = mappings(lab)[port]["access_control"]
    assert access["authentication_required"] is True
    assert access["allowed_users"] == [getpass.getuser()]
    assert detected(lab)[port]["because"] == "you said so"


def test_what_is_ignored_is_still_listed(lab: JupyterServer, kernel: Kernel) -> None:
    """A front end keeps its lists current, and asks nobody."""
    port = _port()
    _answer(lab, onDetection="expose", answers=[{"port": port, "action": "ignore"}])
    with listening(lab) as events:
        serve(kernel, port)
        assert comes(lambda: any(e["port"] == port for e in events.of("detected_port")))
    assert detected(lab)[port]["decision"] == "notify"
    assert port not in mappings(lab)


def test_every_page_is_exposed_if_that_is_wanted(lab: JupyterServer, kernel: Kernel) -> None:
    """The setting is about whatever no rule, answer or wish is about."""
    port = _port()
    _answer(lab, onDetection="expose")
    serve(kernel, port)
    assert comes(lambda: port in mappings(lab))


def test_the_administrator_comes_before_the_answer(
    lab: JupyterServer, kernel: Kernel, denied: int
) -> None:
    """A denied port is not exposed by itself, whatever was answered, and it says so."""
    port = _port()
    _answer(lab, onDetection="expose", answers=[{"port": denied, "action": "expose"}])
    serve(kernel, denied)
    serve(kernel, port)
    assert comes(lambda: port in mappings(lab) and denied in detected(lab))
    assert denied not in mappings(lab)
    assert "may_expose" not in detected(lab)[denied]
    assert detected(lab)[port]["may_expose"] is True


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"answers": 7}',
        '{"answers": [7, {}, {"action": "expose"}, {"port": 1, "action": "dance"}]}',
        '{"answers": [{"port": "x", "action": "expose"}], "onDetection": "publish"}',
    ],
)
def test_settings_that_cannot_be_understood_change_nothing(text: str) -> None:
    """A setting is edited by hand: what is wrong in it neither exposes anything nor raises."""
    assert parse_settings(text) == NOTHING


def test_an_answer_never_says_who_may_come_in() -> None:
    """Settings of the mapping are the administrator's: from an answer they are not read."""
    settings = {"settings": {"access_control": {"public_access": True}}, "command": ".*"}
    text = json.dumps({"answers": [{"port": 1, "action": "expose", **settings}]})
    (rule,) = parse_settings(text).rules
    assert (rule.settings, rule.command) == ({}, "")


def test_without_settings_nothing_is_wanted(tmp_path: Path) -> None:
    """A server whose pages were never opened has no such file."""
    assert PersonalSettings(lambda: [tmp_path]).read() == NOTHING
