"""`share` and `links`: one colleague let in to one port, for a while."""

from __future__ import annotations

import os
import re
import subprocess

import pytest

from jupyter_tensorone_proxy import ProxyClient
from jupyter_tensorone_proxy.cli import main
from tests.fixtures.ana import Mine, browsing
from tests.fixtures.gateway import RunningGateway, free_port, wait_until
from tests.fixtures.pseudo_terminal import on_terminal
from tests.fixtures.terminal import COMMAND, run_json


def test_a_colleague_gets_in_by_a_link(
    gateway: RunningGateway, mine: Mine, client: ProxyClient, capsys: pytest.CaptureFixture[str]
) -> None:
    """The link signs them in to that port, lands where it says, and nothing else is needed."""
    words = ("--user", "ben", "--allow", "--path", "/runs?x=1")
    link = run_json(capsys, "share", mine.port, *words)
    with browsing(gateway) as browser:
        answer = browser.get(link["url"])
        assert (answer.status_code, str(answer.url)) == (200, f"{mine.url}/runs?x=1")
    assert mine.service.seen[-1].values("x-forwarded-user") == ["ben"]
    (session,) = client.list_sessions(port_id=mine.id)
    assert (session.user, session.via, session.link_id) == ("ben", "link", link["id"])


def test_access_ends_when_the_share_ends(
    gateway: RunningGateway, mine: Mine, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--for 3s`: after that neither the link nor the session it began is good."""
    link = run_json(capsys, "share", mine.port, "--user", "ben", "--allow", "--for", "3s")
    with browsing(gateway) as browser, browsing(gateway) as late:
        assert browser.get(link["url"]).status_code == 200
        assert wait_until(lambda: late.get(link["url"]).status_code == 403)
        assert wait_until(lambda: browser.get(mine.url).status_code != 200)


def test_a_share_is_for_eight_hours_and_many_uses_unless_told(
    gateway: RunningGateway, mine: Mine, client: ProxyClient, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without `--for` and `--once` the link works for 8 h, from several browsers."""
    link = run_json(capsys, "share", mine.port, "--user", "ben", "--allow")
    (known,) = client.list_links(mine.id)
    assert known.created_at is not None
    life = (known.expires_at - known.created_at).total_seconds()
    assert life == pytest.approx(8 * 3600, abs=1)
    for _ in range(2):
        with browsing(gateway) as browser:
            assert browser.get(link["url"]).status_code == 200


def test_once_means_once(
    gateway: RunningGateway, mine: Mine, capsys: pytest.CaptureFixture[str]
) -> None:
    """With `--once` the second browser is refused, and the first goes on."""
    link = run_json(capsys, "share", mine.port, "--user", "ben", "--allow", "--once")
    with browsing(gateway) as browser, browsing(gateway) as second:
        assert browser.get(link["url"]).status_code == 200
        assert second.get(link["url"]).status_code == 403
        assert browser.get(mine.url).status_code == 200


def test_somebody_it_is_not_shared_with_is_offered_to_be_added(
    gateway: RunningGateway, mine: Mine, client: ProxyClient, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a terminal nothing is asked: the refusal names the option that lets them in."""
    assert main(["share", mine.port, "--user", "ben b"]) == 1
    error = capsys.readouterr().err
    assert f"board (port {mine.port}) is not shared with ben b." in error
    assert f"`share {mine.port} --user 'ben b' --allow`" in error
    assert client.list_links(mine.id) == []


@pytest.mark.parametrize(("answer", "shared"), [("y", True), ("", False), ("no", False)])
def test_on_a_terminal_sharing_asks_whether_to_add_them(
    gateway: RunningGateway, mine: Mine, client: ProxyClient, answer: str, *, shared: bool
) -> None:
    """Yes adds them and makes the link; anything else leaves all as it was."""
    screen = on_terminal("share", mine.port, "--user", "ben", answer=answer)
    assert "is not shared with ben. Share it with them too? [y/N]" in screen.text
    assert screen.code == (0 if shared else 1)
    assert len(client.list_links(mine.id)) == int(shared)
    (mapping,) = client.list_ports()
    assert mapping.access_control is not None
    assert mapping.access_control.allowed_users == (["ana", "ben"] if shared else ["ana"])


def test_on_a_terminal_the_link_stands_alone_on_its_line(
    gateway: RunningGateway, mine: Mine
) -> None:
    """The line above says for whom and until when; those below how to treat and end it."""
    lines = on_terminal("share", mine.port, "--user", "ana", "--for", "30m").text.split("\n")
    assert f"ana can open board (port {mine.port}) by this link until " in lines[0]
    assert re.search(r"\((30|29) min from now\)", lines[0])
    assert lines[2].strip().startswith(f"{mine.url}/.tensorone/link?token=")
    assert "send it to them alone" in lines[4]
    assert "`revoke --link link_" in lines[5]


def test_a_pipe_gets_the_link_alone(gateway: RunningGateway, mine: Mine) -> None:
    """`share … | xclip` copies the link; what to know about it is still read."""
    words = ("share", mine.port, "--user", "ana")
    done = subprocess.run(
        [*COMMAND, *words], capture_output=True, text=True, timeout=60, check=True, env=os.environ
    )
    (link,) = done.stdout.splitlines()
    assert link.startswith(f"{mine.url}/.tensorone/link?token=")
    assert "ana can open board" in done.stderr
    assert "token=" not in done.stderr


def test_what_needs_no_link_is_said_so(
    gateway: RunningGateway, client: ProxyClient, capsys: pytest.CaptureFixture[str]
) -> None:
    """A public port has an address for everybody, a raw one has no page."""
    public = {"authentication_required": False}
    number, raw = free_port(), free_port()
    mapping = client.create_port(internal_port=number, description="open", access_control=public)
    client.create_port(
        internal_port=raw, description="raw", access_control=public, app_protocol="tcp"
    )
    assert main(["share", str(number), "--user", "ben"]) == 1
    assert f"is public: whoever has {mapping.url} can open it." in capsys.readouterr().err
    assert main(["share", str(raw), "--user", "ben"]) == 1
    assert f"raw (port {raw}) has no page that a link could open." in capsys.readouterr().err
    for port in (number, raw):
        run_json(capsys, "unexpose", str(port))


def test_links_that_are_out_are_listed_without_their_urls(
    gateway: RunningGateway, mine: Mine, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who, until when, how often, its id; a list is no way to get in."""
    assert main(["links"]) == 0
    assert "No link is out. `share PORT --user NAME` makes one." in capsys.readouterr().out
    once = run_json(capsys, "share", mine.port, "--user", "ben", "--allow", "--once")
    often = run_json(capsys, "share", mine.port, "--user", "cleo", "--allow", "--for", "30m")
    assert main(["links", mine.port]) == 0
    head, first, second = capsys.readouterr().out.splitlines()
    assert head.split()[:4] == ["PORT", "NAME", "USER", "ENDS"]
    assert re.search(r"ben   in (8 h|7 h 59 min) ", first)
    assert first.endswith(f"once           not yet    {once['id']}")
    assert re.search(r"cleo  in (30|29) min ", second)
    assert "until it ends" in second
    listed = run_json(capsys, "links")
    assert [link["id"] for link in listed] == [once["id"], often["id"]]
    assert "token" not in str(listed)


def test_sharing_a_port_that_is_not_exposed_says_so(
    gateway: RunningGateway, mine: Mine, capsys: pytest.CaptureFixture[str]
) -> None:
    """The exposed ones are named."""
    for words in (["share", "9", "--user", "ben"], ["links", "9"], ["sessions", "9"]):
        assert main(words) == 1
        error = capsys.readouterr().err
        assert f"Port 9 is not exposed. Exposed are: {mine.port}." in error
