"""Every JSON body of the API's documentation, through the models and through both clients.

`data/request_*.json` say which call makes the request; where the documentation shows ``<string>``
they hold an address. `data/response_*.json` are answers as documented.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from jupyter_tensorone_proxy.client._answers import Answer
from jupyter_tensorone_proxy.client._operations import get_proxy
from jupyter_tensorone_proxy.errors import ApiError, PortAlreadyMappedError
from jupyter_tensorone_proxy.models import (
    ClusterAccess,
    Model,
    PortRequest,
    PortSettings,
    ProxyConfig,
    ProxySettingsV2,
    ProxyState,
)
from jupyter_tensorone_proxy.validation import parse_patch, parse_request
from tests.fixtures.tensorone import API_URL, KEY, AsyncRim, SyncRim, settings_for, success

DATA = Path(__file__).parent / "data"
MODELS: dict[str, type[Model]] = {
    "create_port": PortRequest,
    "update_port": PortSettings,
    "update_access": ClusterAccess,
    "update_proxy": ProxySettingsV2,
}
RIMS = [pytest.param(SyncRim(), id="sync"), pytest.param(AsyncRim(), id="async")]


def load(name: str) -> Any:
    """Return one of the data files."""
    return json.loads((DATA / f"{name}.json").read_text())


REQUESTS = {path.stem: load(path.stem) for path in sorted(DATA.glob("request_*.json"))}
BODIES = {name: example for name, example in REQUESTS.items() if "body" in example}


@pytest.mark.parametrize("name", BODIES)
def test_a_documented_request_survives_the_models(name: str) -> None:
    """A documented body is valid, and nothing of it is lost, changed or added."""
    example = BODIES[name]
    assert parse_request(MODELS[example["call"]], example["body"]).to_wire() == example["body"]


@pytest.mark.parametrize("name", BODIES)
def test_a_documented_request_is_its_own_patch(name: str) -> None:
    """Read as a partial update, a documented body stays what it is."""
    example = BODIES[name]
    assert parse_patch(MODELS[example["call"]], example["body"]) == example["body"]


@pytest.mark.parametrize("rim", RIMS)
@pytest.mark.parametrize("name", REQUESTS)
def test_the_client_sends_what_is_documented(name: str, rim: SyncRim | AsyncRim) -> None:
    """Method, path, query, headers and body are those of the documentation."""
    example, sent = REQUESTS[name], []

    def api(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        if example["call"] == "get_proxy":
            return httpx.Response(200, json=load("response_get_proxy"))
        return success({"id": "port_1", **example.get("body", {})})

    version, _, cluster = example["path"].split("/")[1:4]
    arguments = [example["port_id"]] if "port_id" in example else []
    fields = example.get("arguments") or example.get("body", {})
    rim.call(
        example["call"],
        *arguments,
        **fields,
        handler=api,
        settings=settings_for(API_URL, cluster_id=cluster),
    )
    (request,) = sent
    assert (request.method, request.url.path) == (example["method"], example["path"])
    assert str(request.url).startswith(f"{API_URL}{example['path']}")
    assert dict(request.url.params) == example.get("query", {})
    assert request.headers["authorization"] == (KEY if version == "v2" else f"Bearer {KEY}")
    assert (json.loads(request.content) if request.content else None) == example.get("body")
    assert request.headers.get("content-type") == (
        "application/json" if "body" in example else None
    )


@pytest.mark.parametrize("rim", RIMS)
def test_the_documented_proxy_is_read_without_loss(rim: SyncRim | AsyncRim) -> None:
    """The documented GET answer, envelope's meta included, comes back as it went in."""
    answer = load("response_get_proxy")
    config = rim.call("get_proxy", handler=lambda _: httpx.Response(200, json=answer))
    assert isinstance(config, ProxyConfig)
    assert config.to_wire() == {**answer["data"], "meta": answer["meta"]}
    assert config.port_mappings[0].usage_statistics is not None
    assert config.port_mappings[0].usage_statistics.total_requests == 1247


@pytest.mark.parametrize("rim", RIMS)
def test_the_documented_mappings_are_listed_without_loss(rim: SyncRim | AsyncRim) -> None:
    """`list_ports` gives the documented mappings, each typed and each whole."""
    answer = load("response_get_proxy")
    ports = rim.call("list_ports", handler=lambda _: httpx.Response(200, json=answer))
    assert [port.to_wire() for port in ports] == answer["data"]["port_mappings"]


@pytest.mark.parametrize("rim", RIMS)
def test_the_second_versions_answer_is_read_without_loss(rim: SyncRim | AsyncRim) -> None:
    """The bare answer of PUT /v2/… comes back as it went in."""
    answer = load("response_update_proxy_v2")
    handler = lambda _: httpx.Response(200, json=answer)  # noqa: E731 - said in one line
    state = rim.call("update_proxy", enabled=True, handler=handler)
    assert isinstance(state, ProxyState)
    assert state.to_wire() == answer
    assert (state.proxy_url, state.enabled) == (answer["proxyUrl"], True)


@pytest.mark.parametrize("rim", RIMS)
def test_the_documented_error_is_raised_whole(rim: SyncRim | AsyncRim) -> None:
    """The documented error becomes its class, with code, message, details and suggestion."""
    answer = load("response_error_port_already_mapped")
    with pytest.raises(PortAlreadyMappedError) as caught:
        rim.call(
            "create_port",
            internal_port=8888,
            description="Jupyter Lab",
            handler=lambda _: httpx.Response(409, json=answer),
        )
    error = caught.value
    assert {"code": error.code, "message": error.message, "details": error.details} == answer[
        "error"
    ]
    assert error.details["suggestion"] in str(error)


def test_the_documented_error_means_the_same_within_a_success() -> None:
    """`success: false` is an error whatever the status says."""
    response = httpx.Response(200, json=load("response_error_port_already_mapped"))
    with pytest.raises(ApiError) as caught:
        Answer(response, API_URL, KEY).read(get_proxy())
    assert (type(caught.value), caught.value.status) == (PortAlreadyMappedError, 409)


def test_nothing_documented_is_left_out() -> None:
    """Twenty documented bodies are replayed: seventeen requests and three answers."""
    kinds = [path.stem.split("_")[0] for path in DATA.iterdir()]
    assert (kinds.count("request"), kinds.count("response")) == (17, 3)
