"""Judging what people ask for: every wrong field at once, each with what is allowed.

The client judges before it sends and the gateway judges what it receives, by these functions;
so the same mistake reads the same in a notebook, a terminal and an answer of the API.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from .errors import InvalidJsonError, InvalidRequestError
from .models import PATCH, Model

M = TypeVar("M", bound=Model)
_ALLOWED = ("type", "enum", "minimum", "maximum", "minLength", "maxLength", "maxItems", "const")
_DEEPEST = 32
_LONGEST_NUMBER = 100
_SURROGATE = re.compile("[\ud800-\udfff]")
_TOO_DEEP = f"it is nested more than {_DEEPEST} levels deep"


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
            and with what is ``allowed`` (JSON Schema) or, for unknown ones, the nearest known name.

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
        problems = [_problem(model, e) for e in error.errors(include_url=False)]
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
        decoded = json.loads(
            body.decode(),
            object_pairs_hook=_object,
            parse_int=_whole_number,
            parse_constant=_refuse_constant,
        )
        _require_plain(decoded)
    except UnicodeDecodeError:
        reason = "it is not UTF-8"
    except RecursionError:
        reason = _TOO_DEEP
    except ValueError as error:  # a JSONDecodeError is one; it says where
        reason = str(error)
    else:
        return decoded
    raise InvalidJsonError(f"The request's body is not JSON: {reason}.")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a name that is there twice: readers differ on which one counts (RFC 8259, 4)."""
    made = dict(pairs)
    if len(made) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in made if names.count(name) > 1)
        raise ValueError(f"the name {twice!a} is there twice")
    return made


def _whole_number(digits: str) -> int:
    if len(digits) > _LONGEST_NUMBER:
        raise ValueError(f"a number of {len(digits)} digits")
    return int(digits)


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _require_plain(value: Any, depth: int = 0) -> None:
    """Raise for what JSON's grammar allows and nothing can work with: depth, half characters."""
    if depth > _DEEPEST:
        raise ValueError(_TOO_DEEP)
    if isinstance(value, str) and _SURROGATE.search(value):
        raise ValueError(f"{value[:80]!a} is not Unicode text")
    if isinstance(value, Mapping):
        for name, inner in value.items():
            _require_plain(name, depth)
            _require_plain(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            _require_plain(inner, depth + 1)


def _problem(model: type[Model], error: ErrorDetails) -> dict[str, Any]:
    loc = [str(part) for part in error["loc"] if not str(part).startswith("function-")]
    message = re.sub("^(Value error, |Input |String )", "", error["msg"])
    if error["type"] in {"model_type", "model_attributes_type", "dict_type"}:
        message = "should be an object"
    allowed = _allowed(model, tuple(loc))
    if {"minimum", "maximum"} <= allowed.keys() and allowed["type"] == "integer":
        message = f"should be a whole number from {allowed['minimum']} to {allowed['maximum']}"
    return {"field": ".".join(loc) or "(request)", "message": message} | (
        {"allowed": allowed} if allowed else {}
    )


@lru_cache(maxsize=1000)
def _allowed(model: type[Model], loc: tuple[str, ...]) -> dict[str, Any]:
    """Return what a field may be, in the words of JSON Schema; nothing for an object's own rules.

    Example:
        >>> from jupyter_tensorone_proxy.models import PortRequest
        >>> _allowed(PortRequest, ("health_check", "retries"))
        {'type': 'integer', 'minimum': 1, 'maximum': 100}
    """
    schema = _schema(model)
    found: Any = schema
    for part in loc:
        found = _resolved(found, schema)
        found = found.get("items") if part.isdecimal() else found.get("properties", {}).get(part)
        if found is None:
            return {}
    found = _resolved(found, schema)
    if found.get("type") == "object":
        return {}
    return {name: found[name] for name in _ALLOWED if name in found}


@lru_cache(maxsize=50)
def _schema(model: type[Model]) -> dict[str, Any]:
    return model.model_json_schema()


def _resolved(found: Any, schema: Mapping[str, Any]) -> Any:
    """Follow a reference, and take the one form of an optional field that is not null."""
    while "$ref" in found or "anyOf" in found:
        if "anyOf" in found:
            found = next(form for form in found["anyOf"] if form.get("type") != "null")
        else:
            found = schema["$defs"][found["$ref"].rpartition("/")[2]]
    return found


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
            problems.append(unknown_field(str(name), known, prefix))
    return problems


def unknown_field(name: str, known: Iterable[str], prefix: str = "") -> dict[str, Any]:
    """Return the problem of a field that there is not, with the nearest one that there is.

    Args:
        name: The field.
        known: The names there are.
        prefix: What comes before the name in the request, with a dot at its end.
    """
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f"; did you mean {near[0]}?" if near else ""
    return {"field": f"{prefix}{name}", "message": f"unknown field{hint}"}


def _models_in(annotation: Any) -> Iterator[type[Model]]:
    if isinstance(annotation, type) and issubclass(annotation, Model):
        yield annotation
    for argument in getattr(annotation, "__args__", ()):
        yield from _models_in(argument)
