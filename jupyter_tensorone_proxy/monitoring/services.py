"""What the monitor knows of one service: how it is asked, what it said, and what became of it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ..models import HealthCheck, PortMapping
from .alerts import Alert, Vigil
from .history import History, Point
from .metrics import NotMetricsError, PageReader
from .rates import Counting, Rates, completed
from .thresholds import METRIC
from .visiting import MOST_BYTES, Answer

METRICS_PATH = "/metrics"
PLOTTED = ("response_time", "request_rate")
"""What is drawn of each service."""

_OK = 200
_ERROR = 400
_SERVER_ERROR = 500
_ASK_AGAIN_SECONDS = 600.0


@dataclass(frozen=True)
class Observation:
    """What was seen of one service when it was last looked at.

    Args:
        healthy: Whether it answered as it should; None if it was not asked yet.
        reason: Why not, or what else is worth knowing.
        response_time: How long the monitor's own request took, in seconds.
        rates: What its metrics, or the proxy, say of its requests.
        metrics_problem: What is wrong with its page of metrics; empty if nothing.
    """

    healthy: bool | None = None
    reason: str = ""
    response_time: float | None = None
    rates: Rates = field(default_factory=Rates)
    metrics_problem: str = ""

    def values(self) -> dict[str, float | None]:
        """Return every measure's value."""
        return {
            "health": None if self.healthy is None else float(self.healthy),
            "response_time": self.response_time,
            "request_rate": self.rates.request_rate,
            "error_rate": self.rates.error_rate,
            "p50": self.rates.p50,
            "p95": self.rates.p95,
            "p99": self.rates.p99,
            **{f"{METRIC}{name}": value for name, value in self.rates.metrics.items()},
        }


@dataclass(frozen=True)
class ServiceView:
    """One service, as it was when somebody asked for it.

    Args:
        port: Its own port.
        name: What people call it.
        port_id: Its mapping's id.
        url: Where visitors reach it.
        seen: What was last seen.
        firing: Alerts that have begun and not recovered, in words.
        history: Measure → its last values.
    """

    port: int | None
    name: str
    port_id: str
    url: str | None
    seen: Observation
    firing: tuple[str, ...]
    history: Mapping[str, tuple[Point, ...]]


class WatchedService:
    """One service, from round to round.

    Args:
        mapping: Its mapping.
        alerts: Those that concern it.
        metrics_path: Where its metrics are; None if that is to be found out, empty if it has none.
        history: How many values are kept of each measure.
    """

    def __init__(
        self, mapping: PortMapping, alerts: list[Alert], metrics_path: str | None, history: int
    ) -> None:
        self.mapping = mapping
        self.vigils = [Vigil(alert) for alert in alerts]
        self.seen = Observation()
        self._not_counted_yet = 0
        self._traffic = Rates()
        self._asked_metrics_path = metrics_path
        self._has_metrics = False
        self._no_metrics_until = 0.0
        self._pages = PageReader(
            frozenset(
                alert.measure.removeprefix(METRIC)
                for alert in alerts
                if alert.measure.startswith(METRIC)
            )
        )
        self._counting = Counting()
        self.history = History(history)

    @property
    def name(self) -> str:
        """What people call it."""
        return self.mapping.description or f"port {self.mapping.internal_port}"

    @property
    def speaks_http(self) -> bool:
        """Whether it can be asked; how others do, the proxy tells."""
        spoken = self.mapping.app_protocol in {"http", "https", "h2c"}
        return spoken and self.mapping.protocol != "udp" and bool(self.mapping.url)

    @property
    def path(self) -> str:
        """Where it is asked how it does."""
        check = self.mapping.health_check
        return (check.path if isinstance(check, HealthCheck) else None) or "/"

    @property
    def metrics_path(self) -> str:
        """Where its metrics are read now; empty if nowhere.

        Of several replicas behind one address each has counters of its own, and who answers is
        chance: there the proxy's count is right, and the page's is not.
        """
        if self._asked_metrics_path is not None:
            return self._asked_metrics_path
        if self.mapping.replicas or time.monotonic() < self._no_metrics_until:
            return ""
        return METRICS_PATH

    def take_health(self, answer: Answer) -> None:
        """Judge its answer.

        Args:
            answer: At `path`.
        """
        check = self.mapping.health_check
        expected = check.expected_status if isinstance(check, HealthCheck) else None
        checked = isinstance(check, HealthCheck) and check.path is not None
        if expected is not None:
            healthy = answer.status == expected
        else:
            healthy = _OK <= answer.status < (_ERROR if checked else _SERVER_ERROR)
        reason = "" if healthy else f"{self.path} answers {answer.status}"
        self._see(healthy=healthy, reason=reason, response_time=answer.seconds)

    def take_failure(self, reason: str) -> None:
        """Note that it did not answer.

        Args:
            reason: Why.
        """
        self._see(healthy=False, reason=reason, response_time=None)

    def take_word(self, status: str | None) -> None:
        """Note how it does by the proxy's own word.

        Args:
            status: The mapping's `health_status`.
        """
        known = {"healthy": True, "unhealthy": False}.get(status or "")
        self._see(healthy=known, reason="as the proxy says", response_time=None)

    def take_metrics(self, answer: Answer) -> None:
        """Read its page of metrics, or say what it is instead.

        Args:
            answer: At `metrics_path`.
        """
        problem = _problem(answer)
        rates = Rates()
        if not problem:
            try:
                text = answer.body.decode("utf-8", "replace")
                page = self._pages.read(text)
                rates = self._counting.take(page, time.monotonic())
                self._has_metrics |= not page.empty
            except NotMetricsError as error:
                problem = str(error)
        if problem and answer.complete and not self._claims(answer):
            # Nobody said that these are metrics, so that they are none is nobody's mistake.
            problem = ""
            if answer.status < _SERVER_ERROR:  # else it is not there now, and may well have some
                self._no_metrics_until = time.monotonic() + _ASK_AGAIN_SECONDS
        self._see(metrics_problem=problem, rates=completed(rates, self._traffic))

    def take_no_metrics(self, reason: str) -> None:
        """Note that its page of metrics did not come.

        Args:
            reason: Why.
        """
        self._see(metrics_problem=reason)

    def others(self, counted: int, ours: int) -> int:
        """Return how many of the requests that the proxy counted were not the monitor's own.

        The proxy counts a moment later. What it has not counted yet of ours is taken off the next
        time; not for ever, because what never reached the proxy is never counted.

        Args:
            counted: How many the proxy counted since the last time.
            ours: How many the monitor sent since then.
        """
        left = counted - ours - self._not_counted_yet
        self._not_counted_yet = min(max(0, -left), ours)
        return max(0, left)

    def take_traffic(self, rates: Rates) -> None:
        """Note what the proxy saw; what its own metrics say goes before that.

        Args:
            rates: By the proxy.
        """
        self._traffic = rates
        self._see(rates=rates)

    def forget_rates(self) -> None:
        """Begin a round: what happened since the last one is not known yet."""
        self._traffic = Rates()
        self._see(rates=self._traffic)

    def remember(self, now: float) -> None:
        """Keep what was seen.

        Args:
            now: When, in seconds since 1970.
        """
        values = self.seen.values()
        self.history.add(now, {name: value for name, value in values.items() if name != "health"})

    def view(self) -> ServiceView:
        """Return it as it is now."""
        return ServiceView(
            port=self.mapping.internal_port,
            name=self.name,
            port_id=self.mapping.id,
            url=self.mapping.url,
            seen=self.seen,
            firing=tuple(str(vigil.alert) for vigil in self.vigils if vigil.firing),
            history=self.history.copied(PLOTTED),
        )

    def _claims(self, answer: Answer) -> bool:
        """Say whether the service has metrics, by what people, it itself or its past say."""
        named = self._asked_metrics_path is not None
        return named or self._has_metrics or "version=" in answer.content_type

    def _see(self, **changes: object) -> None:
        self.seen = replace(self.seen, **changes)  # type: ignore[arg-type] # its own fields


def _problem(answer: Answer) -> str:
    """Say what is wrong with an answer that should be a page of metrics; empty if nothing."""
    if answer.status != _OK:
        return f"its metrics answer {answer.status}"
    if not answer.complete:
        if len(answer.body) >= MOST_BYTES:
            return f"its page of metrics is larger than {MOST_BYTES // 1024**2} MB; it was not read"
        return "its page of metrics is compressed, though that was not asked for"
    if "html" in answer.content_type:
        return "its page of metrics is a web page"
    return ""
