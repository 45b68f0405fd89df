"""Watching exposed services: health, response time, requests and errors, and telling of alerts.

::

    exposed URLs ──▶ visiting ──▶ services ──▶ alerts ──▶ delivery ──▶ log, function, event, webhook
                                  (metrics)    (pure)
                                      └──▶ history ──▶ results, plots, live

A `Monitor` asks services through their URLs, as their visitors do. It changes no mapping, keeps a
bounded history in memory alone, and raises nothing while it watches.
"""

from .alerts import Alert, AlertEvent
from .frames import access_logs, usage
from .monitor import Monitor
from .results import MonitorResult
from .services import Observation, ServiceView

__all__ = [
    "Alert",
    "AlertEvent",
    "Monitor",
    "MonitorResult",
    "Observation",
    "ServiceView",
    "access_logs",
    "usage",
]
