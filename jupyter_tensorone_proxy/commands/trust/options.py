"""The options of ``trust``; like `grammar`, this knows words and nothing of what they do."""

from __future__ import annotations

import argparse
from typing import Literal

Rim = Literal["cli", "magic"]


def trust_options(parser: argparse.ArgumentParser, _rim: Rim) -> None:
    """Add the arguments of ``trust``."""
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--show", action="store_true", help="show the CA and change nothing")
    what.add_argument("--remove", action="store_true", help="end the trust again")
    add = parser.add_argument
    add("--ca-file", metavar="FILE", help="the CA of another machine; this user's own if missing")
    add("--only", choices=("system", "browsers"), help="leave the other one as it is")
    add("--yes", action="store_true", help="do not ask first")
