"""What was measured before, in rings of a fixed length: old values make room for new ones."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple


class Point(NamedTuple):
    """One measured value.

    Args:
        time: When, in seconds since 1970.
        value: What, in the measure's unit; None if it was not known.
    """

    time: float
    value: float | None


@dataclass
class History:
    """The last values of each measure of one service.

    Args:
        length: How many are kept of each.

    Example:
        >>> history = History(2)
        >>> for second in range(3):
        ...     history.add(second, {"response_time": second / 10})
        >>> history.of("response_time")
        (Point(time=1, value=0.1), Point(time=2, value=0.2))
    """

    length: int
    _rings: dict[str, deque[Point]] = field(default_factory=dict)

    def add(self, time: float, values: dict[str, float | None]) -> None:
        """Keep what was measured at one moment.

        Args:
            time: When, in seconds since 1970.
            values: Measure → value.
        """
        for measure, value in values.items():
            ring = self._rings.setdefault(measure, deque(maxlen=self.length))
            ring.append(Point(time, value))

    def of(self, measure: str) -> tuple[Point, ...]:
        """Return the values of a measure, the oldest first.

        Args:
            measure: Its name.
        """
        return tuple(self._rings.get(measure, ()))

    def copied(self, measures: Iterable[str]) -> dict[str, tuple[Point, ...]]:
        """Return the values of several measures, as they are now.

        Args:
            measures: Their names.
        """
        return {measure: self.of(measure) for measure in measures}
