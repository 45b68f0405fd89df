"""Slowing down those who guess: each failure doubles the wait, and a success forgives.

Kept in memory: tokens are far too long to be guessed, so this only keeps the noise down.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

_FREE_TRIES = 5
_LONGEST_WAIT_SECONDS = 60.0
_FORGOTTEN_AFTER_SECONDS = 900.0
_MOST_KNOWN = 10_000


@dataclass
class _Failures:
    count: int = 0
    last: float = 0.0


@dataclass
class Throttle:
    """Counts failures by whoever made them.

    Args:
        clock: The time in seconds, for tests.

    Example:
        >>> throttle = Throttle(clock=lambda: 100.0)
        >>> for _ in range(7):
        ...     throttle.failed("192.0.2.1")
        >>> throttle.wait_seconds("192.0.2.1"), throttle.wait_seconds("192.0.2.2")
        (4, 0)
    """

    clock: Callable[[], float] = time.monotonic
    _known: OrderedDict[str, _Failures] = field(default_factory=OrderedDict)

    def wait_seconds(self, who: str) -> int:
        """Return how long somebody must wait before another try; 0 if not at all."""
        failures = self._known.get(who)
        if failures is None or failures.count < _FREE_TRIES:
            return 0
        pause = min(_LONGEST_WAIT_SECONDS, 2.0 ** (failures.count - _FREE_TRIES))
        return max(0, math.ceil(failures.last + pause - self.clock()))

    def failed(self, who: str) -> None:
        """Count a failure."""
        failures = self._known.setdefault(who, _Failures())
        if self.clock() - failures.last > _FORGOTTEN_AFTER_SECONDS:
            failures.count = 0
        failures.count += 1
        failures.last = self.clock()
        self._known.move_to_end(who)
        if len(self._known) > _MOST_KNOWN:
            self._known.popitem(last=False)

    def succeeded(self, who: str) -> None:
        """Forgive earlier failures."""
        self._known.pop(who, None)
