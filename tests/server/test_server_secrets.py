"""No secret in anything that a server, its gateway and its kernels write, failures included."""

from __future__ import annotations

import re
import sqlite3
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import nbformat
import pytest
from jupyter_server.auth import Authorizer

from tests.fixtures.fake_api import KEY, LINK_TOKEN
from tests.fixtures.jupyter import CellError, JupyterServer, Kernel, run_jupyter
from tests.fixtures.secrets import leaks_in_command_lines, leaks_in_files, leaks_in_texts

DEBUG = "--ServerApp.log_level=DEBUG"
KEY_FILES = ["state/api_key", "state/signing*.key"]
"""Where the gateway's own keys are, by design."""

CELLS = """
import os; print(dict(os.environ))
%tensorone expose {port} --name Mine
%tensorone open {port}
%tensorone list
%tensorone health
%tensorone status
from jupyter_tensorone_proxy import ProxyClient; client = ProxyClient(); print(client, vars(client))
client.get_proxy(include_access_logs=True, include_health=True, include_ssl_info=True)
client.settings
%tensorone show 9
%tensorone expose 22
client.create_port(internal_port={port}, description="again")
""".strip().splitlines()


@pytest.fixture
def local(tmp_path: Path) -> Iterator[JupyterServer]:
    """Run a Jupyter server that logs everything, with its own gateway."""
    with run_jupyter(tmp_path, DEBUG) as server:
        yield server


def _run_all(kernel: Kernel, cells: list[str]) -> dict[str, str]:
    """Execute cells, failing ones too; return what is saved of each."""
    return {cell: _run(kernel, cell) for cell in cells}


def _run(kernel: Kernel, source: str) -> str:
    try:
        cell = nbformat.v4.new_code_cell(source, outputs=kernel.execute(source))
    except CellError as error:
        return str(error)
    return str(nbformat.writes(nbformat.v4.new_notebook(cells=[cell])))


def _visit(server: JupyterServer, port: int) -> dict[str, str]:
    """Open a port as its owner does; return the link's token and the session it brought."""
    opened = server.request("GET", f"go/{port}/", follow_redirects=False)
    link = opened.headers["Location"]
    trust = ssl.create_default_context(cafile=server.gateway()["ca_file"])
    with httpx.Client(verify=trust, timeout=30) as visitor:
        redeemed = visitor.get(link)
        sessions = [cookie.value or "" for cookie in visitor.cookies.jar]
        assert visitor.get(httpx.URL(link).join("/")).status_code == 200
        # A link that is used twice, forged, or for nobody is refused, and logged.
        assert visitor.get(link).status_code == 403
        assert visitor.get(f"{link}x").status_code == 403
    assert redeemed.status_code == 302
    (token,) = re.findall(r"token=([^&]+)", link)
    return {"the link": token, **{f"session {n}": text for n, text in enumerate(sessions)}}


def _break_the_database(server: JupyterServer) -> None:
    """Make the gateway fail on links in a way it did not foresee."""
    broken = 0
    for file in server.state_dir.glob("*.db"):
        with sqlite3.connect(file, timeout=20) as database:
            if database.execute("SELECT 1 FROM sqlite_master WHERE name = 'links'").fetchone():
                database.execute("ALTER TABLE links RENAME TO links_away")
                broken += 1
    assert broken == 1


def test_r16_r48_no_secret_is_written_anywhere(
    local: JupyterServer, listening_port: int, tmp_path: Path
) -> None:
    """Everything is used, then made to fail; keys, links, sessions and tokens are in no output."""
    shown: dict[str, str] = {}
    with local.kernel() as kernel:
        shown |= _run_all(kernel, [cell.format(port=listening_port) for cell in CELLS])
        secrets = {
            "the API key": (local.state_dir / "api_key").read_text().strip(),
            **_visit(local, listening_port),
        }
        _break_the_database(local)
        failed = local.request("GET", f"go/{listening_port}/", follow_redirects=False)
        shown["the page of the failure"] = failed.text + str(failed.headers)
        assert failed.status_code >= 500, failed.text
        refused = local.request("PUT", "api/ports/none", content=b"{")
        shown["the answer to nonsense"] = refused.text + str(refused.headers)
        processes = {*local.descendants(), local.process.pid}
        assert leaks_in_command_lines(secrets, processes) == []
    assert "Only me" in shown[f"%tensorone expose {listening_port} --name Mine"]
    assert "PortNotFoundError" in shown["%tensorone show 9"]
    assert leaks_in_texts(secrets, shown) == []
    assert leaks_in_files(secrets, tmp_path, KEY_FILES) == []
    history = list(tmp_path.rglob("history.sqlite"))
    assert history, "the kernel kept no history: nothing was looked through"


def _refuses(message: str) -> httpx.Response:
    """Return what a careless API answers when it fails: it repeats what it was sent."""
    error = {"code": "INTERNAL", "message": message, "details": {"authorization": KEY}}
    return httpx.Response(500, json={"success": False, "error": error})


def test_r16_r48_a_configured_key_is_written_nowhere(
    api: Any, listening_port: int, tmp_path: Path
) -> None:
    """With TensorOne's key in the environment: neither kernels nor an API that repeats it leak."""
    api.add(listening_port, description="Mine")
    environ = {
        "TENSORONE_API_KEY": KEY,
        "TENSORONE_API_URL": api.url,
        "TENSORONE_CLUSTER_ID": "cluster_abc123",
    }
    secrets = {"the API key": KEY, "the link": LINK_TOKEN}
    cells = [cell.format(port=listening_port) for cell in CELLS]
    with run_jupyter(tmp_path, DEBUG, environ=environ) as server, server.kernel() as kernel:
        shown = _run_all(kernel, cells)
        assert "Mine" in shown["%tensorone list"]
        opened = server.request("GET", f"go/{listening_port}/", follow_redirects=False)
        assert opened.status_code == 302
        api.refusal = _refuses(f"failed for Authorization: Bearer {KEY}")
        failing = _run_all(kernel, [f"# again\n{cell}" for cell in cells])
        for method, path in (("GET", "api/proxy"), ("GET", f"go/{listening_port}/")):
            answer = server.request(method, path, follow_redirects=False)
            assert answer.status_code == 500
            failing[path] = answer.text + str(answer.headers)
        assert "failed for Authorization: Bearer **********" in failing["# again\n%tensorone list"]
        processes = {*server.descendants(), server.process.pid}
        assert leaks_in_command_lines(secrets, processes) == []
        assert leaks_in_texts(secrets, shown | failing) == []
        key_file = [
            f"runtime/{path.name}" for path in server.runtime_dir.glob("tensorone-api-key-*")
        ]
        assert len(key_file) == 1
        assert leaks_in_files(secrets, tmp_path, key_file) == []
    assert leaks_in_files(secrets, tmp_path, []) == []


async def test_r16_an_unforeseen_failure_shows_neither_credentials_nor_its_reason(
    fetch: Any, browser: Any, jp_serverapp: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """A 500 of ours says that it failed; what the browser sent is in neither answer nor log."""

    class Broken(Authorizer):
        def is_authorized(self, *_: Any) -> bool:
            raise RuntimeError("/srv/private/authorizer.py is broken")

    jp_serverapp.web_app.settings["authorizer"] = Broken(parent=jp_serverapp)
    token = jp_serverapp.identity_provider.token
    secrets = {"the token": token, "the cookie": browser.cookies, "the xsrf token": browser.xsrf}
    caplog.clear()
    headers = {"Cookie": browser.cookies, "X-XSRFToken": browser.xsrf}
    texts = {}
    for path in ("api/ports", f"go/6006/?token={token}"):
        answer = await fetch("GET", path, headers)
        assert answer.code == 500
        assert b"its log says why" in answer.body
        assert b"private" not in answer.body
        texts[path] = f"{answer.body.decode()} {answer.headers}"
    assert "/srv/private/authorizer.py is broken" in caplog.text
    assert leaks_in_texts(secrets, {**texts, "the log": caplog.text}) == []
