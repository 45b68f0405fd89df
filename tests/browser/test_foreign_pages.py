"""What pages from elsewhere, and other exposed services, can do with a person's cookies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import StartService
from tests.fixtures.lab import Lab, go_path
from tests.fixtures.services.page import WORKS, PageService

ATTACK = """async url => {
  const image = source => new Promise(done => {
    const image = new Image();
    image.onload = image.onerror = done;
    image.src = source;
  });
  const fetched = options => fetch(url + "digest", {credentials: "include", ...options})
    .then(answer => answer.type, () => "refused");
  const socket = new Promise(done => {
    const socket = new WebSocket(url.replace("https", "wss") + "ws");
    socket.onopen = () => done("open");
    socket.onerror = () => done("refused");
  });
  await image(url + "picture");
  return {
    read: await fetched({}),
    blind: await fetched({mode: "no-cors"}),
    post: await fetched({method: "POST", mode: "no-cors", body: "x"}),
    json: await fetched({method: "POST", headers: {"content-type": "application/json"}}),
    socket: await socket,
  };
}"""
SEND_FORM = """url => {
  const form = Object.assign(document.createElement("form"), {method: "post", action: url});
  document.body.append(form);
  form.submit();
}"""


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_r15_a_foreign_pages_link_leads_to_a_question(
    lab: Lab, service: StartService, pictures: Path, host: str
) -> None:
    """A page of another site, or of another port of this host, cannot expose or open: it asks."""
    mine = service("My page")
    link = f"{lab.origin}{go_path(mine.port)}"
    evil = service("evil", html=f"<img src='{link}'><a href='{link}'>Free GPUs</a>")
    lab.sign_in()
    lab.page.goto(f"http://{host}:{evil.port}/")
    lab.page.get_by_text("Free GPUs").click()
    button = lab.page.get_by_role("button", name=f"Open port {mine.port}")
    button.wait_for()
    lab.page.screenshot(path=pictures / "question.png")
    assert "will be exposed first; only you can open it" in lab.page.inner_text("main")
    assert lab.server.request("GET", "api/ports").json()["data"] == []
    assert mine.seen == []
    button.click()
    lab.page.get_by_text(WORKS).wait_for()


def test_r15_a_foreign_page_cannot_frame_the_question(lab: Lab, service: StartService) -> None:
    """Nobody clicks on a question they do not see: the question shows in no frame."""
    mine = service("My page")
    link = f"{lab.origin}{go_path(mine.port)}"
    evil = service("evil", html=f"<iframe name='question' src='{link}'></iframe>")
    lab.sign_in()
    lab.page.goto(f"http://localhost:{evil.port}/", wait_until="load")
    (frame,) = [frame for frame in lab.page.frames if frame.name == "question"]
    assert frame.url == "chrome-error://chromewebdata/"
    assert lab.server.request("GET", "api/ports").json()["data"] == []


def _signed_in(lab: Lab, service: PageService) -> str:
    """Sign in to a service in this tab, and return its address."""
    lab.sign_in()
    lab.go(service.port)
    lab.page.get_by_text(WORKS).wait_for()
    return str(lab.page.url)


def test_r07_an_exposed_service_cannot_use_anothers_session(
    lab: Lab, person: Any, service: StartService
) -> None:
    """Services on one host name carry each other's cookies; none of these requests arrives."""
    mine, evil = service("My page"), service("evil")
    url = _signed_in(lab, mine)
    other = Lab(person.new_page(), lab.server)
    _signed_in(other, evil)
    names = {cookie["name"] for cookie in person.cookies(url)}
    assert len([name for name in names if name.startswith("__Host-t1-")]) == 2
    before = len(mine.seen)
    said: dict[str, Any] = other.page.evaluate(ATTACK, url)
    assert said["socket"] == "refused"
    assert said["read"] == said["json"] == "refused"
    other.page.evaluate(SEND_FORM, f"{url}form")
    other.page.wait_for_url(f"{url}form")
    assert "The form arrived." not in other.page.content()
    assert len(mine.seen) == before, mine.seen[before:]
    lab.page.reload()
    lab.page.get_by_text(WORKS).wait_for()
