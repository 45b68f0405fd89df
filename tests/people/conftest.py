"""What the tests of sign-in need: that of the traffic, with everything private."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.fixtures.traffic import Expose, Exposed
from tests.traffic.conftest import (  # noqa: F401 - fixtures are found by their names
    api,
    client,
    cluster,
    expose,
    gateway,
    sign_in,
    trust,
    visit,
    websocket,
)

HTML = {"accept": "text/html", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}


@pytest.fixture
def private(expose: Expose) -> Expose:  # noqa: F811 - the fixture above
    """Return a function that starts a web service and exposes it, with sign-in."""

    def private(name: str = "web", users: list[str] | None = None, **access: Any) -> Exposed:
        allowed = {"allowed_users": users} if users is not None else {}
        return expose(name, access={"authentication_required": True, **allowed, **access})

    return private


@pytest.fixture
def events(api: httpx.Client) -> Any:  # noqa: F811 - the fixture above
    """Return a function that returns the events of the audit since the test began.

    Without changes of health, which come when they come.
    """
    start = api.get("/proxy/events", params={"limit": 1000}).json()["meta"]["next_after"]

    def events(action: str | None = None) -> list[dict[str, Any]]:
        params = {"after": start, "limit": 1000} | ({"action": action} if action else {})
        found: list[dict[str, Any]] = api.get("/proxy/events", params=params).json()["data"]
        return [event for event in found if event["action"] != "health.changed"]

    return events
