"""Every call of the API as data: method, path, body, and how to read the answer.

Nothing here does I/O. Requests are judged before they are sent; how answers are read is in
`_reading`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar
from urllib.parse import quote

from ..errors import InvalidRequestError
from ..models import (
    Cluster,
    ClusterAccess,
    Model,
    NetworkConfiguration,
    PortMapping,
    PortRequest,
    PortSettings,
    ProxyConfig,
    ProxySettings,
    ProxySettingsV2,
    ProxyState,
)
from ..validation import parse_patch, parse_request
from ._reading import read_clusters, read_data, read_plain, read_ports, read_proxy

T = TypeVar("T")

PROXY = "/v1/clusters/{cluster_id}/proxy"


@dataclass(frozen=True)
class Operation(Generic[T]):
    """One call of the API.

    Args:
        method: HTTP method.
        path: Path template; `{cluster_id}` and the names in `path_values` are filled in, quoted.
        parse: Reads the body of a good answer.
        path_values: Values for the path.
        query: Query parameters.
        body: JSON body, if there is one.
        extension: Name of the extension of the contract it belongs to, if any.
        missing_is_done: A 404 after a lost answer means that the first try worked.
    """

    method: Literal["GET", "POST", "PUT", "DELETE"]
    path: str
    parse: Callable[[Any], T]
    path_values: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = field(default=None, repr=False)
    extension: str | None = None
    missing_is_done: bool = False

    @property
    def idempotent(self) -> bool:
        """Whether doing it twice is the same as doing it once (RFC 9110, section 9.2.2)."""
        return self.method != "POST"

    def filled_path(self, cluster_id: Callable[[], str]) -> str:
        """Return the path with its values, each quoted so that it stays one segment.

        Args:
            cluster_id: Asked for the cluster if the path needs one.

        Raises:
            InvalidRequestError: A value can be no segment; nothing was sent.
        """
        values = dict(self.path_values)
        if "{cluster_id}" in self.path:
            values["cluster_id"] = cluster_id()
        return self.path.format(**{name: _segment(name, value) for name, value in values.items()})


def get_proxy(
    *,
    include_health: bool = False,
    include_access_logs: bool = False,
    include_ssl_info: bool = False,
) -> Operation[ProxyConfig]:
    """Return the whole proxy of the cluster (contract: GET …/proxy).

    Args:
        include_health: With the health of every mapping.
        include_access_logs: With recent requests.
        include_ssl_info: With the certificate.

    Raises:
        ProxyError: As for every call: see `jupyter_tensorone_proxy.errors`.
    """
    flags = {
        "include_health": include_health,
        "include_access_logs": include_access_logs,
        "include_ssl_info": include_ssl_info,
    }
    query = {name: "true" for name, wanted in flags.items() if wanted}
    return Operation("GET", PROXY, read_proxy, query=query)


def list_ports() -> Operation[list[PortMapping]]:
    """Return all port mappings of the cluster, with their health (contract: GET …/proxy)."""
    query = {"include_health": "true"}
    return Operation("GET", PROXY, read_ports, query=query)


def update_proxy(
    *,
    enabled: bool | None = None,
    allowed_ips: list[str] | None = None,
    network_configuration: NetworkConfiguration | Mapping[str, Any] | None = None,
    api_version: Literal["v1", "v2"] | None = None,
) -> Operation[ProxyState]:
    """Change settings of the proxy; what is not given stays (contract: PUT …/proxy, v1 and v2).

    Args:
        enabled: False closes every exposed port and keeps the mappings.
        allowed_ips: Addresses and CIDR ranges that may connect; an empty list admits all.
        network_configuration: How traffic is treated; only the first version of the API has it.
        api_version: Which version to call: by default v2, or v1 with `network_configuration`.

    Raises:
        InvalidRequestError: A value is wrong.
    """
    given = {
        "enabled": enabled,
        "allowed_ips": allowed_ips,
        "network_configuration": network_configuration,
    }
    fields = _plain_fields({name: value for name, value in given.items() if value is not None})
    version = api_version or ("v1" if network_configuration is not None else "v2")
    if version not in {"v1", "v2"}:
        raise _wrong_field("api_version", f"{version!r} is neither 'v1' nor 'v2'")
    if version == "v1":
        body = parse_request(ProxySettings, fields).to_wire()
        return Operation("PUT", PROXY, read_data(ProxyState), body=body)
    body = parse_request(ProxySettingsV2, fields).to_wire()
    return Operation("PUT", "/v2/clusters/{cluster_id}/proxy", read_plain(ProxyState), body=body)


def create_port(**fields: Any) -> Operation[PortMapping]:
    """Expose a port (contract: POST …/proxy/ports).

    Args:
        **fields: Those of `PortRequest`; `internal_port` and `description` are required.

    Returns:
        The mapping, with its `url`.

    Raises:
        InvalidRequestError: One or more fields are wrong; nothing was sent.
        PortAlreadyMappedError: The port has a mapping; its id is in `details`.
        ExternalPortInUseError: The wanted external port is taken.
        ProtectedPortError: The port is not exposed for safety's sake.
    """
    body = parse_request(PortRequest, _plain_fields(fields)).to_wire()
    return Operation("POST", f"{PROXY}/ports", read_data(PortMapping), body=body)


def update_port(port_id: str, /, **fields: Any) -> Operation[PortMapping]:
    """Change a port mapping (contract: PUT …/proxy/ports/{port_id}).

    Only what is given changes, inside nested objects too; None resets a field (RFC 7396).

    Args:
        port_id: The mapping's id.
        **fields: Those of `PortSettings`.

    Raises:
        InvalidRequestError: One or more fields are wrong.
        PortNotFoundError: There is no such mapping.
    """
    body = parse_patch(PortSettings, _plain_fields(fields))
    return Operation(
        "PUT",
        f"{PROXY}/ports/{{port_id}}",
        read_data(PortMapping),
        path_values={"port_id": port_id},
        body=body,
    )


def delete_port(port_id: str, /) -> Operation[None]:
    """Stop exposing a port (contract: DELETE …/proxy/ports/{port_id}).

    Args:
        port_id: The mapping's id.

    Raises:
        PortNotFoundError: There is no such mapping.
    """
    return Operation(
        "DELETE",
        f"{PROXY}/ports/{{port_id}}",
        lambda _: None,
        path_values={"port_id": port_id},
        missing_is_done=True,
    )


def update_access(**fields: Any) -> Operation[ClusterAccess]:
    """Change the access rules of the whole cluster (contract: PUT …/proxy/access).

    Args:
        **fields: Those of `ClusterAccess`; what is not given stays.

    Raises:
        InvalidRequestError: One or more fields are wrong.
    """
    body = parse_request(ClusterAccess, _plain_fields(fields)).to_wire()
    return Operation("PUT", f"{PROXY}/access", read_data(ClusterAccess), body=body)


def list_clusters() -> Operation[list[Cluster]]:
    """Return the clusters that the API key can reach (GET /v1/clusters)."""
    return Operation("GET", "/v1/clusters", read_clusters)


# --- writing requests ----------------------------------------------------------------------


def _segment(name: str, value: Any) -> str:
    # Quoting keeps "/" and "?" inside; dots alone would still climb, at some server or other.
    if not isinstance(value, str) or value in {"", ".", ".."}:
        raise _wrong_field(name, f"{value!r} is not an id")
    return quote(value, safe="")


def _wrong_field(name: str, message: str) -> InvalidRequestError:
    problem = {"field": name, "message": message}
    return InvalidRequestError("The request has a wrong field.", details={"fields": [problem]})


def _plain_fields(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v.to_wire() if isinstance(v, Model) else v for k, v in fields.items()}
