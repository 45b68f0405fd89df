"""The audit names who did it and through which path: Jupyter, magic, Python, CLI, visit."""

from __future__ import annotations

import getpass
import ssl
import sys
from collections.abc import Iterator

import httpx
import pytest

from jupyter_tensorone_proxy import ProxyClient
from tests.fixtures.ana import BROWSER
from tests.fixtures.jupyter import JupyterServer, Kernel, run_jupyter
from tests.fixtures.services.web import WebService, web_service
from tests.fixtures.terminal import COMMAND, run_process

ME = getpass.getuser()


@pytest.fixture(scope="module")
def jupyter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    """Run one Jupyter server for all tests of this file."""
    with run_jupyter(tmp_path_factory.mktemp("jupyter")) as server:
        server.request("GET", "api/proxy").raise_for_status()  # the gateway serves
        yield server


@pytest.fixture(scope="module")
def kernel(jupyter: JupyterServer) -> Iterator[Kernel]:
    """Run one kernel of it."""
    with jupyter.kernel() as started:
        yield started


@pytest.fixture
def direct(jupyter: JupyterServer) -> Iterator[ProxyClient]:
    """Return a client to read the audit with."""
    runtime = jupyter.gateway()
    with ProxyClient(
        api_url=runtime["api_url"], api_key_file=runtime["api_key_file"], cluster_id="local"
    ) as client:
        yield client


@pytest.fixture
def service(direct: ProxyClient) -> Iterator[WebService]:
    """Start a service that is not exposed, and unexpose it afterwards."""
    with web_service("via") as started:
        yield started
        for mapping in direct.list_ports():
            direct.delete_port(mapping.id)


def _last(direct: ProxyClient, action: str) -> tuple[str | None, str | None]:
    (event,) = direct.list_events(action=action, limit=1, latest=True)
    return event.actor, event.via


def test_the_rest_door_is_jupyter(
    jupyter: JupyterServer, direct: ProxyClient, service: WebService
) -> None:
    """What a front end does is done by the signed-in Jupyter user."""
    fields = {"internal_port": service.port, "description": "via"}
    jupyter.request("POST", "api/ports", json=fields).raise_for_status()
    assert _last(direct, "port.created") == (ME, "jupyter")


def test_opening_is_jupyter(
    jupyter: JupyterServer, direct: ProxyClient, service: WebService
) -> None:
    """`go/…` exposes and makes a link in the name of whoever opens."""
    assert jupyter.request("GET", f"go/{service.port}/").status_code == 302
    assert _last(direct, "port.created") == (ME, "jupyter")
    assert _last(direct, "link.created") == (ME, "jupyter")


def test_a_cells_magic_is_magic(kernel: Kernel, direct: ProxyClient, service: WebService) -> None:
    """`%tensorone` in a kernel is done by the notebook's user."""
    kernel.execute(f"%tensorone expose {service.port}")
    assert _last(direct, "port.created") == (ME, "magic")
    kernel.execute(f"%tensorone share {service.port} --user ben --allow")
    assert _last(direct, "link.created") == (ME, "magic")


def test_python_in_a_cell_is_python(
    kernel: Kernel, direct: ProxyClient, service: WebService
) -> None:
    """`expose()` and `ProxyClient` are the notebook's user's, too."""
    kernel.execute(f"from jupyter_tensorone_proxy import expose; expose({service.port})")
    assert _last(direct, "port.created") == (ME, "python")


@pytest.mark.parametrize("where", ["terminal", "cell"])
def test_the_command_line_is_cli(
    jupyter: JupyterServer, kernel: Kernel, direct: ProxyClient, service: WebService, where: str
) -> None:
    """A terminal beside Jupyter, or `!` in a cell: the same person by another path."""
    words = ("expose", str(service.port))
    if where == "cell":
        command = " ".join([sys.executable, "-m", "jupyter_tensorone_proxy.cli", *words])
        kernel.execute(f"!{command}")
    else:
        done = run_process(*COMMAND, *words, TENSORONE_STATE_DIR=str(jupyter.state_dir))
        assert done.returncode == 0, done.stderr
    assert _last(direct, "port.created") == (ME, "cli")


def test_who_says_who_they_are_is_named(
    jupyter: JupyterServer, direct: ProxyClient, service: WebService
) -> None:
    """TENSORONE_USER names the person, whoever the system's user is."""
    environ = {"TENSORONE_STATE_DIR": str(jupyter.state_dir), "TENSORONE_USER": "Änne"}
    done = run_process(*COMMAND, "expose", str(service.port), **environ)
    assert done.returncode == 0, done.stderr
    assert _last(direct, "port.created") == ("Änne", "cli")


def test_a_visitor_is_visit_and_named_with_their_address(
    jupyter: JupyterServer, direct: ProxyClient, service: WebService
) -> None:
    """Whoever comes in by a link did it themselves, on the exposed page."""
    fields = {"internal_port": service.port, "description": "via"}
    mapping = direct.create_port(**fields)
    trust = ssl.create_default_context(cafile=jupyter.gateway()["ca_file"])
    with httpx.Client(verify=trust, headers=BROWSER) as browser:
        browser.get(direct.create_link(mapping.id, user="ben").url)
    (event,) = direct.list_events(action="session.started", limit=1, latest=True)
    assert (event.via, event.client_ip) == ("visit", "127.0.0.1")
    assert event.details["user"] == "ben"
