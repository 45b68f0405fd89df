"""The client for ordinary code: runs each call to its end."""

from __future__ import annotations

import time
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx

from ..settings import Settings, is_loopback, resolve_settings
from ._calls import Calls
from ._exchange import Outcome, Pause, exchange
from ._operations import Operation

T = TypeVar("T")


class ProxyClient(Calls):
    """A client of one cluster's proxy.

    Args:
        api_url, api_key, api_key_file, cluster_id: See `settings.resolve_settings`; by default the
            environment, Jupyter's configuration, or the gateway that runs on this machine.
        timeout_seconds: How long one try may wait for the server.
        transport: Replaces the network, for tests (httpx.MockTransport and the like).
        settings: Ready-made settings, instead of all of the above.

    Raises:
        ConfigurationError: The API or the key is missing; the message says what to set.

    Example:
        >>> client = ProxyClient(api_key="k", cluster_id="c")
        >>> client.settings.api_url
        'https://api.tensorone.ai'
        >>> client.close()
    """

    def __init__(  # noqa: PLR0913 - keyword-only, each with a default
        self,
        *,
        api_url: str | None = None,
        api_key: str | None = None,
        api_key_file: str | Path | None = None,
        cluster_id: str | None = None,
        timeout_seconds: float = 30.0,
        transport: httpx.BaseTransport | None = None,
        settings: Settings | None = None,
    ) -> None:
        self.settings = settings or resolve_settings(
            api_url=api_url, api_key=api_key, api_key_file=api_key_file, cluster_id=cluster_id
        )
        self._http = httpx.Client(
            transport=transport, **http_options(self.settings, timeout_seconds)
        )

    def run(self, operation: Operation[T]) -> T:
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
                time.sleep(step.seconds)
                continue
            try:
                outcome = self._http.send(step)
            except httpx.TransportError as error:
                outcome = error

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> ProxyClient:  # noqa: PYI034 - Self needs Python 3.11
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.settings!r})"


def http_options(settings: Settings, timeout_seconds: float) -> dict[str, Any]:
    """Return how httpx is set up, for both clients.

    A cluster's HTTP_PROXY must not carry what is meant for this machine.
    """
    loopback = is_loopback(urlsplit(settings.api_url).hostname or "")
    return {
        "timeout": httpx.Timeout(timeout_seconds),
        "follow_redirects": False,
        "trust_env": not loopback,
    }
