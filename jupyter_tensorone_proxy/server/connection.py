"""Which API this Jupyter server speaks to, and the one client for it.

The configured API if there is a key; else the local gateway, started if that is wanted. Handlers
ask for the client at each request, so a gateway that came back elsewhere is found.

This module knows no HTTP and no Jupyter.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from ..client import AsyncProxyClient
from ..settings import has_api_key, resolve_settings
from .gateway_process import GatewayProcess
from .key_file import KEY_FILE


@dataclass(frozen=True)
class ApiChoice:
    """What the Jupyter configuration says about the API; what is empty comes from elsewhere.

    Args:
        api_url: Base URL of the API.
        api_key_file: File with the key; its content is never kept here.
        cluster_id: Which cluster.
        state_dir: State directory of the local gateway.
    """

    api_url: str
    api_key_file: str
    cluster_id: str
    state_dir: Path

    @property
    def has_key(self) -> bool:
        """Whether a TensorOne key is configured, here or in the environment."""
        return bool(self.api_key_file) or has_api_key()

    def environment(self) -> dict[str, str]:
        """Return the variables by which a process finds the same API."""
        if not self.has_key:
            return {"TENSORONE_STATE_DIR": str(self.state_dir)}
        configured = {
            "TENSORONE_API_URL": self.api_url,
            KEY_FILE: self.api_key_file,
            "TENSORONE_CLUSTER_ID": self.cluster_id,
        }
        return {name: value for name, value in configured.items() if value}


class Connection:
    """Hands out a client that reaches the API.

    Args:
        choice: What is configured.
        gateway: The local gateway, kept running; None if it is not ours to start.
    """

    def __init__(self, choice: ApiChoice, gateway: GatewayProcess | None) -> None:
        self._choice = choice
        self._gateway = gateway
        self._client: AsyncProxyClient | None = None
        self._reached = asyncio.Event()

    async def client(self) -> AsyncProxyClient:
        """Return the client; wait for the local gateway if it is starting.

        Raises:
            ConfigurationError: Nothing says where the API is, or how to sign in to it.
            GatewayError: The local gateway cannot start.
        """
        if self._gateway is not None:
            await self._gateway.ensure()
        found = resolve_settings(
            api_url=self._choice.api_url,
            api_key_file=self._choice.api_key_file,
            cluster_id=self._choice.cluster_id,
            environ=self._environ(),
        )
        settings = replace(found, via="jupyter")
        if self._client is None or self._client.settings != settings:
            await self._close_client()
            self._client = AsyncProxyClient(settings=settings)
        self._reached.set()
        return self._client

    @property
    def choice(self) -> ApiChoice:
        """What is configured, with the cluster that was chosen since."""
        return self._choice

    def choose_cluster(self, cluster_id: str) -> None:
        """Speak for another cluster of the account, until the server ends.

        Args:
            cluster_id: One that the API lists.
        """
        self._choice = replace(self._choice, cluster_id=cluster_id)

    async def reached_by_others(self) -> None:
        """Wait until somebody else has got a client."""
        self._reached.clear()
        await self._reached.wait()

    async def close(self) -> None:
        """Close the client, then stop the gateway if it is ours."""
        try:
            await self._close_client()
        finally:
            if self._gateway is not None:
                await self._gateway.stop()

    def _environ(self) -> Mapping[str, str]:
        return {**os.environ, "TENSORONE_STATE_DIR": str(self._choice.state_dir)}

    async def _close_client(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.close()
