"""Telling people of alerts: a log line, a function of theirs, a Jupyter event, a webhook.

Each way is tried by itself, and a failure is a log line: whoever watches goes on watching. No
message holds a credential, and no log line the webhook's address, which may be one.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import logging
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import httpx

from ..errors import ConfigurationError
from ..settings import is_loopback
from .alerts import AlertEvent
from .unlogged import unlogged

SCHEMA_ID = "https://tensorone.ai/schemas/jupyter_tensorone_proxy/alert/v1"
SCHEMA_VERSION = "1"
log = logging.getLogger("jupyter_tensorone_proxy.monitoring")
OnAlert = Callable[[AlertEvent], Any]

_MOST_WAITING = 100
_TRIES = 3
_FIRST_PAUSE_SECONDS = 0.5
_TIMEOUT_SECONDS = 5.0


class Channel(Protocol):
    """One way to tell of alerts."""

    async def tell(self, event: AlertEvent) -> None:
        """Tell of an alert; a failure is logged."""


class LogLines:
    """Writes a line for each alert, by the logger ``jupyter_tensorone_proxy.monitoring``."""

    async def tell(self, event: AlertEvent) -> None:
        """Write the line: a warning, and of a recovery an information.

        Args:
            event: What began or recovered.
        """
        log.log(logging.WARNING if event.state == "firing" else logging.INFO, "%s", event)


class Callback:
    """Calls a function of the user's, which may be asynchronous.

    Args:
        function: What is called.
    """

    def __init__(self, function: OnAlert) -> None:
        if not callable(function):
            raise ConfigurationError(
                f"on_alert: {function!r} cannot be called.",
                suggestion="Give a function that takes an alert event.",
            )
        self._function = function

    async def tell(self, event: AlertEvent) -> None:
        """Call the function.

        Args:
            event: What began or recovered.
        """
        try:
            if inspect.iscoroutinefunction(self._function):
                await self._function(event)
            else:  # it may take its time, and others are watched meanwhile
                await asyncio.to_thread(self._function, event)
        except Exception as error:  # noqa: BLE001 - it is the user's own code, and may raise anything
            log.warning("on_alert failed: %s: %s", type(error).__name__, error)


class Webhook:
    """Posts each alert as JSON to an address.

    Args:
        url: Where to; http or https.

    Raises:
        ConfigurationError: It is no such address, or holds a password.
    """

    def __init__(self, url: str) -> None:
        self._url = checked_webhook(url)

    async def tell(self, event: AlertEvent) -> None:
        """Post the alert; try again a few times if that may help.

        Args:
            event: What began or recovered.
        """
        problem = "it was not tried"
        for attempt in range(_TRIES):
            if attempt:
                await asyncio.sleep(_FIRST_PAUSE_SECONDS * 4 ** (attempt - 1))
            problem = await self._post(event)
            if not problem:
                return
        host = urlsplit(self._url).hostname
        log.warning("The webhook at %s was not told of an alert: %s.", host, problem)

    async def _post(self, event: AlertEvent) -> str:
        """Post once; return why it failed, empty if it did not."""
        trust_env = not is_loopback(urlsplit(self._url).hostname or "")
        body = {**event.json(), "message": str(event)}
        try:
            async with httpx.AsyncClient(timeout=_TIMEOUT_SECONDS, trust_env=trust_env) as http:
                with unlogged():
                    reply = await http.post(self._url, json=body)
        except httpx.HTTPError as error:
            return type(error).__name__
        return "" if reply.is_success else f"it answers {reply.status_code}"


class JupyterEvents:
    """Tells the subscribers of the Jupyter server that started this kernel.

    Args:
        url: The server's, with its base path.
        token: The server's own.
    """

    def __init__(self, url: str, token: str) -> None:
        self._url = url.rstrip("/")
        self._token = token

    @classmethod
    def of_this_kernel(cls) -> JupyterEvents | None:
        """Return those of this kernel's server; None where there is none, or it cannot be asked.

        The server says in its runtime directory, to this user alone, where it is.
        """
        from jupyter_core.paths import jupyter_runtime_dir

        parent = os.environ.get("JPY_PARENT_PID", "")
        if not parent.isascii() or not parent.isdigit():
            return None
        try:
            text = (Path(jupyter_runtime_dir()) / f"jpserver-{parent}.json").read_text()
            told = json.loads(text)
            url, token = told["url"], told["token"]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return (
            cls(url, token) if isinstance(url, str) and isinstance(token, str) and token else None
        )

    async def tell(self, event: AlertEvent) -> None:
        """Have the server emit the event.

        Args:
            event: What began or recovered.
        """
        body = {"schema_id": SCHEMA_ID, "version": SCHEMA_VERSION, "data": event.json()}
        headers = {"Authorization": f"token {self._token}"}
        trust_env = not is_loopback(urlsplit(self._url).hostname or "")
        try:
            async with httpx.AsyncClient(timeout=_TIMEOUT_SECONDS, trust_env=trust_env) as http:
                reply = await http.post(f"{self._url}/api/events", json=body, headers=headers)
        except httpx.HTTPError as error:
            log.info("Jupyter was not told of an alert: %s.", type(error).__name__)
            return
        if not reply.is_success:
            log.info("Jupyter was not told of an alert: it answers %s.", reply.status_code)


class Delivery:
    """Tells of alerts by every way, each in its own order and none waiting for another.

    Args:
        channels: The ways.
    """

    def __init__(self, channels: list[Channel]) -> None:
        self._channels = channels
        self._queues: list[asyncio.Queue[AlertEvent]] = []
        self._workers: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin, in the event loop that runs."""
        for channel in self._channels:
            queue: asyncio.Queue[AlertEvent] = asyncio.Queue(_MOST_WAITING)
            self._queues.append(queue)
            self._workers.append(asyncio.create_task(_work(channel.tell, queue)))

    def tell(self, event: AlertEvent) -> None:
        """Have every way told; where too many wait, the newest is left out, and that is logged.

        Args:
            event: What began or recovered.
        """
        for channel, queue in zip(self._channels, self._queues, strict=True):
            if queue.full():
                log.warning("%s is too slow for the alerts.", type(channel).__name__)
            else:
                queue.put_nowait(event)

    async def stop(self, *, patience_seconds: float) -> None:
        """Wait a little for what is on its way, and end.

        Args:
            patience_seconds: How long.
        """
        waiting = [asyncio.create_task(queue.join()) for queue in self._queues]
        if waiting:
            await asyncio.wait(waiting, timeout=patience_seconds)
        for task in (*waiting, *self._workers):
            task.cancel()
        await asyncio.gather(*waiting, *self._workers, return_exceptions=True)
        self._queues.clear()
        self._workers.clear()


def checked_webhook(url: object) -> str:
    """Return a webhook's address.

    Args:
        url: What was given.

    Raises:
        ConfigurationError: It is no http(s) address, or holds a password; it is not repeated.

    Example:
        >>> checked_webhook("ftp://example.com/alerts")
        Traceback (most recent call last):
        ...
        jupyter_tensorone_proxy.errors.ConfigurationError: webhook: this is no http(s) address. ...
    """
    try:
        parts = urlsplit(url) if isinstance(url, str) else None
        valid = parts is not None and parts.scheme in {"http", "https"} and parts.port != 0
    except ValueError:
        parts, valid = None, False
    if parts is None or not valid or not parts.hostname:
        raise ConfigurationError(
            "webhook: this is no http(s) address.",
            suggestion="Give such as https://example.com/alerts.",
        )
    if "@" in parts.netloc:
        raise ConfigurationError(
            "webhook: a password does not belong in an address.",
            suggestion="Leave it out.",
        )
    return str(url)


async def _work(
    tell: Callable[[AlertEvent], Awaitable[None]], queue: asyncio.Queue[AlertEvent]
) -> None:
    while True:
        event = await queue.get()
        try:
            await tell(event)
        finally:
            queue.task_done()
