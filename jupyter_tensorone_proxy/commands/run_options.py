"""The options of the verbs that start and stop services.

Like `grammar`, which puts them into its table, this knows words and nothing of what they do.
"""

from __future__ import annotations

import argparse
from typing import Literal

from .words import count, name, names, port

Rim = Literal["cli", "magic"]


def run(parser: argparse.ArgumentParser, _rim: Rim) -> None:
    """Add the arguments of ``run``; what else is on the line is the service's own."""
    add = parser.add_argument
    add(
        "service",
        metavar="SERVICE",
        type=name,
        help="a known service, such as tensorboard or mlflow, or any program; all further words, "
        "and those behind --, are its own; {port} in them is the port",
    )
    add("--name", metavar="NAME", type=name, help="what people see; the service's name at first")
    add("--port", metavar="N", type=port, help="where it listens; its usual or a free port")
    add("--ready", metavar="S", type=count, default=120, help="seconds it has to begin; 120")
    who = parser.add_mutually_exclusive_group()
    who.add_argument("--only-me", action="store_true", help="only I can open it (as at first)")
    who.add_argument("--users", metavar="A,B", type=names, help="only these people can open it")
    who.add_argument("--anyone-signed-in", action="store_true", help="anyone who signs in can")
    who.add_argument("--public", action="store_true", help="anyone who has the address can")


def stop(parser: argparse.ArgumentParser, _rim: Rim) -> None:
    """Add the arguments of ``stop``."""
    parser.add_argument(
        "target", metavar="PORT|NAME", type=name, help="the service's port, or its name"
    )
