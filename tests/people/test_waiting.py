"""Those who wait for the next event of the audit."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from jupyter_tensorone_proxy import ProxyClient
from jupyter_tensorone_proxy.people import Event
from tests.fixtures.gateway import run_gateway

WAIT_SECONDS = 30


def test_the_last_events_can_be_asked_for(client: ProxyClient) -> None:
    """`latest` returns the end of the audit, oldest first; a filter counts before the limit."""
    for number in range(5):
        client.create_user(f"latest-{number}")
        client.update_user(f"latest-{number}", disabled=True)
    found = client.list_events(action="user.added", limit=2, latest=True)
    assert [event.details["user"] for event in found] == ["latest-3", "latest-4"]
    everything = client.list_events(limit=1000)
    assert client.list_events(limit=3, latest=True) == everything[-3:]
    assert client.list_events(after=everything[-2].id, limit=3, latest=True) == everything[-1:]


def test_a_gateway_that_stops_does_not_wait_for_them(tmp_path: Path) -> None:
    """`events --follow` and Jupyter always wait: stopping takes a part of that time."""
    answers: list[list[Event]] = []
    with run_gateway(tmp_path / "state") as gateway:
        client = gateway.client()
        client.create_user("the-last")
        last = client.list_events(limit=1, latest=True)[-1].id
        waiter = threading.Thread(
            target=lambda: answers.append(client.list_events(after=last, wait_seconds=WAIT_SECONDS))
        )
        waiter.start()
        time.sleep(0.5)  # the request is under way
        began = time.monotonic()
    stopped = time.monotonic() - began
    waiter.join()
    client.close()
    assert answers == [[]]
    assert stopped < WAIT_SECONDS / 2
