"""From a line of `run` to what has to run."""

from __future__ import annotations

import argparse
import difflib
from pathlib import Path

from ..errors import UsageError
from ..services import Catalogue, Service
from .processes.free_ports import is_free
from .processes.placeholders import mentions, problem
from .processes.spec import RUN_PREFIX, ProcessSpec

_LONGEST_NAME = 90


def known_service(args: argparse.Namespace, catalogue: Catalogue) -> Service:
    """Return the service of a line: one of the catalogue, or a program that is told its port.

    Args:
        args: Arguments of ``run``.
        catalogue: What is known.

    Raises:
        UsageError: It is neither, or it lacks the words that say what to run.
    """
    found = catalogue.get(args.service)
    if found is None and mentions(args.words, "port"):
        return Service("program", Path(args.service).name, start=(args.service,))
    if found is None or not found.start:
        startable = [service.id for service in catalogue.services if service.start]
        near = difflib.get_close_matches(args.service, startable, n=1)
        meant = f"Did you mean `run {near[0]}`?" if near else f"Known: {', '.join(startable)}."
        raise UsageError(
            "run: no such service is known how to be started.",
            suggestion=f"{meant} Any program can be run whose words say {{port}}.",
        )
    needed = found.start_words[0] if found.start_words else ""
    if needed.startswith("<") and not args.words:
        raise UsageError(
            f"run {found.id}: what is to be run is missing.",
            suggestion=f"Add it, such as `run {found.id} {_example(needed)}`.",
        )
    return found


def spec_of_line(
    args: argparse.Namespace, service: Service, inherited: dict[str, str]
) -> ProcessSpec:
    """Return what has to run for a line.

    Args:
        args: Arguments of ``run``.
        service: What it starts.
        inherited: The environment it gets; empty where its runner has the same.

    Raises:
        UsageError: A placeholder is wrong.
    """
    words = [*service.start, *(args.words or service.start_words)]
    for word in words:
        if wrong := problem(word):
            raise UsageError(f"run {args.service}: {wrong}.")
    name = (args.name or service.name)[:_LONGEST_NAME]
    speaks_http = service.app_protocol == "http"
    return ProcessSpec(
        stack=f"{RUN_PREFIX}{name}",
        name=name,
        command=words,
        env=dict(service.start_env),
        cwd=str(Path.cwd()),
        inherited=inherited,
        port=args.port,
        ready_path=service.health_path if speaks_http else None,
        ready_timeout_seconds=args.ready,
        install=service.how_to_install,
    )


def usual_port(service: Service) -> int | None:
    """Return the port where a service usually listens, if it is free.

    Args:
        service: The service.
    """
    usual = service.default_port
    return usual if usual is not None and is_free(usual) else None


def _example(needed: str) -> str:
    return {"<module:app>": "main:app"}.get(needed, needed.strip("<>"))
