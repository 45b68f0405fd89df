"""Two people in two browsers: the owner, and somebody who is refused, invited, in, thrown out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_tensorone_proxy import ProxyClient
from tests.browser.conftest import StartService
from tests.fixtures.jupyter import JupyterServer
from tests.fixtures.lab import Lab
from tests.fixtures.services.page import WORKS

WATCH = """url => {
  window.socket = new WebSocket(url);
  window.socket.onclose = () => { document.title = "cut" };
  return new Promise(done => { window.socket.onopen = () => done("open") });
}"""


@pytest.fixture
def client(jupyter: JupyterServer) -> Iterator[ProxyClient]:
    """Return a client of the gateway, as the owner's programs have it."""
    runtime = jupyter.gateway()
    with ProxyClient(
        api_url=runtime["api_url"],
        api_key_file=runtime["api_key_file"],
        cluster_id=runtime["cluster_id"],
    ) as api:
        yield api


@pytest.fixture
def ben(chromium: Any) -> Iterator[Any]:
    """Return a page in the browser of somebody who has nothing to do with this Jupyter."""
    context = chromium.new_context()
    context.set_default_timeout(20_000)
    yield context.new_page()
    context.close()


def test_a_colleague_is_refused_invited_in_and_thrown_out(
    lab: Lab, ben: Any, client: ProxyClient, service: StartService, pictures: Path
) -> None:
    """A link lets one person in to one port; revoking cuts what is open, and the owner goes on."""
    mine = service("My page")
    lab.sign_in()
    lab.go(mine.port)
    lab.page.get_by_text(WORKS).wait_for()
    (mapping,) = client.list_ports()

    ben.goto(mapping.url)
    ben.get_by_text("My page").or_(ben.get_by_text(f"Port {mine.port}")).first.wait_for()
    assert "/.tensorone/sign-in" in ben.url
    ben.screenshot(path=pictures / "sign-in.png")
    seen = len(mine.seen)

    invitation = client.create_link(
        mapping.id, user="ben", allow=True, one_time=False, expires_in_seconds=3600
    )
    ben.goto(invitation.url)
    ben.get_by_text(WORKS).wait_for()
    assert mine.seen[seen].values("x-forwarded-user") == ["ben"]
    assert ben.evaluate(WATCH, f"{mapping.url}/ws".replace("https", "wss")) == "open"

    (session,) = [found for found in client.list_sessions() if found.user == "ben"]
    client.revoke_session(session.id)
    ben.wait_for_function("document.title === 'cut'", timeout=10_000)
    ben.reload()
    assert "/.tensorone/sign-in" in ben.url
    ben.screenshot(path=pictures / "thrown-out.png")
    lab.page.reload()
    lab.page.get_by_text(WORKS).wait_for()
