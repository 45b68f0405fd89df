"""How long the panel lives, what it costs, and where it is shown."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from typing import Any

import pytest

from jupyter_tensorone_proxy import ProxyPanel, UsageError
from jupyter_tensorone_proxy.notebook.magics import run_line
from jupyter_tensorone_proxy.notebook.panel import board
from tests.fixtures.fake_api import FakeApi
from tests.fixtures.gateway import wait_until
from tests.fixtures.panel import submit
from tests.fixtures.widgets import Page, every_widget, find, has, plain

THREAD = "tensorone-panel"


@pytest.fixture
def panel(plain_panel: ProxyPanel) -> ProxyPanel:
    """Show a panel of an API that knows no extension of ours."""
    return plain_panel


def threads() -> list[threading.Thread]:
    """Return the panels' threads."""
    return [thread for thread in threading.enumerate() if thread.name == THREAD]


def looks(api: FakeApi) -> int:
    """Return how often the API was asked for everything."""
    return sum(method == "GET" for method, _, _ in list(api.calls))


# --- the thread ----------------------------------------------------------------------------------


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
    assert wait_until(lambda: bool(panel._board._offered.children))
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


def test_that_something_went_well_is_not_said_for_ever(
    panel: ProxyPanel, page: Page, served_api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was true a while ago would be read as true now; what went wrong stays."""
    monkeypatch.setattr(board, "SAID_SECONDS", 0.5)
    served_api.add(6006, description="TensorBoard")
    assert wait_until(lambda: has(panel, "Stop"))
    find(panel, "Stop").click()
    assert wait_until(lambda: page.says("is no longer exposed"))
    assert wait_until(lambda: not page.says("is no longer exposed"))
    find(panel, "Expose a port…").value = True
    find(panel, "Port").value = "none"
    submit(panel)
    assert page.says("▲", "number from 1 to 65535")
    time.sleep(3)
    assert page.says("▲", "number from 1 to 65535")


# --- many ----------------------------------------------------------------------------------------


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
    messages = [text for text in page.sent[sent:] if "Service 7" in text or "Another" in text]
    assert len(messages) <= 2, messages


# --- where it is shown ---------------------------------------------------------------------------


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
