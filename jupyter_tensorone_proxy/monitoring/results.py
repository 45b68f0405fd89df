"""How what is watched reads: a table in a terminal, with plots in a cell, values for programs."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any

from ..commands import card, text
from ..commands.results import Result
from ..commands.rows import Health, readable
from .alerts import AlertEvent
from .plots import sparkline, svg_plot
from .services import PLOTTED, ServiceView
from .thresholds import MEASURES, quantity

_NOTHING = "Nothing is watched: no such service is exposed."
_SHOWN = ("response_time", "request_rate", "error_rate", "p95")
_HEADS = ("RESPONSE", "REQUESTS", "ERRORS", "P95")
_WELL = Health("healthy", "●", "good")
_ILL = Health("not well", "▲", "bad")
_ALERT = Health("alert", "▲", "bad")
_UNKNOWN = Health("checking", "○", "neutral")
_SHOWN_EVENTS = 5


@dataclass(frozen=True)
class MonitorResult(Result):
    """How everything that is watched does.

    Args:
        services: What is known of each, by port.
        events: The last alerts that began or recovered, the oldest first.
        problem: Why the proxy could not be asked; empty if it could.
        looks: How often everything was looked at.
    """

    services: tuple[ServiceView, ...] = ()
    events: tuple[AlertEvent, ...] = ()
    problem: str = ""
    looks: int = 0

    def __len__(self) -> int:
        return len(self.services)

    def __getitem__(self, service: int | str) -> ServiceView:
        """Return what is known of a service.

        Args:
            service: Its port, or its name.

        Raises:
            KeyError: It is not watched.
        """
        for view in self.services:
            if service in {view.port, view.name}:
                return view
        raise KeyError(service)

    @property
    def well(self) -> bool:
        """Whether every service answers as it should, and no alert has begun."""
        return not self.problem and all(
            view.seen.healthy is not False and not view.firing for view in self.services
        )

    def text(self, *, color: bool = False) -> str:
        """Return a table, what is wrong, and the last alerts."""
        head = ("PORT", "NAME", "HEALTH", *_HEADS, "LAST RESPONSES")
        body = [_cells(view) for view in self.services]
        lines = text.aligned(head, body, right=(0, 3, 4, 5, 6)) if body else [self._nothing()]
        if color:
            for index, view in enumerate(self.services, start=1):
                state = state_of(view)
                plain, colored = (text.health_text(state, color=c) for c in (False, True))
                lines[index] = lines[index].replace(plain, colored, 1)
        return "\n".join([*lines, *self._notes()])

    def html(self) -> str:
        """Return a table with plots."""
        return self.html_with("")

    def html_with(self, last: str) -> str:
        """Return a table with plots, and below it what is wrong.

        Args:
            last: What else to say, below all of it; empty for nothing.
        """
        head = ("Port", "Name", "Health", *(MEASURES[name].title for name in _SHOWN))
        body = [_html_cells(view) for view in self.services]
        lines = [f"<div>{card.isolated(note)}</div>" for note in self._notes()]
        lines += [card.muted(card.isolated(last))] if last else []
        below = card.frame("".join(lines), wide=True) if lines else ""
        return card.table(head, body, self._nothing()) + below

    def json(self) -> dict[str, Any]:
        """Return every value."""
        return {
            "services": [_json(view) for view in self.services],
            "alerts": [event.json() for event in self.events],
            "problem": self.problem,
        }

    def _nothing(self) -> str:
        return "The first look is not done yet." if not self.looks else _NOTHING

    def _notes(self) -> list[str]:
        notes = [f"The proxy cannot be asked: {readable(self.problem, limit=300)}"]
        notes = notes if self.problem else []
        for view in self.services:
            name = f"{readable(view.name)} (port {view.port})"
            notes += [f"{name}: alert: {readable(alert)}" for alert in view.firing]
            if view.seen.healthy is False:
                notes.append(f"{name}: {readable(view.seen.reason, limit=300)}")
            if view.seen.metrics_problem:
                notes.append(f"{name}: metrics: {readable(view.seen.metrics_problem, limit=300)}")
        recovered = [event for event in self.events if event.state == "recovered"]
        return notes + [
            f"{event.timestamp.astimezone():%H:%M:%S} {readable(event, limit=300)}"
            for event in recovered[-_SHOWN_EVENTS:]
        ]


def state_of(view: ServiceView) -> Health:
    """Say how a service does, for people who see colours, shapes or hear words.

    Args:
        view: What is known of it.
    """
    if view.seen.healthy is None:
        return _UNKNOWN
    if not view.seen.healthy:
        return _ILL
    return _ALERT if view.firing else _WELL


def _measured(view: ServiceView) -> list[str]:
    values = view.seen.values()
    return [quantity(MEASURES[name], values[name]) for name in _SHOWN]


def _cells(view: ServiceView) -> tuple[str, ...]:
    line = sparkline([point.value for point in view.history[PLOTTED[0]]])
    state = text.health_text(state_of(view), color=False)
    return (str(view.port), readable(view.name, limit=30), state, *_measured(view), line)


def _html_cells(view: ServiceView) -> tuple[str, ...]:
    return (
        escape(str(view.port)),
        card.isolated(readable(view.name)),
        card.state(state_of(view)),
        *(_html_measured(view, name) for name in _SHOWN),
    )


def _html_measured(view: ServiceView, name: str) -> str:
    """Return a value, and below it a plot of those before it, if it is one that is drawn."""
    measure = MEASURES[name]
    value = escape(quantity(measure, view.seen.values()[name]))
    plot = svg_plot(view.history.get(name, ()), measure, f"{measure.title} of {view.name}")
    return f"{value}<br>{plot}" if plot else value


def _json(view: ServiceView) -> dict[str, Any]:
    values = view.seen.values()
    return {
        "internal_port": view.port,
        "id": view.port_id,
        "description": view.name,
        "url": view.url,
        "healthy": view.seen.healthy,
        "reason": view.seen.reason,
        "response_time_seconds": values.pop("response_time"),
        "requests_per_minute": values.pop("request_rate"),
        "errors_percent": values.pop("error_rate"),
        **{f"{name}_seconds": values.pop(name) for name in ("p50", "p95", "p99")},
        "metrics": dict(view.seen.rates.metrics),
        "metrics_problem": view.seen.metrics_problem,
        "alerts": list(view.firing),
    }
