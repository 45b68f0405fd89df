"""The one argument grammar of ``jupyter tensorone VERB …`` and ``%tensorone VERB …``.

It turns words into an `argparse.Namespace`, or raises: `UsageError` for words that cannot be
understood, `HelpRequested` for ``-h``. It never prints, never exits the process, and never repeats
a word it did not expect, because that word may be somebody's key.

It does not know what the verbs do, and imports nothing but the standard library and the errors.
"""

from __future__ import annotations

import argparse
import difflib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NoReturn

from ..errors import UsageError
from . import people_options as people
from .monitor_options import monitor as monitor_options
from .run_options import run as run_options
from .run_options import stop as stop_options
from .trust.options import trust_options
from .words import count, mapping_life, names, one_of, or_word, port, refuse_credentials

Rim = Literal["cli", "magic"]

EXIT_CODES = """\
exit codes:
  0    done
  1    the API or the gateway refused or failed
  2    the command line, or a stack's file, cannot be understood
  3    another gateway is already running
  4    the API cannot be reached, or is not configured
  130  interrupted

With --json the answer is JSON on stdout; an error is one JSON object on stderr with
"code", "message", "suggestion" and "details".
"""


class HelpRequested(Exception):  # noqa: N818 - somebody asked; nothing went wrong
    """``-h`` was given; the exception's text is the help to show."""


@dataclass(frozen=True)
class Verb:
    """One verb of the grammar.

    Args:
        name: The word people type.
        help: One line for ``-h``.
        doing: What to say while it takes longer than a second; ``{port}`` is filled in.
        options: Adds the verb's arguments to its parser.
        rims: Where the verb exists.
        tells_itself: It says how far it is, so the rim does not.
        passes_on: Words that are none of its own are another program's.
    """

    name: str
    help: str
    doing: str
    options: Callable[[argparse.ArgumentParser, Rim], None]
    rims: tuple[Rim, ...] = ("cli", "magic")
    tells_itself: bool = False
    passes_on: bool = False

    def doing_now(self, args: argparse.Namespace) -> str:
        """Say in one line what is going on, for people who wait."""
        said = {"port": getattr(args, "port", None), "service": getattr(args, "service", None)}
        return f"{self.doing.format(**said)} …"


class _Parser(argparse.ArgumentParser):
    """An argument parser that raises where argparse would print and exit."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{self.prog}: {message}.", suggestion=f"`{self.prog} -h` explains.")


class _Help(argparse.Action):
    """``-h``: hand the help over instead of printing it and exiting."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        raise HelpRequested(parser.format_help())


def parse(words: Sequence[str], *, rim: Rim) -> argparse.Namespace:
    """Read a command's words.

    Args:
        words: The verb and what follows it.
        rim: Where the words were typed; ``cli`` has a few more than ``magic``.

    Returns:
        The arguments; ``verb`` names the verb.

    Raises:
        UsageError: The words cannot be understood, or hold a credential.
        HelpRequested: Help was asked for, or there are no words.

    Example:
        >>> parse(["expose", "6006", "--name", "TensorBoard"], rim="magic").port
        6006
    """
    refuse_credentials(words)
    parser = build_parser(rim)
    if not words:
        raise HelpRequested(parser.format_help())
    known = [verb.name for verb in VERBS if rim in verb.rims]
    if words[0] not in {*known, "-h", "--help"}:
        raise UsageError(f"{parser.prog}: no such verb{_hint(words[0], known, rim)}")
    if words[0] in {verb.name for verb in VERBS if verb.passes_on}:
        return _parse_and_pass_on(parser, list(words))
    args, unknown = parser.parse_known_args(words)
    if unknown:
        options = [word.split("=")[0] for word in unknown if word.startswith("--")]
        what = f"no such option: {', '.join(options)}" if options else "too many words"
        command = f"{parser.prog} {args.verb}"
        raise UsageError(f"{command}: {what}.", suggestion=f"`{command} -h` explains.")
    return args


def _parse_and_pass_on(parser: argparse.ArgumentParser, words: list[str]) -> argparse.Namespace:
    """Read a command of which what is unknown, and all behind ``--``, is for another program."""
    end = words.index("--") if "--" in words else len(words)
    args, unknown = parser.parse_known_args(words[:end])
    args.words = [*unknown, *words[end + 1 :]]
    return args


def _hint(word: str, known: Sequence[str], rim: Rim) -> str:
    """Return where a verb is to be typed that is none here, or which ones there are."""
    if word in {verb.name for verb in VERBS}:
        where = "`%tensorone {}` in a cell of a notebook"
        if rim == "magic":
            where = "`jupyter tensorone {}` in a terminal"
        return f" here; type {where.format(word)}."
    if near := difflib.get_close_matches(word, known, n=1):
        return f"; did you mean `{near[0]}`?"
    return f"; there are {', '.join(known)}."


def completions(words: Sequence[str], symbol: str) -> list[str]:
    """Return what could stand at the cursor of a magic's line.

    Args:
        words: The words after ``%tensorone``, up to the cursor.
        symbol: The word at the cursor, as far as it is typed.

    Example:
        >>> completions(["ex"], "ex")[:2]
        ['expose', 'list']
        >>> "--name" in completions(["expose", "6006"], "")
        True
    """
    verbs = {verb.name: verb for verb in VERBS if "magic" in verb.rims}
    if not words or words == [symbol] or words[0] not in verbs:
        return list(verbs)
    parser = _Parser(add_help=False)
    verbs[words[0]].options(parser, "magic")
    return sorted(set(re.findall(r"--[a-z][a-z-]+", parser.format_usage())))


def build_parser(rim: Rim) -> argparse.ArgumentParser:
    """Make the parser of one rim.

    Args:
        rim: ``cli`` or ``magic``.
    """
    parser = _Parser(
        prog="jupyter tensorone" if rim == "cli" else "%tensorone",
        description="Expose local ports through the cluster proxy, privately by default.",
        epilog=EXIT_CODES if rim == "cli" else None,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=False,
        allow_abbrev=False,
    )
    _add_help(parser)
    parser.set_defaults(rim=rim)
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    for verb in VERBS:
        if rim in verb.rims:
            sub = verbs.add_parser(
                verb.name,
                help=verb.help,
                description=verb.help,
                add_help=False,
                allow_abbrev=False,
            )
            _add_help(sub)
            verb.options(sub, rim)
            if rim == "cli":
                sub.add_argument("--json", action="store_true", help="answer with JSON")
    return parser


def _add_help(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-h", "--help", action=_Help, nargs=0, help="show this and do nothing")


def _no_options(_parser: argparse.ArgumentParser, _rim: Rim) -> None:
    """Add nothing: the verb stands alone."""


def _port_option(parser: argparse.ArgumentParser, _rim: Rim) -> None:
    parser.add_argument("port", metavar="PORT", type=port, help="the service's port, 1–65535")


def _health_options(parser: argparse.ArgumentParser, _rim: Rim) -> None:
    parser.add_argument(
        "port", metavar="PORT", type=port, nargs="?", help="only this port; all if missing"
    )


def _open_options(parser: argparse.ArgumentParser, rim: Rim) -> None:
    _port_option(parser, rim)
    if rim == "cli":
        parser.add_argument(
            "--print",
            action="store_true",
            help="print the one-time link instead of opening it; whoever has it is signed in as "
            "you, so treat it like a password",
        )


def _setting_options(parser: argparse.ArgumentParser, rim: Rim) -> None:
    _port_option(parser, rim)
    add = parser.add_argument
    add("--name", help="what people see; 'port PORT' at first")
    add("--external-port", metavar="N", type=port, help="port on the proxy; the lowest free one")
    add("--domain", metavar="HOST", help="a host name of its own")
    who = parser.add_mutually_exclusive_group()
    who.add_argument("--only-me", action="store_true", help="only I can open it (as at first)")
    who.add_argument("--users", metavar="A,B", type=names, help="only these people can open it")
    who.add_argument("--anyone-signed-in", action="store_true", help="anyone who signs in can")
    who.add_argument("--public", action="store_true", help="anyone who has the address can")
    add(
        "--for",
        dest="life_seconds",
        metavar="TIME",
        type=or_word("ever", mapping_life),
        default=argparse.SUPPRESS,  # None is for ever
        help="how long from now, such as 30m, 8h or 1d; then it stops by itself. 'ever', as at "
        "first: until it is stopped",
    )
    add("--health-path", metavar="PATH", help="path to check, such as /health")
    add("--health-interval", metavar="S", type=count, help="seconds between two checks")
    add("--rate-limit", metavar="N", type=count, help="requests a minute; more get a 429")
    add("--allow-ip", metavar="CIDR", action="append", help="only from here; may be repeated")
    add("--block-ip", metavar="CIDR", action="append", help="never from here; may be repeated")
    spoken = one_of("http", "h2c", "grpc", "https", "tcp")
    add("--app-protocol", metavar="P", type=spoken, help="http, h2c, grpc, https or tcp (raw)")
    add("--protocol", metavar="P", type=one_of("tcp", "udp"), help="tcp (at first) or udp")
    add("--force", action="store_true", help="expose a protected port all the same")


def _expose_options(parser: argparse.ArgumentParser, rim: Rim) -> None:
    _setting_options(parser, rim)
    kept = (
        "stay when this kernel goes" if rim == "magic" else "stay for good, as it does anyway here"
    )
    parser.add_argument("--persistent", action="store_true", help=kept)


def _apply_options(parser: argparse.ArgumentParser, rim: Rim) -> None:
    where = "; or below `%%%%tensorone apply`, in its cell" if rim == "magic" else ""
    add = parser.add_argument
    add("file", metavar="FILE", nargs="?", help=f"the stack, TOML; tensorone.toml{where}")
    add("--prune", action="store_true", help="also remove what the stack made and no longer names")
    add("--dry-run", action="store_true", help="show what would change, and change nothing")


VERBS: tuple[Verb, ...] = (
    Verb("expose", "expose a port, or change how it is exposed", "Exposing port {port}",
         _expose_options),
    Verb("list", "list what is exposed", "Asking what is exposed", _no_options),
    Verb("show", "show one exposed port", "Looking at port {port}", _port_option),
    Verb("update", "change how a port is exposed", "Updating port {port}", _setting_options),
    Verb("unexpose", "stop exposing a port", "Stopping port {port}", _port_option),
    Verb("open", "open an exposed port, signed in", "Opening port {port}", _open_options),
    Verb("apply", "make the proxy as a stack says", "Asking what is exposed", _apply_options,
         tells_itself=True),
    Verb("run", "start a service, and expose it", "Starting {service}", run_options,
         passes_on=True),
    Verb("stop", "stop what was started, and stop exposing it", "Stopping it", stop_options),
    Verb("processes", "list what was started", "Asking what runs", _no_options),
    Verb("share", "let one person in by a link, for a while", "Making a link", people.share),
    Verb("links", "list the links that are out", "Asking for links", people.links),
    Verb("sessions", "list who is signed in", "Asking who is in", people.sessions),
    Verb("revoke", "end sessions and links", "Revoking", people.revoke),
    Verb("users", "list, add, rotate, disable or remove users", "Asking for users", people.users),
    Verb("access", "show or change the rules of all ports", "Asking for rules", people.access),
    Verb("logs", "show requests to exposed services", "Reading the log", people.logs),
    Verb("events", "show what happened, and who did it", "Reading the audit", people.events),
    Verb("rotate-keys", "sign with a new key, ending what the old one signed", "Rotating keys",
         people.rotate_keys),
    Verb("health", "say whether exposed services answer", "Asking for health", _health_options),
    Verb("monitor", "watch exposed services, and say what is wrong", "Looking at services",
         monitor_options, tells_itself=True),
    Verb("status", "say where the proxy is and how it does", "Asking the proxy", _no_options),
    Verb("panel", "show all of it as a live panel, to click on", "Making the panel", _no_options,
         rims=("magic",)),
    Verb("trust", "have this machine trust the local CA, or show it", "Changing what is trusted",
         trust_options, rims=("cli",)),
    Verb("gateway", "run the embedded gateway in the foreground", "Starting the gateway",
         _no_options, rims=("cli",)),
)  # fmt: skip
"""Every verb, in the order of the help."""
