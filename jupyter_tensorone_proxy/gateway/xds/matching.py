"""Filters that are skipped for most requests or answers: Envoy's matching API, as we use it."""

from __future__ import annotations

from typing import Literal

from .typed import Config, typed

_SKIP = "envoy.extensions.filters.common.matcher.action.v3.SkipFilter"
_COMMON = "envoy.extensions.matching"


def unless(predicate: Config, filter_config: Config) -> Config:
    """Return a filter that is skipped where a predicate holds."""
    skip = {"action": {"name": "skip", "typed_config": typed(_SKIP, {})}}
    matchers = [{"predicate": predicate, "on_match": skip}]
    return typed(
        "envoy.extensions.common.matching.v3.ExtensionWithMatcher",
        {
            "extension_config": {"name": "filter", "typed_config": filter_config},
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
