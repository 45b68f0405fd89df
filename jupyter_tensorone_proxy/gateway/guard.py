"""What stands before the REST API: the key, the Host, the size of a body.

Pure ASGI, so that a refused request is answered before anything is read or parsed (SECURITY: the
control API refuses browsers, foreign Hosts and requests without the key, on loopback too).
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..errors import ApiError, ForbiddenError, PayloadTooLargeError, UnauthorizedError
from .identity import new_id

MAX_BODY_BYTES = 1_000_000
_LOCAL_NAMES = {b"127.0.0.1", b"localhost", b"[::1]"}
_OPEN_PATHS = {"/healthz", "/docs", "/openapi.json"}
"""What holds nothing that needs a key: whether we live, and what the API looks like."""

Answer = Callable[[ApiError, str], ASGIApp]


@dataclass(frozen=True)
class Guard:
    """ASGI middleware that lets only whole, signed, local requests through.

    Args:
        app: The API.
        api_key: The installation's key.
        answer: Makes the answer for a refusal, given the request's id.
    """

    app: ASGIApp
    api_key: str
    answer: Answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or hand on (ASGI)."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = new_id("req")
        scope.setdefault("state", {})["request_id"] = request_id
        named_send = _naming(request_id, send)
        try:
            self._admit(scope)
            body = await _read_body(scope, receive)
        except ApiError as error:
            await self.answer(error, request_id)(scope, receive, named_send)
            return
        if body is not None:
            await self.app(scope, _replay(body, receive), named_send)

    def _admit(self, scope: Scope) -> None:
        headers = dict(scope["headers"])
        host = headers.get(b"host", b"").lower()
        name = host[: host.rfind(b":")] if b":" in host.rpartition(b"]")[2] else host
        if name not in _LOCAL_NAMES:
            raise ForbiddenError("The gateway's API answers to 127.0.0.1 and localhost only")
        if b"origin" in headers:
            raise ForbiddenError("The gateway's API does not answer web pages")
        if scope["path"] not in _OPEN_PATHS and not self._has_key(scope["path"], headers):
            raise UnauthorizedError(
                "The API key is missing or wrong",
                details={"suggestion": "Send 'Authorization: Bearer <key>'"},
            )

    def _has_key(self, path: str, headers: dict[bytes, bytes]) -> bool:
        scheme, _, key = headers.get(b"authorization", b"").partition(b" ")
        if not key and path.startswith("/v2/"):
            scheme, key = b"bearer", scheme  # the second version documents the bare key
        right = hmac.compare_digest(key.strip(), self.api_key.encode())
        return right and scheme.lower() == b"bearer"


async def _read_body(scope: Scope, receive: Receive) -> bytes | None:
    """Return the whole body; None if the client left before its end."""
    declared = dict(scope["headers"]).get(b"content-length", b"0")
    if declared.isdigit() and int(declared) > MAX_BODY_BYTES:
        raise _too_large()
    body = b""
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > MAX_BODY_BYTES:
            raise _too_large()
    return body


def _too_large() -> PayloadTooLargeError:
    return PayloadTooLargeError(f"The request's body is over {MAX_BODY_BYTES} bytes")


def _naming(request_id: str, send: Send) -> Send:
    """Say in every answer which request it was, so that it can be found in the log."""

    async def named(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message["headers"], (b"x-request-id", request_id.encode())]
        await send(message)

    return named


def _replay(body: bytes, receive: Receive) -> Receive:
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return messages.pop() if messages else await receive()

    return replay
