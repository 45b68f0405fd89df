"""What is never exposed, or only on purpose, through every path there is.

A real Jupyter server with a real kernel: their ports are what is asked for.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from jupyter_tensorone_proxy.client import ProxyClient
from jupyter_tensorone_proxy.errors import ProtectedPortError
from tests.fixtures.gateway import free_port
from tests.fixtures.jupyter import JupyterServer, Kernel, run_jupyter
from tests.fixtures.terminal import COMMAND, run_process

PORT = {"description": "protected"}
NAMED = {"authentication_required": True, "allowed_users": ["ana"]}
Ask = Callable[[int, dict[str, Any]], str]


@pytest.fixture(scope="module")
def jupyter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    """Run one Jupyter server for all tests of this file."""
    with run_jupyter(tmp_path_factory.mktemp("jupyter")) as server:
        server.request("GET", "api/proxy").raise_for_status()  # the gateway serves
        yield server


@pytest.fixture(scope="module")
def kernel(jupyter: JupyterServer) -> Iterator[Kernel]:
    """Run one kernel of it."""
    with jupyter.kernel() as started:
        yield started


@pytest.fixture(scope="module")
def direct(jupyter: JupyterServer) -> Iterator[ProxyClient]:
    """Return a client of the gateway that the server started."""
    runtime = jupyter.gateway()
    with ProxyClient(
        api_url=runtime["api_url"], api_key_file=runtime["api_key_file"], cluster_id="local"
    ) as client:
        yield client


def _kernel_port(jupyter: JupyterServer, kernel: Kernel) -> int:
    del kernel  # its file must be there
    (file,) = jupyter.runtime_dir.glob("kernel-*.json")
    return int(json.loads(file.read_text())["shell_port"])


def _server_port(jupyter: JupyterServer) -> int:
    return int(jupyter.url.rpartition(":")[2])


@dataclass
class Paths:
    """Every way to ask for a port; each says what it was told."""

    jupyter: JupyterServer
    kernel: Kernel
    direct: ProxyClient

    def client(self, port: int, access: dict[str, Any]) -> str:
        """Ask by Python."""
        try:
            mapping = self.direct.create_port(internal_port=port, access_control=access, **PORT)
        except ProtectedPortError as error:
            return str(error)
        self.direct.delete_port(mapping.id)
        return "exposed"

    def update(self, port: int, access: dict[str, Any]) -> str:
        """Ask by pointing a mapping there that is elsewhere."""
        other = self.direct.create_port(internal_port=free_port(), **PORT)
        try:
            self.direct.update_port(other.id, internal_port=port, access_control=access)
        except ProtectedPortError as error:
            return str(error)
        else:
            return "exposed"
        finally:
            self.direct.delete_port(other.id)

    def server(self, port: int, access: dict[str, Any]) -> str:
        """Ask by the Jupyter server's REST."""
        body = {"internal_port": port, "access_control": access, **PORT}
        answer = self.jupyter.request("POST", "api/ports", json=body)
        if answer.status_code == httpx.codes.CREATED:
            self.direct.delete_port(answer.json()["data"]["id"])
            return "exposed"
        assert answer.status_code == httpx.codes.FORBIDDEN
        assert answer.json()["error"]["code"] == "PROTECTED_PORT"
        return str(answer.json()["error"])

    def magic(self, port: int, access: dict[str, Any]) -> str:
        """Ask by a cell."""
        outputs = self.kernel.execute(
            f"run = get_ipython().run_line_magic\ntry:\n"
            f"    run('tensorone', '{_words(port, access)}')\n"
            f"    run('tensorone', 'unexpose {port}')\n"
            "    print('exposed')\nexcept Exception as error:\n    print(error)"
        )
        return "".join(str(output.get("text", "")) for output in outputs)

    def cli(self, port: int, access: dict[str, Any]) -> str:
        """Ask in a terminal."""
        done = self._command(_words(port, access))
        if done.returncode == 0:
            self._command(f"unexpose {port}").check_returncode()
        return "exposed" if done.returncode == 0 else done.stderr

    def _command(self, line: str) -> subprocess.CompletedProcess[str]:
        environment = {"TENSORONE_STATE_DIR": str(self.jupyter.state_dir)}
        return run_process(*COMMAND, *line.split(), **environment)


def _words(port: int, access: dict[str, Any]) -> str:
    users = access.get("allowed_users")
    return f"expose {port} " + (f"--users {','.join(users)}" if users else "--anyone-signed-in")


@pytest.fixture(params=["client", "update", "server", "magic", "cli"])
def ask(
    request: pytest.FixtureRequest, jupyter: JupyterServer, kernel: Kernel, direct: ProxyClient
) -> Ask:
    """Return a function that asks for a port by one path, and returns what it is told."""
    by_path: Ask = getattr(Paths(jupyter, kernel, direct), request.param)
    return by_path


def test_r47_a_kernels_port_is_never_exposed(
    jupyter: JupyterServer, kernel: Kernel, ask: Ask
) -> None:
    """Whoever reaches it runs code; no setting opens it."""
    said = ask(_kernel_port(jupyter, kernel), NAMED)
    assert "a kernel listens there" in said
    assert "Choose another port" in said


def test_r47_a_jupyter_server_needs_named_people(jupyter: JupyterServer, ask: Ask) -> None:
    """Anyone who signs in is too many; with sign-in and names it is exposed, as in the contract."""
    port = _server_port(jupyter)
    said = ask(port, {"authentication_required": True})
    assert "a Jupyter server listens there" in said
    assert "allowed_users" in said
    assert "exposed" in ask(port, NAMED)


def test_r47_the_gateways_own_ports_are_never_exposed(direct: ProxyClient, ask: Ask) -> None:
    """Neither its API nor what it exposes can be exposed again."""
    mapping = direct.create_port(internal_port=free_port(), description="another")
    api_port = int(direct.settings.api_url.rpartition(":")[2])
    for port in (api_port, mapping.external_port):
        assert port is not None
        assert "belongs to the gateway" in ask(port, NAMED)
    direct.delete_port(mapping.id)


@pytest.mark.parametrize("port", [22, 137, 2375, 3306, 5432, 5905, 6379, 8265, 10250, 27017])
def test_r47_p30_what_gives_a_shell_or_all_data_is_refused_unless_forced(
    direct: ProxyClient, port: int
) -> None:
    """Refused with a reason; with force and sign-in it is exposed; with force alone it is not."""
    with pytest.raises(ProtectedPortError, match="force"):
        direct.create_port(internal_port=port, access_control=NAMED, **PORT)
    with pytest.raises(ProtectedPortError, match="sign-in"):
        direct.create_port(
            internal_port=port, force=True, access_control={"public_access": True}, **PORT
        )
    raw = {"authentication_required": False}
    with pytest.raises(ProtectedPortError, match="ip_whitelist"):
        direct.create_port(
            internal_port=port, app_protocol="tcp", force=True, access_control=raw, **PORT
        )
    forced = direct.create_port(internal_port=port, force=True, access_control=NAMED, **PORT)
    direct.delete_port(forced.id)


def test_r47_opening_jupyter_by_go_is_refused(jupyter: JupyterServer, kernel: Kernel) -> None:
    """`go/` exposes neither the server nor a kernel."""
    for port in (_server_port(jupyter), _kernel_port(jupyter, kernel)):
        answer = jupyter.request("GET", f"go/{port}/")
        assert answer.status_code == httpx.codes.FORBIDDEN
        assert "is not exposed" in answer.text
