"""The REST door for processes: what runs, its output, and starting and stopping it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado import web

from ...errors import InvalidRequestError, NotFoundError
from ...stacks.processes.spec import MOST_REPLICAS, ProcessSpec
from ...stacks.processes.states import told
from ...validation import parse_request
from ..rest import API_PATH, Route, whole_number
from .handler import ServicesHandler
from .services import Services
from .stack_routes import StackRoute, StacksRoute

_SHOWN_LINES = 200
_MOST_LINES = 100_000


class ProcessesRoute(ServicesHandler):
    """`api/processes`: the services that this server runs."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Answer every service with its processes; `stack` filters."""
        groups = await self.runner.list_groups(self.query(stack=str).get("stack"))
        self.answer([told(group) for group in groups])

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Start a service, or what is not running of it; the answer comes when it is ready."""
        spec = parse_request(ProcessSpec, self.body())
        if spec.inherited:
            field = {"field": "inherited", "message": "is for kernels; use env"}
            raise InvalidRequestError("The request is wrong.", details={"fields": [field]})
        self.answer(told(await self.runner.start(spec)), status=201)


class ProcessRoute(ServicesHandler):
    """`api/processes/{id}`: one service."""

    @web.authenticated
    @authorized
    async def get(self, service_id: str) -> None:
        """Answer how it does."""
        for group in await self.runner.list_groups():
            if group.id == service_id:
                self.answer(told(group))
                return
        raise NotFoundError("No such service is run here.")

    @web.authenticated
    @authorized
    async def delete(self, service_id: str) -> None:
        """Stop it, and forget it with its output."""
        self.answer(told(await self.runner.act(service_id, "remove")))


class StartRoute(ServicesHandler):
    """`api/processes/{id}/start`: one service that was stopped, or failed."""

    @web.authenticated
    @authorized
    async def post(self, service_id: str) -> None:
        """Start it; the answer comes when it is ready."""
        self.answer(told(await self.runner.act(service_id, "start")))


class StopRoute(ServicesHandler):
    """`api/processes/{id}/stop`: one service that runs, or is just starting."""

    @web.authenticated
    @authorized
    async def post(self, service_id: str) -> None:
        """Stop it; what it is exposed by stays, and leads nowhere."""
        self.answer(told(await self.runner.act(service_id, "stop")))


class RestartRoute(ServicesHandler):
    """`api/processes/{id}/restart`: one service, anew."""

    @web.authenticated
    @authorized
    async def post(self, service_id: str) -> None:
        """Start it anew, one replica after the other; the answer comes when all are ready."""
        self.answer(told(await self.runner.act(service_id, "restart")))


class OutputRoute(ServicesHandler):
    """`api/processes/{id}/log`: what one service printed."""

    @web.authenticated
    @authorized
    async def get(self, service_id: str) -> None:
        """Answer its last lines; `lines`, `replica` and `after` (a cursor) say which."""
        readers: dict[str, Callable[[str], Any]] = {
            "lines": whole_number(1, _MOST_LINES),
            "replica": whole_number(0, MOST_REPLICAS),
            "after": str,
        }
        asked = {"lines": _SHOWN_LINES, "replica": 0, **self.query(**readers)}
        part = await self.runner.log(service_id, **asked)
        self.answer(part.model_dump(mode="json"))


def process_handlers(api: dict[str, Any], services: Services) -> list[Route]:
    """Return the addresses of these routes, and of those about stacks.

    Args:
        api: The arguments of every REST handler.
        services: What this server runs.
    """
    given = {**api, "services": services}
    one = rf"{API_PATH}/processes/([A-Za-z0-9._~-]+)"
    return [
        (rf"{API_PATH}/processes", ProcessesRoute, given),
        (one, ProcessRoute, given),
        (rf"{one}/start", StartRoute, given),
        (rf"{one}/stop", StopRoute, given),
        (rf"{one}/restart", RestartRoute, given),
        (rf"{one}/log", OutputRoute, given),
        (rf"{API_PATH}/stacks", StacksRoute, given),
        (rf"{API_PATH}/stacks/([^/]+)", StackRoute, given),
    ]
