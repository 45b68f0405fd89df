"""Writes what the front end knows of the wire: from the models, so that the two cannot disagree.

::

    python scripts/generate_wire.py            write labextension/src/wire.ts, schema.json, …
    python scripts/generate_wire.py --check    say whether what is there is what would be written

`wire.ts` has a type for every body and answer of the Jupyter server's REST door and for its events;
`schema.json` has what the dialogs are made of: names, help, units, bounds, choices and examples of
the fields of requests; `choices.json` has, for a test, what Python says of each choice of who can
open a port. Needs the front end's development packages (`npm ci` in labextension/).
"""

from __future__ import annotations

import argparse
import copy
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from jupyter_tensorone_proxy import models, people
from jupyter_tensorone_proxy.commands import choices, rows
from jupyter_tensorone_proxy.errors import UsageError
from jupyter_tensorone_proxy.gateway.openapi import Failure
from jupyter_tensorone_proxy.server import alert_events, detected_ports, events, own_answers

sys.path.insert(0, str(Path(__file__).parents[1]))

from scripts.wire_forms import forms_schema

Schema = dict[str, Any]

FRONT_END = Path(__file__).parent.parent / "labextension"
TYPES = FRONT_END / "src" / "wire.ts"
FORMS = FRONT_END / "src" / "schema.json"
CHOICES = FRONT_END / "test" / "choices.json"

REQUESTS: tuple[type[BaseModel], ...] = (
    models.PortRequest,
    models.PortSettings,
    models.ProxySettings,
    models.ClusterAccess,
    people.LinkRequest,
    people.UserRequest,
    people.UserSettings,
    own_answers.ClusterChoice,
)
ANSWERS: tuple[type[BaseModel], ...] = (
    models.PortMapping,
    models.ProxyConfig,
    models.ProxyState,
    models.AccessLogEntry,
    people.Link,
    people.Session,
    people.User,
    people.Revoked,
    own_answers.ApiConnection,
    own_answers.Me,
    own_answers.PortHistory,
    own_answers.ServiceEntry,
    Failure,
)
_HEADER = "/* Written by scripts/generate_wire.py from the Python models: change those. */\n"


def types_schema() -> Schema:
    """Return the definitions of all messages, by name."""
    everything = [(model, "validation") for model in (*REQUESTS, *ANSWERS)]
    _, found = models_json_schema(everything, ref_template="#/$defs/{model}")  # type: ignore[arg-type]
    defs: Schema = found["$defs"]
    for name in _reached({model.__name__ for model in ANSWERS}, defs):
        if name not in _reached({model.__name__ for model in REQUESTS}, defs):
            _widen(defs[name])
    defs["AuditEvent"] = _event(events.SCHEMA_FILE)
    defs["DetectedEvent"] = _event(detected_ports.SCHEMA_FILE)
    defs["AlertEvent"] = _event(alert_events.SCHEMA_FILE)
    defs["DetectedPort"] = _without(defs["DetectedEvent"], "change")
    defs["DetectedPort"]["description"] = "A port of a kernel or terminal, exposed or not."
    for definition in defs.values():
        _strip(definition)
    return defs


def _reached(names: set[str], defs: Schema) -> set[str]:
    """Return these definitions and all that they refer to."""
    found: set[str] = set()
    while names - found:
        name = (names - found).pop()
        found.add(name)
        names |= {ref.rpartition("/")[2] for ref in _references(defs[name])}
    return found


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(schema.get("$ref"), str):
            yield schema["$ref"]
        for inner in schema.values():
            yield from _references(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from _references(inner)


def _widen(definition: Schema) -> None:
    """An answer may have a value that is newer than we are: a choice is just a text there."""
    for field in definition.get("properties", {}).values():
        if field.get("type") == "string":
            field.pop("enum", None)


def _event(file: Path) -> Schema:
    schema: Schema = yaml.safe_load(file.read_text())
    return {k: schema[k] for k in ("description", "type", "properties", "required")} | {
        "additionalProperties": True
    }


def _without(schema: Schema, name: str) -> Schema:
    rest = copy.deepcopy(schema)
    del rest["properties"][name]
    rest["required"].remove(name)
    return rest


def _strip(schema: Any) -> None:
    """Drop what would make noise in TypeScript: titles of fields, examples in docstrings."""
    if isinstance(schema, list):
        for inner in schema:
            _strip(inner)
    if not isinstance(schema, dict):
        return
    if isinstance(schema.get("description"), str):
        schema["description"] = _first_part(schema["description"])
    for name in ("title", "default", "examples", "maxItems", "minItems"):
        if not isinstance(schema.get(name), dict):
            schema.pop(name, None)
    for inner in schema.values():
        _strip(inner)


def _first_part(text: str) -> str:
    return text.partition("\n\n")[0].strip()


def types_source() -> str:
    """Return `wire.ts`.

    Raises:
        SystemExit: The front end's packages are not installed.
    """
    defs = types_schema()
    schema = {"title": "Wire", "type": "object", "additionalProperties": False, "$defs": defs}
    tool = FRONT_END / "node_modules" / ".bin" / "json2ts"
    if not tool.exists():
        sys.exit("The front end's packages are not installed: run `npm ci` in labextension/.")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "wire.json")
        file.write_text(json.dumps(schema))
        command = [str(tool), "--input", str(file), "--unreachableDefinitions"]
        command += ["--no-format", "--bannerComment", ""]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    source = re.sub(
        r"\{\n\[k: string\]: unknown\n\}", "Readonly<Record<string, unknown>>", done.stdout
    )
    source = re.sub(r"export interface Wire \{[^}]*\}\n", "", source)
    source = re.sub(r"\n[ *]*\n \* This interface was referenced by[^/]*\*/", "\n */", source)
    source = re.sub(r"/\*\*\n \* This interface was referenced by[^/]*\*/\n", "", source)
    return _formatted(_HEADER + _readonly(source), "wire.ts")


def _readonly(source: str) -> str:
    """Nobody changes an answer in place."""
    field = re.compile(r"^(\w+\??:|\[k: string\]:)(.*)$", re.MULTILINE)
    array = re.compile(r"((?:\([^()]*\)|\w+)\[\])")
    return field.sub(lambda f: f"readonly {f[1]}" + array.sub(r"readonly \1", f[2]), source)


def forms_source() -> str:
    """Return `schema.json`."""
    return _formatted(json.dumps(forms_schema(), ensure_ascii=False), "schema.json")


def choices_source() -> str:
    """Return `choices.json`: what each choice means, and which one a mapping shows."""
    told: list[Schema] = [
        {"choice": c, "people": p, "me": me, "means": choices.means(c, p, me)}
        | {"access": _access(c, p, me)}
        for me in ("ana", None)
        for c in (choices.ONLY_ME, choices.CHOSEN, choices.SIGNED_IN, choices.ANYONE)
        for p in ("", "ben", "ana", " ana,  ben ,", "ben,ana,eve")
    ]
    shown: list[Schema] = [
        {"access": access, "me": me} | _shown(access, me)
        for me in ("ana", None)
        for access in (
            *(case["access"] for case in told if case["access"]),
            {"authentication_required": True, "allowed_users": None},
            {"public_access": True},
        )
    ]
    return _formatted(json.dumps({"told": told, "shown": shown}), "choices.json")


def _access(choice: str, named: str, me: str | None) -> Schema | None:
    try:
        return choices.access_of(choice, named, me)
    except UsageError:
        return None


def _shown(access: Schema, me: str | None) -> dict[str, str]:
    mapping = models.PortMapping(id="port_1", access_control=models.AccessControl(**access))
    wish = choices.wish_of(rows.make_row(mapping, rows.Viewer(me), default_authentication=True))
    return {"choice": wish.choice, "people": wish.people}


def _formatted(source: str, name: str) -> str:
    command = ["npx", "--no-install", "prettier", "--stdin-filepath", f"src/{name}"]
    done = subprocess.run(
        command, input=source, capture_output=True, text=True, cwd=FRONT_END, check=True
    )
    return done.stdout


def main(argv: Sequence[str] | None = None) -> int:
    """Write the files, or compare them; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="compare, and write nothing")
    options = parser.parse_args(argv)
    stale = []
    written = ((TYPES, types_source()), (FORMS, forms_source()), (CHOICES, choices_source()))
    for file, source in written:
        if file.exists() and file.read_text() == source:
            continue
        stale.append(file.name)
        if not options.check:
            file.write_text(source)
    if stale and options.check:
        print(f"Not as the models are: {', '.join(stale)}. Run python scripts/generate_wire.py.")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
