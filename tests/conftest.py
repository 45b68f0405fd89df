"""Fixtures that every test may ask for; they live in `tests/fixtures/`."""

from __future__ import annotations

import signal

import pytest

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A run in the background ignores Ctrl-C, and so would the programs that tests press it for.
    signal.signal(signal.SIGINT, signal.default_int_handler)

pytest_plugins = ["tests.fixtures.fake_api"]


@pytest.fixture
def anyio_backend() -> str:
    """Run tests marked with anyio on asyncio only: it is what Jupyter runs on."""
    return "asyncio"
