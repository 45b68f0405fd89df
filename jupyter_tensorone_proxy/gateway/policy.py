"""Which ports are never exposed, or only on purpose; asked on every path into the store.

The list is of services that give a shell or all data to whoever connects, and mostly without a
password on loopback.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from ..errors import InvalidRequestError, ProtectedPortError
from ..models import AccessControl, PortRequest

_PROTECTED = {
    22: "SSH",
    111: "rpcbind",
    445: "SMB",
    1433: "SQL Server",
    2049: "NFS",
    3306: "MySQL",
    3389: "remote desktop",
    5432: "PostgreSQL",
    6379: "Redis",
    6443: "Kubernetes",
    8265: "Ray's dashboard, which runs jobs",
    8786: "a Dask scheduler, which runs code",
    9042: "Cassandra",
    9092: "Kafka",
    9200: "Elasticsearch",
    10001: "a Ray client server, which runs code",
    10250: "a kubelet",
    11211: "memcached",
    **dict.fromkeys(range(135, 140), "Windows RPC"),
    **dict.fromkeys(range(2375, 2381), "Docker or etcd"),
    **dict.fromkeys(range(5900, 5911), "VNC"),
    **dict.fromkeys(range(27017, 27020), "MongoDB"),
}


@dataclass(frozen=True)
class Neighbours:
    """What listens on this machine beside services.

    Args:
        gateway: The gateway's own ports.
        kernels: Ports of Jupyter kernels.
        jupyters: Ports of Jupyter servers.
    """

    gateway: Collection[int] = ()
    kernels: Collection[int] = ()
    jupyters: Collection[int] = ()


def require_allowed(
    request: PortRequest, *, default_authentication: bool, neighbours: Neighbours
) -> None:
    """Raise unless this mapping may exist.

    Args:
        request: The mapping as it would be.
        default_authentication: Whether the cluster asks for sign-in where a mapping is silent.
        neighbours: What else listens here.

    Raises:
        ProtectedPortError: One of its ports is protected; the details say what to do.
        InvalidRequestError: It is listed as its own replica.
    """
    targets = [request.internal_port, *(request.replicas or [])]
    if len(set(targets)) < len(targets):
        raise InvalidRequestError(
            "A port is listed twice.",
            details={"fields": [{"field": "replicas", "message": "must differ from each other"}]},
        )
    signed_in = _requires_sign_in(request, default_authentication)
    for port in targets:
        if port in neighbours.gateway:
            raise _refusal(port, "it belongs to the gateway itself", "Choose another port.")
        if port in neighbours.kernels:
            raise _refusal(port, "a kernel listens there for Jupyter", "Choose another port.")
        named = request.access_control is not None and request.access_control.allowed_users
        if port in neighbours.jupyters and not (signed_in and named):
            raise _refusal(
                port,
                "a Jupyter server listens there, a shell for whoever gets in",
                "If you mean it, require sign-in and name the people in allowed_users.",
            )
        if port in _PROTECTED:
            _require_forced(request, port, signed_in=signed_in)


def _requires_sign_in(request: PortRequest, default: bool) -> bool:  # noqa: FBT001 - private
    access = request.access_control or AccessControl()
    return not _is_raw(request) and access.requires_sign_in(default=default)


def _is_raw(request: PortRequest) -> bool:
    return request.protocol == "udp" or request.app_protocol == "tcp"


def _require_forced(request: PortRequest, port: int, *, signed_in: bool) -> None:
    why = f"it is the usual port of {_PROTECTED[port]}"
    access = request.access_control or AccessControl()
    guarded, guard = signed_in, "sign-in required"
    if _is_raw(request):
        guarded, guard = bool(access.ip_whitelist), "an ip_whitelist"
    if not (request.force and guarded):
        raise _refusal(port, why, f"If you mean it, set force to true, with {guard}.")


def _refusal(port: int, why: str, suggestion: str) -> ProtectedPortError:
    return ProtectedPortError(
        f"Port {port} is not exposed: {why}",
        details={"internal_port": port, "suggestion": suggestion},
    )
