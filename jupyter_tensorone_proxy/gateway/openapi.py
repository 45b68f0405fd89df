"""The API's description of itself (OpenAPI 3.1), from the models of its messages."""

from __future__ import annotations

from typing import Any, Generic, Literal, TypeVar

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from ..errors import (
    ApiError,
    ClusterNotFoundError,
    DataPlaneRejectedError,
    DataPlaneUnavailableError,
    ForbiddenError,
    InvalidJsonError,
    InvalidRequestError,
    PayloadTooLargeError,
    StorageFullError,
    UnauthorizedError,
)
from ..models import Model
from . import examples

T = TypeVar("T")

_REF = "#/components/schemas/{model}"
_EVERYWHERE = (UnauthorizedError, ForbiddenError, PayloadTooLargeError)
_ON_A_CLUSTER = (ClusterNotFoundError, InvalidRequestError)
_ON_A_CHANGE = (
    InvalidJsonError,
    DataPlaneRejectedError,
    DataPlaneUnavailableError,
    StorageFullError,
)


class Success(BaseModel, Generic[T]):
    """The envelope around every result."""

    success: Literal[True]
    data: T
    meta: dict[str, Any] | None = None


class ErrorBody(BaseModel):
    """What went wrong."""

    code: str
    message: str
    details: dict[str, Any]


class Failure(BaseModel):
    """The envelope around every error."""

    success: Literal[False]
    error: ErrorBody
    request_id: str


class Deleted(BaseModel):
    """What a deletion answers."""

    id: str
    deleted: Literal[True]


def documented(  # noqa: PLR0913 - keyword-only: the parts of an operation's description
    answer: Any,
    *errors: type[ApiError],
    status: int = 200,
    request: type[Model] | None = None,
    example: dict[str, Any] | None = None,
    summary: str | None = None,
    changes: bool = False,
    cluster: bool = True,
) -> dict[str, Any]:
    """Return the description of a route, as keyword arguments of FastAPI's decorators.

    Args:
        answer: Type of a good answer's body; `str` for plain text.
        errors: Errors that only this route has.
        status: Status of a good answer.
        request: Model of the body.
        example: An example of the body.
        summary: What it is for, in a few words.
        changes: It changes something, so that storage and Envoy may refuse.
        cluster: It is about a cluster.
    """
    all_errors: list[type[ApiError]] = [*_EVERYWHERE, *errors]
    if cluster:
        all_errors.extend(_ON_A_CLUSTER)
    if changes:
        all_errors.extend(_ON_A_CHANGE)
    responses: dict[int | str, dict[str, Any]] = {status: _good_answer(answer)}
    for error in all_errors:
        _add_error(responses, error)
    described: dict[str, Any] = {"status_code": status, "responses": responses}
    if answer is str:
        described["response_class"] = PlainTextResponse
    if summary:
        described["summary"] = summary
    if request is not None:
        schema = {"$ref": _REF.format(model=request.__name__)}
        content = {"schema": schema} | ({"example": example} if example else {})
        body = {"required": True, "content": {"application/json": content}}
        described["openapi_extra"] = {"requestBody": body}
    return described


def _good_answer(answer: Any) -> dict[str, Any]:
    if answer is str:
        example = {"schema": {"type": "string"}, "example": examples.data(str)}
        return {"content": {"text/plain": example}}
    return {"model": answer, "content": {"application/json": {"example": _example(answer)}}}


def _example(answer: Any) -> Any:
    if not issubclass(answer, Success):
        return examples.data(answer)
    (kind,) = answer.__pydantic_generic_metadata__["args"]
    if kind is Deleted:
        return {"success": True, "data": {"id": "port_123", "deleted": True}}
    return examples.success(kind)


def _add_error(responses: dict[int | str, dict[str, Any]], error: type[ApiError]) -> None:
    """Describe an error; several may share a status."""
    content = {"schema": {"$ref": _REF.format(model=Failure.__name__)}, "examples": {}}
    empty = {"description": "", "content": {"application/json": content}}
    entry = responses.setdefault(error.default_status, empty)
    entry["description"] = f"{entry['description']} `{error.default_code}`".strip()
    shown = entry["content"]["application/json"]["examples"]
    shown[error.default_code] = {"value": examples.failure(error)}


def install(app: FastAPI, requests: list[type[Model]]) -> None:
    """Have an application describe the request models too, and how to sign in.

    Args:
        app: The API.
        requests: The models that `documented` routes name.
    """

    def describe() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = get_openapi(title=app.title, version=app.version, routes=app.routes)
            described: list[type[BaseModel]] = [*requests, Failure]
            _, definitions = models_json_schema(
                [(model, "validation") for model in described], ref_template=_REF
            )
            components = schema.setdefault("components", {})
            components["schemas"] = {**definitions["$defs"], **components.get("schemas", {})}
            components["securitySchemes"] = {
                "key": {"type": "http", "scheme": "bearer"},
                # The second version of the API documents the key without a word before it.
                "bareKey": {"type": "apiKey", "in": "header", "name": "Authorization"},
            }
            schema["security"] = [{"key": []}]
            for path, methods in schema["paths"].items():
                if path.startswith("/v2/"):
                    for operation in methods.values():
                        operation["security"] = [{"bareKey": []}, {"key": []}]
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = describe  # type: ignore[method-assign]  # FastAPI's documented way
