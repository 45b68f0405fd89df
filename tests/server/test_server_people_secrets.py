"""P34: a whole run with people in it; their tokens, cookies and links are written nowhere."""

from __future__ import annotations

import os
import re
import sqlite3
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import nbformat
import pytest

from jupyter_tensorone_proxy import ProxyClient
from tests.fixtures.jupyter import CellError, JupyterServer, Kernel, environment, run_jupyter
from tests.fixtures.secrets import leaks_in_command_lines, leaks_in_files, leaks_in_texts
from tests.fixtures.services.web import WebService, web_service

MISTYPED = "canary-a-password-that-was-typed-by-mistake"
QUERY = "canary-in-the-query-of-a-service"
BY_DESIGN = ["state/api_key", "state/signing*.key", "saved-*"]
"""The gateway's own keys, and what people had saved to a file of their own."""

CELLS = """
%tensorone expose {port} --name Board --users ben,cy
%tensorone users add ben --save saved-cell
%tensorone users rotate ben --save saved-cell-2
from jupyter_tensorone_proxy import ProxyClient; client = ProxyClient()
client.create_user("cy")
client.rotate_user_token("cy"), client.list_users()
client.create_link(client.list_ports()[0].id, user="ben")
client.list_links(), client.list_sessions()
client.create_user("cy")
""".strip().splitlines()

AFTERWARDS = """
%tensorone users
%tensorone sessions
%tensorone links
%tensorone events
%tensorone logs {port}
%tensorone access
client.list_events(limit=1000), client.list_sessions(), client.access_logs(limit=100)
""".strip().splitlines()

VERBS = ("users", "sessions", "links", "events", "logs", "status")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[JupyterServer]:
    """Run a Jupyter server that logs everything, with its own gateway."""
    with run_jupyter(tmp_path, "--ServerApp.log_level=DEBUG") as running:
        yield running


@pytest.fixture
def board() -> Iterator[WebService]:
    """Run a web service."""
    with web_service("board") as running:
        yield running


def _saved(kernel: Kernel, source: str) -> str:
    """Execute a cell; return what the notebook would hold of it."""
    try:
        cell = nbformat.v4.new_code_cell(source, outputs=kernel.execute(source))
    except CellError as error:
        return str(error)
    return str(nbformat.writes(nbformat.v4.new_notebook(cells=[cell])))


def _command(directory: Path, *words: str) -> str:
    """Run the command in a terminal of its own; return all it says."""
    command = [sys.executable, "-m", "jupyter_tensorone_proxy.cli", *words]
    done = subprocess.run(
        command, cwd=directory, env=environment(directory), capture_output=True, check=False
    )
    return (done.stdout + done.stderr).decode()


def _everybody_comes(server: JupyterServer, shown: dict[str, str]) -> dict[str, str]:
    """Come in by link and token, and be refused in every way; return the secrets of all that."""
    secrets = {"the mistyped password": MISTYPED, "the service's query": QUERY}
    runtime = server.gateway()
    trust = ssl.create_default_context(cafile=runtime["ca_file"])
    with ProxyClient(
        api_url=runtime["api_url"], api_key_file=runtime["api_key_file"], cluster_id="local"
    ) as client:
        (mapping,) = client.list_ports()
        secrets["a user's token"] = str(client.create_user("dora").token)
        secrets["a former token"] = secrets["a user's token"]
        secrets["a user's token"] = str(client.rotate_user_token("dora").token)
        link = client.create_link(mapping.id, user="dora", allow=True, path="/x").url
        (secrets["a link"],) = re.findall(r"token=([^&]+)", link)
        form = f"{mapping.url}/.tensorone/sign-in?next=/x?key={QUERY}"
        for number, token in enumerate([secrets["a user's token"], secrets["a former token"]]):
            bearer = {"authorization": f"Bearer {token}"}
            with httpx.Client(verify=trust, timeout=20) as visitor:
                pages = [
                    visitor.get(f"{mapping.url}/x?token={QUERY}", headers=bearer),
                    visitor.post(form, data={"token": MISTYPED}),
                    visitor.post(form, data={"token": token}),
                    visitor.get(link),
                    visitor.get(link),
                    visitor.get(f"{link}x"),
                    visitor.get(f"{mapping.url}/x"),
                ]
                for page in pages:
                    answer = f"{number} {page.request.method} {page.status_code}"
                    shown[f"{answer} {len(shown)}"] = page.text
                jar = [cookie.value or "" for cookie in visitor.cookies.jar]
                secrets |= {f"cookie {number}.{n}": text for n, text in enumerate(jar)}
        client.revoke_sessions(user="dora")
    return secrets


def _break_the_database(state: Path) -> None:
    with sqlite3.connect(state / "state.db", timeout=20) as database:
        for table in ("users", "links"):
            database.execute(f"alter table {table} rename to {table}_away")


def test_p34_r16_r48_no_secret_of_anybody_is_written_anywhere(
    server: JupyterServer, board: WebService, tmp_path: Path
) -> None:
    """Outputs, answers, logs, state, history and argv hold none of it; failures included."""
    shown: dict[str, str] = {}
    with server.kernel() as kernel:
        cells = [cell.format(port=board.port) for cell in CELLS]
        shown |= {cell: _saved(kernel, cell) for cell in cells}
        shown["users add"] = _command(tmp_path, "users", "add", "ed", "--save", "saved-terminal")
        secrets = {"the API key": (server.state_dir / "api_key").read_text().strip()}
        secrets |= _everybody_comes(server, shown)
        saved = sorted(tmp_path.rglob("saved-*"))
        assert len(saved) == 3, saved
        secrets |= {f"what is in {path.name}": path.read_text().strip() for path in saved}
        for when in ("before", "when everything fails"):
            for cell in AFTERWARDS:
                shown[f"{when}: {cell}"] = _saved(kernel, cell.format(port=board.port))
            for verb in VERBS:
                shown[f"{when}: {verb}"] = _command(tmp_path, verb, "--json")
            if when == "before":
                _break_the_database(server.state_dir)
                secrets |= {f"again {n}": s for n, s in _come_in_vain(server, secrets, shown)}
        processes = {*server.descendants(), server.process.pid, os.getpid()}
        assert leaks_in_command_lines(secrets, processes) == []
    assert any(name.startswith("cookie") for name in secrets)
    assert '"dora"' in shown["before: events"], shown["before: events"]
    assert any("GET 200" in name for name in shown), "nobody got in: nothing was at stake"
    assert "STORAGE_FULL" in shown["when everything fails: users"]
    told_to_who_asked = {"the service's query"}  # the sign-in page leads back there
    elsewhere = {k: v for k, v in _short(secrets).items() if k not in told_to_who_asked}
    assert leaks_in_texts(elsewhere, shown) == []
    allowed = [*BY_DESIGN, *(str(path.relative_to(tmp_path)) for path in saved)]
    assert leaks_in_files(_short(secrets), tmp_path, allowed) == []
    assert list(tmp_path.rglob("history.sqlite")), "the kernel kept no history to look through"


def _come_in_vain(
    server: JupyterServer, secrets: dict[str, str], shown: dict[str, str]
) -> Iterator[tuple[str, str]]:
    """Try to sign in while the gateway's tables are gone; yield the cookies, if there were any."""
    runtime = server.gateway()
    trust = ssl.create_default_context(cafile=runtime["ca_file"])
    with httpx.Client(verify=trust, timeout=20) as visitor:
        port = server.request("GET", "api/ports").json()["data"][0]
        for path, fields in (("sign-in", {"token": secrets["a user's token"]}), ("link", None)):
            url = f"{port['url']}/.tensorone/{path}?token={secrets['a link']}"
            page = visitor.post(url, data=fields) if fields else visitor.get(url)
            assert page.status_code >= 400
            shown[f"in vain {path}"] = page.text
        yield from ((cookie.name, cookie.value or "") for cookie in visitor.cookies.jar)


def _short(secrets: dict[str, str]) -> dict[str, str]:
    """Return what identifies each: of a signed token its signature, as the rest may be told."""
    return {name: secret.rpartition(".")[2] for name, secret in secrets.items()}
