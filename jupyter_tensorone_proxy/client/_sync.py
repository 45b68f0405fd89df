"""The client for ordinary code: runs each call to its end.

It knows no call, no header and no error; see `_operations` and `_exchange`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import ParamSpec, TypeVar

import httpx

from ._calls import Calls, HttpOptions
from ._exchange import Outcome, Pause, exchange
from ._operations import Operation

P = ParamSpec("P")
T = TypeVar("T")


class ProxyClient(Calls[httpx.Client, httpx.BaseTransport]):
    """A client of one cluster's proxy.

    Args:
        api_url: Base URL of the API; by default of the environment, Jupyter's configuration, or
            the gateway that runs on this machine, as the three that follow.
        api_key: The key.
        api_key_file: A file that holds it.
        cluster_id: The cluster.
        timeout_seconds: Longest time to connect, and without a byte of the answer, in seconds.
        transport: Replaces the network, for tests (`httpx.MockTransport` and the like).
        settings: Ready-made settings, instead of the first four.
        via: Through what the calls are made, for the audit of a local gateway: cli, magic, …

    Raises:
        ConfigurationError: The API or the key is missing; the message says what to set.
        InsecureUrlError: The key would travel unencrypted.

    Example:
        >>> def api(request: httpx.Request) -> httpx.Response:
        ...     return httpx.Response(200, json={"success": True, "data": [{"id": "cluster_1"}]})
        >>> with ProxyClient(api_key="k", transport=httpx.MockTransport(api)) as client:
        ...     [cluster.id for cluster in client.list_clusters()]
        ['cluster_1']
    """

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> ProxyClient:  # noqa: PYI034 - Self needs Python 3.11
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _open(self, transport: httpx.BaseTransport | None, options: HttpOptions) -> httpx.Client:
        return httpx.Client(transport=transport, **options)

    def bind(self, describe: Callable[P, Operation[T]]) -> Callable[P, T]:
        def call(*args: P.args, **kwargs: P.kwargs) -> T:
            return self.run(describe(*args, **kwargs))

        return call

    def run(self, operation: Operation[T]) -> T:
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
                time.sleep(step.seconds)
                outcome = None
            else:
                outcome = self._send(step)

    def _send(self, request: httpx.Request) -> Outcome:
        try:
            return self._http.send(request)
        except httpx.RequestError as error:
            return error
