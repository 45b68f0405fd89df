"""The exception tree: one table for both ends, and messages that help."""

from __future__ import annotations

import re
from typing import Any

import pytest

from jupyter_tensorone_proxy import errors
from jupyter_tensorone_proxy.errors import API_ERRORS, ApiError, ProxyError, api_error_class

TREE = [
    value
    for value in vars(errors).values()
    if isinstance(value, type) and issubclass(value, ProxyError)
]


def test_the_drawn_tree_is_the_real_one() -> None:
    """The picture in the module's docstring has every class below its real parent."""
    drawn: dict[str, str] = {}
    path: list[tuple[int, str]] = []
    for line in (errors.__doc__ or "").splitlines():
        found = re.match(r"([\s│├└─]*)([A-Z]\w+Error)\b", line)
        if found is None:
            continue
        depth, name = len(found[1]), found[2]
        path = [(d, n) for d, n in path if d < depth]
        drawn[name] = path[-1][1] if path else "Exception"
        path.append((depth, name))
    assert drawn == {kind.__name__: kind.__bases__[0].__name__ for kind in TREE}


@pytest.mark.parametrize("kind", [k for k in TREE if issubclass(k, ApiError) and k is not ApiError])
def test_the_picture_shows_code_and_status(kind: type[ApiError]) -> None:
    """Each refusal stands in the picture with its status and code."""
    assert re.search(
        rf"{kind.__name__}\s+{kind.default_status} {kind.default_code}\n", errors.__doc__ or ""
    )


def test_every_code_has_one_class() -> None:
    """No two classes claim the same code, so answers come back as what was raised."""
    refusals = [kind for kind in TREE if issubclass(kind, ApiError)]
    assert len(API_ERRORS) == len(refusals)
    for code, kind in API_ERRORS.items():
        assert api_error_class(code, 418) is kind


@pytest.mark.parametrize("kind", [k for k in TREE if not issubclass(k, ApiError)])
def test_the_suggestion_follows_the_message(kind: type[ProxyError]) -> None:
    """What happened comes first, then what to do; IPython shows both in one line."""
    error = kind("No key.", suggestion="Set one.")
    assert str(error) == "No key. Set one."
    assert error._render_traceback_() == [f"{kind.__name__}: No key. Set one."]


def test_a_refusal_says_field_suggestion_and_request() -> None:
    """The server's suggestion, each wrong field and the request's name are in the message."""
    details = {
        "suggestion": "Look again.",
        "fields": [{"field": "port", "message": "must be 1–65535"}],
    }
    error = ApiError("Wrong", details=details, request_id="req_1")
    assert str(error) == "Wrong. Look again. port: must be 1–65535. (request req_1)"


@pytest.mark.parametrize("fields", [None, "text", [1], [{"field": "x"}], [["field", "message"]]])
def test_odd_details_do_not_break_the_message(fields: Any) -> None:
    """A server's details of any shape can be shown."""
    error = ApiError("Wrong!", details={"fields": fields, "suggestion": 7})
    assert str(error) == "Wrong!"
