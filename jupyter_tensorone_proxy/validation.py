"""Judging what people ask for: every wrong field at once, each with what is allowed.

The client judges before it sends and the gateway judges what it receives, by these functions;
so the same mistake reads the same in a notebook, a terminal and an answer of the API.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from .errors import InvalidJsonError, InvalidRequestError
from .models import PATCH, Model

M = TypeVar("M", bound=Model)


def parse_request(model: type[M], data: Mapping[str, Any] | bytes) -> M:
    """Read a request strictly.

    Args:
        model: Which request, e.g. `PortRequest`.
        data: The fields, or a body of JSON.

    Returns:
        The request; only the given fields count as set.

    Raises:
        InvalidJsonError: The body is not JSON (RFC 8259) in UTF-8.
        InvalidRequestError: ``details["fields"]`` lists each wrong or unknown field, with a message
            and, for unknown ones, the nearest known name.

    Example:
        >>> from jupyter_tensorone_proxy.models import PortRequest
        >>> parse_request(PortRequest, {"internal_port": 0, "descripton": "TensorBoard"})
        Traceback (most recent call last):
        ...
        jupyter_tensorone_proxy.errors.InvalidRequestError: The request has 3 wrong fields. ...
    """
    fields = _decode(data) if isinstance(data, bytes) else data
    return _judge(model, fields, fields)


def parse_patch(model: type[Model], data: Mapping[str, Any] | bytes) -> dict[str, Any]:
    """Read a partial update (RFC 7396): each given field is judged, null resets any field.

    Rules that span fields are left to whoever knows the fields that are not given.

    Args:
        model: Whose fields, e.g. `PortSettings`.
        data: The fields, or a body of JSON.

    Returns:
        The patch as JSON.

    Raises:
        InvalidJsonError: The body is not JSON (RFC 8259) in UTF-8.
        InvalidRequestError: As for `parse_request`.

    Example:
        >>> from jupyter_tensorone_proxy.models import PortSettings
        >>> parse_patch(PortSettings, {"ssl_redirect": None, "custom_domain": "API.example.com"})
        {'custom_domain': 'api.example.com', 'ssl_redirect': None}
    """
    fields = _decode(data) if isinstance(data, bytes) else data
    judged = _judge(model, fields, _without_nulls(fields), context=PATCH)
    return _with_nulls(judged.to_wire(), fields)


def _judge(
    model: type[M], fields: Any, judged: Any, *, context: dict[str, bool] | None = None
) -> M:
    problems: list[dict[str, Any]] = []
    parsed: M | None = None
    try:
        parsed = model.model_validate(judged, context=context)
    except ValidationError as error:
        problems = [_problem(e) for e in error.errors(include_url=False)]
    problems += _unknown_fields(model, fields)
    if problems or parsed is None:
        count = "a wrong field" if len(problems) == 1 else f"{len(problems)} wrong fields"
        raise InvalidRequestError(f"The request has {count}.", details={"fields": problems})
    return parsed


def _without_nulls(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    return {k: _without_nulls(v) for k, v in value.items() if v is not None}


def _with_nulls(target: dict[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    for name, value in patch.items():
        if value is None:
            target[name] = None
        elif isinstance(value, Mapping):
            _with_nulls(target[name], value)
    return target


def _decode(body: bytes) -> Any:
    try:
        return json.loads(body.decode(), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        reason = str(error) if isinstance(error, json.JSONDecodeError) else "not UTF-8 JSON"
        raise InvalidJsonError(f"The request's body is not JSON: {reason}.") from None


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _problem(error: ErrorDetails) -> dict[str, Any]:
    loc = [str(part) for part in error["loc"] if not str(part).startswith("function-")]
    message = error["msg"].removeprefix("Value error, ").removeprefix("Input ")
    return {"field": ".".join(loc) or "(request)", "message": message}


def _unknown_fields(model: type[Model], data: Any, prefix: str = "") -> list[dict[str, Any]]:
    if not isinstance(data, Mapping):
        return []
    known = {f.alias or name: f for name, f in model.model_fields.items()}
    known |= dict(model.model_fields.items())
    problems: list[dict[str, Any]] = []
    for name, value in data.items():
        if name in known:
            for inner in _models_in(known[name].annotation):
                problems += _unknown_fields(inner, value, f"{prefix}{name}.")
        else:
            near = difflib.get_close_matches(str(name), known, n=1, cutoff=0.5)
            hint = f"; did you mean {near[0]}?" if near else ""
            problems.append({"field": f"{prefix}{name}", "message": f"unknown field{hint}"})
    return problems


def _models_in(annotation: Any) -> Iterator[type[Model]]:
    if isinstance(annotation, type) and issubclass(annotation, Model):
        yield annotation
    for argument in getattr(annotation, "__args__", ()):
        yield from _models_in(argument)
