"""The options of the verbs about people: who gets in, who is in, and what they did.

Like `grammar`, which puts them into its table, this knows words and nothing of what they do.
"""

from __future__ import annotations

import argparse
import shlex
from typing import Literal

from .words import (
    count,
    duration,
    link_life,
    minutes,
    name,
    one_of,
    or_word,
    port,
    status,
)

Rim = Literal["cli", "magic"]
USER_ACTIONS = ("add", "rotate", "remove", "disable", "enable")
DEFAULT_SHARE_SECONDS = 8 * 3600
_MOST_ENTRIES = 1000


def share(parser: argparse.ArgumentParser, _rim: Rim) -> None:
    """Add the arguments of ``share``."""
    add = parser.add_argument
    add("port", metavar="PORT", type=port, help="the service's port, 1–65535")
    add("--user", metavar="NAME", type=name, required=True, help="who is let in; any name you like")
    add(
        "--for",
        dest="life_seconds",
        metavar="TIME",
        type=link_life,
        default=DEFAULT_SHARE_SECONDS,
        help="how long, such as 30m, 8h or 1d; 8h at first. Then the link is dead, and whoever "
        "came in by it is out",
    )
    add("--once", action="store_true", help="the link works once, then no more")
    add("--path", metavar="PATH", default="/", help="where they land, such as /notebooks/a.ipynb")
    add("--allow", action="store_true", help="also add them to the people who can open the port")


def links(parser: argparse.ArgumentParser, _rim: Rim) -> None:
    """Add the arguments of ``links``."""
    _only_port(parser)


def sessions(parser: argparse.ArgumentParser, _rim: Rim) -> None:
    """Add the arguments of ``sessions``."""
    _only_port(parser)
    parser.add_argument("--user", metavar="NAME", type=name, help="only this person")


def revoke(parser: argparse.ArgumentParser, _rim: Rim) -> None:
    """Add the arguments of ``revoke``."""
    add = parser.add_argument
    add("--session", metavar="ID", type=name, help="end this session; `sessions` lists them")
    add("--link", metavar="ID", type=name, help="end this link, and who came in by it")
    add("--user", metavar="NAME", type=name, help="end this person's sessions and links")
    add(
        "--port",
        metavar="PORT",
        type=port,
        help="end everybody's on this port, or --user's",
    )


def users(parser: argparse.ArgumentParser, rim: Rim) -> None:
    """Add the arguments of ``users``."""
    add = parser.add_argument
    add(
        "action",
        metavar="ACTION",
        nargs="?",
        type=one_of(*USER_ACTIONS),
        help="add: give a token; rotate: replace it; disable, enable: keep out, let in again; "
        "remove: forget. Without any: list",
    )
    add("name", metavar="NAME", nargs="?", type=name, help="whom")
    add("--save", metavar="FILE", help="write the token to this file, for you alone, unseen")
    _yes(parser, rim)


def access(parser: argparse.ArgumentParser, _rim: Rim) -> None:
    """Add the arguments of ``access``."""
    add, flag = parser.add_argument, argparse.BooleanOptionalAction
    add("--default-sign-in", action=flag, help="ports that do not say otherwise ask for sign-in")
    add("--session-timeout", metavar="TIME", type=minutes, help="a session's life, such as 8h")
    add("--max-sessions", metavar="N", type=count, help="sessions at once, all ports together")
    for option, words in (("--allow-ip", "only from here"), ("--block-ip", "never from here")):
        add(
            option,
            metavar="CIDR",
            action="append",
            type=or_word("none", str),
            help=f"{words}; may be repeated; 'none' empties the list",
        )
    for option, of_what in (
        ("--global-limit", "over all ports"),
        ("--user-limit", "of each person"),
    ):
        add(
            option,
            metavar="N",
            type=or_word("none", count),
            default=argparse.SUPPRESS,  # None lifts it
            help=f"requests a minute {of_what}; more get a 429; 'none' lifts the limit",
        )
    add("--hsts", action=flag, help="browsers come back by https only")
    add("--frame-options", metavar="VALUE", help="X-Frame-Options of every answer")
    add("--content-security-policy", metavar="VALUE", help="the same for this header")


def logs(parser: argparse.ArgumentParser, rim: Rim) -> None:
    """Add the arguments of ``logs``."""
    _only_port(parser)
    add = parser.add_argument
    add("--status", metavar="S", type=status, help="only such as 404, or 5xx for a whole class")
    add("--since", metavar="TIME", type=duration, help="only of the last 30m, 8h, 1d …")
    add("-n", "--lines", metavar="N", type=_entries, default=50, help="how many; 50 at first")
    add("--output", action="store_true", help="what the service printed, if it was started here")
    if rim == "cli":
        add("--follow", action="store_true", help="with --output: go on with what it prints")


def events(parser: argparse.ArgumentParser, rim: Rim) -> None:
    """Add the arguments of ``events``."""
    _only_port(parser)
    add = parser.add_argument
    add(
        "--action", metavar="A", type=name, help="only such as port.created, or session. for a kind"
    )
    add("-n", "--lines", metavar="N", type=_entries, help="how many; the last 50 at first")
    if rim == "cli":
        add("--follow", action="store_true", help="go on with what happens from now on")
        add(
            "--json-lines",
            action="store_true",
            help="one JSON object a line, all there are unless -n says how many",
        )


def rotate_keys(parser: argparse.ArgumentParser, rim: Rim) -> None:
    """Add the arguments of ``rotate-keys``."""
    parser.add_argument(
        "--overlap",
        action="store_true",
        help="what is signed already stays good until the next rotation; without it every "
        "session, link and token ends at once",
    )
    _yes(parser, rim)


def question(args: argparse.Namespace) -> str:
    """Return what to ask before something that cannot be undone; empty if nothing.

    Args:
        args: Arguments of any verb.
    """
    if args.verb == "rotate-keys" and not args.overlap:
        return "Every session, link and token ends at once, for everybody. Go on?"
    if args.verb == "users" and args.action == "remove" and args.name:
        return f"The token, the links and the sessions of {shlex.quote(args.name)} end. Go on?"
    return ""


def _only_port(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "port", metavar="PORT", type=port, nargs="?", help="only this port; all if missing"
    )


def _yes(parser: argparse.ArgumentParser, rim: Rim) -> None:
    if rim == "cli":
        parser.add_argument("--yes", action="store_true", help="do not ask first")


def _entries(word: str) -> int:
    number = count(word)
    if number > _MOST_ENTRIES:
        raise argparse.ArgumentTypeError(f"at most {_MOST_ENTRIES} at once")
    return number
