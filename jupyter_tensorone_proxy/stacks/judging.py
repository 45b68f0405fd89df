"""What is wrong with a declaration, said with the place where it is. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

from pydantic import ValidationError

from ..errors import InvalidRequestError, InvalidStackError
from ..models import Model
from ..validation import unknown_field
from .declaration import COUNT, PORTS

_PREFIX = re.compile("^(Value error, |Input )")
_MOST_SHOWN = 10


def invalid(problems: list[str]) -> InvalidStackError:
    """Return the error of a declaration's problems.

    Args:
        problems: Each with its place.
    """
    more = len(problems) - _MOST_SHOWN
    shown = [problem if problem.endswith("?") else f"{problem}." for problem in problems]
    shown = shown[:_MOST_SHOWN]
    shown += [f"And {more} more."] if more > 0 else []
    return InvalidStackError(
        f"The stack is wrong, and nothing was done. {' '.join(shown)}",
        suggestion="Correct it and apply it again.",
    )


def typed_problems(error: ValidationError, data: Any) -> list[str]:
    """Return what pydantic found.

    Args:
        error: Its error.
        data: What was judged.
    """
    return [
        f"{place(_without_forms(found['loc']), data)}{_sentence(found['type'], found['msg'])}"
        for found in error.errors(include_url=False)
    ]


def request_problems(error: InvalidRequestError, index: int, data: Any) -> list[str]:
    """Return what is wrong with the request that a service makes.

    Args:
        error: The judgement of the request.
        index: Which service.
        data: The declaration.
    """
    return [
        place(["services", index, *filter(None, [_field(problem)])], data) + problem["message"]
        for problem in error.details["fields"]
    ]


def unknown_problems(model: type[Model], data: Any) -> list[str]:
    """Return each key that there is not, with the nearest one that there is.

    Args:
        model: What was declared.
        data: The declaration.
    """
    return [f"{place(list(loc), data)}{message}" for loc, message in _unknown(model, data, ())]


def place(loc: list[int | str], data: Any) -> str:
    """Return where something is, in words, with a colon behind it.

    Example:
        >>> place(["services", 0, "port"], {"services": [{"name": "MLflow"}]})
        'services[0] (MLflow), port: '
        >>> place(["team", "name"], {})
        'team.name: '
    """
    if loc[:1] == ["services"] and len(loc) > 1 and isinstance(loc[1], int):
        words = f"services[{loc[1]}]{_name(data, loc[1])}"
        rest = _path(loc[2:])
        return f"{words}, {rest}: " if rest else f"{words}: "
    return f"{_path(loc)}: " if loc else ""


def _without_forms(loc: tuple[int | str, ...]) -> list[int | str]:
    """Leave out which form of a field was judged: nobody has written that down."""
    last = ("", *loc)
    return [
        part
        for before, part in zip(last, loc, strict=False)
        if not (before == "replicas" and part in {PORTS, COUNT})
    ]


def _path(loc: list[int | str]) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc)
    return text.removeprefix(".")


def _name(data: Any, index: int) -> str:
    try:
        service = data["services"][index]
        name = service.to_wire()["name"] if isinstance(service, Model) else service["name"]
    except (KeyError, IndexError, TypeError, AttributeError):
        return ""
    return f" ({name[:60]})" if isinstance(name, str) and name.isprintable() else ""


def _sentence(kind: str, message: str) -> str:
    if kind == "missing":
        return "is missing"
    if kind in {"model_type", "model_attributes_type", "dict_type"}:
        return "should be a table of keys and values"
    return _PREFIX.sub("", message).replace("valid list", "list")


def _field(problem: Mapping[str, Any]) -> str:
    return "" if problem["field"] == "(request)" else str(problem["field"])


def _unknown(
    model: type[Model], data: Any, loc: tuple[int | str, ...]
) -> Iterator[tuple[tuple[int | str, ...], str]]:
    if isinstance(data, Model):
        data = {**data.__dict__, **(data.model_extra or {})}
    if isinstance(data, list):
        yield from chain.from_iterable(
            _unknown(model, item, (*loc, index)) for index, item in enumerate(data)
        )
    elif isinstance(data, Mapping):
        for name, value in data.items():
            known = model.model_fields.get(str(name))
            if known is None:
                yield (*loc, str(name)), unknown_field(str(name), model.model_fields)["message"]
            elif value is not None:
                for inner in _models_in(known.annotation):
                    yield from _unknown(inner, value, (*loc, str(name)))


def _models_in(annotation: Any) -> Iterator[type[Model]]:
    if isinstance(annotation, type) and issubclass(annotation, Model):
        yield annotation
    for argument in getattr(annotation, "__args__", ()):
        yield from _models_in(argument)
