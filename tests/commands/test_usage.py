"""Requests by the minute, how a service did, and the picture of both."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from jupyter_tensorone_proxy.commands.plot import usage_svg
from jupyter_tensorone_proxy.commands.usage import Minute, minutes_of, spans_of, usage_text
from jupyter_tensorone_proxy.models import AccessLogEntry
from jupyter_tensorone_proxy.people import Event

NOW = datetime(2026, 1, 15, 14, 30, tzinfo=timezone.utc)
EVIL = '"><img src=x onerror=alert(1)>'


def request(age_seconds: float, status: Any = 200, took: Any = 10.0) -> AccessLogEntry:
    """Return a request of some time ago."""
    when = (NOW - timedelta(seconds=age_seconds)).isoformat()
    return AccessLogEntry.from_server(
        {"timestamp": when, "status_code": status, "response_time_ms": took}
    )


def change(age_minutes: float, status: Any, action: str = "health.changed") -> Event:
    """Return a change of health of some time ago."""
    when = NOW - timedelta(minutes=age_minutes)
    return Event(id=1, timestamp=when, action=action, details={"status": status})


def test_requests_are_counted_by_the_minute() -> None:
    """The newest minute is the last; older requests than asked for are left out."""
    entries = [request(1), request(59, 503, 30.0), request(61), request(3 * 60 + 1)]
    minutes = minutes_of(entries, NOW, count=3)
    assert [minute.requests for minute in minutes] == [0, 1, 2]
    assert [minute.failed for minute in minutes] == [0, 0, 1]
    assert [minute.median_ms for minute in minutes] == [None, 10.0, 20.0]
    assert minutes[-1].start == NOW - timedelta(minutes=1)


def test_signing_in_is_no_use_of_the_service() -> None:
    """The count of the mapping leaves it out too."""
    sign_in = AccessLogEntry(timestamp=NOW, path="/.tensorone/link", status_code=302)
    assert minutes_of([sign_in, request(1)], NOW)[-1].requests == 1


def test_a_request_of_the_next_second_counts_now() -> None:
    """Clocks of two machines differ a little."""
    assert minutes_of([request(-2)], NOW)[-1].requests == 1


def test_requests_without_a_time_or_a_status_break_nothing() -> None:
    """A server may tell less, or tell it otherwise."""
    odd = [AccessLogEntry(), request(1, "fine", "quick"), request(1, None, None)]
    assert minutes_of(odd, NOW)[-1] == Minute(NOW - timedelta(minutes=1), 2, 0, None)


def test_health_is_told_from_its_changes() -> None:
    """Each state lasts until the next change, the last one until now."""
    spans = spans_of(
        [change(90, "healthy"), change(20, "unhealthy"), change(5, "healthy")], "", NOW
    )
    assert [span.health.word for span in spans] == ["healthy", "unhealthy", "healthy"]
    assert spans[0].start == NOW - timedelta(minutes=30)
    assert spans[-1].end == NOW


def test_without_changes_it_is_what_it_is_now() -> None:
    """A server that tells no changes still says how it does."""
    other = [change(3, "healthy", "port.updated")]
    assert [span.health.word for span in spans_of(other, "unhealthy", NOW)] == ["unhealthy"]


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ([], "No request in the last 30 min"),
        ([request(1)], "1 request in the last 30 min, none failed, half of them within 10 ms"),
        ([request(1, 500, None)] * 2, "2 requests in the last 30 min, 2 failed"),
    ],
)
def test_use_is_said_in_words(entries: list[AccessLogEntry], said: str) -> None:
    """Whoever does not see the picture hears the same."""
    assert usage_text(minutes_of(entries, NOW)) == said


def picture(*entries: AccessLogEntry, events: tuple[Event, ...] = ()) -> ET.Element:
    """Return the picture of these requests, parsed: it is well-formed."""
    spans = spans_of(events, "healthy", NOW)
    return ET.fromstring(usage_svg(minutes_of(entries, NOW), spans))  # noqa: S314 - our own text


def test_the_picture_says_in_words_what_it_shows() -> None:
    """A label for all of it, a title for each minute and each state."""
    svg = picture(request(1, 500), events=(change(10, "unhealthy"), change(5, "healthy")))
    assert svg.get("aria-label", "").startswith("1 request in the last 30 min, 1 failed")
    titles = [element.text or "" for element in svg.iter("title")]
    assert len(titles) == 30 + 2
    assert sum("no request" in title for title in titles) == 29
    assert any(re.search(r"1 request, 1 failed, half within 10 ms", title) for title in titles)
    assert [t.split(" from ")[0] for t in titles[-2:]] == ["unhealthy", "healthy"]


def test_nothing_in_the_picture_is_told_by_colour_alone() -> None:
    """A minute with failures is crossed; a bad time is a thicker line."""
    svg = picture(request(1, 500), request(200), events=(change(9, "unhealthy"),))
    assert len(list(svg.iter("path"))) == 1
    (bad,) = [line for line in svg.iter("line") if line.get("stroke-width")]
    (good,) = [line for line in picture().iter("line") if line.get("stroke-width")]
    assert int(bad.get("stroke-width", 0)) > int(good.get("stroke-width", 0))


def test_the_highest_bar_is_as_high_as_there_is_room() -> None:
    """The picture fits itself to the numbers, from one request to thousands."""
    for count in (1, 1000):
        svg = picture(*[request(1)] * count, request(100))
        heights = [float(bar.get("height", 0)) for bar in svg.iter("rect") if "style" in bar.attrib]
        assert max(heights) == 36.0
        assert min(heights) >= 2.0


def test_r28_a_servers_words_in_the_picture_are_escaped() -> None:
    """An unknown state may be called anything."""
    spans = spans_of([change(5, EVIL)], EVIL, NOW)
    svg = usage_svg(minutes_of([], NOW), spans)
    assert "<img" not in svg
    assert "&lt;img" in svg
