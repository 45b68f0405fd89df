"""How a gateway starts: everything is judged and prepared here, then `supervisor` takes over.

The program becomes another one (`execv`): same process, but without what was only needed to start.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO, NoReturn

from ..errors import GatewayError, GatewayRunningError, ProxyError
from . import envoy
from .config import CLUSTER_ID, GatewayConfig, parse_arguments
from .files import private_directory, write_private
from .supervisor import say

RUNNING_STATUS = 3
"""Exit status when another gateway owns the state directory."""

_ANNOUNCEMENT = "runtime.json"
_KEPT_SUFFIXES = {".log", ".old"}
_SUPERVISOR = Path(__file__).with_name("supervisor.py")


def launch(config: GatewayConfig, *, watch_stdin: bool) -> NoReturn:
    """Become the supervisor of a gateway.

    Args:
        config: The gateway's options.
        watch_stdin: Stop when standard input ends, because the parent is gone.

    Raises:
        GatewayRunningError: Another gateway owns the state directory.
        GatewayError: It cannot start; the message says why.
    """
    os.umask(0o077)
    private_directory(config.state_path)
    with _locked(config) as lock, _api_socket(config) as api_socket:
        binary = envoy.find_envoy()
        envoy.mapping_capacity()
        _prepare_run_directory(config, api_socket)
        for descriptor in (lock.fileno(), api_socket.fileno()):
            os.set_inheritable(descriptor, True)
        words = [
            *(_ANNOUNCEMENT, str(config.state_path / "runtime.json")),
            *(str(lock.fileno()), str(api_socket.fileno())),
            "watch" if watch_stdin else "ignore",
            *(*envoy.command(binary), "--", *_control_command(api_socket)),
        ]
        os.chdir(config.run_path)
        # Isolated and without site-packages: the supervisor needs neither.
        command = [sys.executable, "-I", "-S", str(_SUPERVISOR), *words]
        os.execv(command[0], command)  # noqa: S606 - a program of ours, and no shell


def _locked(config: GatewayConfig) -> IO[str]:
    """Own the state directory; the kernel lets go of the lock when this process ends."""
    file = (config.state_path / "lock").open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.seek(0)
        owner = file.read().strip() or "unknown"
        file.close()
        raise GatewayRunningError(
            f"Another gateway (pid {owner}) owns {config.state_dir}.",
            suggestion="Use that one, stop it, or choose another --state-dir.",
        ) from None
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file


def _api_socket(config: GatewayConfig) -> socket.socket:
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind(("127.0.0.1", config.api_port))
    except OSError as error:
        bound.close()
        raise GatewayError(
            f"The API port {config.api_port} cannot be used: {error.strerror}.",
            suggestion="Choose another with --api-port, or 0 for a free one.",
        ) from None
    bound.listen(128)
    return bound


def _prepare_run_directory(config: GatewayConfig, api_socket: socket.socket) -> None:
    run = private_directory(config.run_path)
    for leftover in run.iterdir():
        if leftover.suffix not in _KEPT_SUFFIXES:
            leftover.unlink()
    config.save(run / "config.json")
    envoy.write_bootstrap(run)
    runtime = {
        "api_url": f"http://127.0.0.1:{api_socket.getsockname()[1]}",
        "api_key_file": str(config.api_key_file),
        "cluster_id": CLUSTER_ID,
        "proxy_url": config.proxy_url,
        "ca_file": str(config.ca_file),
        "pid": os.getpid(),
    }
    write_private(run / _ANNOUNCEMENT, json.dumps(runtime))


def _control_command(api_socket: socket.socket) -> list[str]:
    options = ["--config", "config.json", "--api-fd", str(api_socket.fileno())]
    return [sys.executable, "-m", f"{__package__}.app", *options]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the gateway in the foreground.

    Args:
        argv: Command line without the program; the process's own by default.

    Returns:
        1 if it cannot start, 3 if another gateway owns the state directory. Once it starts, the
        process is the supervisor's: that ends with 0 after a stop, and with 1 if it never served.
    """
    config, watch_stdin = parse_arguments(argv)
    try:
        launch(config, watch_stdin=watch_stdin)
    except GatewayRunningError as error:
        say(str(error))
        return RUNNING_STATUS
    except ProxyError as error:
        say(str(error))
        return 1
