"""Filters that few requests or answers need: Envoy's matching API, as we use it."""

from __future__ import annotations

from typing import Literal

from .typed import Config, typed

_COMPOSITE = "envoy.extensions.filters.http.composite.v3"
_COMMON = "envoy.extensions.matching"


def where(predicate: Config, filter_config: Config) -> Config:
    """Return a filter that is made only for requests, or answers, of which a predicate holds.

    Envoy could also skip a filter that it made; making one that calls a service takes as long as
    everything else here together.
    """
    wanted = {"name": "filter", "typed_config": filter_config}
    execute = typed(f"{_COMPOSITE}.ExecuteFilterAction", {"typed_config": wanted})
    action = {"action": {"name": "execute", "typed_config": execute}}
    matchers = [{"predicate": predicate, "on_match": action}]
    composite = typed(f"{_COMPOSITE}.Composite", {})
    return typed(
        "envoy.extensions.common.matching.v3.ExtensionWithMatcher",
        {
            "extension_config": {"name": "composite", "typed_config": composite},
            "xds_matcher": {"matcher_list": {"matchers": matchers}},
        },
    )


def header_is(kind: Literal["Request", "Response"], name: str, pattern: str) -> Config:
    """Return the predicate that the whole of a header, all its lines joined, fits a pattern."""
    source = typed(f"envoy.type.matcher.v3.Http{kind}HeaderMatchInput", {"header_name": name})
    match = {"safe_regex": {"google_re2": {}, "regex": pattern}}
    return {
        "single_predicate": {"input": {"name": name, "typed_config": source}, "value_match": match}
    }


def noted(namespace: str, *path: str) -> Config:
    """Return the predicate that the dynamic metadata has a value."""
    source = {"filter": namespace, "path": [{"key": key} for key in path]}
    found = typed(f"{_COMMON}.common_inputs.network.v3.DynamicMetadataInput", source)
    present = {"value": {"present_match": True}}
    matcher = typed(f"{_COMMON}.input_matchers.metadata.v3.Metadata", present)
    return {
        "single_predicate": {
            "input": {"name": path[-1], "typed_config": found},
            "custom_match": {"name": "present", "typed_config": matcher},
        }
    }


def negation(predicate: Config) -> Config:
    """Return the predicate that another one does not hold."""
    return {"not_matcher": predicate}


def all_of(*predicates: Config) -> Config:
    """Return the predicate that all hold."""
    return {"and_matcher": {"predicate": list(predicates)}}


def any_of(*predicates: Config) -> Config:
    """Return the predicate that one of several holds."""
    return {"or_matcher": {"predicate": list(predicates)}}
