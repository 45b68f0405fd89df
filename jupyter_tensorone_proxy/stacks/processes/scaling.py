"""How many replicas a service needs: measured, and decided by one pure function.

The processor's use is that of one core, for each replica on average. The memory's is that of a
replica's share of this machine: all of its memory, divided by the most replicas that there may be.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

import psutil

from ...models import Scaling
from .guardian import descendants

DEFAULT_CPU_PERCENT = 70
"""What is aimed at if nobody says: that of the contract's example."""

_TOLERANCE = 0.1
_ROOM = 1.2
"""No replica is added where its memory, and a fifth more, is not free."""


@dataclass(frozen=True)
class Pace:
    """How fast replicas come and go.

    Args:
        look_seconds: Between two measurements.
        calm_seconds: How long fewer must have been enough before one goes.
        drain_seconds: How long one that goes may take to finish its requests.
    """

    look_seconds: float = 2.0
    calm_seconds: float = 30.0
    drain_seconds: float = 30.0


@dataclass(frozen=True)
class Usage:
    """What replicas use, on average.

    Args:
        cpu_percent: Of one core.
        memory_percent: Of a replica's share of this machine.
    """

    cpu_percent: float
    memory_percent: float


def wanted(current: int, usage: Usage, scaling: Scaling, bounds: tuple[int, int]) -> int:
    """Return how many replicas there should be.

    As in Kubernetes' horizontal autoscaler: as many as bring the use to the target, if it is more
    than a tenth away from it; what needs the most replicas decides.

    Args:
        current: How many there are.
        usage: What they use.
        scaling: What is aimed at.
        bounds: The fewest and the most.

    Example:
        >>> aim = Scaling(target_cpu_utilization=50)
        >>> [wanted(2, Usage(cpu, 0), aim, (1, 4)) for cpu in (10, 52, 75, 300)]
        [1, 2, 3, 4]
    """
    cpu, memory = scaling.target_cpu_utilization, scaling.target_memory_utilization
    if cpu is None and memory is None:
        cpu = DEFAULT_CPU_PERCENT
    ratio = max(
        usage.cpu_percent / cpu if cpu else 0.0,
        usage.memory_percent / memory if memory else 0.0,
    )
    number = current if abs(ratio - 1) <= _TOLERANCE else math.ceil(current * ratio)
    return max(bounds[0], min(number, bounds[1]))


@dataclass
class Calm:
    """Lets replicas go only when fewer have been enough for a while.

    Args:
        seconds: How long.

    Example:
        >>> calm = Calm(30)
        >>> [calm.settled(n, 3, at) for n, at in ((3, 0), (1, 10), (2, 20), (1, 45), (1, 60))]
        [3, 3, 3, 2, 1]
    """

    seconds: float
    _seen: deque[tuple[float, int]] = field(default_factory=deque)

    def settled(self, number: int, current: int, now: float) -> int:
        """Return how many there should be now.

        Args:
            number: How many would be enough at this moment.
            current: How many there are.
            now: The moment, in seconds.
        """
        if not self._seen:
            self._seen.append((now, current))
        self._seen.append((now, number))
        while self._seen[0][0] < now - self.seconds:
            self._seen.popleft()
        return max(number, *(seen for _, seen in self._seen))


class Meter:
    """Measures what replicas use."""

    def __init__(self) -> None:
        self._before: dict[int, float] = {}
        self._at = monotonic()

    def measure(self, pids: Sequence[int], most: int) -> tuple[Usage, bool]:
        """Return what replicas use since the last time, and whether there is room for one more.

        Args:
            pids: Their processes.
            most: How many there may be at most.
        """
        now, before = monotonic(), self._before
        elapsed, self._at = max(now - self._at, 1e-3), now
        self._before = {}
        used = memory = 0.0
        for pid in pids:
            for process in (pid, *_below(pid)):
                try:
                    found = psutil.Process(process)
                    times = found.cpu_times()
                    memory += found.memory_info().rss
                except psutil.Error:
                    continue  # gone
                self._before[process] = spent = times.user + times.system
                used += max(0.0, spent - before.get(process, spent))
        count = max(len(pids), 1)
        machine = psutil.virtual_memory()
        usage = Usage(100 * used / elapsed / count, 100 * memory / count / (machine.total / most))
        return usage, machine.available > _ROOM * memory / count


def _below(pid: int) -> list[int]:
    if Path("/proc/self/task").exists():
        return descendants(pid)
    try:
        return [child.pid for child in psutil.Process(pid).children(recursive=True)]
    except psutil.Error:
        return []
