"""The front end's types and forms are those of the Python models."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from jupyter_tensorone_proxy.models import PortRequest
from scripts import generate_wire

pytestmark = pytest.mark.skipif(
    not (generate_wire.FRONT_END / "node_modules").exists(),
    reason="the front end's packages are not installed: run `npm ci` in labextension/",
)


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Have the files written to, and looked for in, a directory of this test."""
    for name in ("TYPES", "FORMS", "CHOICES"):
        file: Path = getattr(generate_wire, name)
        copy = tmp_path / file.name
        copy.write_text(file.read_text())
        monkeypatch.setattr(generate_wire, name, copy)
    return tmp_path


def test_what_is_committed_is_what_the_models_say() -> None:
    """Whoever changes a model writes the front end's files too."""
    assert generate_wire.main(["--check"]) == 0


@pytest.mark.parametrize("name", ["wire.ts", "schema.json", "choices.json"])
def test_a_stale_file_is_found_and_put_right(
    elsewhere: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """The check names the file and what to do; doing it satisfies the check."""
    right = (elsewhere / name).read_text()
    (elsewhere / name).write_text(right.replace("e", "ee", 1))
    assert generate_wire.main(["--check"]) == 1
    assert f"{name}. Run python scripts/generate_wire.py" in capsys.readouterr().out
    assert generate_wire.main([]) == 0
    assert (elsewhere / name).read_text() == right


def test_nothing_in_the_types_is_any() -> None:
    """Unknown fields are unknown, so that they have to be looked at before they are used."""
    source = generate_wire.TYPES.read_text()
    assert "[k: string]: unknown" in source
    assert not re.search(r"\bany\b(?=[;\[ ]*[;|])", source)


def test_bounds_and_choices_of_forms_are_the_models() -> None:
    """What a dialog lets through is what the model lets through."""
    forms: dict[str, Any] = json.loads(generate_wire.FORMS.read_text())
    port = forms["PortRequest"]["properties"]
    assert forms["PortRequest"]["required"] == ["internal_port", "description"]
    assert (port["internal_port"]["minimum"], port["internal_port"]["maximum"]) == (1, 65535)
    protocols = PortRequest.model_json_schema()["properties"]["app_protocol"]["enum"]
    assert port["app_protocol"]["enum"] == protocols
    interval = port["health_check"]["properties"]["interval_seconds"]
    assert (interval["x-unit"], interval["default"]) == ("seconds", 30)
