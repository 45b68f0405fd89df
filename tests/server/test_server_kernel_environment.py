"""What kernels find in their environment, started through a real Jupyter server."""

from __future__ import annotations

import asyncio
import getpass
import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from jupyter_tensorone_proxy.server.kernel_environment import link_variables
from jupyter_tensorone_proxy.settings import resolve_settings
from tests.fixtures.fake_api import KEY

DUMP = (
    "import json, os, pathlib, time;"
    "p = pathlib.Path(os.environ['DUMP_TO']); q = p.with_suffix('.part');"
    "q.write_text(json.dumps(dict(os.environ))); q.rename(p); time.sleep(600)"
)


@pytest.fixture
def dumped(jp_kernel_dir: Path, tmp_path: Path) -> Path:
    """Install a kernel that only writes its environment to the returned file."""
    target = tmp_path / "environment.json"
    spec = {
        "argv": [sys.executable, "-c", DUMP],
        "display_name": "Dump",
        "language": "none",
        "env": {"DUMP_TO": str(target)},
    }
    (jp_kernel_dir / "dump").mkdir()
    (jp_kernel_dir / "dump" / "kernel.json").write_text(json.dumps(spec))
    return target


async def _read(path: Path) -> dict[str, str]:
    deadline = monotonic() + 20
    while not await asyncio.to_thread(path.exists):
        assert monotonic() < deadline, "the kernel wrote nothing"
        await asyncio.sleep(0.02)
    return dict(json.loads(await asyncio.to_thread(path.read_text)))


async def _start(jp_fetch: Any, dumped: Path) -> tuple[str, dict[str, str]]:
    answer = await jp_fetch("api", "kernels", method="POST", body=json.dumps({"name": "dump"}))
    return json.loads(answer.body)["id"], await _read(dumped)


async def test_kernels_know_the_api_themselves_and_their_user(
    jp_fetch: Any, dumped: Path, api: Any, jp_serverapp: Any
) -> None:
    """A kernel finds the configured API, its own id, `go/…` and the name that go/ signs in."""
    kernel_id, found = await _start(jp_fetch, dumped)
    await jp_serverapp.kernel_manager.shutdown_kernel(kernel_id, now=True)
    assert found["TENSORONE_KERNEL_ID"] == kernel_id
    assert found["TENSORONE_GO_URL"] == "/a%40b/tensorone-proxy/go/"
    assert found["TENSORONE_USER"] == getpass.getuser()
    assert found["TENSORONE_API_URL"] == api.url
    assert found["TENSORONE_CLUSTER_ID"] == "cluster_abc123"
    assert Path(found["TENSORONE_API_KEY_FILE"]).name == "key"
    assert KEY not in json.dumps(found)


async def test_kernels_of_sessions_keep_their_own_variables(
    jp_fetch: Any, dumped: Path, jp_serverapp: Any
) -> None:
    """What Jupyter sets for a notebook's kernel, and the server's own environment, stay."""
    session = {"path": "a.ipynb", "type": "notebook", "name": "a", "kernel": {"name": "dump"}}
    answer = await jp_fetch("api", "sessions", method="POST", body=json.dumps(session))
    kernel_id = json.loads(answer.body)["kernel"]["id"]
    found = await _read(dumped)
    await jp_serverapp.kernel_manager.shutdown_kernel(kernel_id, now=True)
    assert Path(found["JPY_SESSION_NAME"]).name.startswith("a")
    assert found["TENSORONE_KERNEL_ID"] == kernel_id
    assert "PATH" in found


async def test_the_environment_survives_a_restart(
    jp_fetch: Any, dumped: Path, jp_serverapp: Any
) -> None:
    """A restarted kernel is still the same kernel."""
    kernel_id, first = await _start(jp_fetch, dumped)
    await asyncio.to_thread(dumped.unlink)
    await jp_serverapp.kernel_manager.restart_kernel(kernel_id, now=True)
    second = await _read(dumped)
    await jp_serverapp.kernel_manager.shutdown_kernel(kernel_id, now=True)
    ours = {name for name in first if name.startswith("TENSORONE_")}
    assert {n: second[n] for n in ours} == {n: first[n] for n in ours}


async def test_tools_of_a_kernel_lead_their_links_through_go(
    jp_fetch: Any, dumped: Path, jp_serverapp: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TensorBoard's frame and Dask's link get what each of them reads; a value of mine stays."""
    monkeypatch.delenv("TENSORBOARD_PROXY_URL", raising=False)
    monkeypatch.setenv("DASK_DISTRIBUTED__DASHBOARD__LINK", "/mine/{port}")
    kernel_id, found = await _start(jp_fetch, dumped)
    await jp_serverapp.kernel_manager.shutdown_kernel(kernel_id, now=True)
    assert found["TENSORBOARD_PROXY_URL"] == "/a%40b/tensorone-proxy/go/%PORT%/"
    assert found["DASK_DISTRIBUTED__DASHBOARD__LINK"] == "/mine/{port}"


@pytest.mark.services
def test_dask_makes_its_dashboard_link_of_it() -> None:
    """What a Dask client shows as its dashboard is the address that signs in."""
    code = "from distributed.utils import format_dashboard_link as f; print(f('127.0.0.1', 8787))"
    shown = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **link_variables("/user/ana/tensorone-proxy/go/")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout.strip() == "/user/ana/tensorone-proxy/go/8787/status"


async def test_r47_a_kernels_own_ports_are_never_exposed_by_opening_them(
    jp_fetch: Any, dumped: Path, jp_serverapp: Any, fetch: Any, api: Any
) -> None:
    """Whoever reaches a kernel's port runs code: opening it is refused."""
    kernel_id, _ = await _start(jp_fetch, dumped)
    port = jp_serverapp.kernel_manager.get_kernel(kernel_id).shell_port
    answer = await fetch("GET", f"go/{port}/")
    await jp_serverapp.kernel_manager.shutdown_kernel(kernel_id, now=True)
    assert answer.code == 403
    assert api.changes == []


class TestKeyInTheEnvironment:
    """What changes when the server got its key in an environment variable."""

    @pytest.fixture
    def jp_server_config(
        self, jp_server_config: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> dict[str, Any]:
        """Take the key file out of the configuration."""
        del jp_server_config["TensorOneProxy"]["api_key_file"]
        monkeypatch.setenv("TENSORONE_API_KEY", KEY)
        monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
        return jp_server_config

    async def test_r16_kernels_get_a_file_instead_of_the_key(
        self, jp_fetch: Any, dumped: Path, jp_serverapp: Any, api: Any
    ) -> None:
        """Printing a kernel's environment shows no key; its file is this user's, and goes."""
        kernel_id, found = await _start(jp_fetch, dumped)
        await jp_serverapp.kernel_manager.shutdown_kernel(kernel_id, now=True)
        assert KEY not in json.dumps(found)
        file = found["TENSORONE_API_KEY_FILE"]
        assert stat.S_IMODE((await asyncio.to_thread(os.stat, file)).st_mode) == 0o600
        settings = resolve_settings(environ=found)
        assert (settings.api_key.get_secret_value(), settings.api_url) == (KEY, api.url)
        extension = jp_serverapp.extension_manager.extension_apps["jupyter_tensorone_proxy"].pop()
        await extension.stop_extension()
        assert not await asyncio.to_thread(os.path.exists, file)


class TestLocalGateway:
    """What changes without a key."""

    @pytest.fixture
    def jp_server_config(self, jp_server_config: dict[str, Any]) -> dict[str, Any]:
        """Take the key away; a gateway is not needed to start a kernel."""
        proxy = jp_server_config["TensorOneProxy"]
        jp_server_config["TensorOneProxy"] = {
            "state_dir": proxy["state_dir"],
            "start_gateway": False,
        }
        return jp_server_config

    async def test_kernels_know_the_state_directory(
        self, jp_fetch: Any, dumped: Path, jp_serverapp: Any, tmp_path: Path
    ) -> None:
        """A kernel finds the local gateway by its state directory, whenever it comes up."""
        kernel_id, found = await _start(jp_fetch, dumped)
        await jp_serverapp.kernel_manager.shutdown_kernel(kernel_id, now=True)
        assert found["TENSORONE_STATE_DIR"] == str(tmp_path / "state")
        assert "TENSORONE_API_URL" not in found

    async def test_without_any_api_the_answer_says_what_to_do(self, fetch: Any) -> None:
        """503, with the ways to get one."""
        answer = await fetch("GET", "api/proxy")
        error = json.loads(answer.body)["error"]
        assert (answer.code, error["code"]) == (503, "NOT_CONFIGURED")
        assert "TENSORONE_API_KEY" in error["details"]["suggestion"]
        page = await fetch("GET", "go/6006/")
        assert page.code == 503
        assert "TENSORONE_API_KEY" in page.body.decode()
