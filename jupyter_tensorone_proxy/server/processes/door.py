"""The door for kernels: a unix socket that only this user can open, so that no token is needed.

It speaks what `stacks.processes.remote` asks. A browser cannot reach it.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_unix_socket
from tornado.web import Application, RequestHandler

from ...errors import InvalidRequestError, ProxyError
from ...stacks.processes.folder import short_path
from ...stacks.processes.runner import ACTIONS, Runner
from ...stacks.processes.spec import ProcessSpec
from ...stacks.processes.states import told
from ...validation import parse_request
from ..answers import as_api_error, error_body

_MOST_BYTES = 4_000_000
"""A spec with a whole environment in it; the system allows no larger one (execve(2))."""


class DoorHandler(RequestHandler):
    """Carries out one call of a runner."""

    def initialize(self, runner: Runner) -> None:
        """Take what every request needs."""
        self._runner = runner

    async def post(self, call: str) -> None:
        """Carry out a call."""
        calls: Mapping[str, Callable[[dict[str, Any]], Awaitable[Any]]] = {
            "place": self._place,
            "start": self._start,
            "settle": self._settle,
            "act": self._act,
            "list": self._list,
            "log": self._read,
        }
        if call not in calls:
            raise InvalidRequestError(f"There is no call {call[:40]!r}.")
        self.finish({"data": await calls[call](json.loads(self.request.body))})

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Answer in the contract's form of an error."""
        error = as_api_error(kwargs.get("exc_info", (None, None))[1], status_code)
        self.set_status(error.status)
        self.finish(error_body(error))

    def log_exception(
        self,
        typ: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        """Leave expected failures to whoever asked, who is told."""
        if not isinstance(value, ProxyError):
            super().log_exception(typ, value, tb)

    def check_xsrf_cookie(self) -> None:
        """Ask for none: there are no cookies here."""

    async def _place(self, asked: dict[str, Any]) -> list[int]:
        return await self._runner.place(_spec(asked))

    async def _start(self, asked: dict[str, Any]) -> dict[str, Any]:
        return told(await self._runner.start(_spec(asked)))

    async def _settle(self, asked: dict[str, Any]) -> None:
        await self._runner.settle(_spec(asked))

    async def _act(self, asked: dict[str, Any]) -> dict[str, Any]:
        action = asked.get("action")
        if action not in ACTIONS:
            raise InvalidRequestError("There is no such action.")
        return told(await self._runner.act(str(asked.get("id")), action))

    async def _list(self, asked: dict[str, Any]) -> list[dict[str, Any]]:
        return [told(group) for group in await self._runner.list_groups(asked.get("stack"))]

    async def _read(self, asked: dict[str, Any]) -> dict[str, Any]:
        part = await self._runner.log(
            str(asked.get("id")),
            lines=int(asked.get("lines", 0)),
            replica=int(asked.get("replica", 0)),
            after=str(asked.get("after", "")),
        )
        return part.model_dump(mode="json")


def open_door(runner: Runner, socket: Path) -> HTTPServer:
    """Answer at a unix socket of mode 0600.

    Args:
        runner: Who carries out what is asked.
        socket: Where; its folder is this user's alone.
    """
    app = Application([(r"/([a-z]+)", DoorHandler, {"runner": runner})], log_function=_silent)
    server = HTTPServer(app, max_body_size=_MOST_BYTES)
    with short_path(socket) as path:
        server.add_socket(bind_unix_socket(path, mode=0o600))
    return server


def _spec(asked: dict[str, Any]) -> ProcessSpec:
    return parse_request(ProcessSpec, asked.get("spec") or {})


def _silent(_: RequestHandler) -> None:
    """Log no request: a front end's are logged, and these are the same user's own."""
