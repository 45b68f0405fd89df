"""PUT changes only what it is given (RFC 7396), for every field of mappings, access and proxy."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import httpx
import pytest

from jupyter_tensorone_proxy.models import ClusterAccess, PortSettings, ProxySettings
from tests.fixtures.every_field import (
    ACCESS,
    ACCESS_CHANGES,
    PORT,
    PORT_APART,
    PORT_CHANGES,
    PROXY,
    PROXY_APART,
    PROXY_CHANGES,
)
from tests.fixtures.gateway import free_port
from tests.fixtures.traffic import Expose


def patch_of(path: str, value: Any) -> dict[str, Any]:
    """Return the patch that sets one field."""
    first, _, rest = path.partition(".")
    return {first: patch_of(rest, value) if rest else value}


def with_field(document: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """Return a copy of a document with one field set, or removed by None."""
    changed = copy.deepcopy(document)
    *parents, last = path.split(".")
    target = changed
    for name in parents:
        target = target[name]
    if value is None:
        target.pop(last, None)
    else:
        target[last] = value
    return changed


def leaves(schema: Any, defs: dict[str, Any], prefix: str = "") -> Iterator[str]:
    """Yield the path of every field of a JSON Schema."""
    for name, field in schema.get("properties", {}).items():
        forms = [f for f in field.get("anyOf", [field]) if f.get("type") != "null"]
        inner = defs[forms[0]["$ref"].rpartition("/")[2]] if "$ref" in forms[0] else {}
        if "properties" in inner:
            yield from leaves(inner, defs, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


@pytest.mark.parametrize(
    ("model", "covered"),
    [
        (PortSettings, PORT_CHANGES.keys() | PORT_APART),
        (ClusterAccess, ACCESS_CHANGES.keys()),
        (ProxySettings, PROXY_CHANGES.keys() | PROXY_APART),
    ],
)
def test_every_field_that_can_be_changed_is_tried(model: Any, covered: set[str]) -> None:
    """A new field of the API is not forgotten here."""
    schema = model.model_json_schema()
    assert set(leaves(schema, schema["$defs"])) == set(covered)


@pytest.fixture
def mapping(api: httpx.Client) -> Iterator[dict[str, Any]]:
    """Create a mapping with every field set; return it as the API shows it."""
    made = api.post("/proxy/ports", json={**PORT, "internal_port": free_port()})
    assert made.status_code == 201, made.text
    yield made.json()["data"]
    assert api.delete(f"/proxy/ports/{made.json()['data']['id']}").status_code == 200


def updated(shown: dict[str, Any]) -> datetime:
    """Return when a shown mapping was changed last."""
    return datetime.fromisoformat(shown["updated_at"].replace("Z", "+00:00"))


def settings(shown: dict[str, Any]) -> dict[str, Any]:
    """Return what of a shown mapping was asked for, not observed."""
    checked = {k: shown["health_check"].get(k) for k in PORT["health_check"]}
    asked = {k: v for k, v in shown.items() if k in PortSettings.model_fields}
    return {**asked, "health_check": {k: v for k, v in checked.items() if v is not None}}


@pytest.mark.parametrize("path", PORT_CHANGES)
def test_one_field_of_a_mapping_changes_alone(
    api: httpx.Client, mapping: dict[str, Any], path: str
) -> None:
    """The field has its new value, all others their old one, in the answer and afterwards."""
    answer = api.put(f"/proxy/ports/{mapping['id']}", json=patch_of(path, PORT_CHANGES[path]))
    assert answer.status_code == 200, answer.text
    expected = with_field(settings(mapping), path, PORT_CHANGES[path])
    if path == "load_balancer.health_check_enabled":
        expected = with_field(expected, "health_check.enabled", value=False)
    assert settings(answer.json()["data"]) == expected
    (shown,) = api.get("/proxy?include_health=true").json()["data"]["port_mappings"]
    assert settings(shown) == expected
    assert (shown["id"], shown["created_at"]) == (mapping["id"], mapping["created_at"])
    assert updated(shown) > updated(mapping)


@pytest.mark.parametrize(
    "path",
    [
        path
        for path in PORT_CHANGES
        if path
        not in {"description", "health_check.path", "health_check.timeout_seconds", "replicas"}
    ],
)
def test_null_resets_one_field_of_a_mapping(
    api: httpx.Client, mapping: dict[str, Any], path: str
) -> None:
    """Null brings the default back, for this field alone."""
    answer = api.put(f"/proxy/ports/{mapping['id']}", json=patch_of(path, None))
    assert answer.status_code == 200, answer.text
    after = with_field(settings(answer.json()["data"]), path, None)
    assert after == with_field(settings(mapping), path, None)
    refusal = api.put(f"/proxy/ports/{mapping['id']}", json={"description": None})
    assert refusal.status_code == 422


def test_nothing_given_changes_nothing(api: httpx.Client, mapping: dict[str, Any]) -> None:
    """An empty object is a valid update."""
    answer = api.put(f"/proxy/ports/{mapping['id']}", json={})
    assert settings(answer.json()["data"]) == settings(mapping)


def test_sign_in_can_be_switched_by_either_word(api: httpx.Client, mapping: dict[str, Any]) -> None:
    """`authentication_required` and `public_access` together must agree, one at a time may not."""

    def put(**access: Any) -> Any:
        body = {"access_control": access}
        return api.put(f"/proxy/ports/{mapping['id']}", json=body)

    assert put(public_access=True).status_code == 422
    public = put(public_access=True, authentication_required=None)
    assert public.json()["data"]["access_control"]["authentication_required"] is False
    private = put(public_access=None, authentication_required=True)
    assert private.json()["data"]["access_control"]["authentication_required"] is True


def test_another_target_and_another_port_keep_the_rest(api: httpx.Client, expose: Expose) -> None:
    """`internal_port` and `external_port` change the traffic and nothing else."""
    exposed = expose("first", custom_domain="moves.example.com")
    path, target, port = f"/proxy/ports/{exposed.mapping.id}", free_port(), free_port()
    before = api.put(path, json={}).json()["data"]
    after = api.put(path, json={"internal_port": target, "external_port": port}).json()["data"]
    assert (after["internal_port"], after["external_port"]) == (target, port)
    assert after["url"] == f"https://moves.example.com:{port}"
    moved = {"internal_port", "external_port", "url", "updated_at", "health_check"}
    moved |= {"health_status"}
    assert {k: v for k, v in after.items() if k not in moved} == {
        k: v for k, v in before.items() if k not in moved
    }


@pytest.fixture
def access(api: httpx.Client, cluster: object) -> dict[str, Any]:
    """Set every access rule of the cluster."""
    assert api.put("/proxy/access", json=ACCESS).json()["data"] == ACCESS
    return ACCESS


@pytest.mark.parametrize("path", ACCESS_CHANGES)
def test_one_access_rule_changes_alone(
    api: httpx.Client, access: dict[str, Any], path: str
) -> None:
    """The rule has its new value, then its default by null, and all others stay."""
    for value in (ACCESS_CHANGES[path], None):
        answer = api.put("/proxy/access", json=patch_of(path, value))
        assert answer.status_code == 200, answer.text
        shown = api.get("/proxy").json()["data"]["access_control"]
        assert answer.json()["data"] == with_field(access, path, value)
        if value is None:
            shown = with_field(shown, path, None)
        assert shown == with_field(access, path, value)


@pytest.mark.parametrize("path", PROXY_CHANGES)
def test_one_setting_of_the_proxy_changes_alone(
    api: httpx.Client, cluster: object, path: str
) -> None:
    """The setting has its new value and all others stay."""
    first = api.put("/proxy", json=PROXY).json()["data"]
    assert {k: first[k] for k in PROXY} == PROXY
    answer = api.put("/proxy", json=patch_of(path, PROXY_CHANGES[path]))
    expected = with_field(PROXY, path, PROXY_CHANGES[path])
    assert {k: answer.json()["data"][k] for k in PROXY} == expected
    shown = api.get("/proxy").json()["data"]
    assert shown["network_configuration"] == expected["network_configuration"]
    assert shown["proxy_status"] == ("active" if expected["enabled"] else "disabled")
