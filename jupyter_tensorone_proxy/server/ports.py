"""Ports of this Jupyter server's kernels and terminals, put together: seen, decided on, told of.

The parts are in `detection` and `auto_expose`; `lifecycle` takes back what goes with a kernel. This
module ties them to one Jupyter server.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from jupyter_server.serverapp import ServerApp

from ..detection.kernels import OutsideKernels, process_reader
from ..detection.processes import Root
from ..detection.watcher import DetectedPort, Surroundings, Watcher
from ..settings import default_state_dir
from .auto_expose.exposing import AutoExposer
from .auto_expose.personal import PersonalSettings, directories_of
from .auto_expose.policy import Decision, may_expose
from .auto_expose.settings import AutoExpose
from .connection import Connection
from .detected_ports import DetectedEvents, described
from .lifecycle import Lifecycle
from .notebooks import Notebooks

SAVED_SCHEMA = "https://events.jupyter.org/jupyter_server/contents_service/v1"


@dataclass(frozen=True)
class Surveyor:
    """Says what runs in a Jupyter server, and which kernels of its user run outside of it.

    Args:
        server: The server.
        state_dirs: Where kernels outside may look for the gateway of this server.
    """

    server: ServerApp
    state_dirs: frozenset[Path] = frozenset()

    @cached_property
    def outside(self) -> OutsideKernels:
        """The kernels that no Jupyter server lists."""
        return OutsideKernels(self._own_kernel_ids, self.state_dirs, process_reader())

    def roots(self) -> tuple[Root, ...]:
        """Return the kernels and terminals there are."""
        return (*self._kernels(), *self._terminals(), *self.outside.roots())

    def kernel_ids(self) -> list[str]:
        """Return the ids of the kernels there are."""
        return [*self._own_kernel_ids(), *self.outside.ids()]

    def _own_kernel_ids(self) -> list[str]:
        manager: Any = self.server.kernel_manager
        return list(manager.list_kernel_ids())

    def barred(self) -> dict[int, str]:
        """Return ports that are no service's, each with what it is."""
        kernels: Any = self.server.kernel_manager
        barred = {
            port: "a kernel's own port"
            for kernel_id in kernels.list_kernel_ids()
            for port in kernels.get_kernel(kernel_id).ports
        }
        own = {self.server.port: "this Jupyter server"}
        return {**barred, **self.outside.ports(), **own}

    def settings_directories(self) -> list[Path]:
        """Return where this server's front ends keep the settings of its user."""
        return directories_of(self.server.extension_manager.extension_apps)

    def _kernels(self) -> Iterator[Root]:
        kernels: Any = self.server.kernel_manager
        for kernel_id in kernels.list_kernel_ids():
            provisioner = kernels.get_kernel(kernel_id).provisioner
            pid = getattr(provisioner, "pid", None)  # a kernel elsewhere has none here
            if isinstance(pid, int):
                yield Root("kernel", kernel_id, pid)

    def _terminals(self) -> Iterator[Root]:
        manager = self.server.web_app.settings.get("terminal_manager")
        terminals = getattr(manager, "terminals", {})
        for name, terminal in dict(terminals).items():
            pid = getattr(getattr(terminal, "ptyproc", None), "pid", None)
            if isinstance(pid, int):
                yield Root("terminal", name, pid)


class Ports:
    """Watches the ports of one Jupyter server.

    Args:
        server: The server.
        connection: Leads to the API.
        settings: What happens by itself.
        user: In whose name.
        state_dir: Where the local gateway keeps its state.

    Raises:
        ConfigurationError: A rule or a service of the configuration is wrong.
    """

    def __init__(
        self,
        server: ServerApp,
        connection: Connection,
        settings: AutoExpose,
        user: str,
        state_dir: Path,
    ) -> None:
        self.surveyor = Surveyor(server, frozenset({state_dir, default_state_dir()}))
        self.catalogue = settings.catalogue()
        self._enabled = settings.enabled
        self._limits = settings.limits()
        self._notebooks = Notebooks(server.session_manager, server.contents_manager)
        self._events = DetectedEvents(server.event_logger)
        self._exposer = AutoExposer(
            connection.client,
            user,
            settings.parsed_rules(),
            self._limits,
            self._notebooks.wishes_of,
            self._tell,
            PersonalSettings(self.surveyor.settings_directories).read,
        )
        surroundings = Surroundings(self.surveyor.roots, self.surveyor.barred)
        self.watcher = Watcher(surroundings, self.catalogue, self._exposer.found, self._on_gone)
        self.lifecycle = Lifecycle(connection.client, self.surveyor.kernel_ids, self._exposer.retry)
        self._telling: set[asyncio.Task[None]] = set()
        events: Any = server.event_logger
        events.add_listener(schema_id=SAVED_SCHEMA, listener=self._on_contents)

    async def run(self) -> None:
        """Watch until cancelled."""
        loops = [self.lifecycle.run(), *([self.watcher.run()] if self._enabled else [])]
        await asyncio.gather(*loops)

    async def detected(self) -> list[dict[str, Any]]:
        """Return what is detected now, by port."""
        paths = await self._notebooks.paths()
        decisions = self._exposer.decisions
        return [self._described(p, decisions.get(p.port), paths) for p in self.watcher.ports]

    def _described(
        self, port: DetectedPort, decision: Decision | None, paths: dict[str, str]
    ) -> dict[str, Any]:
        allowed = may_expose(port, self._limits) and port.can_be_exposed
        return described(port, decision, paths.get(port.root.id), may_expose=allowed)

    async def _on_gone(self, port: DetectedPort) -> None:
        decision = self._exposer.decisions.get(port.port)
        self._exposer.gone(port)
        if decision is not None and decision.action != "ignore":
            self._events.tell("gone", {"port": port.port, "name": port.name[:200]})

    def _tell(self, port: DetectedPort, decision: Decision) -> None:
        self._later(self._tell_found(port, decision))

    async def _tell_found(self, port: DetectedPort, decision: Decision) -> None:
        paths = await self._notebooks.paths()
        self._events.tell("found", self._described(port, decision, paths))

    async def _on_contents(self, logger: Any, schema_id: str, data: dict[str, Any]) -> None:
        """A saved notebook may have new wishes: decide again on what is only noticed yet."""
        del logger, schema_id
        if data.get("action") != "save":
            return
        paths = await self._notebooks.paths()
        for port in self.watcher.ports:
            decision = self._exposer.decisions.get(port.port)
            waits = decision is not None and decision.action != "expose"
            if waits and paths.get(port.root.id) == data.get("path"):
                await self._exposer.found(port)

    def _later(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)
