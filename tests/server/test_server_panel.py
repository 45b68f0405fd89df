"""What the panel asks for beyond the contract: which API it is, and how a port was used lately."""

from __future__ import annotations

import json
import ssl
from pathlib import Path
from typing import Any

import httpx

from tests.fixtures.gateway import wait_until
from tests.fixtures.jupyter import run_jupyter
from tests.fixtures.services.web import web_service


async def test_the_connection_is_told_without_asking_the_api(fetch: Any, api: Any) -> None:
    """Kind, address and cluster are known even where the API does not answer."""
    answer = await fetch("GET", "api/connection")
    told = json.loads(answer.body)["data"]
    assert (told["kind"], told["api_url"]) == ("api", api.url)
    assert told["cluster_id"] == "cluster_abc123"
    assert "clusters" not in told
    assert api.calls == []


async def test_another_cluster_of_the_account_can_be_chosen(fetch: Any, api: Any) -> None:
    """From then on every call is about the chosen cluster."""
    api.clusters = ["cluster_abc123", "cluster_two"]
    listed = json.loads((await fetch("GET", "api/connection?clusters=true")).body)["data"]
    assert [cluster["id"] for cluster in listed["clusters"]] == api.clusters
    answer = await fetch("PUT", "api/connection", body={"cluster_id": "cluster_two"})
    assert json.loads(answer.body)["data"]["cluster_id"] == "cluster_two"
    await fetch("GET", "api/ports")
    assert api.calls[-1][1] == "/v1/clusters/cluster_two/proxy"


async def test_a_cluster_of_somebody_else_is_refused(fetch: Any, api: Any) -> None:
    """A 422 names the field, and the old cluster stays."""
    answer = await fetch("PUT", "api/connection", body={"cluster_id": "cluster_of_ben"})
    error = json.loads(answer.body)["error"]
    assert (answer.code, error["details"]["fields"][0]["field"]) == (422, "cluster_id")
    await fetch("GET", "api/ports")
    assert api.calls[-1][1] == "/v1/clusters/cluster_abc123/proxy"


async def test_the_history_of_a_port_that_is_gone_is_a_404(fetch: Any, api: Any) -> None:
    """The panel may be a moment behind."""
    answer = await fetch("GET", "api/ports/port_9/history")
    assert (answer.code, json.loads(answer.body)["error"]["code"]) == (404, "PORT_NOT_FOUND")


def test_history_counts_real_requests_and_failures(tmp_path: Path) -> None:
    """Of three requests through Envoy to a service, of which one fails, each is in a minute."""
    with run_jupyter(tmp_path) as server, web_service() as service:
        wanted = {
            "internal_port": service.port,
            "description": "Service",
            "access_control": {"public_access": True},
        }
        made = server.request("POST", "api/ports", json=wanted).json()["data"]
        trust = ssl.create_default_context(cafile=server.gateway()["ca_file"])
        for path in ("/text", "/text", "/status/503"):
            httpx.get(f"{made['url']}{path}", verify=trust)

        def history() -> dict[str, Any]:
            answer = server.request("GET", f"api/ports/{made['id']}/history")
            return dict(answer.json()["data"])

        def counted() -> int:
            return sum(minute["requests"] for minute in history()["minutes"])

        assert wait_until(lambda: counted() >= 3), "Envoy writes its log a moment later"
        told = history()
    assert len(told["minutes"]) == 30
    assert sum(minute["requests"] for minute in told["minutes"]) == 3
    assert sum(minute["failed"] for minute in told["minutes"]) == 1
    assert told["minutes"][-1]["median_ms"] is not None
    assert told["cut"] is False
    assert [set(span) for span in told["health"]] == [{"start", "end", "word", "tone"}] * len(
        told["health"]
    )
