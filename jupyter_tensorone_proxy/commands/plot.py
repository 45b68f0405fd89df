"""How a port was used and how its service did, as a small picture: SVG. Pure.

Above, one bar for each minute, its failed part darker and crossed; below, a thin line while the
service was well and a thick one while it was not, so that nothing is told by colour alone. The
numbers are in the titles, which browsers show under the pointer and read aloud.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from html import escape

from .card import TONES
from .moments import stamp
from .usage import Minute, Span, usage_text

_BAR, _GAP = 9, 2
_HIGH = 36
_STRIP = _HIGH + 10
_THICKNESS = {"good": 2, "bad": 8, "neutral": 4}
_DASHES = {"good": "", "bad": "", "neutral": ' stroke-dasharray="3 3"'}
_FILL = "var(--jp-brand-color1, #1976d2)"
_GROUND = "var(--jp-border-color2, #9e9e9e)"


def usage_svg(minutes: Sequence[Minute], spans: Sequence[Span], *, cut: bool = False) -> str:
    """Return the picture.

    Args:
        minutes: From `minutes_of`; at least one.
        spans: From `spans_of`.
        cut: Whether there were more requests than were looked at.
    """
    wide = len(minutes) * (_BAR + _GAP)
    most = max(1, *(minute.requests for minute in minutes))
    bars = "".join(_bar(i, minute, most) for i, minute in enumerate(minutes))
    first, last = minutes[0].start, minutes[-1].start + timedelta(minutes=1)
    strip = "".join(_line(span, first, last, wide) for span in spans)
    told = escape(usage_text(minutes, cut=cut))
    return (
        f'<svg role="img" aria-label="{told}" viewBox="0 0 {wide} {_STRIP + 6}" width="{wide}" '
        f'height="{_STRIP + 6}" style="max-width: 100%; display: block;">'
        f'<line x1="0" x2="{wide}" y1="{_HIGH + 0.5}" y2="{_HIGH + 0.5}" stroke="{_GROUND}"/>'
        f"{bars}{strip}</svg>"
    )


def _bar(number: int, minute: Minute, most: int) -> str:
    left = number * (_BAR + _GAP)
    title = _title(minute)
    # All of the minute's column can be pointed at, also where there is no bar.
    shape = f'<rect x="{left}" y="0" width="{_BAR + _GAP}" height="{_HIGH}" fill="transparent"/>'
    if minute.requests:
        high = max(2.0, _HIGH * minute.requests / most)
        shape += _rect(left, _HIGH - high, high, _FILL)
    if minute.failed:
        high = max(2.0, _HIGH * minute.failed / most)
        shape += _rect(left, _HIGH - high, high, TONES["bad"]) + _cross(left)
    return f"<g><title>{escape(title)}</title>{shape}</g>"


def _rect(left: float, top: float, high: float, fill: str) -> str:
    return (
        f'<rect x="{left}" y="{top:.1f}" width="{_BAR}" height="{high:.1f}" style="fill: {fill}"/>'
    )


def _cross(left: int) -> str:
    """Return a sign above a bar that has a failed part."""
    return (
        f'<path d="M{left + 2} 1l5 5m0 -5l-5 5" style="stroke: {TONES["bad"]}" '
        'stroke-width="1.5" fill="none"/>'
    )


def _title(minute: Minute) -> str:
    when = stamp(minute.start, with_zone=False).partition(" ")[2]
    if not minute.requests:
        return f"{when}: no request"
    counted = f"{minute.requests} request{'' if minute.requests == 1 else 's'}"
    failed = f", {minute.failed} failed" if minute.failed else ""
    within = "" if minute.median_ms is None else f", half within {minute.median_ms:.0f} ms"
    return f"{when}: {counted}{failed}{within}"


def _line(span: Span, first: datetime, last: datetime, wide: int) -> str:
    whole = (last - first).total_seconds()
    start, end = (
        min(1.0, max(0.0, (moment - first).total_seconds() / whole)) * wide
        for moment in (span.start, span.end)
    )
    tone = span.health.tone
    when = stamp(span.start, with_zone=False).partition(" ")[2]
    title = escape(f"{span.health.word} from {when}")
    return (
        f'<g><title>{title}</title><line x1="{start:.1f}" x2="{max(end, start + 2):.1f}" '
        f'y1="{_STRIP}" y2="{_STRIP}" style="stroke: {TONES[tone]}" '
        f'stroke-width="{_THICKNESS[tone]}"{_DASHES[tone]}/></g>'
    )
