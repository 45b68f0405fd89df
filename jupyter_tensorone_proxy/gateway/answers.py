"""How results and errors become answers: the one place that maps them to HTTP.

The codes and statuses are those of `errors.API_ERRORS`, so that the client reads what is written.
"""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from ..errors import ApiError, InvalidRequestError, api_error_class
from .identity import new_id


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


def error_answer(error: ApiError) -> JSONResponse:
    """Return the answer that an error means."""
    request_id = new_id("req")
    body = {
        "success": False,
        "error": {"code": error.code, "message": error.message, "details": error.details},
        "request_id": request_id,
    }
    headers = {"x-request-id": request_id}
    if error.retry_after is not None:
        headers["retry-after"] = str(max(1, round(error.retry_after)))
    return JSONResponse(body, error.status, headers=headers)


async def _on_api_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)  # noqa: S101 - Starlette's handlers take any exception
    return error_answer(error)


async def _on_invalid_query(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - as above
    fields = [
        {"field": ".".join(str(part) for part in e["loc"][1:]), "message": e["msg"]}
        for e in error.errors()
    ]
    refusal = InvalidRequestError("The request's query is wrong.", details={"fields": fields})
    return error_answer(refusal)


async def _on_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - as above
    code = {404: "NOT_FOUND", 405: "METHOD_NOT_ALLOWED"}.get(error.status_code, "ERROR")
    kind = api_error_class(code, error.status_code)
    refusal = kind(
        f"{request.method} {request.url.path}: {error.detail}", code=code, status=error.status_code
    )
    answer = error_answer(refusal)
    answer.headers.update(error.headers or {})
    return answer


async def _on_bug(_request: Request, _error: Exception) -> Response:
    bug = ApiError("The gateway failed; its log says why", code="INTERNAL_ERROR", status=500)
    return error_answer(bug)
