"""Watching a model in production (contract: `setupMonitoring`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..client import AsyncProxyClient
from ..commands.rows import Viewer
from ..models import AccessControl, PortMapping
from ..monitoring import Alert, Monitor
from ..settings import Settings
from . import model_services as services
from .deployment import DeploymentSummary

MODEL_ALERTS = ("health", "response_time > 2 s", "request_rate > 100/s", "error_rate > 5 %")
"""The contract's thresholds, and a share of errors that somebody should look at."""

MODEL_INTERVAL_SECONDS = 30.0


def watch(
    summary: DeploymentSummary,
    alerts: Sequence[Alert | str],
    settings: Settings | None,
    options: Mapping[str, Any],
) -> Monitor:
    """Return a monitor of what is deployed of a model; it does not watch yet.

    The metrics are for those who run the model, so it signs in there as one of them, unless you are
    one.

    Args:
        summary: What is deployed.
        alerts: When somebody is told.
        settings: Where.
        options: Further arguments of `Monitor`.

    Raises:
        InvalidAlertError: An alert is wrong.
        ConfigurationError: Another argument is wrong, or the API is missing.
    """
    client = AsyncProxyClient(settings=settings) if settings else AsyncProxyClient()
    me = Viewer.of(client.settings).me
    found = [o.mapping for o in summary.result.outcomes if o.mapping is not None and not o.error]
    names = {str(mapping.description): mapping for mapping in found}
    ours = services.METRICS
    metrics = {name: "/metrics" for name in names if name.endswith(ours)}
    people = {name: who for name, mapping in names.items() if (who := _somebody(mapping, me))}
    return Monitor(
        *names,
        alerts=alerts,
        client=client,
        **{"metrics": metrics, "user": people, **options},
    )


def _somebody(mapping: PortMapping, me: str | None) -> str | None:
    """Return who may come in: me if I may, else the first who may."""
    access = mapping.access_control
    allowed = access.allowed_users if isinstance(access, AccessControl) else None
    return me if not allowed or me in allowed else allowed[0]
