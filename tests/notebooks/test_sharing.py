"""`sharing.ipynb`: one named person comes in, is seen, and is shown out."""

from __future__ import annotations

import pytest

from tests.fixtures.jupyter import JupyterServer
from tests.notebooks.conftest import Outputs, executed, secrets_in, text


@pytest.fixture(scope="module")
def outputs(server: JupyterServer) -> Outputs:
    """Execute the notebook."""
    return executed(server, "sharing.ipynb")


def test_ben_sees_it_only_while_it_is_shared(outputs: Outputs) -> None:
    """Nobody before; Ben and not Carol after; nobody at the end, and the link is dead."""
    assert "Only me" in text(outputs["expose-port"])
    assert text(outputs["stranger"]).split("\n")[:2] == ["ben   401 nothing", "carol 401 nothing"]
    came = text(outputs["ben-comes"]).split("\n")[:2]
    assert came == ["ben   200 the results", "carol 401 nothing"]
    out = text(outputs["ben-is-out"]).split("\n")[:2]
    assert out[0] == "ben   401 nothing"
    assert out[1].split()[1] in {"401", "403", "404", "410"}


def test_who_is_in_is_shown(outputs: Outputs) -> None:
    """Sessions and links name Ben, and revoking says what it ended."""
    assert "ben" in text(outputs["show-sessions"])
    assert "ben" in text(outputs["show-links"])
    assert "ben" in text(outputs["revoke-ben"]) or "ended" in text(outputs["revoke-ben"])
    told = text(outputs["show-events"])
    assert (
        told.index("link.created") < told.index("session.started") < told.index("session.revoked")
    )


def test_r16_no_output_holds_a_credential(outputs: Outputs, server: JupyterServer) -> None:
    """A saved notebook can be given away: the link is in none of its outputs."""
    assert secrets_in(outputs, server) == []


def test_nothing_stays_exposed(outputs: Outputs, server: JupyterServer) -> None:
    """What it exposed it takes back."""
    assert "is no longer exposed" in text(outputs["unexpose-port"])
    assert server.request("GET", "api/ports").json()["data"] == []
    assert server.request("GET", "api/sessions").json()["data"] == []
