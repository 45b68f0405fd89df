"""The panel with a real gateway and real services: what people see there, and what clicks do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from jupyter_tensorone_proxy import ProxyClient, ProxyPanel
from jupyter_tensorone_proxy.errors import PortNotFoundError
from jupyter_tensorone_proxy.models import AccessControl, HealthCheck, PortMapping
from jupyter_tensorone_proxy.notebook.panel import sharing
from tests.fixtures.ana import ExposeMine, Mine, browsing
from tests.fixtures.gateway import RunningGateway, free_port, wait_until
from tests.fixtures.services.web import WebService, web_service
from tests.fixtures.widgets import Page, elements, every_widget, find, has, open_page, plain

EVIL = "<img src=x onerror=alert(1)>\u202e"
JWT = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]+")


@pytest.fixture
def page() -> Iterator[Page]:
    """Open a page."""
    with open_page() as page:
        yield page


@pytest.fixture
def panel(gateway: RunningGateway, page: Page) -> Iterator[ProxyPanel]:
    """Show a panel of ana's."""
    panel = ProxyPanel()
    panel._repr_mimebundle_()
    assert wait_until(lambda: page.says("connected", "local gateway"))
    yield panel
    panel.close()


@pytest.fixture
def service(client: ProxyClient) -> Iterator[WebService]:
    """Run a service that is not exposed; afterwards it is not either."""
    with web_service("board") as running:
        yield running
    for mapping in client.list_ports():
        if mapping.internal_port == running.port:
            client.delete_port(mapping.id)


def row(panel: ProxyPanel, name: str) -> Any:
    """Return the part of the panel that is about one exposed port."""

    def found() -> list[Any]:
        boxes = panel._board._list.children
        return [box for box in boxes if name in plain(box.children[0].children[0].value)]

    assert wait_until(lambda: len(found()) == 1), name
    return found()[0]


def mapping_of(client: ProxyClient, port: int) -> PortMapping:
    """Return how a port is exposed."""
    return next(m for m in client.list_ports() if m.internal_port == port)


def is_exposed(client: ProxyClient, port: int) -> bool:
    """Say whether a port is exposed."""
    return port in {m.internal_port for m in client.list_ports()}


# --- what is shown ---------------------------------------------------------------------------


def test_each_port_says_who_can_open_it_and_how_it_does(
    panel: ProxyPanel, page: Page, mine: Mine
) -> None:
    """State by shape and word, name, port, address, who, requests."""
    assert wait_until(
        lambda: page.says("● healthy", "board", f"port {mine.port}", mine.url, "Only me")
    ), page.texts()
    assert page.says("Open", "0 requests")
    assert page.says("1 exposed")


def test_without_anything_exposed_it_says_what_to_do(panel: ProxyPanel, page: Page) -> None:
    """An empty panel teaches."""
    assert page.says("0 exposed")
    assert page.says("Nothing is exposed.", "expose a port by its number")


def test_changes_made_elsewhere_are_there_at_once(
    panel: ProxyPanel, page: Page, mine: Mine, client: ProxyClient
) -> None:
    """Created, renamed, opened to others, and gone: without a click."""
    row(panel, "board")
    client.update_port(mine.id, description="Runs", access_control={"allowed_users": ["a", "b"]})
    assert wait_until(lambda: page.says("Runs", "2 people")), page.texts()
    client.delete_port(mine.id)
    assert wait_until(lambda: not page.says("Runs"))
    assert page.says("0 exposed")


def test_a_service_that_fails_is_told_by_another_shape(
    panel: ProxyPanel, page: Page, mine: Mine, client: ProxyClient
) -> None:
    """Health is followed, too."""
    check = {"enabled": True, "path": "/health", "interval_seconds": 1, "retries": 1}
    client.update_port(mine.id, health_check=check)
    assert wait_until(lambda: page.says("● healthy", "board"))
    mine.service.healthy = False
    assert wait_until(lambda: page.says("▲ unhealthy", "board"))


def test_details_tell_use_health_and_who_is_in(
    panel: ProxyPanel, page: Page, mine: Mine, gateway: RunningGateway, client: ProxyClient
) -> None:
    """The last half hour as a picture and in words, the last requests, the sessions."""
    link = client.create_link(mine.id, user="ana", path="/status/503").url
    with browsing(gateway) as browser:
        browser.get(link)
        browser.get(mine.url)
    find(row(panel, "board"), "Details").value = True
    assert wait_until(lambda: page.says("2 requests in the last 30 min, 1 failed")), page.texts()
    assert page.says("503", "/status/503")
    assert any("<svg" in text for text in page.texts())
    assert page.says("Signed in: 1")
    assert page.says("ana", "from 127.0.0.1", "by themselves")


def test_r28_names_from_outside_are_escaped_wherever_they_are_drawn(
    panel: ProxyPanel, page: Page, expose_mine: ExposeMine, gateway: RunningGateway, client: Any
) -> None:
    """A mapping, a person, a path and a notice with markup: there is no element but ours."""
    mine = expose_mine(EVIL, users=("ana", EVIL[:20]))
    with browsing(gateway) as browser:
        browser.get(client.create_link(mine.id, user=EVIL[:20]).url)
        browser.get(f"{mine.url}/{EVIL}")
    shown = row(panel, "img src=x")
    find(shown, "Details").value = True
    assert wait_until(lambda: page.says("Signed in: 1"))
    find(shown, "Share…").value = True
    find(shown, "Person").value = f"{EVIL}2"
    find(shown, "Make the link").click()
    assert wait_until(lambda: page.says("can open", "by this link")), page.texts()
    find(shown, "Stop").click()
    assert wait_until(lambda: page.says("is no longer exposed"))
    assert any("onerror" in text for text in page.sent)
    for text in page.texts():
        for tag, attributes in elements(text):
            assert tag not in {"img", "script", "iframe"}, text
            assert not {name for name in attributes if name.startswith("on")}, text
        assert "\u202e" not in text, "it would turn the rest of the line"


# --- what clicks do --------------------------------------------------------------------------


def test_what_this_notebook_runs_is_exposed_by_one_click_for_me_alone(
    panel: ProxyPanel, page: Page, service: WebService, client: ProxyClient
) -> None:
    """A port that was found is offered; after the click it is a row, and no longer an offer."""
    assert wait_until(lambda: page.says("Running in this notebook, and not exposed"))
    assert wait_until(lambda: page.says(f"port {service.port}", "python"))
    (line,) = [
        box
        for box in panel._board._offered.children[1:]
        if str(service.port) in plain(box.children[0].value)
    ]
    line.children[1].click()
    assert wait_until(lambda: page.says("Exposed:", f"port {service.port}", "Only me"))
    access: Any = mapping_of(client, service.port).access_control
    assert access.allowed_users == ["ana"]
    assert wait_until(lambda: line not in panel._board._offered.children)


def test_a_port_is_exposed_by_its_number_for_people(
    panel: ProxyPanel, page: Page, service: WebService, client: ProxyClient
) -> None:
    """The form says beforehand what it will mean."""
    find(panel, "Expose a port…").value = True
    find(panel, "Port").value = str(service.port)
    find(panel, "Name").value = "Runs"
    find(panel, "Who can open it").value = "People I choose"
    find(panel, "People").value = "ana, ben"
    assert page.says("Only you and ben can open it.")
    find(panel, "Health path").value = "/health"
    _submit(panel)
    assert wait_until(lambda: page.says("Exposed: Runs"))
    mapping = mapping_of(client, service.port)
    assert mapping.description == "Runs"
    assert isinstance(mapping.access_control, AccessControl)
    assert mapping.access_control.allowed_users == ["ana", "ben"]
    assert isinstance(mapping.health_check, HealthCheck)
    assert mapping.health_check.path == "/health"
    assert not has(panel, "Port"), "the form has done its work"


def _submit(panel: ProxyPanel) -> None:
    """Click on the form's own Expose; the others are of ports that were found."""
    buttons = [w for w in every_widget(panel) if getattr(w, "tooltip", "") == "Expose this port"]
    buttons[0].click()


def test_a_port_can_be_exposed_for_a_while(
    panel: ProxyPanel, page: Page, service: WebService, client: ProxyClient
) -> None:
    """It says until when, and stops by itself then."""
    find(panel, "Expose a port…").value = True
    find(panel, "Port").value = str(service.port)
    find(panel, "Ends").value = "In 1 hour"
    _submit(panel)
    assert wait_until(lambda: page.says(f"port {service.port}", "until 20"))
    assert mapping_of(client, service.port).expires_at is not None


def test_r31_public_is_a_step_of_its_own(
    panel: ProxyPanel, page: Page, service: WebService, client: ProxyClient
) -> None:
    """Choosing it is not enough; a box says what it means and has to be ticked."""
    find(panel, "Expose a port…").value = True
    find(panel, "Port").value = str(service.port)
    find(panel, "Who can open it").value = "Anyone with the link"
    assert page.says("Anyone who has this address can use it, without signing in.")
    _submit(panel)
    assert page.says("▲", "Nothing was changed", "tick the box")
    assert not is_exposed(client, service.port)
    find(panel, "Yes, make it public").value = True
    _submit(panel)
    assert wait_until(lambda: page.says("◆ Public: no sign-in"))


@pytest.mark.parametrize("port", ["", "0", "65536", "80a", "-1", "٨٠", "22"])
def test_r08_a_wrong_port_is_a_line_that_says_why(
    panel: ProxyPanel, page: Page, client: ProxyClient, port: str
) -> None:
    """What cannot be exposed is not, and nothing is raised into the notebook."""
    find(panel, "Expose a port…").value = True
    find(panel, "Port").value = port
    _submit(panel)
    why = "22 " if port == "22" else "number from 1 to 65535"
    assert wait_until(lambda: page.says("▲", why)), page.texts()
    assert client.list_ports() == []


def test_an_edit_changes_what_was_changed_and_nothing_else(
    panel: ProxyPanel, page: Page, mine: Mine, client: ProxyClient
) -> None:
    """What somebody else changes while the form is open stays as they left it."""
    shown = row(panel, "board")
    find(shown, "Edit…").value = True
    client.update_port(mine.id, description="Renamed by another")
    find(shown, "Who can open it").value = "Anyone who signs in"
    find(shown, "Every … seconds").value = 7
    find(shown, "Requests a minute").value = 600
    find(shown, "Save").click()
    assert wait_until(lambda: page.says("Changed: Renamed by another", "Anyone who signs in"))
    mapping = mapping_of(client, mine.service.port)
    access: Any = mapping.access_control
    assert access.allowed_users in ([], None)
    assert access.rate_limit.requests_per_minute == 600
    assert isinstance(mapping.health_check, HealthCheck)
    assert mapping.health_check.interval_seconds == 7
    assert not has(shown, "Save")


def test_a_field_that_the_api_refuses_is_named(panel: ProxyPanel, page: Page, mine: Mine) -> None:
    """The form stays open, so that it can be corrected."""
    shown = row(panel, "board")
    find(shown, "Edit…").value = True
    find(shown, "Health path").value = "no-slash"
    find(shown, "Save").click()
    assert wait_until(lambda: page.says("▲", "health_check.path", "single '/'")), page.texts()
    assert find(shown, "Health path").value == "no-slash"
    find(shown, "Cancel").click()
    assert not has(shown, "Save")


def test_stop_unexposes(panel: ProxyPanel, page: Page, mine: Mine, client: ProxyClient) -> None:
    """One click; the row goes, and the line says what happened."""
    find(row(panel, "board"), "Stop").click()
    assert wait_until(lambda: page.says(f"board (port {mine.port}) is no longer exposed."))
    assert not is_exposed(client, mine.service.port)
    assert wait_until(lambda: page.says("0 exposed"))


def test_somebody_is_signed_out(
    panel: ProxyPanel, page: Page, mine: Mine, gateway: RunningGateway, client: ProxyClient
) -> None:
    """The button beside a session ends it."""
    with browsing(gateway) as browser:
        assert browser.get(client.create_link(mine.id, user="ana").url).status_code == 200
        shown = row(panel, "board")
        find(shown, "Details").value = True
        assert wait_until(lambda: page.says("Signed in: 1"))
        find(shown, "Sign out").click()
        assert wait_until(lambda: page.says("ana is signed out"))
        assert wait_until(lambda: page.says("Signed in: nobody"))
        assert client.list_sessions(port_id=mine.id) == []


def test_what_is_gone_meanwhile_is_a_line(
    panel: ProxyPanel, page: Page, mine: Mine, client: ProxyClient
) -> None:
    """A click on a port that somebody else stopped a moment ago breaks nothing."""
    save = row(panel, "board")
    find(save, "Edit…").value = True
    find(save, "Name").value = "Late"
    button = find(save, "Save")
    client.delete_port(mine.id)
    button.click()
    assert wait_until(lambda: page.says("▲", "no port mapping")), page.texts()
    with pytest.raises(PortNotFoundError):
        client.delete_port(mine.id)


# --- a link is shown once --------------------------------------------------------------------


def shared(panel: ProxyPanel, page: Page, person: str = "ben") -> tuple[Any, str]:
    """Share the board; return its row, and the link as it is on the screen."""
    shown = row(panel, "board")
    find(shown, "Share…").value = True
    find(shown, "Person").value = person
    find(shown, "Make the link").click()
    assert wait_until(lambda: bool(JWT.search(page.state))), page.texts()
    found = re.search(r"https://\S+/\.tensorone/link\?token=\S+", plain(" ".join(page.texts())))
    assert found
    return shown, found[0]


def test_a_link_lets_its_person_in(
    panel: ProxyPanel, page: Page, mine: Mine, gateway: RunningGateway
) -> None:
    """It is on the screen, works, and works once."""
    _, link = shared(panel, page)
    assert page.says("ben can open board", "once", "not saved with the notebook")
    with browsing(gateway) as browser, browsing(gateway) as finder:
        assert browser.get(link).text == "board"
        assert finder.get(link).status_code == 403


@pytest.mark.usefixtures("mine")
def test_r16_a_link_is_in_no_state_that_is_saved(panel: ProxyPanel, page: Page) -> None:
    """Not in what an export asks for, not in a page that is opened later, not in `repr`."""
    from ipywidgets.embed import embed_data

    shared(panel, page)
    for widget in every_widget(panel):
        assert not JWT.search(str(widget.get_state()))
    assert not JWT.search(str(embed_data(views=[panel])))
    assert not JWT.search(f"{panel!r} {panel._repr_mimebundle_()}")
    with open_page() as later:
        for widget in every_widget(panel):
            widget.send_state()  # what a page that was opened later asks for
        assert not JWT.search(later.state)


@pytest.mark.usefixtures("mine")
@pytest.mark.parametrize("way", ["I have it", "Share…", "Stop", "close"])
def test_r16_a_link_leaves_the_page_with_what_showed_it(
    panel: ProxyPanel, page: Page, way: str
) -> None:
    """Taken, closed, stopped: the open page's memory, which it may save, has it no longer."""
    shown, _ = shared(panel, page)
    if way == "close":
        panel.close()
    elif way == "Share…":
        find(shown, way).value = False
    else:
        find(shown, way).click()
    assert wait_until(lambda: not JWT.search(page.state))


@pytest.mark.usefixtures("mine")
def test_r16_a_link_leaves_by_itself(
    panel: ProxyPanel, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever walks away leaves none behind."""
    monkeypatch.setattr(sharing, "SHOWN_SECONDS", 1.0)
    shared(panel, page)
    assert wait_until(lambda: not JWT.search(page.state))


def test_r48_no_key_is_ever_sent_to_a_page(
    panel: ProxyPanel, page: Page, mine: Mine, gateway: RunningGateway, client: ProxyClient
) -> None:
    """After everything was clicked, what was sent holds one token: that of the link."""
    with browsing(gateway) as browser:
        browser.get(client.create_link(mine.id, user="ana").url)
        cookies = [cookie.value for cookie in browser.cookies.jar if cookie.value]
        _, link = shared(panel, page)
        for label in ("Details", "Edit…"):
            find(row(panel, "board"), label).value = True
        find(panel, "Expose a port…").value = True
        assert wait_until(lambda: page.says("Signed in: 1"))
        find(row(panel, "board"), "Save").click()
        find(row(panel, "board"), "Stop").click()
        assert wait_until(lambda: page.says("0 exposed"))
    everything = "\n".join(page.sent)
    assert cookies
    assert gateway.api_key not in everything
    assert not [cookie for cookie in cookies if cookie in everything]
    assert set(JWT.findall(everything)) == set(JWT.findall(link))


def test_sharing_needs_a_name_and_a_port_that_somebody_signs_in_to(
    panel: ProxyPanel, page: Page, mine: Mine, client: ProxyClient
) -> None:
    """Otherwise the line says why there is no link."""
    shown = row(panel, "board")
    find(shown, "Share…").value = True
    find(shown, "Make the link").click()
    assert page.says("▲", "whom the link is for")
    client.update_port(
        mine.id,
        access_control={
            "authentication_required": False,
            "public_access": True,
            "allowed_users": [],
        },
    )
    find(shown, "Person").value = "ben"
    find(shown, "Make the link").click()
    assert wait_until(lambda: page.says("▲", "is public"))


def test_a_port_that_nobody_listens_on_can_be_exposed_too(
    panel: ProxyPanel, page: Page, client: ProxyClient
) -> None:
    """The service may come later; until then it is told that it does not answer."""
    port = free_port()
    find(panel, "Expose a port…").value = True
    find(panel, "Port").value = str(port)
    _submit(panel)
    assert wait_until(lambda: is_exposed(client, port))
    assert wait_until(lambda: page.says("▲ unhealthy", f"port {port}"), seconds=40), page.texts()
    client.delete_port(mapping_of(client, port).id)
