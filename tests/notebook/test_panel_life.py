"""The panel in hard times: no API, an API that hangs, nobody who looks, many ports, the end."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_tensorone_proxy import ProxyPanel, UsageError
from jupyter_tensorone_proxy.notebook.magics import run_line
from jupyter_tensorone_proxy.notebook.panel import board
from jupyter_tensorone_proxy.notebook.panel.news import SLOWEST_SECONDS, Pace
from tests.fixtures.fake_api import KEY, FakeApi
from tests.fixtures.gateway import run_gateway, wait_until
from tests.fixtures.widgets import Page, every_widget, find, has, open_page, plain

THREAD = "tensorone-panel"


@pytest.fixture
def page() -> Iterator[Page]:
    """Open a page."""
    with open_page() as page:
        yield page


@pytest.fixture
def panel(served_api: FakeApi, page: Page) -> Iterator[ProxyPanel]:
    """Show a panel of an API that knows no extension of ours."""
    shown = ProxyPanel()
    shown._repr_mimebundle_()
    yield shown
    served_api.go_on.set()
    shown.close()


def threads() -> list[threading.Thread]:
    """Return the panels' threads."""
    return [thread for thread in threading.enumerate() if thread.name == THREAD]


def looks(api: FakeApi) -> int:
    """Return how often the API was asked for everything."""
    return sum(method == "GET" for method, _, _ in list(api.calls))


# --- an API that has less --------------------------------------------------------------------


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


# --- the thread ------------------------------------------------------------------------------


def test_a_panel_has_one_thread_and_after_its_end_none(
    panel: ProxyPanel, page: Page, served_api: FakeApi
) -> None:
    """However often it is shown, refreshed and closed."""
    served_api.add(6006)
    for _ in range(5):
        panel._repr_mimebundle_()
        panel.refresh()
        find_refresh = find(panel, "Refresh")
        find_refresh.click()
    assert wait_until(lambda: page.says("1 exposed"))
    assert len(threads()) == 1
    panel.close()
    assert threads() == []
    panel.close()
    panel.refresh()
    assert threads() == []


def test_close_does_not_wait_for_an_api_that_hangs(
    panel: ProxyPanel, page: Page, served_api: FakeApi
) -> None:
    """The request is given up."""
    assert wait_until(lambda: page.says("connected"))
    served_api.go_on.clear()
    panel.refresh()
    time.sleep(0.5)
    panel.close()
    assert threads() == []
    served_api.go_on.set()


def test_close_leaves_nothing_in_the_page(
    panel: ProxyPanel, page: Page, served_api: FakeApi
) -> None:
    """Every control and layout, also those of forms that are open, is gone."""
    served_api.add(6006)
    assert wait_until(lambda: has(panel, "Details"))
    for label in ("Details", "Share…", "Edit…", "Expose a port…"):
        find(panel, label).value = True
    panel.close()
    assert page.models == {}


def test_what_is_opened_and_closed_leaves_nothing(
    panel: ProxyPanel, page: Page, served_api: FakeApi
) -> None:
    """A panel that is used for days does not grow."""
    served_api.add(6006)
    assert wait_until(lambda: has(panel, "Details"))
    # The API of this test is a server of this very process, and is offered.
    assert wait_until(lambda: page.says("Running in this notebook"))
    with panel._board._kit.lock:
        count = len(page.models)
    for label in ("Details", "Share…", "Edit…", "Expose a port…") * 2:
        find(panel, label).value = True
        assert len(page.models) > count
        find(panel, label).value = False
    assert len(page.models) == count


def test_nobody_who_looks_is_nobody_who_is_asked_for(
    panel: ProxyPanel, page: Page, served_api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once no page shows it the thread ends after a while; shown again, it looks at once."""
    monkeypatch.setattr(board, "UNSEEN_SECONDS", 0.5)
    assert wait_until(lambda: page.says("connected"))
    panel.set_state({"_view_count": 1})
    panel.set_state({"_view_count": 0})
    assert wait_until(lambda: threads() == [])
    assert page.says("paused", "Refresh goes on")
    count = looks(served_api)
    served_api.add(6006, description="TensorBoard")
    time.sleep(2.5)
    assert looks(served_api) == count
    panel.set_state({"_view_count": 1})
    assert wait_until(lambda: page.says("TensorBoard"))
    assert len(threads()) == 1


def test_a_panel_that_was_never_shown_pauses_and_refresh_goes_on(
    served_api: FakeApi, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`ProxyPanel()` in the middle of a cell costs nothing for long."""
    monkeypatch.setattr(board, "UNSEEN_SECONDS", 0.5)
    panel = ProxyPanel()
    try:
        assert wait_until(lambda: page.says("paused"))
        assert wait_until(lambda: threads() == [])
        find(panel, "Refresh").click()
        assert wait_until(lambda: page.says("connected"))
    finally:
        panel.close()


# --- many ------------------------------------------------------------------------------------


def test_of_two_hundred_ports_a_part_is_shown_until_all_are_asked_for(
    served_api: FakeApi, page: Page
) -> None:
    """Each row is several models in the page; the header counts all."""
    for port in range(7000, 7200):
        served_api.add(port, description=f"Service {port}")
    panel = ProxyPanel()
    panel._repr_mimebundle_()
    try:
        assert wait_until(lambda: page.says("200 exposed"))
        assert wait_until(
            lambda: len([w for w in every_widget(panel) if has_label(w, "Stop")]) == 50
        )
        find(panel, "Show all").click()
        assert wait_until(
            lambda: len([w for w in every_widget(panel) if has_label(w, "Stop")]) == 200
        )
        assert not has(panel, "Show all")
        _changes_one_line(served_api, page, panel)
    finally:
        panel.close()


def has_label(widget: Any, label: str) -> bool:
    """Say whether a control has this label."""
    return getattr(widget, "description", None) == label


def _changes_one_line(api: FakeApi, page: Page, panel: ProxyPanel) -> None:
    """A change of one port is told to the page by that, not by everything."""
    time.sleep(0.5)
    sent = len(page.sent)
    next(iter(api.mappings.values()))["description"] = "Another name"
    panel.refresh()
    assert wait_until(lambda: page.says("Another name"))
    messages = page.sent[sent:]
    assert len(messages) <= 5, messages


# --- where it is shown -----------------------------------------------------------------------


def test_a_terminal_is_told_where_to_use_it() -> None:
    """IPython in a terminal shows no widgets."""
    with pytest.raises(UsageError, match="Type it in a notebook") as caught:
        run_line("panel", in_kernel=False)
    assert "%tensorone list" in str(caught.value)


def test_the_magic_returns_the_panel(served_api: FakeApi, page: Page) -> None:
    """`%tensorone panel` as the last line of a cell shows it."""
    panel = run_line("panel", in_kernel=True)
    assert isinstance(panel, ProxyPanel)
    shown = panel._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in shown
    assert shown["text/plain"].startswith("<ProxyPanel: ")
    panel.close()


def python(source: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a program of its own to its end."""
    command = [sys.executable, "-c", source]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False, **options
    )


def test_without_ipywidgets_it_says_how_to_get_it() -> None:
    """A short message with the line to type; the rest of the package works."""
    done = python(
        "import sys; sys.modules['ipywidgets'] = None\n"
        "import jupyter_tensorone_proxy as t; t.expose\n"
        "try: t.ProxyPanel\n"
        "except t.ConfigurationError as error: print(error)"
    )
    assert done.returncode == 0, done.stderr
    assert "%pip install 'jupyter-tensorone-proxy[widgets]'" in done.stdout
    assert len(done.stdout.strip().splitlines()) == 1


@pytest.mark.parametrize("hangs", [False, True])
def test_a_program_with_a_panel_ends_quietly(served_api: FakeApi, hangs: bool) -> None:  # noqa: FBT001 - parametrized
    """At the interpreter's end there is no thread left that holds it up, and no word."""
    source = (
        "import time, threading; from jupyter_tensorone_proxy import ProxyPanel\n"
        "panel = ProxyPanel(); panel._repr_mimebundle_(); time.sleep(1)\n"
        "print([t.name for t in threading.enumerate()][1:])"
    )
    if hangs:
        served_api.go_on.clear()
    done = python(source)
    served_api.go_on.set()
    assert (done.returncode, done.stderr) == (0, "")
    assert THREAD in done.stdout


def test_the_texts_are_those_of_the_cards(panel: ProxyPanel, page: Page, served_api: Any) -> None:
    """Who can open it and how it does is said in the same words everywhere."""
    served_api.add(6006, access_control={"public_access": True}, health_status="unhealthy")
    assert wait_until(lambda: page.says("port 6006"))
    listed = run_line("list")
    assert listed is not None
    for words in ("Public: no sign-in", "▲ unhealthy", "214"):
        assert words in plain(listed._repr_mimebundle_()["text/html"])
        assert page.says(words)
