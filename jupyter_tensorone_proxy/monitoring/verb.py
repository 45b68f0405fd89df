"""The verb `monitor`: look once, or go on looking."""

from __future__ import annotations

import argparse
import contextlib
import logging

from ..client import ProxyClient
from ..commands.rows import Viewer
from ..commands.surroundings import in_kernel
from ..commands.verbs import require
from .delivery import log
from .live import on_a_terminal, terminal, update_display
from .monitor import Monitor
from .results import MonitorResult


def monitor(client: ProxyClient, args: argparse.Namespace, viewer: Viewer) -> MonitorResult:
    """Say how exposed services do: once, or round by round while somebody looks on.

    Args:
        client: Where.
        args: Arguments of the verb.
        viewer: Who asks.

    Raises:
        PortNotFoundError: A port that was asked for is not exposed.
        InvalidAlertError: An alert cannot be understood.
    """
    watch = Monitor(
        *args.ports,
        alerts=args.alert or ("health",),
        interval_seconds=args.interval,
        webhook=args.webhook,
        client=client,
        user=viewer.me,
    )
    if args.ports:
        config = client.get_proxy()
        for port in args.ports:
            require(config, port)
    live = on_a_terminal() and not getattr(args, "json", False)
    rounds = args.rounds or (None if live else 1)
    if rounds == 1:
        return watch.check()
    clear = update_display(watch) if in_kernel() else None
    with watch:
        result = _on_a_terminal(watch, rounds) if live else _rounds(watch, rounds)
    if clear is not None:
        clear()  # the result follows
    return result


def _rounds(watch: Monitor, rounds: int | None) -> MonitorResult:
    result = watch.result()
    while watch.running and (rounds is None or result.looks < rounds):
        result = watch.wait_for_look()
    return result


def _on_a_terminal(watch: Monitor, rounds: int | None) -> MonitorResult:
    """Show each round in place of the one before, until there were enough, or Ctrl-C."""
    log.addHandler(logging.NullHandler())  # alerts are in the table; lines would tear it
    with contextlib.suppress(KeyboardInterrupt), terminal() as show:
        result = watch.result()
        while watch.running and (rounds is None or result.looks < rounds):
            result = watch.wait_for_look()
            show(result)
    return watch.result()
