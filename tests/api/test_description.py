"""`/openapi.json` is whole and true, and `/docs` shows it without a network or a key."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator

from jupyter_tensorone_proxy.errors import API_ERRORS
from tests.fixtures.gateway import RunningGateway
from tests.fixtures.services.browser import FLAGS
from tests.fixtures.services.processes import program

Operation = tuple[str, dict[str, Any]]


@pytest.fixture(scope="module")
def description(gateway: RunningGateway) -> dict[str, Any]:
    """Return the OpenAPI document, asked for without a key."""
    return dict(httpx.get(f"{gateway.api_url}/openapi.json").json())


def operations(description: dict[str, Any]) -> Iterator[Operation]:
    """Yield (name, operation) for everything the API can do."""
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def wrong(description: dict[str, Any], schema: Any, value: Any) -> list[str]:
    """Return how a value differs from its schema."""
    document = {**schema, "components": description["components"]}
    return [e.message for e in Draft202012Validator(document).iter_errors(value)]


def test_every_operation_has_a_name_a_summary_and_an_example_of_its_answer(
    description: dict[str, Any],
) -> None:
    """Whoever reads the description sees what comes back; each example fits its own schema."""
    names = [operation["operationId"] for _, operation in operations(description)]
    assert len(names) == len(set(names)) >= 20
    for name, operation in operations(description):
        assert operation["summary"], name
        good = [a for status, a in operation["responses"].items() if status.startswith("2")]
        assert len(good) == 1, name
        for content in good[0]["content"].values():
            assert wrong(description, content["schema"], content["example"]) == [], name


def test_every_body_has_an_example_that_fits(description: dict[str, Any]) -> None:
    """Whoever writes a request can start from one that is right."""
    bodies = [(n, o["requestBody"]) for n, o in operations(description) if "requestBody" in o]
    assert len(bodies) >= 9
    for name, body in bodies:
        content = body["content"]["application/json"]
        assert wrong(description, content["schema"], content["example"]) == [], name


def test_every_error_is_shown_in_the_contracts_form(description: dict[str, Any]) -> None:
    """Each code stands under its status, with an example that fits the schema of errors."""
    seen = set()
    for name, operation in operations(description):
        for status, answer in operation["responses"].items():
            content = answer.get("content", {}).get("application/json", {})
            for code, example in content.get("examples", {}).items():
                assert wrong(description, content["schema"], example["value"]) == [], name
                assert example["value"]["error"]["code"] == code
                assert API_ERRORS[code].default_status == int(status)
                seen.add(code)
    never = {"ERROR", "NOT_FOUND", "RATE_LIMIT_EXCEEDED"}  # bases, and what only Envoy says
    assert seen == API_ERRORS.keys() - never


def test_what_every_field_means_is_said_or_plain(description: dict[str, Any]) -> None:
    """Limits and choices are in the schemas, so that a program can tell them too."""
    schemas = description["components"]["schemas"]
    port = schemas["PortRequest"]["properties"]
    assert (port["internal_port"]["minimum"], port["internal_port"]["maximum"]) == (1, 65535)
    assert port["protocol"]["enum"] == ["tcp", "udp"]
    assert schemas["PortRequest"]["required"] == ["internal_port", "description"]
    assert set(description["components"]["securitySchemes"]) == {"key", "bareKey"}


def test_the_documentation_needs_no_key_and_tells_no_secret(gateway: RunningGateway) -> None:
    """Without a key: the page and the document, which are the same on every machine."""
    for path in ("/docs", "/openapi.json", "/healthz"):
        answer = httpx.get(gateway.api_url + path)
        assert answer.status_code == 200
        for secret in (gateway.api_key, str(gateway.state_dir), gateway.runtime["ca_file"]):
            assert secret not in answer.text
    page = httpx.get(f"{gateway.api_url}/docs")
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert "<script" not in page.text
    assert "http://" not in page.text.replace("http://127.0.0.1", "")
    assert httpx.get(f"{gateway.api_url}/docs", headers={"host": "evil.example"}).status_code == 403


def test_the_documentation_works_in_a_browser_without_a_network(
    gateway: RunningGateway, description: dict[str, Any], tmp_path: Path
) -> None:
    """Chromium shows every operation, styled, from the gateway alone."""
    done = subprocess.run(
        [
            program("chromium"),
            "--headless",
            *FLAGS,
            f"--user-data-dir={tmp_path}",
            "--virtual-time-budget=3000",
            "--dump-dom",
            f"{gateway.api_url}/docs",
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "Cluster Proxy API" in done.stdout
    for name, operation in operations(description):
        method, _, path = name.partition(" ")
        assert f'id="{operation["operationId"]}"' in done.stdout
        assert f"{method}</span> <code>{path}</code>" in done.stdout
    refused = [line for line in done.stderr.splitlines() if "Refused to" in line]
    assert refused == []


def test_the_curl_lines_of_the_documentation_work(gateway: RunningGateway) -> None:
    """A line copied from the page, with the key and the address, does what it says."""
    page = httpx.get(f"{gateway.api_url}/docs").text
    start = page.index("<pre>", page.index('id="list_clusters"')) + len("<pre>")
    line = page[start : page.index("</pre>", start)].replace("&quot;", '"')
    done = subprocess.run(  # noqa: S602 - the line is for a shell
        f"{line} --silent --show-error --fail",
        shell=True,
        env={"PATH": "/usr/bin:/bin", "API": gateway.api_url, "KEY": gateway.api_key},
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert json.loads(done.stdout)["data"][0]["id"] == "local"
