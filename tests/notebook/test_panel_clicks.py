"""The panel with a real gateway and real services: what clicks do, and what is said of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from jupyter_tensorone_proxy import ProxyClient, ProxyPanel
from jupyter_tensorone_proxy.errors import PortNotFoundError
from jupyter_tensorone_proxy.models import AccessControl, HealthCheck, PortMapping
from tests.fixtures.ana import Mine, browsing
from tests.fixtures.gateway import RunningGateway, free_port, wait_until
from tests.fixtures.panel import row, submit
from tests.fixtures.services.web import WebService, web_service
from tests.fixtures.widgets import Page, find, has, plain


@pytest.fixture
def service(client: ProxyClient) -> Iterator[WebService]:
    """Run a service that is not exposed; afterwards it is not either."""
    with web_service("board") as running:
        yield running
    for mapping in client.list_ports():
        if mapping.internal_port == running.port:
            client.delete_port(mapping.id)


def mapping_of(client: ProxyClient, port: int) -> PortMapping:
    """Return how a port is exposed."""
    return next(m for m in client.list_ports() if m.internal_port == port)


def is_exposed(client: ProxyClient, port: int) -> bool:
    """Say whether a port is exposed."""
    return port in {m.internal_port for m in client.list_ports()}


def test_what_this_notebook_runs_is_exposed_by_one_click_for_me_alone(
    panel: ProxyPanel, page: Page, service: WebService, client: ProxyClient
) -> None:
    """A port that was found is offered; after the click it is a row, and no longer an offer."""
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
    submit(panel)
    assert wait_until(lambda: page.says("Exposed: Runs"))
    mapping = mapping_of(client, service.port)
    assert mapping.description == "Runs"
    assert isinstance(mapping.access_control, AccessControl)
    assert mapping.access_control.allowed_users == ["ana", "ben"]
    assert isinstance(mapping.health_check, HealthCheck)
    assert mapping.health_check.path == "/health"
    assert not has(panel, "Port"), "the form has done its work"


def test_a_port_can_be_exposed_for_a_while(
    panel: ProxyPanel, page: Page, service: WebService, client: ProxyClient
) -> None:
    """It says until when, and stops by itself then."""
    find(panel, "Expose a port…").value = True
    find(panel, "Port").value = str(service.port)
    find(panel, "Ends").value = "In 1 hour"
    submit(panel)
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
    submit(panel)
    assert page.says("▲", "Nothing was changed", "tick the box")
    assert not is_exposed(client, service.port)
    find(panel, "Yes, make it public").value = True
    submit(panel)
    assert wait_until(lambda: page.says("◆ Public: no sign-in"))


@pytest.mark.parametrize("port", ["", "0", "65536", "80a", "-1", "٨٠", "22"])
def test_r08_a_wrong_port_is_a_line_that_says_why(
    panel: ProxyPanel, page: Page, client: ProxyClient, port: str
) -> None:
    """What cannot be exposed is not, and nothing is raised into the notebook."""
    find(panel, "Expose a port…").value = True
    find(panel, "Port").value = port
    submit(panel)
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
    (event,) = client.list_events(action="port.deleted", limit=1, latest=True)
    assert (event.actor, event.via) == ("ana", "panel"), "the audit tells who, and through what"


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


def test_a_port_that_nobody_listens_on_can_be_exposed_too(
    panel: ProxyPanel, page: Page, client: ProxyClient
) -> None:
    """The service may come later; until then it is told that it does not answer."""
    port = free_port()
    find(panel, "Expose a port…").value = True
    find(panel, "Port").value = str(port)
    submit(panel)
    assert wait_until(lambda: is_exposed(client, port))
    assert wait_until(lambda: page.says("▲ unhealthy", f"port {port}"), seconds=40), page.texts()
    client.delete_port(mapping_of(client, port).id)
