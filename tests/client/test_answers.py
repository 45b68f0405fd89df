"""How answers are read: both error forms, pages that are not the API's, and odd values."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from jupyter_tensorone_proxy.client import _operations as ops
from jupyter_tensorone_proxy.client import _people as people
from jupyter_tensorone_proxy.errors import (
    API_ERRORS,
    ApiError,
    ForbiddenError,
    NotFoundError,
    NotSupportedError,
    PayloadTooLargeError,
    PortNotFoundError,
    ProxyError,
    RateLimitedError,
    UnauthorizedError,
    UnexpectedAnswerError,
)
from jupyter_tensorone_proxy.models import PortMapping
from tests.fixtures.tensorone import (
    API_URL,
    KEY,
    AsyncRim,
    Driver,
    SyncRim,
    failure,
    success,
)

LINK = people.create_link("port_1", user="ana")
EXTENSIONS = [LINK, people.create_user("ana")]


def error_for(response: httpx.Response, operation: Any = None) -> ProxyError:
    """Return the error that an answer, given four times over, becomes."""
    with pytest.raises(ProxyError) as caught:
        Driver([response] * 4).run(operation or ops.get_proxy())
    return caught.value


def nested(kind: type[ApiError]) -> dict[str, Any]:
    """Return an error's nested form."""
    error = {"code": kind.default_code, "message": "No", "details": {"port": 1}}
    return {"success": False, "error": error, "request_id": "req_1"}


def flat(kind: type[ApiError]) -> dict[str, Any]:
    """Return an error's flat form."""
    return {
        "error": kind.default_code,
        "message": "No",
        "code": kind.default_status,
        "details": {"port": 1},
        "request_id": "req_1",
        "timestamp": "2026-01-15T14:30:00Z",
    }


@pytest.mark.parametrize("form", [nested, flat])
@pytest.mark.parametrize("kind", API_ERRORS.values(), ids=API_ERRORS.keys())
def test_every_error_of_the_table_comes_back(kind: type[ApiError], form: Any) -> None:
    """Both documented forms of each code become the code's class with all it says."""
    error = error_for(httpx.Response(kind.default_status, json=form(kind)))
    assert type(error) is kind
    assert isinstance(error, ApiError)
    assert (error.code, error.status) == (kind.default_code, kind.default_status)
    assert (error.message, error.details, error.request_id) == ("No", {"port": 1}, "req_1")
    assert "req_1" in str(error)


def test_both_rims_raise_the_same(rim: SyncRim | AsyncRim) -> None:
    """An error of the API leaves either client as the same class."""
    with pytest.raises(PortNotFoundError):
        rim.call("delete_port", "port_9", handler=lambda _: failure(404, "PORT_NOT_FOUND"))


@pytest.mark.parametrize(
    ("status", "kind"), [(404, NotFoundError), (401, UnauthorizedError), (500, ApiError)]
)
def test_an_unknown_code_is_kept_and_classed_by_status(status: int, kind: type[ApiError]) -> None:
    """A code newer than this client is kept; the HTTP status chooses the class."""
    error = error_for(failure(status, "QUITE_NEW", "Odd"))
    assert isinstance(error, kind)
    assert isinstance(error, ApiError)
    assert (error.code, error.message, error.status) == ("QUITE_NEW", "Odd", status)


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"code": "PORT_NOT_FOUND"}},
        {"error": {"code": "PORT_NOT_FOUND", "message": None, "details": None}},
        {"success": False, "error": "PORT_NOT_FOUND"},
        {"error": "PORT_NOT_FOUND", "message": "", "details": []},
    ],
)
def test_an_error_with_little_in_it_still_has_its_class(body: Any) -> None:
    """Missing message and details are no reason to lose the code."""
    error = error_for(httpx.Response(404, json=body))
    assert type(error) is PortNotFoundError
    assert "PORT_NOT_FOUND" in error.message


@pytest.mark.parametrize("details", [["a", "b"], "text", 7, {"fields": [1, {"field": "x"}]}])
def test_odd_details_are_kept_and_can_be_shown(details: Any) -> None:
    """Details that are no object are kept under "details"; none of them breaks the message."""
    body = {"success": False, "error": {"code": "X", "message": "No", "details": details}}
    error = error_for(httpx.Response(422, json=body))
    assert isinstance(error, ApiError)
    assert error.details in ({"details": details}, details)
    assert str(error).startswith("No.")


def test_the_request_id_may_be_in_a_header() -> None:
    """`X-Request-Id` names the request where the body does not."""
    body = {"error": {"code": "PORT_NOT_FOUND", "message": "No"}}
    response = httpx.Response(404, json=body, headers={"X-Request-Id": "req_h"})
    error = error_for(response)
    assert isinstance(error, ApiError)
    assert error.request_id == "req_h"


@pytest.mark.parametrize(
    "page",
    [
        httpx.Response(502, html="<html><h1>Bad Gateway</h1></html>"),
        httpx.Response(503, text="upstream connect error"),
        httpx.Response(404, html="<h1>Not found</h1>"),
        httpx.Response(500, json={"detail": "Internal"}),
        httpx.Response(400, json=["odd"]),
        httpx.Response(504, content=b""),
        httpx.Response(200, html="<h1>Please sign in to the network</h1>"),
        httpx.Response(204),
        httpx.Response(200, json=[]),
        httpx.Response(200, json={"success": True}),
        httpx.Response(200, json={"success": True, "data": None}),
        httpx.Response(200, content=b"\xff\xfe{"),
        httpx.Response(200, content=b"[" * 200_000),
        httpx.Response(304),
    ],
    ids=lambda r: f"{r.status_code}-{r.content[:12]!r}",
)
def test_what_is_not_the_apis_is_called_that(page: httpx.Response) -> None:
    """A page of something in between is no answer of the API: the error names the server."""
    error = error_for(page)
    assert type(error) is UnexpectedAnswerError
    assert API_URL in str(error)
    assert len(str(error)) < 600
    assert "<h1>" not in str(error)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, UnauthorizedError),
        (403, ForbiddenError),
        (413, PayloadTooLargeError),
        (429, RateLimitedError),
    ],
)
def test_statuses_that_mean_the_same_from_anyone_keep_their_class(
    status: int, kind: type[ApiError]
) -> None:
    """A refused key is a refused key, whoever says so."""
    error = error_for(httpx.Response(status, html="<h1>No</h1>", headers={"Retry-After": "99"}))
    assert type(error) is kind
    assert (error.status, error.retry_after) == (status, 99)
    assert API_URL in str(error)


@pytest.mark.parametrize("operation", EXTENSIONS, ids=lambda op: op.extension)
@pytest.mark.parametrize(
    "response",
    [
        httpx.Response(404, json={"detail": "Not Found"}),
        httpx.Response(405, html="<h1>Method not allowed</h1>"),
        failure(404, "NOT_FOUND"),
        failure(405, "METHOD_NOT_ALLOWED"),
        failure(501, "NOT_IMPLEMENTED"),
    ],
    ids=lambda r: str(r.status_code),
)
def test_a_server_without_an_extension_is_named(operation: Any, response: httpx.Response) -> None:
    """Asking TensorOne itself for a link says that it has none, not that a port is missing."""
    error = error_for(response, operation)
    assert type(error) is NotSupportedError
    assert API_URL in str(error)
    assert operation.extension in str(error)


def test_an_unknown_port_is_not_a_missing_extension() -> None:
    """A server that has links and not the port says so itself."""
    assert type(error_for(failure(404, "PORT_NOT_FOUND"), LINK)) is PortNotFoundError


def test_a_missing_contract_path_is_not_called_an_extension() -> None:
    """404 without a code on a call of the contract means a wrong base URL."""
    assert type(error_for(httpx.Response(404, text="nothing here"))) is UnexpectedAnswerError


@pytest.mark.parametrize(
    "response",
    [
        httpx.Response(401, json={"error": {"code": "UNAUTHORIZED", "message": f"Bad {KEY}"}}),
        httpx.Response(400, json={"error": {"code": "X", "message": "a", "details": {KEY: [KEY]}}}),
        httpx.Response(500, text=f"no such key: {KEY}"),
    ],
)
def test_r16_an_answer_that_repeats_the_key_is_masked(response: httpx.Response) -> None:
    """Whatever a server echoes, the key is not in the error."""
    error = error_for(response)
    shown = f"{error} {error!r} {vars(error)}"
    assert KEY not in shown
    assert "**********" in shown


def test_r16_an_answer_that_cannot_be_read_keeps_its_token_to_itself() -> None:
    """The complaint about a broken user answer does not quote the token in it."""
    answer = success({"nam": "ana", "token": "token-of-ana"})
    error = error_for(answer, people.create_user("ana"))
    assert type(error) is UnexpectedAnswerError
    assert "token-of-ana" not in f"{error} {error.__cause__}"


def test_unknown_fields_and_odd_values_are_kept() -> None:
    """A newer server's fields and values come back as they came, also deep inside."""
    mapping = {
        "id": "port_1",
        "internal_port": "8888",
        "protocol": "sctp",
        "health_status": {"odd": True},
        "health_check": {"path": "no-slash", "interval_seconds": 0, "mood": "fine"},
        "access_control": {"authentication_required": True, "public_access": True},
        "created_at": "yesterday",
        "replicas": None,
        "colour": ["red", {"deep": 1}],
    }
    answer = {"success": True, "data": {"cluster_id": "c", "port_mappings": [mapping], "new": 1}}
    (port,) = Driver([httpx.Response(200, json=answer)]).run(ops.list_ports())
    assert isinstance(port, PortMapping)
    assert port.to_wire() == mapping
    config = Driver([httpx.Response(200, json=answer)]).run(ops.get_proxy())
    assert config.to_wire() == answer["data"]


@pytest.mark.parametrize("mappings", [None, "none", [{"internal_port": 1}], [5], {"a": 1}])
def test_mappings_that_cannot_be_typed_are_no_list_of_ports(mappings: Any) -> None:
    """`list_ports` gives mappings or an error, never half of it; `get_proxy` gives what came."""
    answer = {"cluster_id": "c", "port_mappings": mappings}
    assert type(error_for(success(answer), ops.list_ports())) is UnexpectedAnswerError
    assert Driver([success(answer)]).run(ops.get_proxy()).to_wire() == answer


@pytest.mark.parametrize("data", [[{"id": "c1"}], {"clusters": [{"id": "c1"}]}])
def test_clusters_are_listed_in_either_shape(data: Any) -> None:
    """A list of clusters, bare or under its name, is read."""
    assert [c.id for c in Driver([success(data)]).run(ops.list_clusters())] == ["c1"]


def test_a_deleted_mapping_needs_no_body() -> None:
    """DELETE may be answered by 204, by an empty 200 and by JSON."""
    for response in (httpx.Response(204), httpx.Response(200), success({"deleted": True})):
        Driver([response]).run(ops.delete_port("port_1"))
