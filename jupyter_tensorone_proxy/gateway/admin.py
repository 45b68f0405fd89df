"""Envoy's admin interface, over its private unix socket."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .envoy import ADMIN_SOCKET

if TYPE_CHECKING:
    import httpx


class Admin:
    """Asks the running Envoy.

    Args:
        path: Its admin socket; relative to the run directory by default.
    """

    def __init__(self, path: str = ADMIN_SOCKET) -> None:
        self._path = path

    async def reopen_logs(self) -> bool:
        """Have Envoy open its logs by name again; False if it is away."""
        answer = await self._ask("POST", "/reopen_logs")
        return answer is not None and answer.is_success

    async def stats(self, pattern: str) -> dict[str, int]:
        """Return counters and gauges whose name matches; nothing if Envoy is away.

        Args:
            pattern: A regular expression.
        """
        answer = await self._ask("GET", f"/stats?format=json&filter={pattern}")
        entries = answer.json()["stats"] if answer is not None else []
        return {entry["name"]: entry["value"] for entry in entries if "value" in entry}

    async def _ask(self, method: str, path: str) -> httpx.Response | None:
        import httpx  # 6 MB, needed now and then

        transport = httpx.AsyncHTTPTransport(uds=self._path)
        async with httpx.AsyncClient(transport=transport, base_url="http://envoy") as http:
            try:
                return await http.request(method, path)
            except httpx.TransportError:
                return None
