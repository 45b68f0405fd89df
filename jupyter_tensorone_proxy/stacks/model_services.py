"""The services of a model in production, with the contract's settings. Pure.

They are declarations as TOML would have them: the stack judges them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

API, METRICS, DASHBOARD = "Model API", "Model Metrics", "Admin Dashboard"

Declared = dict[str, Any]
_BALANCER: Declared = {
    "algorithm": "round_robin",
    "health_check_enabled": True,
    "health_check_path": "/health",
    "session_affinity": False,
    "timeout_seconds": 30,
    "retries": 3,
}
_TARGETS: Declared = {"target_cpu_utilization": 70, "target_memory_utilization": 80}


def api(model: str, port: int | None, **settings: Any) -> Declared:
    """Return the API, for whoever signs in unless told.

    Args:
        model: The model's name.
        port: Where it listens; None for a free port.
        settings: Further keys of a service.
    """
    return {
        "name": API,
        "description": f"{model} {API}",
        "category": "api",
        "priority": "high",
        "port": port,
        "path": "/health",
        "health": {
            "interval_seconds": 10,
            "timeout_seconds": 5,
            "expected_status": 200,
            "retries": 3,
        },
        "ssl_redirect": True,
        **settings,
    }


def cors(origins: Sequence[str]) -> Declared:
    """Return what pages of other origins may do with the API.

    Args:
        origins: Whose pages.
    """
    return {
        "enabled": True,
        "allowed_origins": list(origins),
        "allowed_methods": ["GET", "POST"],
        "allowed_headers": ["Content-Type", "Authorization"],
    }


def metrics(model: str, port: int, allowed_ips: Sequence[str]) -> Declared:
    """Return the metrics, for those who run the model.

    Args:
        model: The model's name.
        port: Where they are.
        allowed_ips: Addresses that may read them; none for all.
    """
    return {
        "name": METRICS,
        "description": f"{model} {METRICS}",
        "category": "monitoring",
        "port": port,
        "path": "/metrics",
        "health": {"interval_seconds": 30},
        "users": ["ops_team", "ml_engineer"],
        "ip_whitelist": list(allowed_ips),
    }


def dashboard(model: str, port: int) -> Declared:
    """Return the dashboard, for administrators, who sign in every two hours.

    Args:
        model: The model's name.
        port: Where it is.
    """
    return {
        "name": DASHBOARD,
        "description": f"{model} {DASHBOARD}",
        "category": "admin",
        "port": port,
        "path": "/dashboard",
        "health": {"interval_seconds": 60},
        "users": ["admin", "ml_engineer"],
        "session_timeout_minutes": 120,
    }


def processes(command: Sequence[str], env: Mapping[str, str], cwd: str | None) -> Declared:
    """Return the keys that have the API started.

    Args:
        command: The program and its words.
        env: Variables of its environment.
        cwd: Where it works; None for where whoever deploys it is.
    """
    return {
        "command": list(command),
        "env": dict(env),
        **({} if cwd is None else {"cwd": cwd}),
        "ready_timeout_seconds": 120,
        "stop_grace_seconds": 30,
    }


def scaled(replicas: int, scaling: Mapping[str, Any]) -> Declared:
    """Return the keys that spread the API's requests over replicas that are started.

    Args:
        replicas: How many there are at first.
        scaling: Between which numbers they may be, and what for; empty to keep the number.
    """
    if replicas == 1 and not scaling:
        return {}
    bounds = scaling or {"min_replicas": replicas, "max_replicas": replicas}
    return {
        "load_balancer": _BALANCER,
        "scaling": {**_TARGETS, **bounds},
        "replicas": replicas,
    }


def balancing(replica_ports: Sequence[int]) -> Declared:
    """Return the keys that spread the API's requests over replicas; none without replicas.

    Args:
        replica_ports: Where they listen, beside the API's own port.
    """
    if not replica_ports:
        return {}
    bounds = {"min_replicas": 1, "max_replicas": 1 + len(replica_ports)}
    return {
        "load_balancer": _BALANCER,
        "scaling": {**bounds, **_TARGETS},
        "replicas": list(replica_ports),
    }
