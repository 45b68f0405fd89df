"""Where the API is: the order of sources, keys from everywhere, and bad values."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jupyter_tensorone_proxy.errors import ConfigurationError, InsecureUrlError
from jupyter_tensorone_proxy.settings import (
    RUNTIME_FILE,
    TENSORONE_API_URL,
    Settings,
    default_state_dir,
    has_api_key,
    is_loopback,
    require_safe_url,
    resolve_settings,
    running_gateway,
)

KEY = "key-of-the-settings-tests"
CONFIG = """
c.TensorOneProxy.api_url = "https://jupyter.example.com"
c.TensorOneProxy.cluster_id = "cluster_of_jupyter"
"""


@pytest.fixture(autouse=True)
def jupyter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give Jupyter empty directories of its own; return the one for its configuration."""
    for name in ("CONFIG_DIR", "DATA_DIR", "CONFIG_PATH"):
        (tmp_path / name).mkdir()
        monkeypatch.setenv(f"JUPYTER_{name}", str(tmp_path / name))
    for name in ("API_URL", "API_KEY", "API_KEY_FILE", "CLUSTER_ID", "STATE_DIR"):
        monkeypatch.delenv(f"TENSORONE_{name}", raising=False)
    return tmp_path / "CONFIG_DIR"


@pytest.fixture
def gateway(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that leaves the traces of a running gateway: this test itself."""

    def leave(**changes: Any) -> Path:
        state = tmp_path / "DATA_DIR" / "tensorone-proxy"
        state.mkdir()
        (state / "api.key").write_text(f"{KEY}-of-the-gateway\n")
        runtime = {
            "api_url": "http://127.0.0.1:4567",
            "api_key_file": str(state / "api.key"),
            "cluster_id": "local",
            "proxy_url": "https://localhost",
            "ca_file": str(state / "ca.pem"),
            "pid": os.getpid(),
        }
        kept = {k: v for k, v in {**runtime, **changes}.items() if v is not None}
        (state / RUNTIME_FILE).write_text(json.dumps(kept))
        return state

    return leave


def key_of(settings: Settings) -> str:
    """Return the key itself."""
    return settings.api_key.get_secret_value()


def test_arguments_win_over_the_environment() -> None:
    """What is said in code is not overruled by what is around it."""
    environ = {
        "TENSORONE_API_URL": "https://environment.example.com",
        "TENSORONE_API_KEY": "other",
        "TENSORONE_CLUSTER_ID": "other",
    }
    found = resolve_settings(
        api_url="https://argument.example.com/", api_key=KEY, cluster_id="c", environ=environ
    )
    assert found.api_url == "https://argument.example.com"
    assert (key_of(found), found.cluster_id, found.source) == (KEY, "c", "arguments")


def test_the_environment_wins_over_jupyters_configuration(jupyter: Path) -> None:
    """The environment is nearer than a configuration file."""
    (jupyter / "jupyter_server_config.py").write_text(CONFIG)
    environ = {
        "TENSORONE_API_URL": "https://environment.example.com",
        "TENSORONE_API_KEY": KEY,
        "TENSORONE_CLUSTER_ID": "c",
    }
    found = resolve_settings(environ=environ)
    assert found.api_url == "https://environment.example.com"
    assert (found.cluster_id, found.source) == ("c", "environment")


def test_jupyters_configuration_wins_over_the_default(jupyter: Path, tmp_path: Path) -> None:
    """What the server is configured with holds for kernels and terminals too, key file included."""
    (tmp_path / "key").write_text(KEY)
    config = {
        "TensorOneProxy": {
            "api_url": "https://jupyter.example.com",
            "api_key_file": str(tmp_path / "key"),
            "cluster_id": "c",
        }
    }
    (jupyter / "jupyter_server_config.json").write_text(json.dumps(config))
    found = resolve_settings(environ={})
    assert found.api_url == "https://jupyter.example.com"
    assert (key_of(found), found.cluster_id) == (KEY, "c")
    assert (found.source, has_api_key({})) == ("Jupyter configuration", True)


def test_a_key_alone_leads_to_tensorone(gateway: Callable[..., Path]) -> None:
    """With a key and no address it is TensorOne, also while a gateway runs here."""
    gateway()
    found = resolve_settings(environ={"TENSORONE_API_KEY": KEY, "TENSORONE_CLUSTER_ID": "c"})
    assert (found.api_url, found.source) == (TENSORONE_API_URL, "default")


def test_without_a_key_it_is_the_running_gateway(gateway: Callable[..., Path]) -> None:
    """On a laptop nothing needs to be set."""
    state = gateway()
    found = resolve_settings(environ={})
    assert found.api_url == "http://127.0.0.1:4567"
    assert (key_of(found), found.cluster_id) == (f"{KEY}-of-the-gateway", "local")
    assert (found.source, found.ca_file) == ("running gateway", state / "ca.pem")


def test_the_gateways_key_goes_to_the_gateway_only(gateway: Callable[..., Path]) -> None:
    """An address from elsewhere never gets the key of this machine's gateway."""
    gateway()
    with pytest.raises(ConfigurationError, match="No TensorOne API key"):
        resolve_settings(environ={"TENSORONE_API_URL": "https://elsewhere.example.com"})
    same = {"TENSORONE_API_URL": "http://127.0.0.1:4567/"}
    assert resolve_settings(environ=same).source == "running gateway"


def test_nothing_at_all_says_what_to_do() -> None:
    """Neither key nor gateway: the message names all three ways out."""
    with pytest.raises(ConfigurationError) as caught:
        resolve_settings(environ={})
    for way in ("TENSORONE_API_KEY", "JupyterLab", "jupyter tensorone gateway"):
        assert way in str(caught.value)


def test_the_state_directory_is_jupyters_or_the_environments(tmp_path: Path) -> None:
    """`TENSORONE_STATE_DIR` wins over Jupyter's data directory."""
    assert default_state_dir({}) == tmp_path / "DATA_DIR" / "tensorone-proxy"
    assert default_state_dir({"TENSORONE_STATE_DIR": "/elsewhere"}) == Path("/elsewhere")


def test_a_gateway_that_died_is_not_running(gateway: Callable[..., Path]) -> None:
    """What a dead process left behind does not count."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    assert running_gateway(gateway(pid=process.pid)) is None


@pytest.mark.parametrize("pid", [10**30, 2**31 - 1])
def test_a_process_number_that_cannot_be_is_not_running(
    gateway: Callable[..., Path], pid: int
) -> None:
    """Numbers beyond the system's are nobody's."""
    assert running_gateway(gateway(pid=pid)) is None


def test_no_gateway_was_ever_here(tmp_path: Path) -> None:
    """A state directory that does not exist is no error."""
    assert running_gateway(tmp_path / "none") is None


@pytest.mark.parametrize("text", ["", "{", "[]", "5", "null", '{"pid": "many"}', "\udcff"])
def test_a_damaged_gateway_file_is_named(gateway: Callable[..., Path], text: str) -> None:
    """A file that cannot be understood is an error with its path and the way out."""
    state = gateway()
    (state / RUNTIME_FILE).write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(ConfigurationError, match="Remove it") as caught:
        running_gateway(state)
    assert str(state / RUNTIME_FILE) in str(caught.value)


@pytest.mark.parametrize("pid", [0, -1, -5])
def test_a_number_of_many_processes_is_damage(gateway: Callable[..., Path], pid: int) -> None:
    """To the system these mean a group, or everybody, which always lives."""
    with pytest.raises(ConfigurationError, match="Remove it"):
        running_gateway(gateway(pid=pid))


@pytest.mark.parametrize("field", ["api_url", "api_key_file", "cluster_id", "ca_file", "pid"])
def test_a_gateway_file_that_lacks_something_says_what(
    gateway: Callable[..., Path], field: str
) -> None:
    """Half a file is no gateway."""
    with pytest.raises(ConfigurationError, match=f"no '{field}' in it"):
        running_gateway(gateway(**{field: None}))


def test_a_key_file_is_read_and_trimmed(tmp_path: Path) -> None:
    """A line's end in the file is not part of the key; the environment may name the file."""
    (tmp_path / "key").write_text(f" {KEY}\r\n")
    environ = {"TENSORONE_API_KEY_FILE": str(tmp_path / "key"), "TENSORONE_CLUSTER_ID": "c"}
    assert key_of(resolve_settings(environ=environ)) == KEY
    assert key_of(resolve_settings(api_key_file=tmp_path / "key", environ={})) == KEY
    assert has_api_key(environ)


def test_a_key_is_taken_before_a_key_file(tmp_path: Path) -> None:
    """Of the two variables the key itself wins; an argument's file wins over both."""
    (tmp_path / "key").write_text("key-of-the-file")
    environ = {"TENSORONE_API_KEY": KEY, "TENSORONE_API_KEY_FILE": str(tmp_path / "none")}
    assert key_of(resolve_settings(environ=environ)) == KEY
    by_file = resolve_settings(api_key_file=tmp_path / "key", environ=environ)
    assert key_of(by_file) == "key-of-the-file"


@pytest.mark.parametrize(
    ("content", "reason"),
    [(None, "No such file"), (b"", "empty"), (b" \n", "empty"), (b"\xff\xfe", "not text")],
)
def test_a_key_file_without_a_key_is_named(
    tmp_path: Path, content: bytes | None, reason: str
) -> None:
    """A missing, blank or binary file is an error that names it."""
    file = tmp_path / "key"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigurationError, match=reason) as caught:
        resolve_settings(api_key_file=file, cluster_id="c", environ={})
    assert str(file) in str(caught.value)


def test_a_key_file_that_is_no_file_is_named(tmp_path: Path) -> None:
    """What exists but cannot be read, even by root, is an error and not a missing key."""
    with pytest.raises(ConfigurationError, match="cannot be read"):
        resolve_settings(api_key_file=tmp_path, cluster_id="c", environ={})


@pytest.mark.parametrize("key", ["   ", "two words", "line\nbreak", "schlüssel", "nul\x00"])
def test_r16_what_cannot_be_a_key_is_refused_and_not_quoted(key: str) -> None:
    """Blank and unsendable keys are refused, wherever they come from, without being shown."""
    for given in ({"api_key": key}, {"environ": {"TENSORONE_API_KEY": key}}):
        arguments: dict[str, Any] = {"environ": {}, "cluster_id": "c", **given}
        with pytest.raises(ConfigurationError, match="empty or holds characters") as caught:
            resolve_settings(**arguments)
        assert key.strip() == "" or key not in str(caught.value)


def test_a_blank_variable_counts_as_none() -> None:
    """`TENSORONE_API_KEY=` in a shell's start-up file unsets it."""
    assert not has_api_key({"TENSORONE_API_KEY": "", "TENSORONE_API_KEY_FILE": ""})
    with pytest.raises(ConfigurationError, match="No TensorOne API key"):
        resolve_settings(environ={"TENSORONE_API_KEY": ""})


def test_a_cluster_may_be_chosen_later() -> None:
    """A key without a cluster is enough to list clusters; what needs one says so."""
    found = resolve_settings(api_key=KEY, environ={})
    assert found.cluster_id == ""
    with pytest.raises(ConfigurationError, match="TENSORONE_CLUSTER_ID"):
        found.require_cluster()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "api.tensorone.ai",
        "ftp://api.tensorone.ai",
        "https://",
        "https://[::1",
        "https://host:99999",
        "https://host:port",
        "https://host:0",
        "https://host/?a=b",
        "https://host/#a",
        "file:///etc/passwd",
    ],
)
def test_an_address_that_is_none_is_refused_by_name(url: str) -> None:
    """The message repeats what was given and shows what it should look like."""
    with pytest.raises(ConfigurationError, match=TENSORONE_API_URL) as caught:
        require_safe_url(url)
    assert repr(url) in str(caught.value)


def test_r13_a_password_in_an_address_is_refused_and_not_quoted() -> None:
    """A URL is no place for credentials, and an error message even less."""
    for url in (
        "https://ana:secret@api.tensorone.ai",
        "ftp://ana:secret@host",
        "http://a:secret@x",
    ):
        with pytest.raises(ConfigurationError) as caught:
            require_safe_url(url)
        assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["http://api.tensorone.ai", "http://10.0.0.1:8000", "http://127.0.0.1.example.com"]
)
def test_plain_http_to_another_machine_is_refused(url: str) -> None:
    """The key never travels unencrypted, whoever builds the settings."""
    with pytest.raises(InsecureUrlError, match="unencrypted"):
        resolve_settings(api_url=url, api_key=KEY, environ={})


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "127.0.0.1", "127.9.9.9", "::1"])
def test_loopback_is_this_machine(host: str) -> None:
    """Every spelling of this machine may be spoken to in the clear."""
    assert is_loopback(host)
    require_safe_url(f"http://[{host}]:1" if ":" in host else f"http://{host}:1")


@pytest.mark.parametrize(
    "host", ["127.0.0.1.example.com", "localhost.example.com", "127.1", "128.0.0.1", "::", ""]
)
def test_look_alikes_of_loopback_are_not_this_machine(host: str) -> None:
    """Only what surely stays on this machine counts."""
    assert not is_loopback(host)


def test_r16_the_key_is_not_in_what_is_shown() -> None:
    """`repr`, `str` and comparison failures of settings show a mask."""
    found = resolve_settings(api_key=KEY, environ={})
    assert KEY not in f"{found!r} {found}"
    assert found == resolve_settings(api_key=KEY, environ={})
    assert found != resolve_settings(api_key="other", environ={})
