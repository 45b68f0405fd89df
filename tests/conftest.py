"""Fixtures that every test may ask for; they live in `tests/fixtures/`."""

from __future__ import annotations

import pytest

pytest_plugins = ["tests.fixtures.fake_api"]


@pytest.fixture
def anyio_backend() -> str:
    """Run tests marked with anyio on asyncio only: it is what Jupyter runs on."""
    return "asyncio"
