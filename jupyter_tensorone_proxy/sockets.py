"""Listening sockets of this machine and the users they belong to, as Linux tells them.

By `sock_diag(7)`, which costs a tenth of a millisecond and needs no rights; where a sandbox has no
netlink, by `/proc/net`. Other systems tell neither, and there the answer is empty.
"""

from __future__ import annotations

import ipaddress
import os
import socket
import struct
import sys
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

Protocol = Literal["tcp", "udp"]

USUAL_ADDRESSES = frozenset({"127.0.0.1", "::1", "0.0.0.0", "::"})  # noqa: S104 - compared
"""Where services listen that are reached at 127.0.0.1 or ::1."""

_SOCK_DIAG = 4
_SOCK_DIAG_BY_FAMILY = 20
_REQUEST_A_DUMP = 0x301
_ERROR, _DONE = 2, 3
_PROTOCOLS: tuple[Protocol, ...] = ("tcp", "udp")
_NUMBERS = {"tcp": socket.IPPROTO_TCP, "udp": socket.IPPROTO_UDP}
_WAITING_STATE = {"tcp": 10, "udp": 7}
"""Kernel states of a socket that waits for anybody: TCP_LISTEN; an unconnected UDP socket."""

_HEADER = struct.Struct("=IHHII")
_QUERY = struct.Struct("=BBBxI48x")
_ANSWER = struct.Struct("=B3x2s2x16s40xII")
"""Of `struct inet_diag_msg`: family, port, source address, user, inode."""


@dataclass(frozen=True)
class Listening:
    """One socket that waits for anybody, the user it belongs to, and its number."""

    protocol: Protocol
    host: str
    port: int
    uid: int
    inode: int


def listening_sockets() -> list[Listening]:
    """Return every listening socket of this network namespace; none where they are not told.

    Example:
        >>> with socket.create_server(("127.0.0.1", 0)) as server:
        ...     port = server.getsockname()[1]
        ...     [s.host for s in listening_sockets() if s.port == port]
        ['127.0.0.1']
    """
    if sys.platform != "linux":
        return []
    try:
        return list(from_kernel())
    except OSError:  # no such module, or a sandbox that has no netlink
        return list(from_proc())


def own_addresses(port: int, *, protocol: Protocol = "tcp", users: Iterable[int] = ()) -> set[str]:
    """Return the addresses where sockets of this user listen on a port.

    Args:
        port: 1–65535.
        protocol: Of which kind.
        users: Ids of further users whose sockets count.

    Example:
        >>> with socket.create_server(("127.0.0.2", 0)) as server:
        ...     own_addresses(server.getsockname()[1])
        {'127.0.0.2'}
    """
    if sys.platform != "linux":
        return set()
    known = {os.getuid(), *users}
    sockets = (s for s in listening_sockets() if (s.port, s.protocol) == (port, protocol))
    return {s.host for s in sockets if s.uid in known}


def only_address(addresses: Collection[str]) -> str | None:
    """Return the loopback address that a service must be asked at, if no usual one will do.

    Args:
        addresses: Where it listens.

    Example:
        >>> only_address({"127.0.0.2"}), only_address({"127.0.0.2", "::"}), only_address({"::1"})
        ('127.0.0.2', None, None)
    """
    if not USUAL_ADDRESSES.isdisjoint(addresses):
        return None
    return min((a for a in addresses if ipaddress.ip_address(a).is_loopback), default=None)


def from_kernel() -> Iterator[Listening]:
    """Ask the kernel; only the listening sockets cost time, however many connections there are.

    Raises:
        OSError: It does not answer such questions here.
    """
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _SOCK_DIAG) as netlink:
        for protocol in _PROTOCOLS:
            for family in (socket.AF_INET, socket.AF_INET6):
                yield from _dump(netlink, family, protocol)


def _dump(netlink: socket.socket, family: int, protocol: Protocol) -> Iterator[Listening]:
    query = _QUERY.pack(family, _NUMBERS[protocol], 0, 1 << _WAITING_STATE[protocol])
    length = _HEADER.size + len(query)
    header = _HEADER.pack(length, _SOCK_DIAG_BY_FAMILY, _REQUEST_A_DUMP, 0, 0)
    netlink.send(header + query)
    while True:
        answer = netlink.recv(1 << 20)
        at = 0
        while at < len(answer):
            length, kind, *_ = _HEADER.unpack_from(answer, at)
            body = answer[at + _HEADER.size : at + length]
            if kind == _DONE:
                return
            if kind == _ERROR:
                number = -struct.unpack_from("=i", body)[0]
                raise OSError(number, os.strerror(number))
            yield _socket(body, protocol)
            at += (length + 3) & ~3


def _socket(body: bytes, protocol: Protocol) -> Listening:
    family, port, source, uid, inode = _ANSWER.unpack_from(body)
    packed = source[:4] if family == socket.AF_INET else source
    return Listening(protocol, _host(packed), int.from_bytes(port, "big"), uid, inode)


def from_proc(directory: Path = Path("/proc/net")) -> Iterator[Listening]:
    """Read the kernel's tables of all sockets.

    Args:
        directory: Where they are.
    """
    for protocol in _PROTOCOLS:
        for suffix in ("", "6"):
            try:
                lines = (directory / f"{protocol}{suffix}").read_text().splitlines()[1:]
            except FileNotFoundError:
                continue  # no IPv6
            for line in lines:
                fields = line.split()
                if int(fields[3], 16) != _WAITING_STATE[protocol]:
                    continue
                address, _, port = fields[1].partition(":")
                words = [address[i : i + 8] for i in range(0, len(address), 8)]
                packed = b"".join(struct.pack("=I", int(word, 16)) for word in words)
                yield Listening(
                    protocol, _host(packed), int(port, 16), int(fields[7]), int(fields[9])
                )


@lru_cache(maxsize=1000)
def _host(packed: bytes) -> str:
    address = ipaddress.ip_address(packed)
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)
