"""The relay of events by itself: from when on it tells, once each, and when the API goes away."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from jupyter_events.logger import EventLogger

from jupyter_tensorone_proxy.server.connection import ApiChoice, Connection
from jupyter_tensorone_proxy.server.events import SCHEMA_ID, EventRelay
from tests.fixtures.fake_api import KEY, FakeApi
from tests.fixtures.gateway import run_gateway

_PATIENCE_SECONDS = 20.0


@dataclass
class Listener:
    """Somebody who listens to the events of an event logger."""

    events: EventLogger = field(default_factory=EventLogger)
    told: list[dict[str, Any]] = field(default_factory=list)

    async def hear(self, logger: EventLogger, schema_id: str, data: dict[str, Any]) -> None:
        """Note an event (Jupyter calls this)."""
        del logger, schema_id
        self.told.append(data)

    @property
    def users(self) -> list[str]:
        """Whom the events were about."""
        return [event.get("user", "") for event in self.told]

    async def heard(self, condition: Callable[[], bool]) -> bool:
        """Wait until enough was told."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not condition() and time.monotonic() < deadline:  # noqa: ASYNC110 - a test's wait
            await asyncio.sleep(0.05)
        return condition()


def connection_to(state_dir: Path) -> Connection:
    """Return the connection of a server that starts no gateway."""
    return Connection(ApiChoice("", "", "", state_dir), None)


@asynccontextmanager
async def relaying(connection: Connection) -> AsyncIterator[Listener]:
    """Run a relay, and listen to it."""
    listener = Listener()
    relay = EventRelay(connection, listener.events, logging.getLogger("relay"))
    listener.events.add_listener(schema_id=SCHEMA_ID, listener=listener.hear)
    task = asyncio.create_task(relay.run())
    try:
        yield listener
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await connection.close()


@pytest.fixture
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Configure nothing in the environment."""
    for name in [name for name in os.environ if name.startswith("TENSORONE_")]:
        monkeypatch.delenv(name)


@pytest.mark.usefixtures("no_settings")
def test_what_happened_before_the_start_is_not_told(tmp_path: Path) -> None:
    """A server that starts does not replay the audit: toasts of last week help nobody."""

    async def main() -> None:
        with run_gateway(tmp_path / "state") as gateway, gateway.client() as client:
            for number in range(120):  # more than the relay looks back
                client.create_user(f"old-{number}")
            async with relaying(connection_to(gateway.state_dir)) as listener:
                client.create_user("new")
                assert await listener.heard(lambda: bool(listener.told))
                assert listener.users == ["new"]

    asyncio.run(main())


@pytest.mark.usefixtures("no_settings")
def test_what_happens_while_the_relay_finds_its_gateway_is_told(tmp_path: Path) -> None:
    """From the server's start on nothing is lost, however late the gateway is reached."""

    async def main() -> None:
        connection = connection_to(tmp_path / "state")
        async with relaying(connection) as listener:
            await asyncio.sleep(0.2)  # the relay has found no gateway by now
            with run_gateway(tmp_path / "state") as gateway, gateway.client() as client:
                client.create_user("early")
                await connection.client()  # somebody reaches it
                assert await listener.heard(lambda: bool(listener.told))
        assert listener.users == ["early"]

    asyncio.run(main())


@pytest.mark.usefixtures("no_settings")
def test_the_relay_survives_that_the_api_goes_away(tmp_path: Path) -> None:
    """Each event is told once, those of before and those of after the gateway's absence."""

    async def main() -> None:
        connection = connection_to(tmp_path / "state")
        async with relaying(connection) as listener:
            for number in range(2):
                with run_gateway(tmp_path / "state") as gateway, gateway.client() as client:
                    client.create_user(f"user-{number}")
                    await connection.client()
                    assert await listener.heard(lambda n=number: len(listener.told) > n)  # type: ignore[misc]
        assert listener.users == ["user-0", "user-1"]

    asyncio.run(main())


@pytest.mark.usefixtures("no_settings")
def test_a_state_that_began_anew_is_told_from_its_beginning(tmp_path: Path) -> None:
    """Smaller numbers than those told already do not keep the relay silent."""

    async def main() -> None:
        connection = connection_to(tmp_path / "state")
        async with relaying(connection) as listener:
            with run_gateway(tmp_path / "state") as gateway, gateway.client() as client:
                for number in range(5):
                    client.create_user(f"first-{number}")
                await connection.client()
                assert await listener.heard(lambda: len(listener.told) == 5)
            (tmp_path / "state").rename(tmp_path / "old")
            with run_gateway(tmp_path / "state") as gateway, gateway.client() as client:
                client.create_user("second")
                await connection.client()
                assert await listener.heard(lambda: len(listener.told) == 6)
        assert listener.users[-1] == "second"

    asyncio.run(main())


def test_an_api_without_events_ends_the_relay_quietly(
    served_api: FakeApi, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Against TensorOne's own API there is one line in the log, and no further request."""
    key_file = tmp_path / "key"
    key_file.write_text(KEY)
    url = os.environ["TENSORONE_API_URL"]
    connection = Connection(ApiChoice(url, str(key_file), "c", tmp_path), None)

    async def main() -> None:
        relay = EventRelay(connection, EventLogger(), logging.getLogger("relay"))
        await asyncio.wait_for(relay.run(), _PATIENCE_SECONDS)
        await connection.close()

    with caplog.at_level(logging.INFO, logger="relay"):
        asyncio.run(main())
    (record,) = [record for record in caplog.records if record.name == "relay"]
    assert "does not have events" in record.getMessage()
    assert len(served_api.calls) == 1
