"""`rotate-keys`: a new signing key, with and without mercy."""

from __future__ import annotations

import pytest

from jupyter_tensorone_proxy import ProxyClient
from jupyter_tensorone_proxy.cli import main
from tests.fixtures.ana import Mine, browsing
from tests.fixtures.gateway import RunningGateway, wait_until
from tests.fixtures.pseudo_terminal import on_terminal
from tests.fixtures.terminal import run_json

QUESTION = "Every session, link and token ends at once, for everybody. Go on? [y/N]"


def test_r22_rotating_the_key_ends_every_session_at_once(
    gateway: RunningGateway, mine: Mine, client: ProxyClient, capsys: pytest.CaptureFixture[str]
) -> None:
    """Sessions, links and tokens of the old key are refused; new ones work."""
    link = client.create_link(mine.id, user="ana", one_time=False)
    with browsing(gateway) as browser, browsing(gateway) as late:
        assert browser.get(link.url).status_code == 200
        assert main(["rotate-keys"]) == 0
        assert "A new key signs from now on." in capsys.readouterr().out
        assert wait_until(lambda: browser.get(mine.url).status_code != 200, seconds=5)
        assert late.get(link.url).status_code == 403
        assert late.get(client.create_link(mine.id, user="ana").url).status_code == 200
    assert [session.user for session in client.list_sessions()] == ["ana"]


def test_with_overlap_everybody_goes_on(
    gateway: RunningGateway, mine: Mine, client: ProxyClient, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the old key signed stays good until the next rotation."""
    with browsing(gateway) as browser:
        assert browser.get(client.create_link(mine.id, user="ana").url).status_code == 200
        assert run_json(capsys, "rotate-keys", "--overlap") == {"overlap": True}
        assert browser.get(mine.url).status_code == 200


def test_on_a_terminal_it_asks_before_everything_ends(
    gateway: RunningGateway, mine: Mine, client: ProxyClient
) -> None:
    """No leaves everybody in; yes, here or beforehand, ends all; with overlap nothing is asked."""
    with browsing(gateway) as browser:
        assert browser.get(client.create_link(mine.id, user="ana").url).status_code == 200
        refused = on_terminal("rotate-keys", answer="n")
        assert QUESTION in refused.text
        assert refused.code == 1
        assert "Nothing was changed." in refused.text
        assert QUESTION not in on_terminal("rotate-keys", "--overlap").text
        assert browser.get(mine.url).status_code == 200
        assert on_terminal("rotate-keys", answer="y").code == 0
        assert wait_until(lambda: browser.get(mine.url).status_code != 200, seconds=5)
    assert QUESTION not in on_terminal("rotate-keys", "--yes").text
