"""Small plots of what was measured: a line of blocks for terminals, an SVG for cells. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from ..commands.rows import readable
from .history import Point
from .thresholds import Measure, quantity

_BLOCKS = "▁▂▃▄▅▆▇█"
_GAP = "·"
_BLOCKS_SHOWN = 20
_WIDTH, _HEIGHT, _PAD = 110, 26, 3
_POINTS_SHOWN = 110


def sparkline(values: Sequence[float | None]) -> str:
    """Return the last values as a line of blocks, the largest the tallest; a dot is no value.

    Args:
        values: The oldest first.

    Example:
        >>> sparkline([0.0, 0.5, None, 1.0])
        '▁▄·█'
    """
    shown = values[-_BLOCKS_SHOWN:]
    highest = max((value for value in shown if value is not None), default=0) or 1
    return "".join(
        _GAP if value is None else _BLOCKS[int(value / highest * (len(_BLOCKS) - 1))]
        for value in shown
    )


def svg_plot(points: Sequence[Point], measure: Measure, label: str) -> str:
    """Return values over time as a small SVG, which says in words what it shows.

    Args:
        points: The oldest first.
        measure: What they are of.
        label: What to call it; escaped here.

    Example:
        >>> from .thresholds import MEASURES
        >>> points = [Point(0.0, 0.1), Point(1.0, None), Point(2.0, 0.3), Point(3.0, 0.2)]
        >>> plot = svg_plot(points, MEASURES["response_time"], "Response time of <web>")
        >>> "<title>Response time of &lt;web&gt;: now 200 ms, at most 300 ms</title>" in plot
        True
    """
    shown = points[-_POINTS_SHOWN:]
    known = [point.value for point in shown if point.value is not None]
    if not known:
        return ""
    highest = max(known)
    title = (
        f"{label}: now {quantity(measure, shown[-1].value)}, at most {quantity(measure, highest)}"
    )
    paths = " ".join(_paths(shown, highest or 1.0))
    safe = escape(readable(title, limit=200))
    return (
        f'<svg role="img" aria-label="{safe}" width="{_WIDTH}" height="{_HEIGHT}" '
        f'viewBox="0 0 {_WIDTH} {_HEIGHT}" style="vertical-align: middle">'
        f"<title>{safe}</title>"
        f'<path d="M0 {_HEIGHT - 1}H{_WIDTH}" stroke="currentColor" stroke-opacity="0.3"/>'
        f'<path d="{paths}" fill="none" stroke="var(--jp-brand-color1, #1976d2)" '
        'stroke-width="1.5" stroke-linejoin="round" stroke-linecap="round"/></svg>'
    )


def _paths(points: Sequence[Point], highest: float) -> list[str]:
    """Return the line's pieces: where a value is missing, it is broken."""
    step = (_WIDTH - 2 * _PAD) / max(1, len(points) - 1)
    pieces, pen = [], "M"
    for index, point in enumerate(points):
        if point.value is None:
            pen = "M"
            continue
        x = _PAD + index * step
        y = _HEIGHT - _PAD - point.value / highest * (_HEIGHT - 2 * _PAD)
        alone = "h0" if pen == "M" else ""  # a piece of one point is a dot
        pieces.append(f"{pen}{x:.1f} {y:.1f}{alone}")
        pen = "L"
    return pieces
