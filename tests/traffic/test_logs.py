"""Trap 13, R13, R16: what is written about requests holds no query, no cookie, no token."""

from __future__ import annotations

from pathlib import Path

import httpx

from jupyter_tensorone_proxy import ProxyClient
from tests.fixtures.gateway import RunningGateway, wait_until
from tests.fixtures.traffic import Expose, OpenWebSocket, SignIn, cookie_header

PRIVATE = {"authentication_required": True}
SECRET = "s3cr3t-of-the-query"


def _files_with(directory: Path, *secrets: str) -> list[str]:
    """Return the files below a directory, keys and sockets apart, that hold one of these."""
    wanted = [secret.encode() for secret in secrets]
    return [
        f"{path.name}: {secret[:12]!r}"
        for path in sorted(directory.rglob("*"))
        if path.is_file() and not path.name.endswith((".key", ".pem"))
        for secret in wanted
        if secret in path.read_bytes()
    ]


def test_trap_13_no_log_holds_a_query_or_a_credential(
    expose: Expose,
    sign_in: SignIn,
    websocket: OpenWebSocket,
    gateway: RunningGateway,
    client: ProxyClient,
) -> None:
    """After requests of every kind, refused ones too, the state directory is searched."""
    exposed = expose(access=PRIVATE)
    link = client.create_link(exposed.mapping.id, user="ana").url
    browser = sign_in(exposed)
    session = cookie_header(browser)
    token = str(client.create_user("logged").token)
    query = {"token": SECRET, "access_token": SECRET}
    for headers in ({}, {"authorization": f"Bearer {token}"}, {"cookie": f"x={SECRET}; {session}"}):
        for path in ("/", "/status/500", "/.tensorone/sign-in", "/.tensorone/nothing"):
            browser.get(f"{exposed.url}{path}", params=query, headers=headers)
    browser.get(link)
    websocket(exposed, f"/ws?token={SECRET}", additional_headers={"cookie": session}).close()
    log = gateway.state_dir / "run" / "access.log"
    assert wait_until(lambda: b'"/ws"' in log.read_bytes())
    secrets = [SECRET, token, httpx.URL(link).params["token"]]
    secrets += [part.partition("=")[2] for part in session.split("; ")]
    assert _files_with(gateway.state_dir, *secrets) == []


def test_r13_the_logs_of_the_api_hold_paths_without_queries(
    expose: Expose, sign_in: SignIn, client: ProxyClient
) -> None:
    """What people see of the log is the path alone."""
    exposed = expose(access=PRIVATE)
    sign_in(exposed).get(f"{exposed.url}/deep/path", params={"token": SECRET})

    def paths() -> set[str | None]:
        return {entry.path for entry in client.access_logs(port_id=exposed.mapping.id)}

    assert wait_until(lambda: "/deep/path" in paths())
    assert not [path for path in paths() if path and ("?" in path or SECRET in path)]
