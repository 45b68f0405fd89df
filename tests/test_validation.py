"""Judging requests: every wrong field at once, and partial updates."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_tensorone_proxy.errors import InvalidJsonError, InvalidRequestError
from jupyter_tensorone_proxy.models import ClusterAccess, PortRequest, PortSettings
from jupyter_tensorone_proxy.validation import parse_patch, parse_request


def problems(model: Any, data: Any, *, patch: bool = False) -> dict[str, str]:
    """Return field → message of a refused request."""
    with pytest.raises(InvalidRequestError) as caught:
        parse_patch(model, data) if patch else parse_request(model, data)
    return {p["field"]: p["message"] for p in caught.value.details["fields"]}


def test_every_wrong_field_is_named_at_once() -> None:
    """Nobody has to send a request five times to learn of five mistakes."""
    wrong = {
        "internal_port": 0,
        "health_check": {"path": "lab", "intervall_seconds": 5},
        "access_control": {"ip_whitelist": ["10.0.0.1", "nowhere"]},
    }
    assert set(problems(PortRequest, wrong)) == {
        "internal_port",
        "description",
        "health_check.path",
        "health_check.intervall_seconds",
        "access_control.ip_whitelist.1",
    }


@pytest.mark.parametrize(
    ("field", "hint"), [("descripton", "description"), ("heath_check", "health_check")]
)
def test_an_unknown_field_is_refused_with_the_nearest_known(field: str, hint: str) -> None:
    """A typing error is not ignored in silence."""
    found = problems(PortRequest, {"internal_port": 1, "description": "x", field: 1})
    assert found == {field: f"unknown field; did you mean {hint}?"}


@pytest.mark.parametrize(
    "body", [b"", b"{", b"{'a': 1}", b"\xff\xfe", b'{"internal_port": NaN}', b"[" * 200_000]
)
def test_what_is_not_json_is_refused_as_that(body: bytes) -> None:
    """Broken, too deep or un-JSON text is INVALID_JSON, for requests and for patches."""
    for parse in (parse_request, parse_patch):
        with pytest.raises(InvalidJsonError):
            parse(PortRequest, body)


@pytest.mark.parametrize("body", [b"[]", b"5", b"null", b'"text"'])
def test_a_body_that_is_no_object_is_refused(body: bytes) -> None:
    """JSON of another shape is a wrong request, not a crash."""
    assert set(problems(PortRequest, body)) == {"(request)"}
    assert set(problems(PortSettings, body, patch=True)) == {"(request)"}


def test_a_patch_keeps_what_is_given_and_no_more() -> None:
    """Given fields and nulls, at any depth, and nothing that was not given."""
    patch = {
        "description": "x",
        "protocol": None,
        "health_check": {"path": None, "interval_seconds": None, "retries": 2},
        "access_control": None,
    }
    assert parse_patch(PortSettings, patch) == patch
    assert parse_patch(PortSettings, b"{}") == {}


def test_a_patch_may_reset_any_field() -> None:
    """Null means the default, also where a default cannot itself be null."""
    for model in (PortSettings, ClusterAccess):
        nulls = dict.fromkeys(model.model_fields)
        assert parse_patch(model, nulls) == nulls


def test_a_patch_is_judged_by_what_is_in_it() -> None:
    """A timeout alone may be right for the interval in force; together they are compared."""
    assert parse_patch(PortSettings, {"health_check": {"timeout_seconds": 60}})
    both = {"health_check": {"timeout_seconds": 60, "interval_seconds": 30}}
    assert set(problems(PortSettings, both, patch=True)) == {"health_check"}


@pytest.mark.parametrize(
    ("patch", "field"),
    [
        ({"internal_port": "80"}, "internal_port"),
        ({"colour": None}, "colour"),
        ({"health_check": {"pth": None}}, "health_check.pth"),
    ],
)
def test_a_wrong_patch_is_refused_by_name(patch: dict[str, Any], field: str) -> None:
    """Values are judged as strictly as in a request, and unknown names even if null."""
    assert set(problems(PortSettings, patch, patch=True)) == {field}
