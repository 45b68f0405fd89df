"""Whether a mapping may be: there is room, its port is not mapped already, and is not protected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..errors import (
    DataPlaneUnavailableError,
    InvalidRequestError,
    PortAlreadyMappedError,
    ProtectedPortError,
)
from ..models import PortRequest
from ..sockets import only_address
from . import policy
from .desired import Address, Desired, DesiredMapping, targets_of
from .jupyter_ports import JupyterPorts
from .ownership import Ownership
from .tables import now


@dataclass(frozen=True)
class Admission:
    """Judges mappings as they would be.

    Args:
        capacity: How many mappings Envoy's file descriptors allow.
        own_ports: Ports that must never be exposed, because they are the gateway's.
        jupyter_ports: Says which ports are Jupyter's.
        ownership: Says on which ports another user listens.
    """

    capacity: int
    own_ports: frozenset[int]
    jupyter_ports: JupyterPorts
    ownership: Ownership

    def require_room(self, desired: Desired) -> None:
        """Raise unless there may be one more mapping.

        Raises:
            DataPlaneUnavailableError: Envoy would run out of file descriptors.
        """
        if len(desired.mappings) < self.capacity:
            return
        raise DataPlaneUnavailableError(
            f"This machine's limit of open files allows {self.capacity} port mappings",
            details={"suggestion": "Raise the hard limit (`ulimit -Hn`) and restart the gateway"},
        )

    def located(self, request: PortRequest, *, asked: bool) -> PortRequest:
        """Return what is asked for, with the address of a service that listens on no usual one.

        Args:
            request: The mapping as it would be.
            asked: Whether somebody has just said which address it is.
        """
        if asked:
            return request
        there = self.ownership.own_addresses(request.protocol, request.internal_port)
        if not there or request.internal_host in there:
            return request
        return request.model_copy(update={"internal_host": only_address(there)})

    def require(
        self, request: PortRequest, desired: Desired, old: DesiredMapping | None = None
    ) -> None:
        """Raise unless a mapping may be as it is asked for.

        Args:
            request: The mapping as it would be.
            desired: Everything there is.
            old: The mapping as it is, if it is not new.

        Raises:
            PortAlreadyMappedError: Its port has a mapping.
            ProtectedPortError: Its port is protected, or another user's.
            InvalidRequestError: It is listed as its own replica, or would have ended already.
        """
        _require_unmapped(request, desired.mappings, old)
        _require_a_life(request, old)
        external = {mapping.external_port for mapping in desired.mappings.values()}
        neighbours = policy.Neighbours(
            gateway=self.own_ports | external,
            kernels=self.jupyter_ports.of_kernels(),
            jupyters=self.jupyter_ports.of_servers(),
        )
        default = desired.cluster.access.default_authentication
        policy.require_allowed(request, default_authentication=default, neighbours=neighbours)
        known = targets_of(old.request) if old else frozenset()
        self._require_own(targets_of(request) - known)

    def _require_own(self, addresses: frozenset[Address]) -> None:
        ports = sorted({address.port for address in self.ownership.foreign(addresses)})
        if ports:
            raise ProtectedPortError(
                f"Port {ports[0]} is not exposed: another user of the machine listens on it",
                details={
                    "internal_port": ports[0],
                    "suggestion": "Run the service as your own user, or have the administrator "
                    "start the gateway with --service-users",
                },
            )


def _require_a_life(request: PortRequest, old: DesiredMapping | None) -> None:
    end, moment = request.expires_at, now()
    if end is None or end > moment or (old and old.request.expires_at == end):
        return
    problem = {"field": "expires_at", "message": f"is in the past: it is {moment:%FT%TZ} now"}
    raise InvalidRequestError("The mapping would have ended.", details={"fields": [problem]})


def _require_unmapped(
    request: PortRequest, mappings: Mapping[str, DesiredMapping], old: DesiredMapping | None
) -> None:
    for other in mappings.values():
        if (old and other.id == old.id) or other.request.protocol != request.protocol:
            continue
        if other.request.internal_port == request.internal_port:
            raise PortAlreadyMappedError(
                f"Internal port {request.internal_port} is already mapped",
                details={
                    "internal_port": request.internal_port,
                    "existing_mapping_id": other.id,
                    "existing_description": other.request.description,
                    "suggestion": "Use a different internal port or update the existing mapping",
                },
            )
