"""The options of the verb that watches exposed services.

Like `grammar`, which puts them into its table, this knows words and nothing of what they do.
"""

from __future__ import annotations

import argparse
from typing import Literal

from .words import count, port

Rim = Literal["cli", "magic"]
INTERVAL_SECONDS = 10


def monitor(parser: argparse.ArgumentParser, rim: Rim) -> None:
    """Add the arguments of ``monitor``."""
    add = parser.add_argument
    add("ports", metavar="PORT", type=port, nargs="*", help="only these ports; all if missing")
    add(
        "--interval",
        metavar="S",
        type=count,
        default=INTERVAL_SECONDS,
        help=f"seconds from one look to the next; {INTERVAL_SECONDS} at first",
    )
    until = "until Ctrl-C on a terminal, once elsewhere" if rim == "cli" else "once"
    add("--rounds", metavar="N", type=count, help=f"how often to look; if missing {until}")
    add(
        "--alert",
        metavar="LINE",
        action="append",
        help="when to tell, such as 'response_time > 2 s for 30 s' or 'error_rate > 5 %%'; may be "
        "repeated; 'health' if missing",
    )
    if rim == "cli":  # cells are saved, and such an address may be a secret
        add("--webhook", metavar="URL", help="where alerts are posted as JSON; http or https")
    else:
        parser.set_defaults(webhook=None)
