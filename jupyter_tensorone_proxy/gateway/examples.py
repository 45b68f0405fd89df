"""Examples of the API's answers, for its description: the contract's own where it has them."""

from __future__ import annotations

from typing import Any, get_args, get_origin

from ..errors import ApiError
from ..models import (
    AccessLogEntry,
    Cluster,
    ClusterAccess,
    PortMapping,
    ProxyConfig,
    ProxySettings,
    ProxyState,
)
from ..people import Event, KeyRotation, Link, Revoked, Session, User

Example = dict[str, Any]

PORT: Example = {
    "id": "port_123",
    "internal_port": 6006,
    "external_port": 32001,
    "protocol": "tcp",
    "description": "TensorBoard",
    "url": "https://localhost:32001",
    "status": "active",
    "health_status": "healthy",
    "health_check": {
        "enabled": True,
        "path": "/",
        "interval_seconds": 30,
        "retries": 3,
        "last_check": "2026-01-15T16:45:00Z",
        "consecutive_failures": 0,
    },
    "access_control": {"authentication_required": True, "allowed_users": ["ml_engineer"]},
    "usage_statistics": {
        "total_requests": 1247,
        "unique_visitors": 8,
        "last_accessed": "2026-01-15T16:30:00Z",
        "avg_response_time_ms": 24.5,
    },
    "created_at": "2026-01-15T14:30:00Z",
    "updated_at": "2026-01-15T16:00:00Z",
}

ACCESS: Example = {
    "default_authentication": True,
    "session_timeout_minutes": 240,
    "max_concurrent_sessions": 20,
    "ip_whitelist": ["203.0.113.0/24"],
    "blocked_ips": [],
    "rate_limiting": {"global_limit": {"requests_per_minute": 2000, "burst_size": 500}},
}

NETWORK: Example = {
    "load_balancer": {
        "enabled": True,
        "algorithm": "round_robin",
        "health_check_enabled": True,
        "session_affinity": False,
        "retries": 0,
    },
    "ssl_termination": "proxy",
    "websocket_support": True,
    "compression": {"enabled": True, "algorithms": ["gzip", "br"]},
}

LOG_ENTRY: Example = {
    "id": 1247,
    "port_id": "port_123",
    "timestamp": "2026-01-15T16:30:15Z",
    "client_ip": "203.0.113.42",
    "user": "ml_engineer",
    "method": "GET",
    "path": "/data/runs",
    "status_code": 200,
    "response_time_ms": 16,
    "user_agent": "Mozilla/5.0",
}

PROXY: Example = {
    "cluster_id": "local",
    "proxy_url": "https://localhost",
    "proxy_status": "active",
    "ssl_certificate": {
        "issuer": "Local authority of this gateway",
        "valid_from": "2026-01-01T00:00:00Z",
        "valid_until": "2026-04-01T00:00:00Z",
        "status": "valid",
    },
    "port_mappings": [PORT],
    "access_control": ACCESS,
    "network_configuration": NETWORK,
    "access_logs": [LOG_ENTRY],
}

META: Example = {
    "last_updated": "2026-01-15T16:45:00Z",
    "total_port_mappings": 1,
    "active_port_mappings": 1,
    "proxy_version": "0.1.0",
    "extensions": ["access-logs"],
}

SETTINGS: Example = {
    "proxy_url": "https://localhost",
    "enabled": True,
    "allowed_ips": ["203.0.113.0/24"],
    "network_configuration": NETWORK,
}

METRICS = (
    "# HELP tensorone_requests_total Requests by class of status.\n"
    "# TYPE tensorone_requests_total counter\n"
    'tensorone_requests_total{name="TensorBoard",port_id="port_123",status="2xx"} 1240.0\n'
)

_LINK: Example = {
    "id": "link_k3x7",
    "port_id": "port_123",
    "user": "ml_engineer",
    "url": "https://localhost:32001/.tensorone/link?token=TOKEN&next=/",
    "one_time": True,
    "created_at": "2026-01-15T16:45:00Z",
    "expires_at": "2026-01-15T16:46:00Z",
}

_SESSION: Example = {
    "id": "ses_k3x7",
    "port_id": "port_123",
    "user": "ml_engineer",
    "client_ip": "203.0.113.42",
    "via": "link",
    "link_id": "link_k3x7",
    "created_at": "2026-01-15T16:45:00Z",
    "last_seen": "2026-01-15T16:50:00Z",
    "expires_at": "2026-01-16T00:45:00Z",
}

_EVENT: Example = {
    "id": 12,
    "timestamp": "2026-01-15T16:45:00Z",
    "action": "port.created",
    "actor": "ana",
    "via": "cli",
    "port_id": "port_123",
    "details": {"internal_port": 6006},
}

_BY_MODEL: dict[Any, Any] = {
    AccessLogEntry: LOG_ENTRY,
    Cluster: {"id": "local", "name": "local gateway", "proxy_url": "https://localhost"},
    ClusterAccess: ACCESS,
    Event: _EVENT,
    KeyRotation: {"overlap": False},
    Link: _LINK,
    PortMapping: PORT,
    ProxyConfig: PROXY,
    ProxySettings: SETTINGS,
    ProxyState: {"proxyUrl": "https://localhost", "enabled": True},
    Revoked: {"revoked": 2},
    Session: _SESSION,
    User: {"name": "ml_engineer", "has_token": True, "created_at": "2026-01-15T16:45:00Z"},
    str: METRICS,
}

_META_BY_MODEL: dict[Any, Example] = {
    ProxyConfig: META,
    AccessLogEntry: {"next_before": 1247},
    Event: {"next_after": 12},
}

_DETAILS: dict[str, Example] = {
    "VALIDATION_ERROR": {
        "fields": [
            {
                "field": "internal_port",
                "message": "should be a whole number from 1 to 65535",
                "allowed": {"type": "integer", "minimum": 1, "maximum": 65535},
            },
            {"field": "descripton", "message": "unknown field; did you mean description?"},
        ]
    },
    "PORT_ALREADY_MAPPED": {
        "internal_port": 8888,
        "existing_mapping_id": "port_456",
        "existing_description": "Existing Jupyter Lab",
        "suggestion": "Use a different internal port or update the existing mapping",
    },
}


def data(kind: Any) -> Any:
    """Return an example of what an answer holds.

    Args:
        kind: A model, a list of one, or `str` for text.

    Returns:
        The example; None if nobody has written one yet.
    """
    if get_origin(kind) is list:
        return [data(*get_args(kind))]
    return _BY_MODEL.get(kind)


def success(kind: Any) -> Example:
    """Return a good answer that holds such data."""
    model = get_args(kind)[0] if get_origin(kind) is list else kind
    meta = {"meta": _META_BY_MODEL[model]} if model in _META_BY_MODEL else {}
    return {"success": True, "data": data(kind), **meta}


def failure(error: type[ApiError]) -> Example:
    """Return the answer that an error means."""
    message = (error.__doc__ or "").partition("\n")[0].partition(";")[0].rstrip(".")
    body = {"code": error.default_code, "message": message}
    details = _DETAILS.get(error.default_code, {})
    return {"success": False, "error": {**body, "details": details}, "request_id": "req_k3x7"}
