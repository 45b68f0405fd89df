"""The verb `apply`: a stack from a file, or from a cell."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..client import ProxyClient
from ..commands.rows import Viewer
from .plans import StackPlan
from .reading import FILE
from .results import StackResult
from .stack import Stack


def apply(
    client: ProxyClient, args: argparse.Namespace, _viewer: Viewer
) -> StackPlan | StackResult:
    """Make the proxy as a stack says, or show what that would do.

    Args:
        client: Where.
        args: Arguments of the verb; `cell` is the text of a cell, if there is one.

    Raises:
        InvalidStackError: The stack is wrong; nothing was done.
    """
    stack = _declared(args)
    if args.dry_run:
        return stack.plan(client, prune=args.prune)
    return stack.apply(client, prune=args.prune)


def _declared(args: argparse.Namespace) -> Stack:
    cell = getattr(args, "cell", None)
    if cell is not None:
        return Stack.from_toml(cell, where="The cell")
    return Stack.read(Path(args.file or FILE))
