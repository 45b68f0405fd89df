"""Which ports are never exposed, or only on purpose; asked on every path into the store.

The list is of services that give a shell or all data to whoever connects, and mostly without a
password on loopback.
"""

from __future__ import annotations

from collections.abc import Collection

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


def require_allowed(
    request: PortRequest, *, default_authentication: bool, own_ports: Collection[int]
) -> None:
    """Raise unless this mapping may exist.

    Args:
        request: The mapping as it would be.
        default_authentication: Whether the cluster asks for sign-in where a mapping is silent.
        own_ports: Ports of the gateway itself.

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
    for port in targets:
        if port in own_ports:
            raise _refusal(port, "it belongs to the gateway itself", "Choose another port.")
        if port in _PROTECTED:
            _require_forced(request, port, default_authentication=default_authentication)


def _require_forced(request: PortRequest, port: int, *, default_authentication: bool) -> None:
    why = f"it is the usual port of {_PROTECTED[port]}"
    access = request.access_control or AccessControl()
    if request.protocol == "udp" or request.app_protocol == "tcp":
        guarded, guard = bool(access.ip_whitelist), "an ip_whitelist"
    else:
        guarded, guard = access.requires_sign_in(default=default_authentication), "sign-in required"
    if not (request.force and guarded):
        raise _refusal(port, why, f"If you mean it, set force to true, with {guard}.")


def _refusal(port: int, why: str, suggestion: str) -> ProtectedPortError:
    return ProtectedPortError(
        f"Port {port} is not exposed: {why}",
        details={"internal_port": port, "suggestion": suggestion},
    )
