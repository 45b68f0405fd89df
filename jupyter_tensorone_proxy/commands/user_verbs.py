"""The verb `users`: people and programs that sign in by a token of their own."""

from __future__ import annotations

import argparse
import os
import shlex
from collections.abc import Mapping

from ..client import ProxyClient
from ..errors import UsageError
from ..people import User
from .credential_results import TokenResult
from .people_results import DoneResult
from .people_tables import users_table
from .private_file import private_file
from .results import Result
from .rows import Viewer, readable
from .verbs import Run


def users(client: ProxyClient, args: argparse.Namespace, _viewer: Viewer) -> Result:
    """List who is known by name; add, rotate, disable, enable or remove one.

    Args:
        client: Where.
        args: Arguments of the verb.

    Raises:
        UsageError: It is not said who, or a token would be saved with a notebook.
        ConflictError: Somebody of that name has a token already.
        NotFoundError: Nobody has that name.
    """
    if args.action is None:
        return users_table(client.list_users())
    if args.name is None:
        raise UsageError(f"users {args.action}: say whom, such as `users {args.action} ben`.")
    name = readable(args.name)
    if args.action in {"add", "rotate"}:
        return _with_token(client, args)
    if args.action == "remove":
        client.delete_user(args.name)
        return DoneResult(
            f"{name} is forgotten: their token, links and sessions have ended.",
            data={"name": args.name, "deleted": True},
        )
    changed = client.update_user(args.name, disabled=args.action == "disable")
    sentence = (
        f"{name} is kept out: their sessions have ended, their token and links are refused."
        if changed.disabled
        else f"{name} may sign in again."
    )
    hint = (
        f"`users enable {shlex.quote(args.name)}` lets them in again." if changed.disabled else ""
    )
    return DoneResult(sentence, hint, changed.to_wire())


RUN: dict[str, Run] = {"users": users}
"""Verb → function; `runs` has all of them."""


def _with_token(client: ProxyClient, args: argparse.Namespace) -> TokenResult:
    """Give a user a token; in a notebook only into a file.

    A cell's output is saved with the notebook, sent and committed; a token is good for a year.
    """
    replaces = args.action == "rotate"
    make = client.rotate_user_token if replaces else client.create_user
    if args.save:
        with private_file(args.save) as file:
            user = make(args.name)
            file.write(f"{user.token}\n")
        return TokenResult(_without_token(user), args.save, replaces)
    if args.rim == "magic" or _in_kernel(os.environ):
        command = f"users {args.action} {shlex.quote(args.name)}"
        raise UsageError(
            f"{command}: the token would be saved with this notebook.",
            suggestion=f"`{command} --save FILE` writes it to a file for you alone; in a terminal "
            f"`jupyter tensorone {command}` shows it.",
        )
    return TokenResult(make(args.name), replaced=replaces)


def _without_token(user: User) -> User:
    return User.from_server({k: v for k, v in user.to_wire().items() if k != "token"})


def _in_kernel(environ: Mapping[str, str]) -> bool:
    """Say whether this process was started by a cell (``!jupyter tensorone …``)."""
    return bool(environ.get("TENSORONE_KERNEL_ID") or environ.get("JPY_PARENT_PID"))
