"""What watchers and readers of the gateway ask for: is it well, its metrics, its description."""

from __future__ import annotations

from typing import Literal

from fastapi import FastAPI
from fastapi.responses import HTMLResponse, JSONResponse, Response
from pydantic import BaseModel

from .context import Context
from .openapi import documented


class Wellness(BaseModel):
    """Whether the gateway does its work."""

    status: Literal["ok", "degraded"]
    envoy: Literal["connected", "away"]


def add_routes(app: FastAPI, context: Context) -> None:
    """Add `/healthz`, `/metrics` and `/docs` to the API."""
    controller = context.controller

    @app.get(
        "/healthz",
        summary="Whether the gateway does its work; needs no key",
        responses={
            200: _wellness(status="ok", envoy="connected"),
            503: _wellness(status="degraded", envoy="away") | {"description": "Envoy is away"},
        },
        openapi_extra={"security": []},
    )
    async def healthz() -> Response:
        if controller.discovery.connected:
            return JSONResponse({"status": "ok", "envoy": "connected"})
        return JSONResponse({"status": "degraded", "envoy": "away"}, 503)

    @app.get(
        "/metrics",
        **documented(str, cluster=False, summary="Metrics in Prometheus' format"),
    )
    async def metrics() -> Response:
        from .metrics import CONTENT_TYPE, render  # only for those who watch

        await context.observer.catch_up()
        text = await render(context)
        return Response(text, media_type=CONTENT_TYPE)

    @app.get("/docs", include_in_schema=False)
    async def docs() -> Response:
        from .docs_page import HEADERS, render  # only for those who read

        return HTMLResponse(render(app.openapi()), headers=HEADERS)


def _wellness(**example: str) -> dict[str, object]:
    return {"model": Wellness, "content": {"application/json": {"example": example}}}
