"""The routes for users: people and programs that may sign in, and their tokens (extensions)."""

from __future__ import annotations

from datetime import timedelta

from fastapi import FastAPI, Request
from fastapi.responses import Response

from ..errors import ConflictError, UserNotFoundError
from ..people import User, UserRequest, UserSettings
from ..validation import parse_request
from . import answers
from .audit import Note
from .context import PROXY, Context
from .identity import USER_TOKEN_SECONDS, new_id
from .openapi import Deleted, Success, documented
from .store import Transaction
from .tables import now


def add_routes(app: FastAPI, context: Context) -> None:
    """Add the routes for users to the API."""

    @app.get(f"{PROXY}/users", **documented(Success[list[User]]))
    async def list_users(cluster_id: str) -> Response:
        context.require_cluster(cluster_id)
        async with context.store.transaction() as transaction:
            users = transaction.users.all()
        return answers.success([user.to_wire() for user in users])

    @app.post(
        f"{PROXY}/users",
        **documented(
            Success[User],
            ConflictError,
            status=201,
            request=UserRequest,
            example={"name": "ml_engineer"},
            changes=True,
        ),
    )
    async def create_user(cluster_id: str, request: Request) -> Response:
        context.require_cluster(cluster_id)
        name = parse_request(UserRequest, await request.body()).name
        async with context.store.transaction() as transaction:
            known = transaction.users.find(name)
            if known is not None:
                _require_enabled(known)
            if known is not None and known.has_token:
                raise ConflictError(
                    f"There is already a user {name!r}",
                    details={"suggestion": "Choose another name, or rotate this one's token"},
                )
            transaction.users.add(name)
            transaction.events.add(Note("user.added", details={"user": name}))
            user = _with_new_token(context, transaction, name)
        return answers.success(user.to_wire(), status=201)

    _add_user_changes(app, context)


def _add_user_changes(app: FastAPI, context: Context) -> None:
    one = f"{PROXY}/users/{{name:path}}"

    @app.put(
        one,
        **documented(
            Success[User],
            UserNotFoundError,
            request=UserSettings,
            example={"disabled": True},
            changes=True,
        ),
    )
    async def update_user(cluster_id: str, name: str, request: Request) -> Response:
        context.require_cluster(cluster_id)
        wanted = parse_request(UserSettings, await request.body())

        def change(transaction: Transaction) -> User:
            user = _require_user(transaction, name)
            if wanted.disabled is None or wanted.disabled == user.disabled:
                return user
            transaction.users.set_disabled(name, disabled=wanted.disabled)
            action = "user.disabled" if wanted.disabled else "user.enabled"
            transaction.events.add(Note(action, details={"user": name}))
            if wanted.disabled:
                _throw_out(transaction, name)
            return _require_user(transaction, name)

        user = await context.controller.change_people(change)
        return answers.success(user.to_wire())

    @app.post(
        f"{one}/token",
        **documented(Success[User], UserNotFoundError, ConflictError, status=201, changes=True),
    )
    async def rotate_token(cluster_id: str, name: str) -> Response:
        context.require_cluster(cluster_id)

        def change(transaction: Transaction) -> User:
            _require_enabled(_require_user(transaction, name))
            transaction.users.revoke_token(name, now() + timedelta(seconds=USER_TOKEN_SECONDS))
            transaction.events.add(Note("user.token_rotated", details={"user": name}))
            return _with_new_token(context, transaction, name)

        user = await context.controller.change_people(change)
        return answers.success(user.to_wire(), status=201)

    @app.delete(one, **documented(Success[Deleted], UserNotFoundError, changes=True))
    async def delete_user(cluster_id: str, name: str) -> Response:
        context.require_cluster(cluster_id)

        def change(transaction: Transaction) -> None:
            _require_user(transaction, name)
            _throw_out(transaction, name)
            transaction.users.remove(name)
            transaction.events.add(Note("user.removed", details={"user": name}))

        await context.controller.change_people(change)
        return answers.success({"id": name, "deleted": True})


def _with_new_token(context: Context, transaction: Transaction, name: str) -> User:
    token_id = new_id("tok")
    token = context.signer.user_token(name, token_id)
    transaction.users.set_token(name, token_id, token)
    return _require_user(transaction, name).model_copy(update={"token": token})


def _throw_out(transaction: Transaction, name: str) -> None:
    transaction.users.revoke_token(name, now() + timedelta(seconds=USER_TOKEN_SECONDS))
    transaction.revoke(transaction.sessions.live(user=name))


def _require_user(transaction: Transaction, name: str) -> User:
    user = transaction.users.find(name)
    if user is None:
        raise UserNotFoundError(
            f"There is no user {name!r}",
            details={"suggestion": "List the users to see their names"},
        )
    return user


def _require_enabled(user: User) -> None:
    """Refuse a token for somebody who is kept out: Envoy would let them in by it."""
    if user.disabled:
        raise ConflictError(
            f"{user.name!r} is disabled, and gets no token",
            details={"suggestion": "Enable them first"},
        )
