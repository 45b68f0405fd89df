"""``jupyter tensorone …``: the verbs in a terminal.

This module reads words, prints results and turns errors into exit codes. It holds no logic of the
verbs (``commands/``) nor of the gateway, which it starts only for ``jupyter tensorone gateway``.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import re
import sys
from argparse import Namespace
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, TextIO

from .commands.grammar import VERBS, HelpRequested, parse
from .commands.people_options import question
from .commands.progress import announce_if_slow
from .errors import (
    ApiError,
    ApiUnreachableError,
    ConfigurationError,
    ConflictError,
    GatewayRunningError,
    ProxyError,
    UsageError,
)

if TYPE_CHECKING:
    from .client import ProxyClient
    from .commands.results import Result

_EXIT_CODES: tuple[tuple[type[ProxyError], int], ...] = (
    (UsageError, 2),
    (GatewayRunningError, 3),
    (ConfigurationError, 4),
    (ApiUnreachableError, 4),
    (ProxyError, 1),
)
_INTERRUPTED = 130
_GATEWAY_MODULES = (
    "alembic",
    "cryptography",
    "fastapi",
    "grpc",
    "joserfc",
    "sqlalchemy",
    "uvicorn",
)
"""What the extra ``gateway`` installs; Envoy itself may also come from elsewhere."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: The words after ``jupyter tensorone``; this process's by default.

    Returns:
        The exit code; ``jupyter tensorone -h`` lists them.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        if words[:1] == ["gateway"]:
            return _gateway(words[1:])
        args = parse(words, rim="cli")
        if args.verb == "trust":
            return _trust(args)
        return _run(args)
    except HelpRequested as help_text:
        _print(str(help_text).rstrip(), sys.stdout)
    except ProxyError as error:
        _print_error(error, as_json="--json" in words)
        return exit_code(error)
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        # The reader (`| head`) has seen enough; Python must not complain at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def exit_code(error: ProxyError) -> int:
    """Return the documented exit code of an error.

    Example:
        >>> exit_code(UsageError("?")), exit_code(ApiUnreachableError("?"))
        (2, 4)
    """
    return next(code for kind, code in _EXIT_CODES if isinstance(error, kind))


def error_json(error: ProxyError) -> dict[str, Any]:
    """Return an error in the form for programs.

    Args:
        error: What went wrong.

    Example:
        >>> error_json(UsageError("No such verb."))
        {'code': 'USAGE', 'message': 'No such verb.', 'suggestion': '', 'details': {}}
    """
    name = re.sub(r"(?<!^)(?=[A-Z])", "_", type(error).__name__.removesuffix("Error")).upper()
    form = {"code": name, "message": error.message, "suggestion": error.suggestion, "details": {}}
    if isinstance(error, ApiError):
        form |= {"code": error.code, "details": error.details}
        form |= {"request_id": error.request_id} if error.request_id else {}
    return form


def _run(args: Namespace) -> int:
    """Run a verb, print its result, and return the exit code."""
    from .client import ProxyClient  # with httpx and pydantic: not needed for help or mistakes
    from .commands.results import OpenResult

    _confirm(question(args), args)
    with _announced(args):  # a gateway that is just starting is waited for
        client = ProxyClient(via="cli")
    with client:
        try:
            result = _call(client, args)
        except ConflictError as refusal:
            offered = args.verb == "share" and "allowed_users" in refusal.details
            if not offered or not _agreed(f"{refusal.message} Share it with them too?"):
                raise
            args.allow = True
            result = _call(client, args)
        if isinstance(result, OpenResult) and _open(result, args):
            return 0
        _show(result, args)
        if getattr(args, "follow", False):
            _follow(client, result, args)
        _stay(client, result, args)
    return 0 if result.complete else 1


def _call(client: ProxyClient, args: Namespace) -> Result:
    """Run a verb."""
    from .commands.rows import Viewer
    from .stacks.runs import RUN

    verb = next(verb for verb in VERBS if verb.name == args.verb)
    with contextlib.nullcontext() if verb.tells_itself else _announced(args):
        return RUN[args.verb](client, args, Viewer.of(client.settings))


def _announced(args: Namespace) -> AbstractContextManager[None]:
    verb = next(verb for verb in VERBS if verb.name == args.verb)

    def announce() -> None:
        if sys.stderr.isatty():
            _print(verb.doing_now(args), sys.stderr)

    return announce_if_slow(announce)


def _show(result: Result, args: Namespace) -> None:
    """Print a result in the form that was asked for."""
    from .commands.credential_results import Secret

    if getattr(args, "json_lines", False):
        _print_lines(result.json_lines())  # type: ignore[attr-defined] # only tables have the option
    elif args.json:
        _print(_to_json(result.json()), sys.stdout)
    elif isinstance(result, Secret) and result.secret and not sys.stdout.isatty():
        # What is piped on is the credential alone; people still read what to know about it.
        _print(result.about(), sys.stderr)
        _print(result.secret, sys.stdout)
    else:
        _print(result.text(color=_has_colors(sys.stdout)), sys.stdout)
    sys.stdout.flush()


def _follow(client: ProxyClient, shown: Any, args: Namespace) -> None:
    """Print what comes as it comes, until somebody interrupts."""
    from .stacks.runs import follow

    for more in follow(client, args, shown):
        if getattr(args, "json_lines", False):
            _print_lines(more.json_lines())
        else:
            _print(more.lines(color=_has_colors(sys.stdout)), sys.stdout)
        sys.stdout.flush()


def _stay(client: ProxyClient, result: Result, args: Namespace) -> None:
    """Stay while what was started from here runs; its output goes to standard error."""
    if args.verb in {"run", "apply"}:
        from .stacks.foreground import stay

        stay(client, result, lambda line: _print(line, sys.stderr))


def _confirm(about: str, args: Namespace) -> None:
    """Ask before what cannot be undone; only a terminal can answer, and only there it is asked.

    Raises:
        ProxyError: The answer was no.
    """
    if about and not args.yes and _can_ask() and not _agreed(about):
        raise ProxyError("Nothing was changed.")


def _can_ask() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()


def _agreed(about: str) -> bool:
    """Ask a question on a terminal; where there is none the answer is no."""
    if not _can_ask():
        return False
    sys.stderr.write(f"{about} [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def _open(result: Any, args: Namespace) -> bool:
    """Open a link, or print it if that was asked for; say whether everything is said."""
    if args.print:
        _print(_to_json(result.printed()) if args.json else str(result.url), sys.stdout)
        return True
    from .commands.browser import open_in_browser

    if result.row.open_url is None or result.url is None:
        raise ProxyError(
            f"Port {args.port} has no page that a browser could open.",
            suggestion=f"Its address is {result.row.address}.",
        )
    open_in_browser(result.url, port=args.port, secret=result.link is not None)
    return False


def _trust(args: Namespace) -> int:
    """Change what this machine trusts; this needs no gateway that runs."""
    from .commands.trust.verb import look, nobody_to_ask

    plan = look(args, interactive=_can_ask())
    if plan.question and not args.yes and not _can_ask():
        raise nobody_to_ask()
    _confirm(plan.question, args)
    with _announced(args):
        result = plan.carry_out()
    _show(result, args)
    return 0 if result.complete else 1


def _gateway(words: list[str]) -> int:
    """Hand over to the gateway, which reads its own words."""
    missing = [name for name in _GATEWAY_MODULES if importlib.util.find_spec(name) is None]
    if missing:
        raise ConfigurationError(
            f"The gateway needs {', '.join(missing)}, not installed here.",
            suggestion='Run: pip install "jupyter-tensorone-proxy[gateway]"',
        )
    from .gateway.launcher import main as run_gateway

    given = {word.split("=")[0] for word in words}
    if not given & {"-h", "--help"}:
        defaults = _gateway_defaults()
        missing_options = [name for name in defaults if name not in given]
        words = [*words, *(f"{name}={defaults[name]}" for name in missing_options)]
    return run_gateway(words)


def _gateway_defaults() -> dict[str, str]:
    """Return the options that the gateway itself cannot know: it knows no Jupyter."""
    from jupyter_core.paths import jupyter_runtime_dir

    from .settings import default_state_dir

    return {
        "--state-dir": str(default_state_dir()),
        "--jupyter-runtime-dir": jupyter_runtime_dir(),
    }


def _print_error(error: ProxyError, *, as_json: bool) -> None:
    text = _to_json(error_json(error)) if as_json else f"Error: {error}"
    if not as_json and _has_colors(sys.stderr):
        text = text.replace("Error:", "\x1b[31mError:\x1b[0m", 1)
    _print(text, sys.stderr)


def _to_json(value: Any) -> str:
    return json.dumps(value, indent=2, default=str)


def _print_lines(lines: str) -> None:
    if lines:
        _print(lines, sys.stdout)


def _has_colors(stream: TextIO) -> bool:
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return stream.isatty() and not plain


def _print(text: str, stream: TextIO) -> None:
    """Print, with a question mark for what the terminal's encoding does not have."""
    encoding = stream.encoding or "utf-8"
    print(text.encode(encoding, "replace").decode(encoding), file=stream)


if __name__ == "__main__":
    sys.exit(main())
