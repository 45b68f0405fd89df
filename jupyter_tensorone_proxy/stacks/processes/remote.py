"""`RemoteRunner`: processes that a Jupyter server looks after, asked over its unix socket."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from ...errors import ProcessError, ProxyError, api_error_class
from .folder import short_path
from .runner import Action, Runner
from .spec import ProcessSpec
from .states import GroupState, LogPart

FAILED = "PROCESS_FAILED"
"""The error code by which a `ProcessError` travels."""

_ANSWER_SECONDS = 60.0
_LATE_SECONDS = 60.0
_DRAIN_SECONDS = 1200.0


class RemoteRunner(Runner):
    """Asks a Jupyter server.

    Args:
        socket: Its socket, which only this user can open.
    """

    def __init__(self, socket: Path) -> None:
        self._socket = socket

    async def place(self, spec: ProcessSpec) -> list[int]:
        """Return where its replicas listen."""
        ports: list[int] = await self._ask("place", {"spec": spec.to_wire()})
        return ports

    async def start(self, spec: ProcessSpec) -> GroupState:
        """Start what is not running of it."""
        seconds = spec.replicas * (spec.ready_timeout_seconds + _LATE_SECONDS)
        answer = await self._ask("start", {"spec": spec.to_wire()}, seconds)
        return GroupState.model_validate(answer)

    async def settle(self, spec: ProcessSpec) -> None:
        """Stop replicas that are too many."""
        await self._ask("settle", {"spec": spec.to_wire()}, _DRAIN_SECONDS)

    async def act(self, service_id: str, action: Action) -> GroupState:
        """Start, stop, restart or remove a service."""
        asked = {"id": service_id, "action": action}
        return GroupState.model_validate(await self._ask("act", asked, _DRAIN_SECONDS))

    async def list_groups(self, stack: str | None = None) -> list[GroupState]:
        """Return the services that are known."""
        answer = await self._ask("list", {"stack": stack})
        return [GroupState.model_validate(group) for group in answer]

    async def log(self, service_id: str, *, lines: int, replica: int, after: str = "") -> LogPart:
        """Return what a service printed."""
        asked = {"id": service_id, "lines": lines, "replica": replica, "after": after}
        return LogPart.model_validate(await self._ask("log", asked))

    async def _ask(
        self, call: str, asked: Mapping[str, Any], seconds: float = _ANSWER_SECONDS
    ) -> Any:
        timeout = httpx.Timeout(_ANSWER_SECONDS, read=seconds)
        try:
            with short_path(self._socket) as path:
                transport = httpx.AsyncHTTPTransport(uds=path)
                async with httpx.AsyncClient(transport=transport, timeout=timeout) as http:
                    answer = await http.post(f"http://jupyter/{call}", json=asked)
                    body = answer.json()
        except (httpx.TransportError, OSError, ValueError) as error:
            raise ProcessError(
                f"The Jupyter server that runs processes does not answer ({type(error).__name__}).",
                suggestion="Restart it; what it had started has ended with it.",
            ) from None
        if answer.is_success:
            return body["data"]
        raise _failure(body["error"], answer.status_code)


def _failure(error: Mapping[str, Any], status: int) -> ProxyError:
    details = error.get("details") or {}
    code, message = str(error.get("code")), str(error.get("message"))
    if code == FAILED:
        return ProcessError(message, suggestion=str(details.get("suggestion", "")))
    return api_error_class(code, status)(message, code=code, status=status, details=details)
