"""Expose local ports of a notebook through a cluster proxy, privately by default.

Names are loaded when they are first used: importing this package loads none of tornado,
ipywidgets, grpc, fastapi or pydantic, so that a kernel that never exposes anything pays nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from .client import AsyncProxyClient as AsyncProxyClient
    from .client import ProxyClient as ProxyClient
    from .commands.exposure import expose as expose
    from .errors import ApiError as ApiError
    from .errors import ApiTimeoutError as ApiTimeoutError
    from .errors import ApiUnreachableError as ApiUnreachableError
    from .errors import ClusterNotFoundError as ClusterNotFoundError
    from .errors import ConfigurationError as ConfigurationError
    from .errors import ConflictError as ConflictError
    from .errors import DataPlaneRejectedError as DataPlaneRejectedError
    from .errors import DataPlaneUnavailableError as DataPlaneUnavailableError
    from .errors import ExternalPortInUseError as ExternalPortInUseError
    from .errors import ForbiddenError as ForbiddenError
    from .errors import GatewayError as GatewayError
    from .errors import GatewayRunningError as GatewayRunningError
    from .errors import InsecureUrlError as InsecureUrlError
    from .errors import InvalidAlertError as InvalidAlertError
    from .errors import InvalidJsonError as InvalidJsonError
    from .errors import InvalidRequestError as InvalidRequestError
    from .errors import InvalidStackError as InvalidStackError
    from .errors import LinkNotFoundError as LinkNotFoundError
    from .errors import NotFoundError as NotFoundError
    from .errors import NotSupportedError as NotSupportedError
    from .errors import PayloadTooLargeError as PayloadTooLargeError
    from .errors import PortAlreadyMappedError as PortAlreadyMappedError
    from .errors import PortNotFoundError as PortNotFoundError
    from .errors import ProcessError as ProcessError
    from .errors import ProtectedPortError as ProtectedPortError
    from .errors import ProxyError as ProxyError
    from .errors import RateLimitedError as RateLimitedError
    from .errors import SessionNotFoundError as SessionNotFoundError
    from .errors import StorageFullError as StorageFullError
    from .errors import UnauthorizedError as UnauthorizedError
    from .errors import UnexpectedAnswerError as UnexpectedAnswerError
    from .errors import UsageError as UsageError
    from .errors import UserNotFoundError as UserNotFoundError
    from .models import AccessControl as AccessControl
    from .models import Cors as Cors
    from .models import HealthCheck as HealthCheck
    from .models import LoadBalancer as LoadBalancer
    from .models import PortMapping as PortMapping
    from .models import ProxyConfig as ProxyConfig
    from .models import RateLimit as RateLimit
    from .monitoring import Alert as Alert
    from .monitoring import AlertEvent as AlertEvent
    from .monitoring import Monitor as Monitor
    from .monitoring import MonitorResult as MonitorResult
    from .monitoring import access_logs as access_logs
    from .monitoring import usage as usage
    from .notebook.panel import ProxyPanel as ProxyPanel
    from .stacks.declaration import StackDefaults as StackDefaults
    from .stacks.declaration import StackService as StackService
    from .stacks.declaration import Team as Team
    from .stacks.model_server import ModelServer as ModelServer
    from .stacks.plans import StackPlan as StackPlan
    from .stacks.results import StackResult as StackResult
    from .stacks.stack import Stack as Stack

__version__ = "0.1.0"

_HOME = {
    "AsyncProxyClient": "client",
    "ProxyClient": "client",
    "expose": "commands.exposure",
    "ApiError": "errors",
    "ApiTimeoutError": "errors",
    "ApiUnreachableError": "errors",
    "ClusterNotFoundError": "errors",
    "ConfigurationError": "errors",
    "ConflictError": "errors",
    "DataPlaneRejectedError": "errors",
    "DataPlaneUnavailableError": "errors",
    "ExternalPortInUseError": "errors",
    "ForbiddenError": "errors",
    "GatewayError": "errors",
    "GatewayRunningError": "errors",
    "InsecureUrlError": "errors",
    "InvalidAlertError": "errors",
    "InvalidJsonError": "errors",
    "InvalidRequestError": "errors",
    "InvalidStackError": "errors",
    "LinkNotFoundError": "errors",
    "NotFoundError": "errors",
    "NotSupportedError": "errors",
    "PayloadTooLargeError": "errors",
    "PortAlreadyMappedError": "errors",
    "PortNotFoundError": "errors",
    "ProcessError": "errors",
    "ProtectedPortError": "errors",
    "ProxyError": "errors",
    "RateLimitedError": "errors",
    "SessionNotFoundError": "errors",
    "StorageFullError": "errors",
    "UnauthorizedError": "errors",
    "UnexpectedAnswerError": "errors",
    "UsageError": "errors",
    "UserNotFoundError": "errors",
    "AccessControl": "models",
    "Cors": "models",
    "HealthCheck": "models",
    "LoadBalancer": "models",
    "PortMapping": "models",
    "ProxyConfig": "models",
    "RateLimit": "models",
    "Alert": "monitoring",
    "AlertEvent": "monitoring",
    "Monitor": "monitoring",
    "MonitorResult": "monitoring",
    "access_logs": "monitoring",
    "usage": "monitoring",
    "ProxyPanel": "notebook.panel",
    "ModelServer": "stacks.model_server",
    "Stack": "stacks.stack",
    "StackDefaults": "stacks.declaration",
    "StackPlan": "stacks.plans",
    "StackResult": "stacks.results",
    "StackService": "stacks.declaration",
    "Team": "stacks.declaration",
}

__all__ = [  # noqa: PLE0604 - the names are strings; they come from the table above
    "__version__",
    *_HOME,
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_HOME[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted(__all__)


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    import gc

    # Nothing that is imported is garbage. Looking for some among all that Jupyter has loaded would
    # take as long again as the import.
    collects = gc.isenabled()
    gc.disable()
    try:
        from .server.app import TensorOneProxy
    finally:
        if collects:
            gc.enable()

    return [{"module": "jupyter_tensorone_proxy", "app": TensorOneProxy}]


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    return [{"src": "labextension", "dest": "jupyter-tensorone-proxy"}]


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Register ``%tensorone``; called by IPython."""
    from .notebook.magics import load_ipython_extension as load

    load(shell)
