"""The protobuf messages we use, and the step from their JSON form to bytes.

Parsing an Any needs its type to be imported, so every extension that `resources` and `filters`
name is imported here; only these, because importing all of xDS takes a quarter of a second.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from envoy.config.cluster.v3 import cluster_pb2
from envoy.config.endpoint.v3 import endpoint_pb2
from envoy.config.listener.v3 import listener_pb2
from envoy.config.route.v3 import route_pb2
from envoy.extensions.access_loggers.file.v3 import (  # noqa: F401 - for Any
    file_pb2 as access_log_file_pb2,
)
from envoy.extensions.access_loggers.filters.cel.v3 import cel_pb2  # noqa: F401 - for Any
from envoy.extensions.common.matching.v3 import extension_matcher_pb2  # noqa: F401 - for Any
from envoy.extensions.compression.brotli.compressor.v3 import (  # noqa: F401 - for Any
    brotli_pb2,
)
from envoy.extensions.compression.gzip.compressor.v3 import gzip_pb2  # noqa: F401 - for Any
from envoy.extensions.filters.common.matcher.action.v3 import (  # noqa: F401 - for Any
    skip_action_pb2,
)
from envoy.extensions.filters.http.compressor.v3 import compressor_pb2  # noqa: F401 - for Any
from envoy.extensions.filters.http.cors.v3 import cors_pb2  # noqa: F401 - for Any
from envoy.extensions.filters.http.ext_authz.v3 import ext_authz_pb2  # noqa: F401 - for Any
from envoy.extensions.filters.http.ext_proc.v3 import ext_proc_pb2  # noqa: F401 - for Any
from envoy.extensions.filters.http.header_mutation.v3 import (  # noqa: F401 - for Any
    header_mutation_pb2 as http_header_mutation_pb2,
)
from envoy.extensions.filters.http.header_to_metadata.v3 import (  # noqa: F401 - for Any
    header_to_metadata_pb2,
)
from envoy.extensions.filters.http.jwt_authn.v3 import config_pb2  # noqa: F401 - for Any
from envoy.extensions.filters.http.local_ratelimit.v3 import (  # noqa: F401 - for Any
    local_rate_limit_pb2,
)
from envoy.extensions.filters.http.rbac.v3 import rbac_pb2  # noqa: F401 - for Any
from envoy.extensions.filters.http.router.v3 import router_pb2  # noqa: F401 - for Any
from envoy.extensions.filters.listener.tls_inspector.v3 import (  # noqa: F401 - for Any
    tls_inspector_pb2,
)
from envoy.extensions.filters.network.http_connection_manager.v3 import (  # noqa: F401 - for Any
    http_connection_manager_pb2,
)
from envoy.extensions.filters.network.rbac.v3 import (  # noqa: F401 - for Any
    rbac_pb2 as network_rbac_pb2,
)
from envoy.extensions.filters.network.tcp_proxy.v3 import tcp_proxy_pb2  # noqa: F401 - for Any
from envoy.extensions.filters.udp.udp_proxy.v3 import (  # noqa: F401 - for Any
    route_pb2 as udp_route_pb2,
)
from envoy.extensions.filters.udp.udp_proxy.v3 import udp_proxy_pb2  # noqa: F401 - for Any
from envoy.extensions.health_check.event_sinks.file.v3 import file_pb2  # noqa: F401 - for Any
from envoy.extensions.http.early_header_mutation.header_mutation.v3 import (  # noqa: F401 - for Any
    header_mutation_pb2,
)
from envoy.extensions.matching.common_inputs.network.v3 import (  # noqa: F401 - for Any
    network_inputs_pb2,
)
from envoy.extensions.matching.input_matchers.metadata.v3 import (  # noqa: F401 - for Any
    metadata_pb2,
)
from envoy.extensions.retry.host.previous_hosts.v3 import (  # noqa: F401 - for Any
    previous_hosts_pb2,
)
from envoy.extensions.transport_sockets.raw_buffer.v3 import (  # noqa: F401 - for Any
    raw_buffer_pb2,
)
from envoy.extensions.transport_sockets.tls.v3 import (  # noqa: F401 - for Any
    secret_pb2,
    tls_pb2,
)
from envoy.extensions.upstreams.http.v3 import (  # noqa: F401 - for Any
    http_protocol_options_pb2,
)
from envoy.type.matcher.v3 import http_inputs_pb2  # noqa: F401 - for Any
from google.protobuf import any_pb2, json_format
from xds.type.matcher.v3 import ip_pb2  # noqa: F401 - for Any

_PREFIX = "type.googleapis.com/"

CLUSTER = f"{_PREFIX}envoy.config.cluster.v3.Cluster"
ENDPOINTS = f"{_PREFIX}envoy.config.endpoint.v3.ClusterLoadAssignment"
LISTENER = f"{_PREFIX}envoy.config.listener.v3.Listener"
ROUTES = f"{_PREFIX}envoy.config.route.v3.RouteConfiguration"
SECRET = f"{_PREFIX}envoy.extensions.transport_sockets.tls.v3.Secret"

_MESSAGES = {
    CLUSTER: cluster_pb2.Cluster,
    ENDPOINTS: endpoint_pb2.ClusterLoadAssignment,
    LISTENER: listener_pb2.Listener,
    ROUTES: route_pb2.RouteConfiguration,
    SECRET: secret_pb2.Secret,
}

TYPES = tuple(_MESSAGES)
"""Resource types in the order in which Envoy must learn of them."""


@dataclass(frozen=True)
class Resource:
    """One resource, ready to send: its version is the hash of its configuration.

    Not of its bytes: protobuf puts a map's entries in another order in every process.

    Its introduction, if it has one, goes first to an Envoy that does not know the resource yet.
    """

    type_url: str
    name: str
    version: str
    body: Any = field(repr=False, compare=False)
    introduction: Resource | None = field(default=None, repr=False, compare=False)


def make_resource(
    type_url: str, config: dict[str, Any], *, introduction: dict[str, Any] | None = None
) -> Resource:
    """Check a config against its message and serialize it.

    Args:
        type_url: The resource's type.
        config: The resource, in protobuf's JSON form.
        introduction: What an Envoy that does not know it gets first; the same name.

    Raises:
        google.protobuf.json_format.ParseError: A field is misspelt or of the wrong type; the
            message has the field's path.
    """
    message = json_format.ParseDict(config, _MESSAGES[type_url]())
    canonical = json.dumps(config, sort_keys=True, separators=(",", ":"))
    version = hashlib.sha256(canonical.encode()).hexdigest()[:16]
    name = config["cluster_name"] if type_url == ENDPOINTS else config["name"]
    body = any_pb2.Any(type_url=type_url, value=message.SerializeToString())
    first = make_resource(type_url, introduction) if introduction else None
    return Resource(type_url, name, version, body, first)
