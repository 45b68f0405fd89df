"""What is deployed of a model (contract: `getDeploymentSummary`)."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timezone
from typing import Any

from ..commands.results import Result
from .results import StackResult

_KEYS = {"api": "api", "monitoring": "metrics", "admin": "dashboard"}
"""A service's category, which is its type in the contract, and its key there."""


@dataclass(frozen=True)
class Configuration:
    """How a model is deployed (contract: `configuration`).

    Args:
        authentication: Whether callers of the API must sign in.
        rate_limit: Requests a minute.
        custom_domain: A host name of the API's own.
        replicas: Over how many processes requests are spread.
    """

    authentication: bool
    rate_limit: int
    custom_domain: str | None
    replicas: int

    def with_replicas(self, replicas: int) -> Configuration:
        """Return the same with another number of replicas.

        Args:
            replicas: Over how many processes requests are spread.
        """
        return replace(self, replicas=replicas)


@dataclass(frozen=True)
class DeploymentSummary(Result):
    """What is deployed of a model.

    Args:
        model_name: The model.
        configuration: How.
        result: What became of each service.
        deployment_time: When.
    """

    model_name: str
    configuration: Configuration
    result: StackResult
    deployment_time: datetime = field(default_factory=lambda: datetime.now(timezone.utc))

    @property
    def cluster_id(self) -> str:
        """Where."""
        return self.result.cluster_id

    @property
    def complete(self) -> bool:
        """Whether nothing failed."""
        return self.result.complete

    @property
    def services(self) -> dict[str, dict[str, Any]]:
        """What is exposed, by `api`, `metrics` and `dashboard`: name, type, url and port."""
        return {
            _KEYS[service.category]: {
                "name": service.name,
                "type": service.category,
                "url": mapping.url,
                "port": mapping.external_port,
            }
            for outcome in self.result.outcomes
            if (service := outcome.change.service) and not outcome.error
            if (mapping := outcome.mapping)
        }

    @property
    def endpoints(self) -> dict[str, str | None]:
        """Name → address."""
        return self.result.access_summary.team_access_urls

    def text(self, *, color: bool = False) -> str:
        """Return the services as a table."""
        return self.result.text(color=color)

    def html(self) -> str:
        """Return the services as a table."""
        return self.result.html()

    def json(self) -> dict[str, Any]:
        """Return the contract's form, and what failed."""
        return {
            "model_name": self.model_name,
            "cluster_id": self.cluster_id,
            "deployment_time": self.deployment_time.isoformat(),
            "services": self.services,
            "endpoints": self.endpoints,
            "configuration": asdict(self.configuration),
            "services_failed": [asdict(failed) for failed in self.result.services_failed],
        }
