"""Answers Envoy's questions about cookies in odd shapes, over gRPC on a unix socket.

Envoy's external processing protocol: it sends the Cookie or Set-Cookie lines of one message, and
gets the lines to use instead. Nothing is kept, and nothing is logged.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import grpc

from . import cookies
from .control import Controller
from .identity import Signer
from .xds.cookies import exact_names
from .xds.descriptors import Message, message_class
from .xds.odd_cookies import MAPPING_ID, NAMESPACE
from .xds.rpc import stream_handler

_SERVICE = "envoy.service.ext_proc.v3.ExternalProcessor"
_ANSWER = "envoy.service.ext_proc.v3.ProcessingResponse"


class CookieService:
    """The service.

    Args:
        controller: Knows the mappings, and which sessions have ended.
        signer: Knows a session when it sees one.
    """

    def __init__(self, controller: Controller, signer: Signer) -> None:
        self._controller = controller
        self._signer = signer
        self._server: grpc.aio.Server | None = None

    async def start(self, socket_path: str) -> None:
        """Listen on a unix socket."""
        self._server = grpc.aio.server()
        handler = stream_handler(_SERVICE, "Process", self._serve)
        self._server.add_generic_rpc_handlers((handler,))
        self._server.add_insecure_port(f"unix:{socket_path}")
        await self._server.start()

    async def stop(self) -> None:
        """Close the socket."""
        if self._server is not None:
            await self._server.stop(grace=1)

    async def _serve(
        self, requests: AsyncIterator[Message], context: grpc.aio.ServicerContext
    ) -> AsyncIterator[Message]:
        """Serve one HTTP message (gRPC calls this)."""
        mapping_id = str(dict(context.invocation_metadata() or ()).get(MAPPING_ID, ""))
        async for request in requests:
            if request.HasField("request_headers"):
                yield self._request(_lines(request.request_headers, "cookie"), mapping_id)
            else:
                yield self._answer(_lines(request.response_headers, "set-cookie"), mapping_id)

    def _request(self, lines: list[str], mapping_id: str) -> Message:
        own = cookies.sessions(lines, mapping_id, lambda token: self._is_good(token, mapping_id))
        visible = cookies.visible(lines, mapping_id, self._not_its_own(mapping_id))
        mutation = _replace("cookie", ["; ".join(own)] if own else [])
        answer = message_class(_ANSWER)(request_headers=mutation)
        answer.dynamic_metadata.update({NAMESPACE: {"cookie": visible}})
        return answer

    def _answer(self, lines: list[str], mapping_id: str) -> Message:
        admitted = cookies.admitted(lines, mapping_id, self._not_its_own(mapping_id))
        return message_class(_ANSWER)(response_headers=_replace("set-cookie", admitted))

    def _not_its_own(self, mapping_id: str) -> str:
        desired = self._controller.desired
        mapping = desired.mappings.get(mapping_id)
        return exact_names(mapping, desired.edge) if mapping else ".*"  # just unexposed: nothing

    def _is_good(self, token: str, mapping_id: str) -> bool:
        claims = self._signer.read_session(token, mapping_id)
        ended = self._controller.desired.revocations.of(mapping_id)
        return claims is not None and claims.token_id not in ended


def _lines(headers: Message, name: str) -> list[str]:
    found = [h for h in headers.headers.headers if h.key.lower() == name]
    return [(h.raw_value or h.value.encode()).decode("latin-1") for h in found]


def _replace(name: str, lines: list[str]) -> dict[str, Any]:
    added = [
        {"header": {"key": name, "raw_value": line.encode("latin-1")}, "append": {"value": True}}
        for line in lines
    ]
    return {"response": {"header_mutation": {"set_headers": added, "remove_headers": [name]}}}
