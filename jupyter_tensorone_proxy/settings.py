"""Where the API is and how to sign in to it.

Each value is taken from the first place that has it: arguments, environment, Jupyter configuration,
then the gateway that runs on this machine. The gateway is taken whole or not at all: its key is
never sent to an address that came from elsewhere.

This module reads; it starts nothing and opens no connection.
"""

from __future__ import annotations

import getpass
import ipaddress
import json
import os
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from .errors import ConfigurationError, InsecureUrlError

TENSORONE_API_URL = "https://api.tensorone.ai"
RUNTIME_FILE = "runtime.json"
"""Name of the file in the state directory where a running gateway says where it is."""

LOCK_FILE = "lock"
"""Name of the file there that holds the pid of the gateway that owns the directory."""

_POLL_SECONDS = 0.05
_RUNTIME_FIELDS = {"api_url", "api_key_file", "cluster_id", "ca_file", "pid"}
_HOW_TO = (
    "Start JupyterLab with jupyter-tensorone-proxy (it starts a local gateway), run "
    "`jupyter tensorone gateway`, or set TENSORONE_API_KEY and TENSORONE_CLUSTER_ID."
)


@dataclass(frozen=True)
class Settings:
    """Everything a client needs to reach one cluster's proxy.

    Args:
        api_url: Base URL of the API, without a trailing slash.
        api_key: The key; masked in `repr`, `str` and logs.
        cluster_id: Which cluster; empty if none is chosen, which is enough to list them.
        source: Where `api_url` came from, for messages: ``arguments``, ``environment``,
            ``Jupyter configuration``, ``running gateway`` or ``default``.
        ca_file: The certificate authority of the exposed URLs, if it is the gateway's own.
        via: Through what the API is used; told to a gateway on this machine, for its audit.
        user: In whose name; told likewise.
    """

    api_url: str
    api_key: SecretStr
    cluster_id: str
    source: str = "arguments"
    ca_file: Path | None = None
    via: str = "python"
    user: str = ""

    def __post_init__(self) -> None:
        """Refuse an address that would leak the key.

        Raises:
            InsecureUrlError: Plain http to a host that is not loopback.
            ConfigurationError: The URL is not an http(s) URL, or the key cannot be one.
        """
        require_safe_url(self.api_url)
        _checked_key(self.api_key.get_secret_value(), f"the {self.source}")

    def tls_context(self) -> ssl.SSLContext:
        """Return what programs verify exposed URLs with.

        It trusts whom this machine trusts, and the gateway's own CA besides: a gateway may have a
        real certificate for its public host and one of its CA for `localhost` or a custom domain.

        Raises:
            ConfigurationError: The CA's file cannot be read.

        Example:
            >>> import httpx
            >>> settings = resolve_settings(api_key="k", cluster_id="c", environ={})
            >>> visitor = httpx.Client(verify=settings.tls_context())
        """
        import httpx  # costs 60 ms, and few callers need it

        context = httpx.create_ssl_context()  # certifi's, or SSL_CERT_FILE's
        context.load_default_certs()
        if self.ca_file is not None:
            try:
                context.load_verify_locations(self.ca_file)
            except OSError as error:  # SSLError is one
                raise ConfigurationError(
                    f"The gateway's CA {self.ca_file} cannot be read: {error.strerror}.",
                    suggestion="Start the gateway again, or restore the file.",
                ) from None
        return context

    def require_cluster(self) -> str:
        """Return the cluster.

        Raises:
            ConfigurationError: None is chosen, or what is chosen cannot be part of an address.
        """
        if not self.cluster_id:
            raise ConfigurationError(
                "The API key is set, but not which cluster to use.",
                suggestion="Set TENSORONE_CLUSTER_ID; `ProxyClient().list_clusters()` lists them.",
            )
        if self.cluster_id in {".", ".."}:
            raise ConfigurationError(
                f"{self.cluster_id!r} is not a cluster's id.",
                suggestion="Correct TENSORONE_CLUSTER_ID or the argument cluster_id.",
            )
        return self.cluster_id


def require_safe_url(url: str) -> None:
    """Raise unless a key may be sent to this URL.

    Args:
        url: An absolute URL.

    Raises:
        InsecureUrlError: Plain http to a host that is not loopback.
        ConfigurationError: Not an http(s) URL.

    Example:
        >>> require_safe_url("https://api.tensorone.ai")
        >>> require_safe_url("http://127.0.0.1:8000")
        >>> require_safe_url("http://example.com")
        Traceback (most recent call last):
        ...
        jupyter_tensorone_proxy.errors.InsecureUrlError: http://example.com would ...
    """
    try:
        parts = urlsplit(url)
        valid = parts.scheme in {"http", "https"} and parts.port != 0
    except ValueError:  # brackets that do not match, a port that is none
        valid = False
    if not valid or not parts.hostname or "@" in parts.netloc or parts.query or parts.fragment:
        shown = "The API's address" if "@" in url else repr(url)  # it may hold a password
        raise ConfigurationError(
            f"{shown} is not a plain http(s) URL.",
            suggestion=f"Set TENSORONE_API_URL, or api_url, to the like of {TENSORONE_API_URL}.",
        )
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise InsecureUrlError(
            f"http://{parts.netloc} would receive the API key unencrypted.",
            suggestion="Use https, or a loopback address.",
        )


def is_loopback(host: str) -> bool:
    """Say whether a host name or address is this machine.

    Example:
        >>> is_loopback("127.0.0.2"), is_loopback("127.0.0.1.example.com")
        (True, False)
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def default_state_dir(environ: Mapping[str, str] | None = None) -> Path:
    """Return the directory where this user's gateway keeps its state.

    Args:
        environ: Environment to read; this process's by default. ``TENSORONE_STATE_DIR`` wins
            over ``tensorone-proxy`` in Jupyter's data directory.
    """
    environ = os.environ if environ is None else environ
    if environ.get("TENSORONE_STATE_DIR"):
        return Path(environ["TENSORONE_STATE_DIR"])
    from jupyter_core.paths import jupyter_data_dir  # costs 20 ms, often not needed

    return Path(jupyter_data_dir()) / "tensorone-proxy"


def owner_name(environ: Mapping[str, str] | None = None) -> str:
    """Return the name by which a local gateway knows whoever runs this process.

    Args:
        environ: Environment to read; this process's by default. ``TENSORONE_USER`` wins over
            ``JUPYTERHUB_USER``, and that over the system's user.

    Example:
        >>> owner_name({"TENSORONE_USER": "ana"})
        'ana'
    """
    environ = os.environ if environ is None else environ
    if named := environ.get("TENSORONE_USER") or environ.get("JUPYTERHUB_USER"):
        return named
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # containers run under ids that have no entry in the user database
        return f"uid-{os.getuid()}"


def running_gateway(state_dir: Path) -> dict[str, Any] | None:
    """Return what the gateway of a state directory says of itself, if one is running.

    Args:
        state_dir: The gateway's state directory.

    Returns:
        The JSON object the gateway printed at its start, or None.

    Raises:
        ConfigurationError: The file is there but damaged.
    """
    file = state_dir / RUNTIME_FILE
    try:
        runtime = {name: value for name, value in json.loads(file.read_text()).items() if value}
        if (pid := int({field: runtime[field] for field in _RUNTIME_FIELDS}["pid"])) < 1:
            raise ValueError(f"{pid} is many")  # noqa: TRY301 - told like the damage below
    except FileNotFoundError:
        return None
    except KeyError as missing:
        raise ConfigurationError(
            f"{file} is damaged: there is no {missing} in it.",
            suggestion="Remove it and start the gateway again.",
        ) from None
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise ConfigurationError(
            f"{file} cannot be read ({error}).",
            suggestion="Remove it and start the gateway again.",
        ) from None
    return dict(runtime) if _lives(pid) else None


def _awaited_gateway(state_dir: Path, wait_seconds: float) -> dict[str, Any] | None:
    """Return the running gateway; wait for one that holds the directory's lock already."""
    deadline = time.monotonic() + wait_seconds
    while (runtime := running_gateway(state_dir)) is None and time.monotonic() < deadline:
        try:
            owner = int((state_dir / LOCK_FILE).read_text())
        except (OSError, ValueError):
            return None
        if not _lives(owner):
            return running_gateway(state_dir)
        time.sleep(_POLL_SECONDS)
    return runtime


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (OSError, OverflowError):  # gone, or another user has a process of that number now
        return False
    return True


@dataclass(frozen=True)
class _Sources:
    """The places to look, each read only when the one before it was silent."""

    environ: Mapping[str, str]
    wait_seconds: float = 0.0

    @cached_property
    def jupyter(self) -> dict[str, Any]:
        from jupyter_core.paths import jupyter_config_path
        from traitlets.config import Application

        app = Application()
        app.load_config_file("jupyter_server_config", path=jupyter_config_path())
        return dict(app.config.get("TensorOneProxy", {}))

    @cached_property
    def gateway(self) -> dict[str, Any]:
        return _awaited_gateway(default_state_dir(self.environ), self.wait_seconds) or {}

    def first(self, name: str, argument: str | None) -> tuple[str | None, str]:
        """Return a value and where it came from."""
        if argument:
            return argument, "arguments"
        if value := self.environ.get(f"TENSORONE_{name.upper()}"):
            return value, "environment"
        if value := self.jupyter.get(name):
            return str(value), "Jupyter configuration"
        return None, "default"


def resolve_settings(  # noqa: PLR0913 - keyword-only, each with a default
    *,
    api_url: str | None = None,
    api_key: str | None = None,
    api_key_file: str | Path | None = None,
    cluster_id: str | None = None,
    environ: Mapping[str, str] | None = None,
    wait_seconds: float = 0.0,
) -> Settings:
    """Find out where the API is and how to sign in to it.

    Args:
        api_url: Base URL; else ``TENSORONE_API_URL``, else Jupyter's ``TensorOneProxy.api_url``.
            With a key and no URL it is TensorOne's own.
        api_key: The key; else ``TENSORONE_API_KEY``, ``TENSORONE_API_KEY_FILE``, or Jupyter's.
        api_key_file: A file that holds the key.
        cluster_id: The cluster; else ``TENSORONE_CLUSTER_ID``, or Jupyter's.
        environ: Environment to read; this process's by default.
        wait_seconds: How long to wait for a local gateway that is starting, in seconds.

    Raises:
        ConfigurationError: Something is missing; the message says what to set.
        InsecureUrlError: The key would travel unencrypted.

    Example:
        >>> found = resolve_settings(api_key="k", cluster_id="c", environ={})
        >>> found.api_url, found.api_key
        ('https://api.tensorone.ai', SecretStr('**********'))
    """
    sources = _Sources(os.environ if environ is None else environ, wait_seconds)
    url, source = sources.first("api_url", api_url)
    key = _find_key(sources, api_key, api_key_file)
    gateway = sources.gateway if key is None else {}
    if gateway and (url is None or url.rstrip("/") == gateway["api_url"]):
        return Settings(
            api_url=gateway["api_url"],
            api_key=_read_key(Path(gateway["api_key_file"])),
            cluster_id=cluster_id or gateway["cluster_id"],
            source="running gateway",
            ca_file=Path(gateway["ca_file"]),
            user=owner_name(sources.environ),
        )
    if key is None:
        what = "No TensorOne API key is set and no local gateway is running."
        raise ConfigurationError(what, suggestion=_HOW_TO)
    cluster, _ = sources.first("cluster_id", cluster_id)
    user = sources.environ.get("TENSORONE_USER", "")  # TensorOne's names are not this machine's
    return Settings((url or TENSORONE_API_URL).rstrip("/"), key, cluster or "", source, user=user)


def has_api_key(environ: Mapping[str, str] | None = None) -> bool:
    """Say whether a TensorOne key is configured, so that no local gateway is needed."""
    sources = _Sources(os.environ if environ is None else environ)
    return any(sources.first(name, None)[0] for name in ("api_key", "api_key_file"))


def _find_key(
    sources: _Sources, api_key: str | None, api_key_file: str | Path | None
) -> SecretStr | None:
    if api_key:
        return _checked_key(api_key, "the argument api_key")
    if api_key_file:
        return _read_key(Path(api_key_file))
    key, source = sources.first("api_key", None)
    if key:
        return _checked_key(key, f"TENSORONE_API_KEY or TensorOneProxy.api_key ({source})")
    file, _ = sources.first("api_key_file", None)
    return _read_key(Path(file)) if file else None


def _read_key(path: Path) -> SecretStr:
    try:
        return _checked_key(path.expanduser().read_text(), str(path))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not text"
        raise ConfigurationError(
            f"The API key file {path} cannot be read: {reason}.",
            suggestion="Correct TENSORONE_API_KEY_FILE or the file's permissions.",
        ) from None


def _checked_key(text: str, where: str) -> SecretStr:
    key = text.strip()
    if not key or not key.isascii() or not key.isprintable() or " " in key:
        raise ConfigurationError(
            f"The API key from {where} is empty or holds characters that no key has.",
            suggestion="Copy it again from your TensorOne account.",
        )
    return SecretStr(key)
