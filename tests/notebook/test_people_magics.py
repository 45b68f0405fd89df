"""The verbs about people in a real kernel, with a real gateway; and what is saved of them."""

from __future__ import annotations

import re
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from jupyter_tensorone_proxy import ProxyClient
from tests.fixtures.ana import Mine, browsing
from tests.fixtures.cells import execute
from tests.fixtures.gateway import RunningGateway

JWT = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]+")


@pytest.fixture
def kernel(
    gateway: RunningGateway,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Iterator[NotebookClient]:
    """Return a notebook of ana's with a new kernel in which the extension is loaded."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    notebook = NotebookClient(nbformat.v4.new_notebook(), timeout=120, kernel_name="python3")
    with notebook.setup_kernel():
        execute(notebook, "%load_ext jupyter_tensorone_proxy")
        yield notebook


def test_a_cell_shares_and_sees_who_is_in(
    kernel: NotebookClient,
    gateway: RunningGateway,
    mine: Mine,
    client: ProxyClient,
) -> None:
    """Share, sessions, links, logs, events, revoke: each shows a card or a table."""
    execute(kernel, f"link = %tensorone share {mine.port} --user ben --allow --for 1h")
    (shown,) = execute(kernel, "print(link.url)").outputs
    with browsing(gateway) as browser:
        assert browser.get(shown.text.strip()).status_code == 200
    for line, word in (
        (f"sessions {mine.port}", "127.0.0.1"),
        ("links", "until it ends"),
        ("logs", "/.tensorone/link"),
        ("events", "session.started"),
        ("access", "Sessions at once"),
        ("users", "ben"),
        ("revoke --user ben", "Ended: 1 session and 1 link of ben."),
    ):
        (output,) = execute(kernel, f"%tensorone {line}").outputs
        assert word in output.data["text/html"], line
        assert word in output.data["text/plain"], line
    assert client.list_sessions(port_id=mine.id) == []


def test_results_can_be_worked_with(
    kernel: NotebookClient,
    mine: Mine,
) -> None:
    """A table is its things: `for s in sessions: …`."""
    execute(kernel, f"%tensorone share {mine.port} --user ben --allow")
    execute(kernel, "links = %tensorone links")
    (output,) = execute(kernel, "print(len(links), [link.user for link in links])").outputs
    assert output.text == "1 ['ben']\n"


def test_r13_what_a_share_leaves_in_the_notebook_is_its_link_alone(
    kernel: NotebookClient,
    gateway: RunningGateway,
    mine: Mine,
    client: ProxyClient,
) -> None:
    """It is shown because it was asked for; once it has ended, what is saved opens nothing."""
    line = f"%tensorone share {mine.port} --user ben --allow --once"
    (output,) = execute(kernel, line).outputs
    assert "by this link, once, until" in output.data["text/plain"]
    saved = nbformat.writes(kernel.nb)
    assert gateway.api_key not in saved
    (token,) = set(JWT.findall(saved))
    with browsing(gateway) as browser, browsing(gateway) as finder:
        link = f"{mine.url}/.tensorone/link?token={token}"
        assert browser.get(link).status_code == 200
        assert finder.get(link).status_code == 403


@pytest.mark.parametrize(
    "cell",
    ["%tensorone users add bot", f"!{sys.executable} -m jupyter_tensorone_proxy.cli users add bot"],
)
def test_r13_no_users_token_gets_into_a_notebook(
    kernel: NotebookClient,
    client: ProxyClient,
    cell: str,
) -> None:
    """It would be good for a year: the cell says how to get it elsewhere, and none is made."""
    try:
        execute(kernel, cell)
    except CellExecutionError:
        assert cell.startswith("%")
    saved = nbformat.writes(kernel.nb)
    assert "would be saved with this notebook" in saved
    assert "--save FILE" in saved
    assert not JWT.search(saved)
    assert "bot" not in [user.name for user in client.list_users()]


def test_a_cell_can_save_a_token_to_a_file(
    kernel: NotebookClient,
    gateway: RunningGateway,
    mine: Mine,
    client: ProxyClient,
    tmp_path: Path,
) -> None:
    """`--save FILE` keeps it out of the notebook; programs read it there."""
    file = tmp_path / "token"
    (output,) = execute(kernel, f"%tensorone users add saver --save {file}").outputs
    assert f"The token of saver is in {file}" in output.data["text/plain"]
    assert not JWT.search(nbformat.writes(kernel.nb))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    client.update_port(mine.id, access_control={"allowed_users": ["saver"]})
    headers = {"authorization": f"Bearer {file.read_text().strip()}"}
    with gateway.visitor(headers=headers) as program:
        assert program.get(mine.url).status_code == 200


def test_a_cell_that_cannot_ask_says_what_would_let_them_in(
    kernel: NotebookClient,
    mine: Mine,
) -> None:
    """The error is one line, with the line to run instead."""
    with pytest.raises(CellExecutionError):
        execute(kernel, f"%tensorone share {mine.port} --user eve")
    (output,) = kernel.nb.cells[-1].outputs
    (line,) = output.traceback
    assert line == (
        f"ConflictError: board (port {mine.port}) is not shared with eve. "
        f"`share {mine.port} --user eve --allow` shares it with them too."
    )
