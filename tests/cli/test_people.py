"""`sessions` and `revoke`: who is in, and how they are seen out."""

from __future__ import annotations

from contextlib import ExitStack

import httpx
import pytest

from jupyter_tensorone_proxy import ProxyClient
from jupyter_tensorone_proxy.cli import main
from tests.fixtures.ana import ExposeMine, Mine, browsing
from tests.fixtures.gateway import RunningGateway, wait_until
from tests.fixtures.pseudo_terminal import on_terminal
from tests.fixtures.terminal import run_json

SECONDS_TO_REFUSE = 5.0


def _let_in(
    gateway: RunningGateway, client: ProxyClient, mine: Mine, user: str, stack: ExitStack
) -> tuple[httpx.Client, str]:
    """Sign somebody in by a link that may be used again; return their browser and the link."""
    link = client.create_link(mine.id, user=user, one_time=False, allow=True)
    browser = stack.enter_context(browsing(gateway))
    assert browser.get(link.url).status_code == 200
    return browser, link.id


def _is_out(browser: httpx.Client, mine: Mine) -> bool:
    return wait_until(lambda: browser.get(mine.url).status_code != 200, seconds=SECONDS_TO_REFUSE)


def test_sessions_say_who_is_where_since_when_and_how(
    gateway: RunningGateway,
    expose_mine: ExposeMine,
    client: ProxyClient,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """One line a visitor; a port and a person narrow the list."""
    board, other = expose_mine("board"), expose_mine("other")
    with ExitStack() as stack:
        _, link_id = _let_in(gateway, client, board, "ben", stack)
        _let_in(gateway, client, other, "ben", stack)
        _let_in(gateway, client, other, "cleo", stack)
        assert main(["sessions", board.port]) == 0
        head, line = capsys.readouterr().out.splitlines()
        titles = ["PORT", "NAME", "USER", "FROM", "SINCE", "LAST", "SEEN", "CAME", "ID"]
        assert head.split() == titles
        assert line.split()[:4] == [board.port, "board", "ben", "127.0.0.1"]
        assert f"by {link_id}" in line
        for words, users in (
            ([], ["ben", "ben", "cleo"]),
            ([other.port], ["ben", "cleo"]),
            (["--user", "ben"], ["ben", "ben"]),
            ([other.port, "--user", "cleo"], ["cleo"]),
            (["--user", "nobody"], []),
        ):
            found = run_json(capsys, "sessions", *words)
            assert [session["user"] for session in found] == users


def test_who_was_at_a_port_that_is_gone_is_no_longer_in(
    gateway: RunningGateway,
    expose_mine: ExposeMine,
    client: ProxyClient,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Unexposing ends the port's sessions: they are neither listed nor counted."""
    board = expose_mine("board")
    with ExitStack() as stack:
        _let_in(gateway, client, board, "ben", stack)
        run_json(capsys, "unexpose", board.port)
        assert run_json(capsys, "sessions") == []
        again = run_json(capsys, "expose", board.port)
        assert run_json(capsys, "sessions", board.port) == []
    client.delete_port(again["id"])


def test_nobody_signed_in_is_said(
    gateway: RunningGateway, mine: Mine, capsys: pytest.CaptureFixture[str]
) -> None:
    """An empty table is a sentence."""
    assert main(["sessions", mine.port]) == 0
    assert capsys.readouterr().out == "Nobody is signed in.\n"


def test_r21_a_revoked_session_is_refused(
    gateway: RunningGateway, mine: Mine, client: ProxyClient, capsys: pytest.CaptureFixture[str]
) -> None:
    """One visitor is out within seconds, others go on; a link that leads back is named."""
    with ExitStack() as stack:
        ben, link_id = _let_in(gateway, client, mine, "ben", stack)
        cleo, _ = _let_in(gateway, client, mine, "cleo", stack)
        (session,) = run_json(capsys, "sessions", "--user", "ben")
        assert main(["revoke", "--session", session["id"]]) == 0
        said = capsys.readouterr().out
        assert "ben is signed out" in said
        assert f"`revoke --link {link_id}`" in said
        assert _is_out(ben, mine)
        assert cleo.get(mine.url).status_code == 200


def test_r21_a_revoked_link_takes_its_sessions_along(
    gateway: RunningGateway, mine: Mine, client: ProxyClient, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever came in by it is out, whoever came by another link is not."""
    with ExitStack() as stack:
        ben, link_id = _let_in(gateway, client, mine, "ben", stack)
        cleo, _ = _let_in(gateway, client, mine, "cleo", stack)
        assert main(["revoke", "--link", link_id]) == 0
        assert capsys.readouterr().out == "Ended: 1 session and 1 link.\n"
        assert _is_out(ben, mine)
        assert cleo.get(mine.url).status_code == 200


def test_r21_a_revoked_person_is_out_everywhere_and_their_links_are_dead(
    gateway: RunningGateway,
    expose_mine: ExposeMine,
    client: ProxyClient,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Else the link in their mail would let them in again at once."""
    board, other = expose_mine("board"), expose_mine("other")
    with ExitStack() as stack:
        first, _ = _let_in(gateway, client, board, "ben", stack)
        second, _ = _let_in(gateway, client, other, "ben", stack)
        cleo, _ = _let_in(gateway, client, other, "cleo", stack)
        ended = run_json(capsys, "revoke", "--user", "ben")
        assert ended == {"sessions": 2, "links": 2}
        assert _is_out(first, board)
        assert _is_out(second, other)
        assert [link.user for link in client.list_links()] == ["cleo"]
        assert cleo.get(other.url).status_code == 200


def test_r21_everybody_is_out_of_a_revoked_port(
    gateway: RunningGateway,
    expose_mine: ExposeMine,
    client: ProxyClient,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """`--port` alone ends all of that port; with `--user` one person's there."""
    board, other = expose_mine("board"), expose_mine("other")
    with ExitStack() as stack:
        ben, _ = _let_in(gateway, client, board, "ben", stack)
        cleo, _ = _let_in(gateway, client, board, "cleo", stack)
        elsewhere, _ = _let_in(gateway, client, other, "ben", stack)
        assert main(["revoke", "--port", board.port, "--user", "ben"]) == 0
        assert capsys.readouterr().out == (
            f"Ended: 1 session and 1 link of ben on port {board.port}.\n"
        )
        assert _is_out(ben, board)
        assert cleo.get(board.url).status_code == 200
        assert run_json(capsys, "revoke", "--port", board.port) == {"sessions": 1, "links": 1}
        assert _is_out(cleo, board)
        assert elsewhere.get(other.url).status_code == 200


def test_a_way_back_by_a_token_is_named(
    gateway: RunningGateway, mine: Mine, client: ProxyClient, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who has a token can sign in again: the message says what keeps them out."""
    client.create_user("dan")
    with ExitStack() as stack:
        _let_in(gateway, client, mine, "dan", stack)
        assert main(["revoke", "--user", "dan"]) == 0
    assert "`users disable dan` keeps them out." in capsys.readouterr().out
    client.delete_user("dan")


def test_nothing_to_end_is_no_error(
    gateway: RunningGateway, mine: Mine, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever is not in need not be thrown out, and that is said."""
    assert main(["revoke", "--user", "nobody"]) == 0
    assert capsys.readouterr().out == "There was no session and no link of nobody.\n"


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--session", "ses_1", "--user", "ben"],
        ["--link", "link_1", "--port", "80"],
        ["--session", "ses_1", "--link", "link_1"],
    ],
)
def test_revoke_wants_to_know_what(
    gateway: RunningGateway, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    """Called with nothing it does not end everything; two different things are not guessed at."""
    assert main(["revoke", *words]) == 2
    error = capsys.readouterr().err
    assert "--session ID, --link ID, --user NAME, --port PORT" in error


@pytest.mark.parametrize("what", ["--session", "--link"])
def test_revoking_what_is_not_there_is_an_error(
    gateway: RunningGateway, capsys: pytest.CaptureFixture[str], what: str
) -> None:
    """A wrong id ends nothing, and says so."""
    assert main(["revoke", what, "nonsense"]) == 1
    assert "nonsense" in capsys.readouterr().err


def test_revoke_does_not_ask(gateway: RunningGateway, mine: Mine) -> None:
    """To throw somebody out is urgent, and can be undone by a new link."""
    assert on_terminal("revoke", "--port", mine.port).code == 0
