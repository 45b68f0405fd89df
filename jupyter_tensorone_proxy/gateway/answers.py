"""How results and errors become answers: the one place that maps them to HTTP.

The codes and statuses are those of `errors.API_ERRORS`, so that the client reads what is written.
"""

from __future__ import annotations

import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from ..errors import ApiError, InvalidRequestError, api_error_class
from ..validation import unknown_field

_log = logging.getLogger(__name__)


def install(app: FastAPI) -> None:
    """Have every error of an application answered in the contract's form."""
    app.add_exception_handler(ApiError, _on_api_error)
    app.add_exception_handler(RequestValidationError, _on_invalid_query)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(Exception, _on_bug)


def success(data: Any, *, meta: Any = None, status: int = 200) -> JSONResponse:
    """Return the contract's envelope around data."""
    body = {"success": True, "data": data} | ({"meta": meta} if meta else {})
    return JSONResponse(body, status)


def error_answer(error: ApiError, request_id: str) -> JSONResponse:
    """Return the answer that an error means.

    Args:
        error: What went wrong.
        request_id: The request's name, which the guard also puts into the headers.
    """
    body = {
        "success": False,
        "error": {"code": error.code, "message": error.message, "details": error.details},
        "request_id": request_id,
    }
    headers = {}
    if error.retry_after is not None:
        headers["retry-after"] = str(max(1, round(error.retry_after)))
    return JSONResponse(body, error.status, headers=headers)


def require_known_query(request: Request) -> None:
    """Refuse a query parameter that the operation does not have, as with a body's fields.

    Raises:
        InvalidRequestError: It names each, with the nearest known name.
    """
    if not request.url.path.startswith("/v"):
        return  # probes and scrapers add parameters of their own
    known = [parameter.alias for parameter in request.scope["route"].dependant.query_params]
    unknown = [name for name in dict.fromkeys(request.query_params) if name not in known]
    if unknown:
        fields = [unknown_field(name, known) for name in unknown]
        raise InvalidRequestError("The request's query is wrong.", details={"fields": fields})


async def _on_api_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)  # noqa: S101 - Starlette's handlers take any exception
    return error_answer(error, request.state.request_id)


async def _on_invalid_query(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - as above
    fields = [
        {
            "field": ".".join(str(part) for part in e["loc"][1:]),
            "message": e["msg"].removeprefix("Input "),
        }
        for e in error.errors()
    ]
    refusal = InvalidRequestError("The request's query is wrong.", details={"fields": fields})
    return error_answer(refusal, request.state.request_id)


async def _on_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - as above
    code = {404: "NOT_FOUND", 405: "METHOD_NOT_ALLOWED"}.get(error.status_code, "ERROR")
    kind = api_error_class(code, error.status_code)
    refusal = kind(
        f"{request.method} {request.url.path}: {error.detail}", code=code, status=error.status_code
    )
    answer = error_answer(refusal, request.state.request_id)
    answer.headers.update(error.headers or {})
    return answer


async def _on_bug(request: Request, _error: Exception) -> Response:
    request_id = request.state.request_id
    _log.error("%s %s failed as %s; why:", request.method, request.url.path, request_id)
    bug = ApiError("The gateway failed; its log says why", code="INTERNAL_ERROR", status=500)
    return error_answer(bug, request_id)
