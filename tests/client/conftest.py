"""Fixtures of the client's tests."""

from __future__ import annotations

import pytest

from tests.fixtures.tensorone import AsyncRim, SyncRim


@pytest.fixture(params=[SyncRim, AsyncRim], ids=["sync", "async"])
def rim(request: pytest.FixtureRequest) -> SyncRim | AsyncRim:
    """Return each client in turn: what holds for one holds for the other."""
    made: SyncRim | AsyncRim = request.param()
    return made
