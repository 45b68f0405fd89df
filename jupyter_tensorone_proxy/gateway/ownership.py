"""Whose sockets listen where: a port is exposed only while they belong to the gateway's user.

When a service has ended, any user of the machine may take its port, and would be shown to the
mapping's visitors. Linux tells the owner of every listening socket (`sock_diag(7)`, and where that
is missing `/proc/net`); other systems do not, and there nothing is barred.

This is observed state: it is never stored.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Collection, Iterable

from ..sockets import Listening, Protocol, listening_sockets, own_addresses
from .desired import Address

_ANY, _ANY_IPV6 = "0.0.0.0", "::"  # noqa: S104 - compared, not bound


class Ownership:
    """Says which addresses belong to somebody else.

    Args:
        trusted: Ids of users whose services may be exposed, beside the gateway's own user.
    """

    def __init__(self, trusted: Iterable[int] = ()) -> None:
        self._ours = frozenset({os.getuid(), *trusted})

    def foreign(self, addresses: Collection[Address]) -> frozenset[Address]:
        """Return those of some addresses where a connection would end at another user's socket.

        Where another user holds one address of a port, those that nobody holds count too.
        """
        return _foreign(listening_sockets(), addresses, self._ours) if addresses else frozenset()

    def own_addresses(self, protocol: Protocol, port: int) -> set[str]:
        """Return the addresses where services that may be exposed listen on a port."""
        return own_addresses(port, protocol=protocol, users=self._ours)


def _precedence(host: str) -> tuple[str, ...]:
    """Return where the kernel looks for a listening socket of an address, in this order."""
    return (host, _ANY_IPV6) if ":" in host else (host, _ANY, _ANY_IPV6)


def _foreign(
    sockets: Iterable[Listening], addresses: Collection[Address], ours: Collection[int]
) -> frozenset[Address]:
    found = list(sockets)
    lost = {(s.protocol, s.port) for s in found if s.uid not in ours}
    asked = [address for address in addresses if (address.protocol, address.port) in lost]
    if not asked:
        return frozenset()
    owners: dict[tuple[str, int], dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    for s in found:
        owners[s.protocol, s.port][s.host].add(s.uid)
    barred = set()
    for address in asked:
        places = owners[address.protocol, address.port]
        holders = next((places[h] for h in _precedence(address.host) if h in places), set())
        if not (holders and holders.issubset(ours)):
            barred.add(address)
    return frozenset(barred)
