"""``jupyter tensorone …``: the verbs in a terminal.

This module reads words, prints results and turns errors into exit codes. It holds no logic of the
verbs (``commands/``) nor of the gateway, which it starts only for ``jupyter tensorone gateway``.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import sys
from argparse import Namespace
from collections.abc import Sequence
from typing import Any, TextIO

from .commands.grammar import VERBS, HelpRequested, parse
from .commands.progress import announce_if_slow
from .errors import (
    ApiError,
    ApiUnreachableError,
    ConfigurationError,
    GatewayRunningError,
    ProxyError,
    UsageError,
)

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
        _run(parse(words, rim="cli"))
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


def _run(args: Namespace) -> None:
    """Run a verb and print its result."""
    from .client import ProxyClient  # with httpx and pydantic: not needed for help or mistakes
    from .commands.results import OpenResult
    from .commands.rows import Viewer
    from .commands.verbs import RUN

    verb = next(verb for verb in VERBS if verb.name == args.verb)

    def announce() -> None:
        if sys.stderr.isatty():
            _print(verb.doing_now(args), sys.stderr)

    with announce_if_slow(announce), ProxyClient(via="cli") as client:
        result = RUN[args.verb](client, args, Viewer.of(client.settings))
    if isinstance(result, OpenResult) and _open(result, args):
        return
    color = _has_colors(sys.stdout)
    _print(_to_json(result.json()) if args.json else result.text(color=color), sys.stdout)
    sys.stdout.flush()


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


def _gateway(words: list[str]) -> int:
    """Hand over to the gateway, which reads its own words."""
    missing = [name for name in _GATEWAY_MODULES if importlib.util.find_spec(name) is None]
    if missing:
        raise ConfigurationError(
            f"The gateway needs {', '.join(missing)}, not installed here.",
            suggestion='Run: pip install "jupyter-tensorone-proxy[gateway]"',
        )
    from .gateway.supervisor import main as run_gateway

    given = any(word.split("=")[0] in {"--state-dir", "-h", "--help"} for word in words)
    return run_gateway(words if given else [*words, *_default_state_dir()])


def _default_state_dir() -> list[str]:
    from .settings import default_state_dir

    return ["--state-dir", str(default_state_dir())]


def _print_error(error: ProxyError, *, as_json: bool) -> None:
    text = _to_json(error_json(error)) if as_json else f"Error: {error}"
    if not as_json and _has_colors(sys.stderr):
        text = text.replace("Error:", "\x1b[31mError:\x1b[0m", 1)
    _print(text, sys.stderr)


def _to_json(value: Any) -> str:
    return json.dumps(value, indent=2, default=str)


def _has_colors(stream: TextIO) -> bool:
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return stream.isatty() and not plain


def _print(text: str, stream: TextIO) -> None:
    """Print, with a question mark for what the terminal's encoding does not have."""
    encoding = stream.encoding or "utf-8"
    print(text.encode(encoding, "replace").decode(encoding), file=stream)


if __name__ == "__main__":
    sys.exit(main())
