"""The Jupyter server extension: its settings, and when it starts and stops things.

It builds the parts and ties them to the server's life. What they do is in their own modules; no
key is ever a setting here, only the file that holds it.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from jupyter_server import CallContext
from jupyter_server.extension.application import ExtensionApp
from jupyter_server.serverapp import ServerApp
from jupyter_server.utils import url_path_join
from traitlets import Bool, List, Unicode

from ..errors import ProxyError
from ..settings import default_state_dir
from .alert_events import accept_alerts
from .auto_expose.settings import AutoExpose
from .connection import ApiChoice, Connection
from .events import EventRelay
from .gateway_process import GatewayProcess
from .go import GO_PATH
from .identity import user_name
from .kernel_environment import Variables, link_variables, wrap_kernel_start
from .key_file import KEY, KernelKeyFile
from .opening import Opener
from .ports import Ports
from .processes import Services
from .routes import handlers


class TensorOneProxy(ExtensionApp):
    """Expose ports of notebooks through TensorOne's cluster proxy or a local gateway."""

    name = "jupyter_tensorone_proxy"
    description = __doc__
    load_other_extensions = True

    api_url = Unicode(
        help="Base URL of the API; TENSORONE_API_URL or TensorOne's own if empty."
    ).tag(config=True)
    api_key_file = Unicode(
        help="File that holds the API key; TENSORONE_API_KEY or TENSORONE_API_KEY_FILE if empty. "
        "Without any key a local gateway is used."
    ).tag(config=True)
    cluster_id = Unicode(
        help="Which cluster; TENSORONE_CLUSTER_ID if empty. A local gateway needs none."
    ).tag(config=True)
    start_gateway = Bool(
        True, help="Start a local gateway with the server if no API key is configured."
    ).tag(config=True)
    gateway_command = List(
        Unicode(),
        default_value=[sys.executable, "-m", "jupyter_tensorone_proxy.gateway"],
        minlen=1,
        help="Program and arguments that start the local gateway. It may be of another Python "
        "environment, so that its dependencies cannot clash with yours.",
    ).tag(config=True)
    state_dir = Unicode(
        help="Directory of the local gateway's state; TENSORONE_STATE_DIR, or tensorone-proxy in "
        "Jupyter's data directory, if empty."
    ).tag(config=True)
    listen = Unicode(
        "127.0.0.1", help="Address on which the local gateway exposes ports; 0.0.0.0 for all."
    ).tag(config=True)
    public_host = Unicode(
        "localhost", help="Host name in the URLs of exposed ports, as visitors reach it."
    ).tag(config=True)
    external_ports = Unicode(
        "32000-32767", help="Range of ports on which the local gateway exposes services."
    ).tag(config=True)
    tls_cert = Unicode(
        help="File of the certificate for public_host: PEM, its chain after it. Without one the "
        "local gateway's own CA issues it. Read again when it changes, as are the other two."
    ).tag(config=True)
    tls_key = Unicode(help="File of that certificate's key: PEM, not encrypted.").tag(config=True)
    domain_certs = List(
        Unicode(), help="Certificates of custom domains, each as DOMAIN=CERTFILE,KEYFILE."
    ).tag(config=True)
    auto_expose_on_go = Bool(
        True,
        help="Expose a port, for its user only, when it is opened in the browser through "
        "tensorone-proxy/go/PORT, is not exposed yet, and something listens on it.",
    ).tag(config=True)

    classes = [AutoExpose]  # noqa: RUF012 - traitlets' way

    _connection: Connection | None = None
    _ports: Ports | None = None
    _key_file: KernelKeyFile | None = None
    _services: Services | None = None
    _tasks: tuple[asyncio.Task[None], ...] = ()

    def initialize_handlers(self) -> None:
        """Build the parts, and tell the server where they answer."""
        self._choice = ApiChoice(
            api_url=self.api_url,
            api_key_file=self.api_key_file,
            cluster_id=self.cluster_id,
            state_dir=Path(self.state_dir).expanduser() if self.state_dir else default_state_dir(),
        )
        self._connection = Connection(self._choice, self._make_gateway())
        settings = AutoExpose(parent=self)
        self._ports = Ports(
            self._server, self._connection, settings, user_name(None), self._choice.state_dir
        )
        opener = Opener(self.auto_expose_on_go, self._ports.surveyor.barred)
        self._services = Services(self._connection, self._secrets(), self._server.event_logger)
        self.handlers.extend(handlers(self._connection, opener, self._ports, self._services))
        self._key_file = KernelKeyFile(os.environ)
        accept_alerts(self._server.event_logger)
        wrap_kernel_start(self._server.kernel_manager, self._kernel_environment)

    async def _start_jupyter_server_extension(self, serverapp: ServerApp) -> None:  # noqa: ARG002 - Jupyter's hook
        if self._services is not None:
            self._services.start()
        self._tasks = (
            asyncio.create_task(self._reach_api()),
            asyncio.create_task(self._relay_events()),
            asyncio.create_task(self._watch_ports()),
        )

    async def stop_extension(self) -> None:
        """Stop what was started; nothing may have been."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._services is not None:
            await self._services.close()
        if self._key_file is not None:
            self._key_file.remove()
        if self._connection is not None:
            await self._connection.close()

    @property
    def _server(self) -> ServerApp:
        if self.serverapp is None:
            raise RuntimeError("The extension is not linked to a server.")
        return self.serverapp

    def _make_gateway(self) -> GatewayProcess | None:
        if not self.start_gateway or self._choice.has_key:
            return None
        return GatewayProcess(
            self.gateway_command,
            [
                *("--listen", self.listen),
                *("--public-host", self.public_host),
                *("--external-ports", self.external_ports),
                *("--owner", user_name(None)),
                *(("--tls-cert", self.tls_cert) if self.tls_cert else ()),
                *(("--tls-key", self.tls_key) if self.tls_key else ()),
                *(word for given in self.domain_certs for word in ("--domain-cert", given)),
                *("--jupyter-runtime-dir", self._server.runtime_dir),
                *self._hidden_cookies(),
            ],
            self._choice.state_dir,
            self.log,
        )

    def _secrets(self) -> list[str]:
        """Return what no service may find in its environment, under whatever name."""
        token = getattr(self._server.identity_provider, "token", "")
        return [secret for secret in (token, os.environ.get(KEY, "")) if secret]

    def _hidden_cookies(self) -> list[str]:
        """Return the options that name our own cookies; those named after our host are known."""
        names = ["_xsrf", self._server.identity_provider.cookie_name]
        return [word for name in names if name for word in ("--hidden-cookie", name)]

    async def _reach_api(self) -> None:
        """Start the gateway before the first request needs it; that request reports failures."""
        try:
            settings = (await self._connection.client()).settings if self._connection else None
        except ProxyError as error:
            self.log.warning("Ports cannot be exposed yet. %s", error)
        else:
            self.log.info("Ports are exposed through %s.", settings.api_url if settings else "")

    async def _relay_events(self) -> None:
        """Tell what happens at the proxy to everybody who listens to this server's events."""
        if self._connection is not None:
            await EventRelay(self._connection, self._server.event_logger, self.log).run()

    async def _watch_ports(self) -> None:
        """Detect ports, and take back what goes with a kernel."""
        if self._ports is not None:
            await self._ports.run()

    def _kernel_environment(self, kernel_id: str) -> Variables:
        go_url = url_path_join(self._server.base_url, GO_PATH)
        by_file = self._key_file.variables() if self._key_file else {}
        choice = self._connection.choice if self._connection else self._choice
        told = {
            **by_file,
            **choice.environment(),
            **(self._services.variables if self._services else {}),
            "TENSORONE_KERNEL_ID": kernel_id,
            "TENSORONE_GO_URL": go_url,
            "TENSORONE_USER": user_name(CallContext.get(CallContext.JUPYTER_HANDLER)),
        }
        return Variables(told, defaults=link_variables(go_url), removed=frozenset({KEY}))
