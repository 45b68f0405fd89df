"""The gateway, its visitors and its services, as for the tests of the traffic."""

from __future__ import annotations

from tests.traffic.conftest import api, client, cluster, expose, gateway, trust, visit

__all__ = ["api", "client", "cluster", "expose", "gateway", "trust", "visit"]
