"""Which external port a mapping gets: the one asked for if it may have it, else the lowest free."""

from __future__ import annotations

import socket
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from ..errors import ExternalPortInUseError
from ..models import PortRequest
from .config import GatewayConfig
from .desired import DesiredMapping


@dataclass(frozen=True)
class ExternalPorts:
    """The ports of one gateway.

    Args:
        config: Their range, and the address they are bound to.
        own_ports: Ports of the gateway itself.
    """

    config: GatewayConfig
    own_ports: Collection[int]

    def choose(
        self,
        request: PortRequest,
        mappings: Mapping[str, DesiredMapping],
        old: DesiredMapping | None = None,
    ) -> int:
        """Return the external port of a mapping.

        Args:
            request: The mapping as it would be.
            mappings: All mappings there are.
            old: The mapping as it is, if it is not new.

        Raises:
            ExternalPortInUseError: The wanted one is taken, or all are.
        """
        others = [m for m in mappings.values() if old is None or m.id != old.id]
        wanted = request.external_port or (old.external_port if old else None)
        if wanted is None:
            return self._lowest_free({m.external_port for m in others})
        for other in others:
            if other.external_port == wanted and not _may_share(request, other.request):
                raise _in_use(wanted, f"the mapping {other.id} ({other.request.description})")
        unchanged = old is not None and old.external_port == wanted
        shared = any(o.external_port == wanted for o in others)
        if not unchanged and not shared and not self._is_free(wanted):
            raise _in_use(wanted, "another program, or may not be used by this one")
        return wanted

    def _lowest_free(self, taken: set[int]) -> int:
        first, last = self.config.first_external_port, self.config.last_external_port
        for port in range(first, last + 1):
            if port not in taken and port not in self.own_ports and self._is_free(port):
                return port
        raise ExternalPortInUseError(
            f"No external port between {first} and {last} is free",
            details={"suggestion": "Unexpose something, or widen --external-ports"},
        )

    def _is_free(self, port: int) -> bool:
        family = socket.AF_INET6 if ":" in self.config.listen else socket.AF_INET
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((self.config.listen, port))
                probe.listen()
            except OSError:
                return False
        return True


def _may_share(one: PortRequest, other: PortRequest) -> bool:
    if "udp" in {one.protocol, other.protocol}:
        return False  # a datagram does not say which host it is for
    domains = {one.custom_domain, other.custom_domain}
    return None not in domains and len(domains) == 2  # noqa: PLR2004 - two different names


def _in_use(port: int, by: str) -> ExternalPortInUseError:
    return ExternalPortInUseError(
        f"External port {port} is in use by {by}",
        details={
            "external_port": port,
            "suggestion": "Choose another one, or leave external_port out to get a free one",
        },
    )
