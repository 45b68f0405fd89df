"""What the front end's forms are drawn from: the fields of requests that dialogs show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from jupyter_tensorone_proxy import models, people

Schema = dict[str, Any]

IN_DIALOGS: dict[type[BaseModel], tuple[str, ...]] = {
    models.PortRequest: (
        "internal_port",
        "description",
        "expires_at",
        "health_check.path",
        "health_check.interval_seconds",
        "access_control.allowed_users",
        "access_control.ip_whitelist",
        "access_control.blocked_ips",
        "access_control.rate_limit.requests_per_minute",
        "access_control.session_timeout_minutes",
        "custom_domain",
        "external_port",
        "app_protocol",
        "protocol",
        "force",
    ),
    models.ClusterAccess: (
        "default_authentication",
        "session_timeout_minutes",
        "max_concurrent_sessions",
        "ip_whitelist",
        "blocked_ips",
        "rate_limiting.global_limit.requests_per_minute",
        "rate_limiting.per_user_limit.requests_per_minute",
        "security_headers.hsts_enabled",
        "security_headers.x_frame_options",
        "security_headers.content_security_policy",
    ),
    people.LinkRequest: ("user", "expires_in_seconds", "one_time", "path", "allow"),
}
"""Which fields the dialogs show, in their order."""
_KEPT = ("title", "description", "default", "examples")
_EMPTY = {
    "requests_per_minute": "no limit",
    "external_port": "the lowest free one",
    "session_timeout_minutes": "as for all ports",
}
"""What holds where nothing is said of these, beyond what the models' defaults say."""

_UNITS = {"_seconds": "seconds", "_minutes": "minutes"}


def forms_schema() -> Schema:
    """Return the requests that dialogs are about, whole: without references, and without null."""
    _, found = models_json_schema([(model, "validation") for model in IN_DIALOGS])
    whole = {m.__name__: _form(found["$defs"][m.__name__], found) for m in IN_DIALOGS}
    return {
        model.__name__: _with_hints(
            _only([path.split(".") for path in paths], whole[model.__name__])
        )
        for model, paths in IN_DIALOGS.items()
    }


def _only(paths: Sequence[Sequence[str]], form: Schema) -> Schema:
    """Return a form with these fields alone."""
    fields: Schema = {}
    for first in dict.fromkeys(path[0] for path in paths):
        inner = [path[1:] for path in paths if path[0] == first and len(path) > 1]
        field = form["properties"][first]
        fields[first] = _only(inner, field) if inner else field
    required = [name for name in form.get("required", ()) if name in fields]
    return {**form, **({"required": required} if required else {}), "properties": fields}


def _form(schema: Schema, root: Schema) -> Schema:
    """Return a field, or an object of fields, as a form shows it."""
    shown = {k: schema[k] for k in _KEPT if schema.get(k) is not None}
    found = _plain(schema, root)
    if found.get("type") == "object":
        shown.pop("default", None)
        fields = {name: _form(field, root) for name, field in found["properties"].items()}
        title = {"title": schema["title"]} if "title" in schema else {}
        required = {"required": found["required"]} if "required" in found else {}
        return {"type": "object", **title, **required, "properties": fields}
    bounds = {k: v for k, v in found.items() if k not in {"$defs", "title"}}
    return {**bounds, **shown}


def _plain(schema: Schema, root: Schema) -> Schema:
    """Follow references, and take the one form of an optional field that is not null."""
    while "$ref" in schema or "anyOf" in schema:
        if "anyOf" in schema:
            schema = next(form for form in schema["anyOf"] if form.get("type") != "null")
        else:
            schema = root["$defs"][schema["$ref"].rpartition("/")[2]]
    return schema


def _with_hints(schema: Schema) -> Schema:
    for name, field in schema.get("properties", {}).items():
        for suffix, unit in _UNITS.items():
            if name.endswith(suffix):
                field["x-unit"] = unit
        if name == "requests_per_minute":
            del field["default"]  # it is that of a limit that is set, and without one there is none
        if name in _EMPTY and "default" not in field:
            field["x-empty"] = _EMPTY[name]
        _with_hints(field)
    return schema
