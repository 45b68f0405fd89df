"""A client that is made while the gateway starts waits for it, and for nothing else."""

from __future__ import annotations

import getpass
import json
import os
import threading
from pathlib import Path

import pytest

from jupyter_tensorone_proxy import ProxyClient
from jupyter_tensorone_proxy.errors import ConfigurationError
from jupyter_tensorone_proxy.settings import LOCK_FILE, RUNTIME_FILE, owner_name, resolve_settings
from tests.fixtures.gateway import free_range, read_announcement, start_gateway, stop, wait_until


@pytest.fixture
def state_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a state directory that this process's environment leads to, and nothing else."""
    for name in ("API_URL", "API_KEY", "API_KEY_FILE", "CLUSTER_ID"):
        monkeypatch.delenv(f"TENSORONE_{name}", raising=False)
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path / "config"))
    for name in ("TENSORONE_USER", "JUPYTERHUB_USER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TENSORONE_STATE_DIR", str(tmp_path))
    return tmp_path


def test_a_client_waits_for_a_gateway_that_is_starting(state_dir: Path) -> None:
    """A notebook that runs in the first second of its server finds the gateway all the same."""
    process = start_gateway(state_dir, "--external-ports", free_range(5))
    try:
        assert wait_until((state_dir / LOCK_FILE).exists)
        assert not (state_dir / RUNTIME_FILE).exists()
        with ProxyClient() as client:
            assert client.list_ports() == []
        assert client.settings.api_url == read_announcement(process)["api_url"]
    finally:
        stop(process)


@pytest.mark.parametrize("owner", ["", "no number", str(2**22 + 1)])
def test_nobody_waits_for_a_gateway_that_is_gone(state_dir: Path, owner: str) -> None:
    """A lock that a killed gateway left behind, or a damaged one, is no reason to wait."""
    (state_dir / LOCK_FILE).write_text(owner)
    answered = threading.Event()

    def ask() -> None:
        with pytest.raises(ConfigurationError, match="no local gateway is running"):
            resolve_settings(wait_seconds=3600)
        answered.set()

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    assert answered.wait(60)


def test_waiting_has_an_end(state_dir: Path) -> None:
    """A gateway that never serves is not waited for longer than asked."""
    (state_dir / LOCK_FILE).write_text(str(os.getpid()))
    with pytest.raises(ConfigurationError, match="no local gateway is running"):
        resolve_settings(wait_seconds=0.2)


def test_a_running_gateway_is_found_at_once(state_dir: Path) -> None:
    """What is there needs no waiting."""
    key = state_dir / "api_key"
    key.write_text("k")
    runtime = {"api_url": "http://127.0.0.1:1", "api_key_file": str(key), "cluster_id": "local"}
    runtime |= {"ca_file": "ca.pem"}
    (state_dir / RUNTIME_FILE).write_text(json.dumps({**runtime, "pid": os.getpid()}))
    found = resolve_settings(wait_seconds=0)
    assert (found.api_url, found.source) == ("http://127.0.0.1:1", "running gateway")
    assert found.user == owner_name()


def test_on_a_local_gateway_a_terminal_has_a_name_and_elsewhere_not(state_dir: Path) -> None:
    """What I expose from a terminal is for me, by the name that Jupyter gives me too."""
    assert owner_name({"TENSORONE_USER": "ana", "JUPYTERHUB_USER": "ben"}) == "ana"
    assert owner_name({"JUPYTERHUB_USER": "ben"}) == "ben"
    assert owner_name({}) == getpass.getuser()
    assert resolve_settings(api_key="k", cluster_id="c").user == ""
