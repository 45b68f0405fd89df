"""What the handlers of the REST API work with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from ..errors import ClusterNotFoundError
from .control import Controller
from .desired import Certificate
from .identity import Signer
from .observer import Observer
from .store import Store

PROXY = "/v1/clusters/{cluster_id}/proxy"
"""Where the contract's endpoints are."""


@dataclass
class Context:
    """What the handlers work with.

    Args:
        controller: Changes what is exposed and who may come in.
        store: What is stored.
        signer: Signs links and users' tokens.
        observer: What was observed.
        leaf: Returns the certificate in force.
        rotate_keys: Replaces the signing key; True keeps what the one before it signed in force.
        version: The gateway's version.
    """

    controller: Controller
    store: Store
    signer: Signer
    observer: Observer
    certificate: Callable[[], Certificate]
    rotate_keys: Callable[[bool], Awaitable[None]]
    version: str

    def require_cluster(self, cluster_id: str) -> None:
        """Raise unless the cluster is this gateway's.

        Raises:
            ClusterNotFoundError: It is another one.
        """
        own = self.controller.desired.cluster.id
        if cluster_id != own:
            raise ClusterNotFoundError(
                f"There is no cluster {cluster_id!r}",
                details={
                    "cluster_id": cluster_id,
                    "suggestion": f"This gateway's cluster is {own!r}",
                },
            )
