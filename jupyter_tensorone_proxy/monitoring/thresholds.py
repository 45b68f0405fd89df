"""What can be measured, in which unit, and reading thresholds of it. Pure.

A threshold is written with its unit, such as ``2 s``, ``5 %`` or ``600/min``, so that nobody
mistakes seconds for milliseconds. What is measured is kept in one unit each: see `MEASURES`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from ..errors import InvalidAlertError

Unit = Literal["seconds", "per minute", "percent", "number"]

METRIC = "metric:"
"""How the name of a measure begins that is a metric of the service's own."""

_METRIC_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_QUANTITY = re.compile(r"(\d+(?:\.\d+)?) ?(\S*)")
_UNITS: dict[str, tuple[Unit, float]] = {
    "s": ("seconds", 1.0),
    "ms": ("seconds", 0.001),
    "min": ("seconds", 60.0),
    "/min": ("per minute", 1.0),
    "/s": ("per minute", 60.0),
    "/h": ("per minute", 1 / 60),
    "%": ("percent", 1.0),
    "": ("number", 1.0),
}
_SUCH_AS: dict[Unit, str] = {
    "seconds": "in seconds, such as '2 s' or '500 ms'",
    "per minute": "per minute, such as '600/min' or '10/s'",
    "percent": "in percent, such as '5 %'",
    "number": "as a plain number, such as '100'",
}
_SHORT_SECONDS = 1.0
_FEW = 10.0


@dataclass(frozen=True)
class Measure:
    """Something that is measured of a service.

    Args:
        name: What it is called.
        unit: In what it is measured; None if it is yes or no.
        title: What it is called in tables and plots.
    """

    name: str
    unit: Unit | None
    title: str


MEASURES = {
    measure.name: measure
    for measure in (
        Measure("health", None, "Health"),
        Measure("response_time", "seconds", "Response time"),
        Measure("request_rate", "per minute", "Requests a minute"),
        Measure("error_rate", "percent", "Errors"),
        Measure("p50", "seconds", "p50"),
        Measure("p95", "seconds", "p95"),
        Measure("p99", "seconds", "p99"),
    )
}
"""Name → measure. A service's own metrics come besides, as ``metric:NAME``."""


def measure_of(name: object) -> Measure:
    """Return what a name stands for.

    Args:
        name: One of `MEASURES`, or ``metric:`` and a metric's name.

    Raises:
        InvalidAlertError: There is no such measure.

    Example:
        >>> measure_of("error_rate").unit, measure_of("metric:queue_depth").unit
        ('percent', 'number')
    """
    if isinstance(name, str):
        if name in MEASURES:
            return MEASURES[name]
        metric = name.removeprefix(METRIC)
        if name.startswith(METRIC) and _METRIC_NAME.fullmatch(metric):
            return Measure(name, "number", metric)
    known = ", ".join([*MEASURES, "metric:NAME"])
    raise InvalidAlertError(
        f"measure: {name!r} cannot be measured.", suggestion=f"There are {known}."
    )


def read_threshold(measure: Measure, value: object, field: str) -> float:
    """Return a threshold in the measure's unit.

    Args:
        measure: What it is a threshold of.
        value: Number and unit as text; of a metric, a number.
        field: What to call it in errors, such as ``above``.

    Raises:
        InvalidAlertError: It is no quantity, or one of another unit.

    Example:
        >>> read_threshold(MEASURES["response_time"], "250 ms", "above")
        0.25
        >>> read_threshold(MEASURES["response_time"], "5 %", "above")
        Traceback (most recent call last):
        ...
        jupyter_tensorone_proxy.errors.InvalidAlertError: above: '5 %' is percent; response_time ...
    """
    if measure.unit is None:
        raise InvalidAlertError(f"{field}: {measure.name} has no threshold; leave it out.")
    wanted = f"{measure.name} is measured {_SUCH_AS[measure.unit]}."
    if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
        if measure.unit == "number":
            return float(value)
        raise InvalidAlertError(f"{field}: {value!r} has no unit; {wanted}")
    if not isinstance(value, str):
        raise InvalidAlertError(f"{field}: {value!r} ({type(value).__name__}) is none; {wanted}")
    found = _QUANTITY.fullmatch(value.strip())
    if found is None or found[2] not in _UNITS:
        raise InvalidAlertError(f"{field}: {value!r} is no quantity; {wanted}")
    unit, factor = _UNITS[found[2]]
    if unit != measure.unit:
        said = f"is {unit}" if found[2] else "has no unit"
        raise InvalidAlertError(f"{field}: {value!r} {said}; {wanted}")
    return float(found[1]) * factor


def quantity(measure: Measure, value: float | None) -> str:
    """Return a measured value as people read it.

    Args:
        measure: What was measured.
        value: In the measure's unit; None if it is not known.

    Example:
        >>> quantity(MEASURES["response_time"], 0.0123), quantity(MEASURES["error_rate"], 2.5)
        ('12 ms', '2.5 %')
    """
    if value is None:
        return "-"
    return _WORDS[measure.unit or "number"](value)


def _seconds(value: float) -> str:
    return f"{value * 1000:.0f} ms" if value < _SHORT_SECONDS else f"{value:.3g} s"


def _number(value: float) -> str:
    return f"{value:.3g}" if abs(value) < _FEW else f"{value:.0f}"


_WORDS: dict[Unit, Callable[[float], str]] = {
    "seconds": _seconds,
    "per minute": lambda value: f"{_number(value)}/min",
    "percent": lambda value: f"{_number(value)} %",
    "number": _number,
}
