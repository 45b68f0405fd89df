"""`/docs`: the API's description as one page, made on the server from the OpenAPI document.

Nothing is loaded from elsewhere and there is no script, so it works without a network, and nobody
is asked to type the key into a page. Trying things out is what the `curl` lines are for.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Sequence
from html import escape
from typing import Any

from . import pages

HEADERS = pages.HEADERS
Schema = dict[str, Any]

_STYLE = """
:root{color-scheme:light dark}
body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem}h2{font-size:1rem;margin:1.2rem 0 .3rem}
code,pre{font:13px/1.45 ui-monospace,monospace}
pre{overflow-x:auto;padding:.7rem;border-radius:4px;background:#8882}
details{border:1px solid #8886;border-radius:6px;margin:.5rem 0}
summary{padding:.5rem .8rem;cursor:pointer}
details>div{padding:0 .8rem .8rem}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;vertical-align:top;padding:.25rem .6rem .25rem 0;border-top:1px solid #8884}
.method{display:inline-block;min-width:4.5rem;font-weight:700}
.quiet{opacity:.75}
"""

_INTRODUCTION = (
    "Every request needs the gateway's key: <code>Authorization: Bearer KEY</code>. The line that "
    "the gateway prints when it serves says where the API is and in which file the key is; the "
    "lines below have them as <code>$API</code> and <code>$KEY</code>. The machine-readable form "
    'of this page is <a href="/openapi.json">/openapi.json</a>.'
)


def render(description: Schema) -> str:
    """Return the page.

    Args:
        description: The OpenAPI document.
    """
    title = f"{escape(description['info']['title'])} {escape(description['info']['version'])}"
    operations = "".join(
        _operation(description, path, method, operation)
        for path, methods in description["paths"].items()
        for method, operation in methods.items()
    )
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style>'
        f"<h1>{title}</h1><p>{_INTRODUCTION}</p>{operations}\n"
    )


def _operation(description: Schema, path: str, method: str, operation: Schema) -> str:
    parts = [
        _parameters(operation.get("parameters", [])),
        _body(description, operation.get("requestBody")),
        f"<h2>Call</h2><pre>{escape(_curl(path, method, operation))}</pre>",
        _answers(operation["responses"]),
    ]
    name = escape(operation["operationId"])
    return (
        f'<details id="{name}"><summary><span class="method">{method.upper()}</span> '
        f"<code>{escape(path)}</code> <span class='quiet'>{escape(operation['summary'])}</span>"
        f"</summary><div>{''.join(parts)}</div></details>"
    )


def _parameters(parameters: list[Schema]) -> str:
    rows = [(p["name"], p["in"], _kind(p["schema"]), p.get("description", "")) for p in parameters]
    return _table("Parameters", ("name", "in", "value", ""), rows)


def _body(description: Schema, body: Schema | None) -> str:
    if body is None:
        return ""
    content = body["content"]["application/json"]
    rows = list(_fields(description, content["schema"]))
    return _table("Body", ("field", "value", ""), rows) + (
        f"<p>For example</p><pre>{_json(content['example'])}</pre>"
    )


def _fields(description: Schema, schema: Schema, prefix: str = "") -> Iterator[tuple[str, ...]]:
    """Yield a row for each field, those of inner objects by their path."""
    target = _target(description, schema)
    for name, field in target.get("properties", {}).items():
        inner = _target(description, field)
        if "properties" in inner:
            yield (f"{prefix}{name}", "object", field.get("description", ""))
            yield from _fields(description, inner, f"{prefix}{name}.")
        else:
            needed = " (required)" if name in target.get("required", []) else ""
            yield (f"{prefix}{name}", _kind(field) + needed, field.get("description", ""))


def _target(description: Schema, schema: Schema) -> Schema:
    for form in schema.get("anyOf", [schema]):
        if "$ref" in form:
            found: Schema = description["components"]["schemas"][form["$ref"].rpartition("/")[2]]
            return found
    return schema


def _kind(schema: Schema) -> str:
    """Return what a value may be, in a few words."""
    if "anyOf" in schema:
        return " or ".join(_kind(form) for form in schema["anyOf"])
    if "enum" in schema:
        return ", ".join(json.dumps(value) for value in schema["enum"])
    if "const" in schema:
        return json.dumps(schema["const"])
    kind = str(schema.get("type", "any"))
    if kind == "array":
        return f"list of {_kind(schema['items'])}"
    limits = [f"{int(schema[name]):,}" for name in ("minimum", "maximum") if name in schema]
    return f"{kind} {'–'.join(limits)}".strip()


def _curl(path: str, method: str, operation: Schema) -> str:
    """Return a line for a shell."""
    url = path.replace("{cluster_id}", "local").replace("{port_id}", "$PORT_ID")
    line = ["curl"] if method == "get" else ["curl", "-X", method.upper()]
    line.append(f'"$API{url}"')
    if operation.get("security") != []:
        bare = path.startswith("/v2/")
        line.append(f'-H "Authorization: {"" if bare else "Bearer "}$KEY"')
    if "requestBody" in operation:
        example = operation["requestBody"]["content"]["application/json"]["example"]
        line += ["-H 'Content-Type: application/json'", "-d", shlex.quote(json.dumps(example))]
    return " ".join(line)


def _answers(responses: Schema) -> str:
    return "<h2>Answers</h2>" + "".join(
        f"<p><b>{escape(status)}</b> <span class='quiet'>{_words(answer['description'])}</span>"
        + "".join(f"<pre>{_json(example)}</pre>" for example in _examples(answer))
        for status, answer in responses.items()
        if status.startswith("2") or _examples(answer)
    )


def _words(markdown: str) -> str:
    return escape(markdown.replace("`", ""))


def _examples(answer: Schema) -> list[Any]:
    found: list[Any] = []
    for content in answer.get("content", {}).values():
        if "example" in content:
            found.append(content["example"])
        found += [example["value"] for example in content.get("examples", {}).values()]
    return found


def _table(title: str, names: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    if not rows:
        return ""
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    body = "".join(
        f"<tr><td><code>{escape(row[0])}</code></td>"
        + "".join(f"<td>{escape(cell)}</td>" for cell in row[1:])
        + "</tr>"
        for row in rows
    )
    return f"<h2>{title}</h2><table><tr>{head}</tr>{body}</table>"


def _json(value: Any) -> str:
    return escape(value if isinstance(value, str) else json.dumps(value, indent=2))
