"""What kernels are told at their start: where the API is, who they are, and the `go` address.

It wraps the kernel manager's `pre_start_kernel`, which every kernel passes, with a session or
without. The environment survives restarts of the kernel because the manager keeps it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Variables:
    """Changes to a kernel's environment.

    Args:
        values: Variables that kernels get.
        defaults: Variables that kernels get unless somebody has set them already.
        removed: Names of variables that kernels do not get.
    """

    values: Mapping[str, str]
    defaults: Mapping[str, str] = field(default_factory=dict)
    removed: frozenset[str] = frozenset()

    def applied_to(self, base: Mapping[str, str]) -> dict[str, str]:
        """Return an environment with these changes.

        Args:
            base: The environment as it would be.

        Example:
            >>> changes = Variables({"A": "new"}, {"B": "default"}, frozenset({"KEY"}))
            >>> changes.applied_to({"A": "old", "B": "mine", "KEY": "k"})
            {'B': 'mine', 'A': 'new'}
        """
        kept = {name: value for name, value in base.items() if name not in self.removed}
        return {**self.defaults, **kept, **self.values}


Environment = Callable[[str], Variables]
"""Kernel id → changes."""


def link_variables(go_url: str) -> dict[str, str]:
    """Return the variables by which tools lead their links and frames through `go/…`.

    Each has its tool's own form: TensorBoard replaces ``%PORT%`` and resolves the address against
    Lab's page; Dask formats its link with ``port``.

    Args:
        go_url: Where `go/…` lives on the Jupyter server, with the base URL and a trailing slash.

    Example:
        >>> link_variables("/user/ana/tensorone-proxy/go/")["TENSORBOARD_PROXY_URL"]
        '/user/ana/tensorone-proxy/go/%PORT%/'
    """
    return {
        "TENSORBOARD_PROXY_URL": f"{go_url}%PORT%/",
        "DASK_DISTRIBUTED__DASHBOARD__LINK": f"{go_url}{{port}}/status",
    }


def wrap_kernel_start(kernel_manager: Any, environment: Environment) -> None:
    """Change the environment of every kernel started from now on.

    Args:
        kernel_manager: The server's `MultiKernelManager`.
        environment: Called at each start with the kernel's id; must be quick.
    """
    original = kernel_manager.pre_start_kernel

    def pre_start_kernel(kernel_name: str | None, kwargs: dict[str, Any]) -> tuple[Any, str, str]:
        manager, name, kernel_id = original(kernel_name, kwargs)
        given = kwargs.get("env")
        base = os.environ if given is None else given
        kwargs["env"] = environment(kernel_id).applied_to(base)
        return manager, name, kernel_id

    kernel_manager.pre_start_kernel = pre_start_kernel
