"""When a service is ready: its path answers, its log says so, or it takes connections."""

from __future__ import annotations

import asyncio
import re

import httpx

from .output import OutputLog
from .spec import ProcessSpec

_LOOK_SECONDS = 0.1
_ANSWER_SECONDS = 5.0
_SETTLED_SECONDS = 0.5
"""How long a service that speaks UDP, and names nothing else, has to stay to count as ready."""


async def ready(spec: ProcessSpec, port: int, log: OutputLog, begun_at: str) -> None:
    """Return when a service is ready, however long that takes.

    Args:
        spec: What it should do.
        port: Where it listens.
        log: Where its output is.
        begun_at: The log's cursor when it was started.
    """
    if spec.ready_log is not None:
        await _said(re.compile(spec.ready_log), log, begun_at)
    if not spec.listens:
        await asyncio.sleep(0 if spec.ready_log else _SETTLED_SECONDS)
    elif spec.ready_path is not None:
        await _answers(f"http://127.0.0.1:{port}{spec.ready_path}")
    elif spec.ready_log is None:
        await _takes_connections(port)


async def _said(pattern: re.Pattern[str], log: OutputLog, cursor: str) -> None:
    while True:
        part = await asyncio.to_thread(log.read, after=cursor)
        if any(pattern.search(line) for line in part.lines):
            return
        cursor = part.cursor
        await asyncio.sleep(_LOOK_SECONDS)


async def _answers(url: str) -> None:
    # Proxies of the environment have no part in this, and a redirect is an answer.
    async with httpx.AsyncClient(trust_env=False, timeout=_ANSWER_SECONDS) as http:
        while True:
            try:
                async with http.stream("GET", url) as answer:
                    if answer.status_code < httpx.codes.BAD_REQUEST:
                        return
            except httpx.TransportError:
                pass  # not yet
            await asyncio.sleep(_LOOK_SECONDS)


async def _takes_connections(port: int) -> None:
    while not await _connects(port):  # noqa: ASYNC110 - another process sets no event
        await asyncio.sleep(_LOOK_SECONDS)


async def _connects(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True
