"""Every verb with the function that carries it out, for the rims."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from ..client import ProxyClient
from ..commands import record_verbs, runs, verbs
from ..monitoring.verb import monitor
from . import run_verbs
from .run_results import OutputResult
from .verb import apply

RUN: dict[str, verbs.Run] = {
    **runs.RUN,
    "apply": apply,
    "monitor": monitor,
    "run": run_verbs.run,
    "stop": run_verbs.stop,
    "processes": run_verbs.processes,
    "logs": run_verbs.logs,
}
"""Verb → function."""


def follow(client: ProxyClient, args: argparse.Namespace, shown: Any) -> Iterator[Any]:
    """Go on with what a verb showed, as more of it comes.

    Args:
        client: Where.
        args: Arguments of the verb.
        shown: What it returned.
    """
    if isinstance(shown, OutputResult):
        return run_verbs.follow_output(shown)
    return record_verbs.follow_events(client, args, shown)
