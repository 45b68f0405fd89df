"""What kernels are told at their start: where the API is, who they are, and the `go` address.

It wraps the kernel manager's `pre_start_kernel`, which every kernel passes, with a session or
without. The environment survives restarts of the kernel because the manager keeps it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

Environment = Callable[[str], Mapping[str, str]]
"""Kernel id → variables."""


def wrap_kernel_start(kernel_manager: Any, environment: Environment) -> None:
    """Add variables to the environment of every kernel started from now on.

    Args:
        kernel_manager: The server's `MultiKernelManager`.
        environment: Called at each start with the kernel's id; must be quick.
    """
    original = kernel_manager.pre_start_kernel

    def pre_start_kernel(kernel_name: str | None, kwargs: dict[str, Any]) -> tuple[Any, str, str]:
        manager, name, kernel_id = original(kernel_name, kwargs)
        given = kwargs.get("env")
        base = os.environ if given is None else given
        kwargs["env"] = {**base, **environment(kernel_id)}
        return manager, name, kernel_id

    kernel_manager.pre_start_kernel = pre_start_kernel
