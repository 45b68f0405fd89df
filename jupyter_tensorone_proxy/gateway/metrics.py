"""What Prometheus sees: each mapping's traffic and health, and the control plane's own work."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from prometheus_client import generate_latest
from prometheus_client.core import (
    CollectorRegistry,
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from .context import Context
from .control import Controller
from .observer import Observer
from .traffic import LATENCY_BUCKETS_MS, Traffic

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_LABELS = ["port_id", "name"]
_ACTIVE = r"^http\..*\.downstream_cx_active$"


async def render(context: Context) -> bytes:
    """Return the metrics in Prometheus' text format (version 0.0.4)."""
    active = await context.observer.admin.stats(_ACTIVE)
    async with context.store.transaction() as transaction:
        sessions = transaction.sessions.count_by_mapping()
    registry = CollectorRegistry()
    registry.register(_Observed(context.controller, context.observer, active, sessions))
    return generate_latest(registry)


@dataclass(frozen=True, eq=False)
class _Observed(Collector):
    controller: Controller
    observer: Observer
    connections: dict[str, int]
    sessions: dict[str, int]

    def collect(self) -> Iterator[Metric]:
        """Return all metrics (prometheus_client calls this)."""
        yield from self._traffic()
        yield from self._gauges()
        yield from self._control_plane()

    def _traffic(self) -> Iterator[Metric]:
        requests = CounterMetricFamily(
            "tensorone_requests",
            "Requests by class of status; none: the client left.",
            labels=[*_LABELS, "status"],
        )
        latency = HistogramMetricFamily(
            "tensorone_response_seconds", "Time until the first byte of an answer.", labels=_LABELS
        )
        for mapping in self.controller.desired.mappings.values():
            labels = [mapping.id, mapping.request.description]
            traffic = self.observer.usage.traffic(mapping.id)
            for number, count in sorted(traffic.by_class.items()):
                requests.add_metric([*labels, f"{number}xx" if number else "none"], count)
            latency.add_metric(labels, _cumulative(traffic), traffic.time_ms / 1000)
        yield from (requests, latency)

    def _gauges(self) -> Iterator[Metric]:
        connections = _gauge("active_connections", "Open connections of visitors.")
        healthy = _gauge("healthy", "1 healthy, 0 unhealthy, -1 not known.")
        sessions = _gauge("sessions", "People who are signed in, each as often as they are.")
        for mapping in self.controller.desired.mappings.values():
            labels = [mapping.id, mapping.request.description]
            active = self.connections.get(f"http.{mapping.id}.downstream_cx_active", 0)
            connections.add_metric(labels, active)
            status = self.observer.health.of(mapping.id).status
            healthy.add_metric(labels, {"healthy": 1, "unhealthy": 0}.get(status, -1))
            sessions.add_metric(labels, self.sessions.get(mapping.id, 0))
        yield from (connections, healthy, sessions)

    def _control_plane(self) -> Iterator[Metric]:
        statistics = self.controller.discovery.statistics
        counted = {
            "pushes": ("Responses sent to Envoy.", statistics.pushes),
            "resources_pushed": ("Resources in them.", statistics.resources),
            "rejections": ("Resources that Envoy refused.", statistics.rejections),
            "reconciles": ("Times refused resources were sent again.", statistics.reconciles),
            "envoy_connections": ("Times Envoy connected.", statistics.connections),
        }
        for name, (text, value) in counted.items():
            yield CounterMetricFamily(f"tensorone_{name}", text, value=value)
        yield GaugeMetricFamily(
            "tensorone_envoy_connected",
            "Whether Envoy is connected.",
            value=int(self.controller.discovery.connected),
        )


def _gauge(name: str, text: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"tensorone_{name}", text, labels=_LABELS)


def _cumulative(traffic: Traffic) -> list[tuple[str, float]]:
    """Return the buckets as Prometheus wants them: each with all smaller ones in it."""
    bounds = [str(limit / 1000) for limit in LATENCY_BUCKETS_MS] + ["+Inf"]
    total = 0
    cumulative = []
    for bound, count in zip(bounds, traffic.buckets, strict=True):
        total += count
        cumulative.append((bound, float(total)))
    return cumulative
