"""The control plane, put together: the one place that knows every part.

Started by the supervisor inside the run directory, with the API's listening socket inherited, so
that a restart refuses no connection. Tells the supervisor the first time that it serves, by a line
to `--ready-fd`.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import ipaddress
import logging
import os
import signal
import socket
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from .. import __version__
from ..errors import DataPlaneUnavailableError, ProxyError
from . import envoy
from .access_log import AccessLog
from .admin import Admin
from .api import create_api
from .audit import Note
from .config import GatewayConfig
from .context import Context
from .control import Controller
from .cookie_service import CookieService
from .desired import Certificate, Edge
from .doorkeeper import Doorkeeper
from .enforcement import Enforcer, StreamLog
from .files import read_api_key
from .health import HealthLog
from .health_events import HealthEvents
from .identity import Signer
from .observer import Observer
from .ownership import Ownership
from .reconcile import keep_agreeing
from .refused_requests import RefusedRequests
from .store import Store, Transaction
from .tidying import keep_tidy, stop_expired
from .tls import TlsCertificates
from .usage import Usage
from .visitor import visitor_app
from .xds.access_logging import ACCESS_LOG, STREAM_LOG
from .xds.upstream import HEALTH_LOG

_log = logging.getLogger(__name__)
_CERTIFICATE_CHECK_SECONDS = 2.0


class _Server(uvicorn.Server):
    """Uvicorn without its signal handlers: two run in one loop, and signals are ours."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield


class ControlPlane:
    """All parts of the control plane.

    Args:
        config: The gateway's options.
        api_port: The port that the API's socket is bound to.

    Raises:
        GatewayError: A file of the state directory cannot be used; the message names it.
    """

    def __init__(self, config: GatewayConfig, api_port: int) -> None:
        state = config.state_path
        self.config = config
        self.api_key = read_api_key(config.api_key_file)
        self.certificates = TlsCertificates(config, _host_names(config))
        self.signer = Signer(state, issuer="jupyter-tensorone-proxy")
        self.store = Store(config.database_url or f"sqlite:///{state / 'state.db'}")
        self.controller = Controller(
            config,
            self.store,
            self._edge(),
            self.certificates.served,
            capacity=envoy.mapping_capacity(),
            own_ports=frozenset({api_port}),
            ownership=Ownership(config.service_users),
        )
        self.admin = Admin()
        self.usage = Usage(state / "usage.db", keep_entries=config.access_log_entries)
        self.observer = Observer(
            HealthLog(Path(HEALTH_LOG)),
            AccessLog(
                Path(ACCESS_LOG),
                self.usage.position,
                rotate_over_bytes=config.access_log_file_mb * 1_000_000,
            ),
            self.usage,
            self.admin,
            RefusedRequests(lambda: self.controller.desired, self.store),
        )
        self.cookies = CookieService(self.controller, self.signer)
        self.health_events = HealthEvents(self.controller, self.observer.health, self.store)
        self.enforcer = Enforcer(self.controller, StreamLog(Path(STREAM_LOG)), self.usage)

    def api(self) -> ASGIApp:
        """Return the REST API."""
        context = Context(
            self.controller,
            self.store,
            self.signer,
            self.observer,
            self._certificate,
            self.rotate_keys,
            __version__,
        )
        return create_api(context, self.api_key)

    def visitors(self) -> ASGIApp:
        """Return the pages under `/.tensorone/`."""
        doorkeeper = Doorkeeper(self.controller, self.store, self.signer)
        return visitor_app(self.controller, doorkeeper, self.signer, owner=self.config.owner)

    async def introduce_owner(self) -> None:
        """Have the owner known by name, so that they are listed, and can be given a token."""
        if self.config.owner:
            async with self.store.transaction() as transaction:
                transaction.users.add(self.config.owner)

    async def rotate_keys(self, overlap: bool) -> None:  # noqa: FBT001 - the context's hook
        """Sign with a new key; without overlap everything the old one signed ends at once.

        Raises:
            ApiError: Envoy or the disk does not take part; the keys are those of before.
        """

        def write(transaction: Transaction) -> None:
            if not overlap:
                transaction.forget_everything_signed()
            transaction.events.add(Note("keys.rotated", details={"overlap": overlap}))

        with self.signer.rotated(overlap=overlap):
            await self.controller.renew_edge(self._edge(), write)

    async def keep_certificates_current(self) -> None:
        """Replace certificates in time, or when their files change; no connection is cut."""
        told = ""
        while True:
            await asyncio.sleep(_CERTIFICATE_CHECK_SECONDS)
            try:
                self.certificates.refresh()
                await self.controller.renew_certificates()
                told = ""
            except ProxyError as error:  # tried again at the next look
                if told != str(error):
                    _log.warning("New certificates are not in force yet: %s", error)
                told = str(error)

    def _certificate(self) -> Certificate:
        return self.certificates.host

    def _edge(self) -> Edge:
        return Edge(
            listen=self.config.listen,
            public_host=self.config.public_host,
            host_names=tuple(_host_names(self.config)),
            host_secrets=self.certificates.host_secrets,
            jwks=self.signer.jwks,
            issuer=self.signer.issuer,
            key_ids=self.signer.key_ids,
            owner=self.config.owner,
            hidden_cookies=tuple(self.config.hidden_cookies),
            connections_per_service=envoy.connections_per_service(),
        )


async def serve(
    plane: ControlPlane, api_socket: socket.socket, ready_fd: int | None = None
) -> None:
    """Run until SIGTERM.

    Args:
        plane: What to run.
        api_socket: Listens for the API.
        ready_fd: Told once everything serves; None if this is a restart, which goes on without
            Envoy until that is back.

    Raises:
        DataPlaneUnavailableError: Envoy did not connect at the first start.
    """
    visitors = _unix_socket(envoy.VISITOR_SOCKET)
    await plane.cookies.start(envoy.COOKIE_SOCKET)
    await plane.controller.discovery.start(envoy.XDS_SOCKET)
    servers = [
        (_Server(_uvicorn_config(plane.api())), api_socket),
        (_Server(_uvicorn_config(plane.visitors())), visitors),
    ]
    loop = asyncio.get_running_loop()

    def stop() -> None:
        for server, _ in servers:
            server.should_exit = True
        plane.store.stop_waiting()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    tasks = [asyncio.create_task(s.serve(sockets=[bound])) for s, bound in servers]
    watchers = [
        asyncio.create_task(plane.observer.run()),
        asyncio.create_task(plane.observer.refused.run()),
        asyncio.create_task(plane.enforcer.run()),
        asyncio.create_task(plane.health_events.run()),
        asyncio.create_task(plane.keep_certificates_current()),
        asyncio.create_task(keep_agreeing(plane.controller)),
        asyncio.create_task(keep_tidy(plane.controller, plane.usage)),
        asyncio.create_task(stop_expired(plane.controller)),
    ]
    try:
        await plane.introduce_owner()
        bring_up = asyncio.create_task(_bring_up(plane.controller, ready_fd))
        watchers.append(bring_up)
        await _until_one_ends(tasks, watchers)
    finally:
        stop()
        for watcher in watchers:
            watcher.cancel()
        await asyncio.gather(*tasks, *watchers, return_exceptions=True)
        await plane.controller.discovery.stop()
        await plane.cookies.stop()
        plane.observer.read()
        await plane.observer.refused.tell()
        plane.usage.close()
        plane.store.close()
        plane.certificates.close()


async def _until_one_ends(
    servers: Sequence[asyncio.Task[None]], others: Sequence[asyncio.Task[None]]
) -> None:
    """Wait for a server's end, which is a stop, whatever the others wait for.

    What else fails ends everything: the supervisor starts it again, which is better than to go on
    without somebody who looks whose ports these are, or whose session has ended.
    """
    pending = {*servers, *others}
    while not any(server.done() for server in servers):
        done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    await asyncio.gather(*servers)


async def _bring_up(controller: Controller, ready_fd: int | None) -> None:
    try:
        await controller.bring_up()
    except DataPlaneUnavailableError as error:
        if ready_fd is not None:
            raise
        _log.warning("Envoy is away, and will get its configuration when it is back: %s", error)
    if ready_fd is not None:
        os.write(ready_fd, b"ready\n")


def _uvicorn_config(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        http="h11",
        ws="none",  # nothing here speaks WebSocket, and its library is 3 MB
    )


def _unix_socket(path: str) -> socket.socket:
    Path(path).unlink(missing_ok=True)
    bound = socket.socket(socket.AF_UNIX)
    bound.bind(path)
    Path(path).chmod(0o600)
    return bound


def _host_names(config: GatewayConfig) -> list[str]:
    """Return the names the gateway answers to; the public one first."""
    names = [config.public_host, "localhost", "127.0.0.1", "::1"]
    with contextlib.suppress(ValueError):
        if not ipaddress.ip_address(config.listen).is_unspecified:
            names.append(config.listen)
    return list(dict.fromkeys(names))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the control plane; returns the exit status."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--api-fd", type=int, required=True)
    parser.add_argument("--ready-fd", type=int)
    options = parser.parse_args(argv)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    os.umask(0o077)
    api_socket = socket.socket(fileno=options.api_fd)
    try:
        plane = ControlPlane(GatewayConfig.load(options.config), api_socket.getsockname()[1])
        asyncio.run(serve(plane, api_socket, options.ready_fd))
    except ProxyError as error:
        print(error, file=sys.stderr)  # noqa: T201 - the supervisor hands it on
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
