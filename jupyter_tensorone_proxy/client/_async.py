"""The client for event loops: the same calls, awaited."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import TracebackType
from typing import TypeVar

import httpx

from ..settings import Settings, resolve_settings
from ._calls import Calls
from ._exchange import Outcome, Pause, exchange
from ._operations import Operation
from ._sync import http_options

T = TypeVar("T")


class AsyncProxyClient(Calls):
    """A client of one cluster's proxy whose calls are awaited.

    Args and errors are those of `ProxyClient`; `transport` is an `httpx.AsyncBaseTransport`.
    """

    def __init__(  # noqa: PLR0913 - keyword-only, each with a default
        self,
        *,
        api_url: str | None = None,
        api_key: str | None = None,
        api_key_file: str | Path | None = None,
        cluster_id: str | None = None,
        timeout_seconds: float = 30.0,
        transport: httpx.AsyncBaseTransport | None = None,
        settings: Settings | None = None,
    ) -> None:
        self.settings = settings or resolve_settings(
            api_url=api_url, api_key=api_key, api_key_file=api_key_file, cluster_id=cluster_id
        )
        self._http = httpx.AsyncClient(
            transport=transport, **http_options(self.settings, timeout_seconds)
        )

    async def run(self, operation: Operation[T]) -> T:
        """Carry out a described call."""
        steps = exchange(operation, self.settings)
        outcome: Outcome = None
        while True:
            try:
                step = steps.send(outcome)
            except StopIteration as end:
                result: T = end.value
                return result
            outcome = None
            if isinstance(step, Pause):
                await asyncio.sleep(step.seconds)
                continue
            try:
                outcome = await self._http.send(step)
            except httpx.TransportError as error:
                outcome = error

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> AsyncProxyClient:  # noqa: PYI034 - Self needs Python 3.11
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.settings!r})"
