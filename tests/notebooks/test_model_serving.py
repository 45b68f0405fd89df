"""`model_serving.ipynb`: a model under load loses a process, and no request."""

from __future__ import annotations

import re

import pytest

from tests.fixtures.jupyter import JupyterServer
from tests.notebooks.conftest import Outputs, executed, html, secrets_in, text


@pytest.fixture(scope="module")
def outputs(server: JupyterServer) -> Outputs:
    """Execute the notebook."""
    return executed(server, "model_serving.ipynb")


def test_the_model_is_served_by_three_processes_to_callers_with_a_token(outputs: Outputs) -> None:
    """One address, each in turn; without a token there is no answer."""
    said = text(outputs["call-api"])
    assert "without a token 401" in said
    assert "setosa" in said
    assert "processes 3" in said


def test_a_killed_process_costs_no_request(outputs: Outputs) -> None:
    """Every request is answered with 200 while one of three processes dies by SIGKILL."""
    said = text(outputs["load-api"])
    found = re.search(r"(\d+) requests, (\d+) failed: \{200: (\d+)\}", said)
    assert found, said
    assert int(found[1]) == int(found[3]) > 100
    assert found[2] == "0"
    assert re.search(r"killed \d+", said)


def test_the_killed_process_comes_back(outputs: Outputs) -> None:
    """It is started again, and takes its share."""
    assert text(outputs["show-back"]).strip() == "3 processes, 1 of them new"


def test_the_monitor_saw_it(outputs: Outputs) -> None:
    """Plots of response time and requests, the load as an alert, and no alert of health."""
    shown = html(outputs["show-monitor"])
    assert shown.count("<svg") == 2
    assert "● healthy" in text(outputs["show-monitor"]) or "▲ alert" in text(
        outputs["show-monitor"]
    )
    told = text(outputs["show-alerts"])
    assert "request_rate above 600/min" in told
    assert "alert: health" not in told
    assert "error_rate" not in told
    assert "application/vnd.jupyter.widget-view+json" in outputs["start-monitor"][-1].data


def test_the_proxy_counted_it(outputs: Outputs) -> None:
    """The table of pandas has every request."""
    (count,) = re.findall(r"\d{3,}(?= +[\d.]+$)", text(outputs["show-usage"]), flags=re.MULTILINE)
    assert int(count) > 100


def test_r16_no_output_holds_a_credential(outputs: Outputs, server: JupyterServer) -> None:
    """The caller's token is in no output."""
    assert secrets_in(outputs, server) == []


def test_nothing_stays(outputs: Outputs, server: JupyterServer) -> None:
    """No mapping, no user, no session, no process."""
    assert "Nothing is exposed" in text(outputs["clean-up"])
    for what in ("ports", "sessions"):
        assert server.request("GET", f"api/{what}").json()["data"] == [], what
    users = server.request("GET", "api/users").json()["data"]
    assert [user["name"] for user in users if user["has_token"]] == []
