"""What happens is told as Jupyter events: exposed, health, sessions, gone."""

from __future__ import annotations

import httpx

from tests.fixtures.gateway import free_range
from tests.fixtures.jupyter import JupyterServer, Kernel
from tests.fixtures.ports import comes, listening, mappings, serve


def test_a_ports_whole_life_is_told(jupyter: JupyterServer, kernel: Kernel) -> None:
    """From detected over exposed, healthy and signed in to unhealthy and gone; in this order."""
    port = int(free_range(1).partition("-")[0])
    with listening(jupyter) as events:

        def told() -> list[str]:
            audit = [e for e in events.of("audit") if e.get("internal_port", port) == port]
            return [f"{e['action']} {e.get('status', '')}".strip() for e in audit]

        serve(kernel, port)
        assert comes(lambda: events.of("detected_port"))
        kernel.execute(f"%tensorone expose {port} --health-path / --health-interval 1")
        assert comes(lambda: "health.changed healthy" in told())
        go = jupyter.request("GET", f"go/{port}/")
        assert httpx.get(go.headers["location"], verify=False).status_code == httpx.codes.FOUND  # noqa: S501 - trust is not the question
        assert comes(lambda: "session.started" in told())
        kernel.execute("service.terminate(); service.wait()")
        assert comes(lambda: "health.changed unhealthy" in told(), seconds=30)
        kernel.execute(f"%tensorone unexpose {port}")
        assert comes(lambda: "port.deleted" in told())
    wanted = [
        "port.created",
        "health.changed healthy",
        "session.started",
        "health.changed unhealthy",
        "port.deleted",
    ]
    assert [what for what in told() if what in wanted] == wanted
    assert port not in mappings(jupyter)
