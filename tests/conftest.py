"""Fixtures that every test may ask for; they live in `tests/fixtures/`."""

from __future__ import annotations

pytest_plugins = ["tests.fixtures.fake_api"]
