"""Fixtures of the verbs' tests: a real client whose network is a small API in memory."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from jupyter_tensorone_proxy import ProxyClient
from tests.fixtures.fake_api import KEY, FakeApi


@pytest.fixture
def client(fake_api: FakeApi) -> Iterator[ProxyClient]:
    """Return a real client whose network is `fake_api`."""
    transport = httpx.MockTransport(fake_api.handle)
    with ProxyClient(
        api_url="https://api.example.com",
        api_key=KEY,
        cluster_id="cluster_abc123",
        transport=transport,
    ) as client:
        yield client


@pytest.fixture
def as_ana(monkeypatch: pytest.MonkeyPatch) -> None:
    """Be the Jupyter user ana."""
    monkeypatch.setenv("TENSORONE_USER", "ana")
