"""The store keeps what it was given: through upgrades, crashes, and a full disk."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jupyter_tensorone_proxy.errors import GatewayError
from jupyter_tensorone_proxy.gateway import migrations
from jupyter_tensorone_proxy.gateway.migrations import LATEST_REVISION, REVISIONS
from jupyter_tensorone_proxy.gateway.store import Store
from tests.fixtures.gateway import free_range, run_gateway
from tests.fixtures.processes import serves
from tests.fixtures.services.web import web_service

PORT = 18_474
FIRST: dict[str, dict[str, Any]] = {
    "clusters": {
        "id": "local",
        "document": json.dumps(
            {
                "enabled": True,
                "allowed_ips": ["127.0.0.0/8"],
                "access": {"default_authentication": False},
                "network": {"websocket_support": True},
            }
        ),
        "updated_at": "2026-01-15 14:30:00.000000",
    },
    "port_mappings": {
        "id": "port_old",
        "position": 1,
        "cluster_id": "local",
        "protocol": "tcp",
        "internal_port": PORT,
        "external_port": 0,
        "document": json.dumps({"internal_port": PORT, "description": "from before"}),
        "created_at": "2026-01-15 14:30:00.000000",
        "updated_at": "2026-01-15 14:30:00.000000",
    },
    "users": {
        "name": "ana",
        "token_id": "tok_old",
        "disabled": 0,
        "created_at": "2026-01-15 14:30:00.000000",
    },
    "links": {
        "id": "link_old",
        "port_id": "port_old",
        "user": "ana",
        "one_time": 1,
        "expires_at": "2036-01-15 14:30:00.000000",
    },
}
"""One row of each table, as the first version wrote them."""


def migrate(path: Path, revision: str) -> subprocess.CompletedProcess[str]:
    """Bring a database to a revision, as the gateway does."""
    module = "jupyter_tensorone_proxy.gateway.migrations"
    return subprocess.run(
        [sys.executable, "-m", module, revision],
        input=f"sqlite:///{path}",
        capture_output=True,
        text=True,
        check=False,
    )


def build_first(path: Path, *, external_port: int) -> None:
    """Make a database of the first version, with a row in every table."""
    assert migrate(path, REVISIONS[0]).returncode == 0
    with sqlite3.connect(path) as database:
        for table, row in FIRST.items():
            values = row | ({"external_port": external_port} if "external_port" in row else {})
            names = ", ".join(f'"{name}"' for name in values)
            marks = ", ".join("?" * len(values))
            statement = f"insert into {table} ({names}) values ({marks})"  # noqa: S608 - our names
            database.execute(statement, list(values.values()))
    database.close()


def schema(path: Path) -> list[str]:
    """Return every table and index of a database as SQL."""
    database = sqlite3.connect(path)
    rows = database.execute("select sql from sqlite_master where sql is not null order by sql")
    found = [str(row[0]) for row in rows]
    database.close()
    return found


def revision_of(path: Path) -> str:
    """Return the revision a database says it has."""
    database = sqlite3.connect(path)
    (found,) = database.execute("select version_num from alembic_version").fetchone()
    database.close()
    return str(found)


# --- upgrades -------------------------------------------------------------------------------


def test_a_store_of_the_first_version_is_upgraded_with_everything_in_it(tmp_path: Path) -> None:
    """A mapping made by the first version serves, its settings hold, its user is known."""
    state = tmp_path / "state"
    state.mkdir()
    external = free_range(5)
    first = int(external.partition("-")[0])
    build_first(state / "state.db", external_port=first)
    with run_gateway(state, "--external-ports", external) as gateway, gateway.client() as api:
        (mapping,) = api.list_ports()
        assert (mapping.id, mapping.internal_port) == ("port_old", PORT)
        assert (mapping.external_port, mapping.description) == (first, "from before")
        proxy = api.get_proxy()
        assert proxy.access_control is not None
        assert proxy.access_control.default_authentication is False
        with web_service("still here", port=PORT):
            assert serves(gateway, mapping.url, "still here")
        assert "ana" in {user.name for user in api.list_users()}
    assert revision_of(state / "state.db") == LATEST_REVISION


@pytest.mark.parametrize("start", range(len(REVISIONS)))
def test_every_way_up_ends_in_the_same_tables(tmp_path: Path, start: int) -> None:
    """From any older revision, and from nothing, the same tables come out."""
    fresh, old = tmp_path / "fresh.db", tmp_path / "old.db"
    assert migrate(fresh, "head").returncode == 0
    assert migrate(old, REVISIONS[start]).returncode == 0
    assert migrate(old, "head").returncode == 0
    assert schema(old) == schema(fresh)
    assert revision_of(old) == revision_of(fresh) == LATEST_REVISION


def test_an_upgrade_that_fails_midway_leaves_the_store_as_it_was(tmp_path: Path) -> None:
    """A table in the way of the last step undoes the first steps too, and is named."""
    path = tmp_path / "state.db"
    build_first(path, external_port=1)
    with sqlite3.connect(path) as database:
        database.execute("create table events (in_the_way integer)")
    database.close()
    before = schema(path)
    with pytest.raises(GatewayError, match=r"cannot be brought up to date: table events already"):
        Store(f"sqlite:///{path}")
    assert schema(path) == before
    assert revision_of(path) == REVISIONS[0]


def test_the_known_revisions_are_those_of_the_files() -> None:
    """A migration that is added must be listed, or a store made by it would be called newer."""
    files = Path(migrations.__file__).parent.joinpath("versions").glob("0*.py")
    assert tuple(sorted(f.name[:4] for f in files)) == REVISIONS


# --- crashes --------------------------------------------------------------------------------


def test_the_store_writes_ahead(tmp_path: Path) -> None:
    """WAL: a reader is never in the way of a change, nor a change in that of a reader."""
    path = tmp_path / "state.db"
    store = Store(f"sqlite:///{path}")
    database = sqlite3.connect(path)
    assert database.execute("pragma journal_mode").fetchone() == ("wal",)
    database.close()
    store.close()


CRASH = """
import asyncio, os, signal, sys
from dataclasses import replace
from jupyter_tensorone_proxy.gateway.desired import DesiredMapping
from jupyter_tensorone_proxy.gateway.store import Store
from jupyter_tensorone_proxy.gateway.tables import now
from jupyter_tensorone_proxy.models import PortRequest

async def main():
    store = Store(sys.argv[1])
    for number in range(5):
        async with store.transaction() as transaction:
            request = PortRequest(internal_port=5000 + number, description="x" * 100)
            mapping = DesiredMapping(f"port_{number}", request, 6000 + number, now(), now())
            transaction.save_mapping("local", mapping)
            if number == 3:
                os.kill(os.getpid(), signal.SIGKILL)
asyncio.run(main())
"""


def test_a_kill_in_a_transaction_loses_that_and_nothing_else(tmp_path: Path) -> None:
    """What was committed is there, what was not is not, and the store is whole."""
    url = f"sqlite:///{tmp_path / 'state.db'}"
    done = subprocess.run([sys.executable, "-c", CRASH, url], check=False)
    assert done.returncode == -signal.SIGKILL
    store = Store(url)
    loaded = store.load("local")
    assert list(loaded.mappings) == ["port_0", "port_1", "port_2"]
    store.close()
    database = sqlite3.connect(tmp_path / "state.db")
    assert database.execute("pragma integrity_check").fetchone() == ("ok",)
    database.close()


def _flip_a_wal_byte(path: Path) -> None:
    wal = path.with_name(f"{path.name}-wal")
    content = bytearray(wal.read_bytes())
    content[-100] ^= 0xFF
    wal.write_bytes(content)


def _cut_the_wal(path: Path) -> None:
    wal = path.with_name(f"{path.name}-wal")
    os.truncate(wal, wal.stat().st_size - 100)


@pytest.mark.parametrize("damage", [_flip_a_wal_byte, _cut_the_wal])
def test_a_torn_write_loses_the_last_change_at_most(
    tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    """After a power cut the end of the log may be garbage: what is before it counts."""
    path = tmp_path / "state.db"
    url = f"sqlite:///{path}"
    subprocess.run([sys.executable, "-c", CRASH, url], check=False)
    damage(path)
    store = Store(url)
    assert list(store.load("local").mappings) == ["port_0", "port_1"]
    store.close()
