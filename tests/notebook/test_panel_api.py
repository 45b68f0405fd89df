"""The panel with an API that has less than ours, and one that is away."""

from __future__ import annotations

from pathlib import Path

import pytest

from jupyter_tensorone_proxy import ProxyClient, ProxyPanel
from jupyter_tensorone_proxy.notebook.panel.news import SLOWEST_SECONDS, Pace
from tests.fixtures.fake_api import KEY, FakeApi
from tests.fixtures.gateway import run_gateway, wait_until
from tests.fixtures.widgets import Page, find, has


@pytest.fixture
def panel(plain_panel: ProxyPanel) -> ProxyPanel:
    """Show a panel of an API that knows no extension of ours."""
    return plain_panel


def test_an_api_without_events_is_asked_again_and_again(
    panel: ProxyPanel, page: Page, served_api: FakeApi
) -> None:
    """A change is seen without a click there, too; only later."""
    assert wait_until(lambda: page.says("connected", "cluster cluster_abc123"))
    served_api.add(6006, description="TensorBoard")
    assert wait_until(lambda: page.says("TensorBoard", "port 6006", "214 requests"))


def test_it_is_asked_less_and_less_often_while_nothing_changes() -> None:
    """Up to every half minute; after a change it is quick again."""
    pace = Pace(least=2.0)
    waits = [pace.after(changed=False) for _ in range(12)]
    assert waits == sorted(waits)
    assert waits[-1] == SLOWEST_SECONDS
    assert pace.after(changed=True) == 2.0


def test_what_the_api_does_not_tell_is_said(
    panel: ProxyPanel, page: Page, served_api: FakeApi
) -> None:
    """Details of a server without logs and sessions: no error, but a sentence."""
    served_api.add(6006, description="TensorBoard")
    assert wait_until(lambda: has(panel, "Details"))
    find(panel, "Details").value = True
    assert wait_until(lambda: page.says("This server does not tell requests."))
    assert page.says("This server does not tell who is signed in.")


def test_states_and_fields_of_a_newer_server_are_shown_as_they_are(
    panel: ProxyPanel, page: Page, served_api: FakeApi
) -> None:
    """An unknown state speaks for itself; what cannot be understood breaks nothing."""
    served_api.add(
        6006,
        description="TensorBoard",
        health_status="<dreaming>",
        health_check="odd",
        access_control="odd",
        usage_statistics="odd",
        expires_at="soon",
        new_field={"x": 1},
    )
    assert wait_until(lambda: page.says("<dreaming>", "TensorBoard", "until soon")), page.texts()
    find(panel, "Edit…").value = True
    find(panel, "Details").value = True
    assert has(panel, "Save")
    assert not page.says("The panel itself failed")


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("disabled", ("■ closed", "every port is closed")),
        ("restarting", ("○ restarting", "answers in a moment")),
        ("dreaming", ("○ dreaming",)),
    ],
)
@pytest.mark.usefixtures("panel")
def test_the_proxys_own_state_is_said(
    page: Page, served_api: FakeApi, status: str, said: tuple[str, ...]
) -> None:
    """Switched off, starting again, or something new: by shape and word, and what it means."""
    served_api.proxy_status = status
    assert wait_until(lambda: page.says(*said)), page.texts()


def test_a_client_of_ones_own_is_used(
    served_api: FakeApi, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`ProxyPanel(client)` speaks to its API, whatever is configured."""
    served_api.add(6006, description="TensorBoard")
    with ProxyClient() as client:
        monkeypatch.setenv("TENSORONE_API_URL", "http://127.0.0.1:9")
        panel = ProxyPanel(client)
        assert wait_until(lambda: page.says("TensorBoard"))
        panel.close()


# --- an API that is away ---------------------------------------------------------------------


def test_without_an_api_it_says_what_to_do(
    page: Page, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """No key and no gateway: a line, and no error in the cell."""
    for name in ("API_URL", "API_KEY", "API_KEY_FILE"):
        monkeypatch.delenv(f"TENSORONE_{name}", raising=False)
    monkeypatch.setenv("TENSORONE_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path / "config"))
    panel = ProxyPanel()
    try:
        assert wait_until(lambda: page.says("▲ not connected", "No TensorOne API key", "Start"))
    finally:
        panel.close()


def test_a_refused_key_is_said(
    panel: ProxyPanel, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And when it is right again, the panel goes on by itself."""
    assert wait_until(lambda: page.says("● connected"))
    monkeypatch.setenv("TENSORONE_API_KEY", "another-key-0123456789")
    panel.close()
    second = ProxyPanel()
    try:
        assert wait_until(lambda: page.says("▲ not connected"))
        assert KEY not in page.state
        monkeypatch.setenv("TENSORONE_API_KEY", KEY)
        assert wait_until(lambda: page.says("● connected")), page.texts()
    finally:
        second.close()


def test_a_gateway_that_goes_and_comes_back_is_followed(
    page: Page, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Meanwhile the panel says so, since when, and what to do; what is shown stays."""
    for name in ("API_URL", "API_KEY", "API_KEY_FILE", "CLUSTER_ID"):
        monkeypatch.delenv(f"TENSORONE_{name}", raising=False)
    state = tmp_path / "state"
    monkeypatch.setenv("TENSORONE_STATE_DIR", str(state))
    with run_gateway(state) as gateway:
        with gateway.client() as client:
            client.create_port(internal_port=9, description="Runs")
        panel = ProxyPanel()
        assert wait_until(lambda: page.says("● connected"))
    try:
        assert wait_until(lambda: page.says("▲ not connected", "What is below was so at"))
        assert page.says("Runs", "port 9")
        with run_gateway(state):
            assert wait_until(lambda: page.says("● connected"), seconds=40), page.texts()
    finally:
        panel.close()


def test_a_click_while_the_api_hangs_waits_without_holding_anybody_up(
    panel: ProxyPanel, page: Page, served_api: FakeApi
) -> None:
    """The click returns at once and says what it waits for."""
    served_api.add(6006, description="TensorBoard")
    assert wait_until(lambda: has(panel, "Stop"))
    served_api.go_on.clear()
    find(panel, "Stop").click()
    assert page.says("○", "Stopping TensorBoard …")
    served_api.go_on.set()
    assert wait_until(lambda: page.says("is no longer exposed"))


def test_a_mistake_of_ours_is_a_line_too(
    panel: ProxyPanel, page: Page, served_api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever happens in a callback, no traceback gets into a cell."""
    served_api.add(6006)
    assert wait_until(lambda: has(panel, "Edit…"))
    monkeypatch.setattr("jupyter_tensorone_proxy.notebook.panel.rows.EditForm", None)
    find(panel, "Edit…").value = True
    assert page.says("▲", "The panel itself failed (TypeError)", "Run the cell again")
