"""P13: what a service sends bit by bit arrives bit by bit, whatever the client accepts."""

from __future__ import annotations

import pytest

from tests.fixtures.traffic import Expose, SignIn, Visit

PRIVATE = {"authentication_required": True}


@pytest.mark.parametrize("http2", [False, True], ids=["http/1.1", "http/2"])
@pytest.mark.parametrize("accept", ["text/event-stream", "*/*", "text/html", None])
@pytest.mark.parametrize("coding", ["gzip, deflate, br", "identity", None])
def test_p13_each_event_arrives_before_the_next_is_sent(
    expose: Expose, visit: Visit, accept: str | None, coding: str | None, *, http2: bool
) -> None:
    """The service sends an event only when the test has the one before: none is held back."""
    exposed = expose()
    headers = {"accept": accept, "accept-encoding": coding}
    visitor = visit(http2=http2)
    for name, value in headers.items():
        if value is None:
            del visitor.headers[name]
        else:
            visitor.headers[name] = value
    events = []
    with visitor.stream("GET", f"{exposed.url}/steps?type=text/event-stream") as answer:
        for line in answer.iter_lines():
            if line:
                events.append(line)
                exposed.service.taken.release()
    assert events == [f"data: {number}" for number in range(5)]


@pytest.mark.parametrize("kind", ["application/x-ndjson", "application/octet-stream"])
def test_p13_other_streams_are_not_held_back_either(
    expose: Expose, visit: Visit, kind: str
) -> None:
    """Lines of JSON and bytes of no kind arrive as they are sent."""
    exposed = expose()
    parts = []
    with visit().stream("GET", f"{exposed.url}/steps?type={kind}") as answer:
        for line in answer.iter_lines():
            if line:
                parts.append(line)
                exposed.service.taken.release()
    assert len(parts) == 5
    assert parts[-1] == "data: 4"


def test_p13_a_private_stream_is_no_different(expose: Expose, sign_in: SignIn) -> None:
    """With sign-in, allowed users and limits on, too."""
    limit = {"requests_per_minute": 60}
    exposed = expose(access={**PRIVATE, "allowed_users": ["ana"], "rate_limit": limit})
    browser = sign_in(exposed)
    events = []
    with browser.stream("GET", f"{exposed.url}/steps?type=text/event-stream") as answer:
        for line in answer.iter_lines():
            if line:
                events.append(line)
                exposed.service.taken.release()
    assert len(events) == 5
