"""The client for event loops: the same calls, awaited.

It knows no call, no header and no error; see `_operations` and `_exchange`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, ParamSpec, TypeVar

import httpx

from ._calls import Calls, HttpOptions
from ._exchange import Outcome, Pause, exchange
from ._operations import Operation

P = ParamSpec("P")
T = TypeVar("T")


class AsyncProxyClient(Calls[httpx.AsyncClient, httpx.AsyncBaseTransport]):
    """A client of one cluster's proxy whose calls are awaited.

    Args and errors are those of `ProxyClient`; `transport` is an `httpx.AsyncBaseTransport`.

    Example:
        >>> def api(request: httpx.Request) -> httpx.Response:
        ...     return httpx.Response(200, json={"success": True, "data": [{"id": "cluster_1"}]})
        >>> async def main() -> list[str]:
        ...     transport = httpx.MockTransport(api)
        ...     async with AsyncProxyClient(api_key="k", transport=transport) as client:
        ...         return [cluster.id for cluster in await client.list_clusters()]
        >>> asyncio.run(main())
        ['cluster_1']
    """

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> AsyncProxyClient:  # noqa: PYI034 - Self needs Python 3.11
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    def _open(
        self, transport: httpx.AsyncBaseTransport | None, options: HttpOptions
    ) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=transport, **options)

    def bind(self, describe: Callable[P, Operation[T]]) -> Callable[P, Coroutine[Any, Any, T]]:
        async def call(*args: P.args, **kwargs: P.kwargs) -> T:
            return await self.run(describe(*args, **kwargs))

        return call

    async def run(self, operation: Operation[T]) -> T:
        """Carry out a described call."""
        steps = exchange(operation, self.settings)
        outcome: Outcome = None
        while True:
            try:
                step = steps.send(outcome)
            except StopIteration as done:
                result: T = done.value
                return result
            if isinstance(step, Pause):
                await asyncio.sleep(step.seconds)
                outcome = None
            else:
                outcome = await self._send(step)

    async def _send(self, request: httpx.Request) -> Outcome:
        try:
            return await self._http.send(request)
        except httpx.RequestError as error:
            return error
