"""What listens on an unusual address is exposed where it listens, through every path."""

from __future__ import annotations

import ssl

import httpx
import pytest

from tests.fixtures.gateway import free_range
from tests.fixtures.jupyter import JupyterServer, Kernel
from tests.fixtures.ports import comes, detected, mappings, serve


def _port() -> int:
    return int(free_range(1).partition("-")[0])


def _page(server: JupyterServer, port: int) -> httpx.Response:
    """Return what the user's browser sees behind `go/PORT`."""
    link = server.request("GET", f"go/{port}/").headers["location"]
    trust = ssl.create_default_context(cafile=server.gateway()["ca_file"])
    with httpx.Client(verify=trust, follow_redirects=True) as visitor:
        return visitor.get(link)


@pytest.mark.parametrize(("host", "said"), [("127.0.0.2", "127.0.0.2"), ("::1", None)])
def test_it_opens_from_the_list_of_what_is_detected(
    jupyter: JupyterServer, kernel: Kernel, host: str, said: str | None
) -> None:
    """`go/PORT` exposes it privately where it listens, and shows the page."""
    port = _port()
    serve(kernel, port, host)
    assert comes(lambda: port in detected(jupyter))
    assert detected(jupyter)[port]["host"] == host
    assert "Directory listing" in _page(jupyter, port).text
    assert mappings(jupyter)[port].get("internal_host") == said


def test_a_cell_exposes_it_and_follows_its_name(jupyter: JupyterServer, kernel: Kernel) -> None:
    """`%tensorone expose`: a service that still runs there keeps its name to itself."""
    first, second = _port(), _port()
    serve(kernel, first, "127.0.0.2")
    kernel.execute(f"kept = service\n%tensorone expose {first} --name Elsewhere")
    before = mappings(jupyter)[first]
    assert before["internal_host"] == "127.0.0.2"
    serve(kernel, second)
    kernel.execute(f"%tensorone expose {second} --name Elsewhere")
    assert first in mappings(jupyter)  # it still runs, so the name is not taken from it
    kernel.execute("service.terminate(); service.wait()")
