"""`build_snapshot`: the one pure function from desired state to Envoy's configuration.

A snapshot holds serialized resources with content hashes as versions, so that equal configuration
has an equal version whoever builds it and whenever: a restarted control plane resends nothing.
Desired state is immutable and compared by identity (see `desired`), so what was built from it is
kept, and one change among a thousand mappings builds one mapping's resources.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from ..desired import (
    Address,
    Certificate,
    Desired,
    DesiredCluster,
    DesiredMapping,
    Edge,
    is_raw,
    secrets_of,
    targets,
)
from . import messages, redirects, resources, shared_limits, upstream
from .messages import Resource, make_resource

_KEPT = 20_000
_NO_CLUSTER = DesiredCluster("")


@dataclass(frozen=True)
class Snapshot:
    """All resources of the data plane: type → name → resource."""

    resources: Mapping[str, Mapping[str, Resource]]

    def of(self, type_url: str) -> Mapping[str, Resource]:
        """Return the resources of one type by name."""
        return self.resources.get(type_url, {})

    def changes_from(self, old: Snapshot) -> set[tuple[str, str]]:
        """Return (type, name) of whatever is new, different or gone compared with `old`."""
        return {
            (type_url, name)
            for type_url in messages.TYPES
            for name in _different(self.of(type_url), old.of(type_url))
        }


def _different(new: Mapping[str, Resource], old: Mapping[str, Resource]) -> Iterator[str]:
    for name, resource in new.items():
        other = old.get(name)
        # Most are the very same object, which is seen much sooner than equality.
        if resource is not other and resource != other:
            yield name
    yield from old.keys() - new.keys()


EMPTY = Snapshot({})


def build_snapshot(desired: Desired, *, foreign: frozenset[Address] = frozenset()) -> Snapshot:
    """Translate desired state into Envoy's configuration.

    Args:
        desired: What the data plane should do.
        foreign: Local addresses where another user listens now; nothing is sent there.

    Returns:
        The snapshot; the same resources for the same desired state.

    Raises:
        google.protobuf.json_format.ParseError: A bug: a resource does not fit its message.
    """
    by_type: dict[str, dict[str, Resource]] = {type_url: {} for type_url in messages.TYPES}
    for resource in _all(desired, foreign):
        by_type[resource.type_url][resource.name] = resource
    return Snapshot(by_type)


def _all(desired: Desired, foreign: frozenset[Address]) -> Iterator[Resource]:
    active, cluster, edge = desired.active, desired.cluster, desired.edge
    by_port: dict[int, list[DesiredMapping]] = {}
    for mapping in active:
        by_port.setdefault(mapping.external_port, []).append(mapping)
        barred = foreign & targets(mapping) if foreign else foreign
        yield from _of(mapping, cluster, edge, barred, desired.revocations.of(mapping.id))
    for group in by_port.values():
        # An HTTP listener has nothing of the cluster's settings in it, so that none cuts it.
        yield _listener(tuple(group), cluster if is_raw(group[0]) else _NO_CLUSTER, edge)
    if active:
        yield from _shared_limits()
        yield _shared_buckets(cluster)
    # Nobody subscribes to what no listener names, and nobody would acknowledge it.
    for name in sorted({name for mapping in active for name in _secrets(mapping, edge)}):
        yield _secret(name, desired.certificates[name])
    if any(resources.redirects_to_https(mapping) for mapping in active):
        yield from _redirects()


@lru_cache(maxsize=_KEPT)
def _of(
    mapping: DesiredMapping,
    cluster: DesiredCluster,
    edge: Edge,
    barred: frozenset[Address],
    revoked: tuple[str, ...],
) -> tuple[Resource, ...]:
    """Return what a mapping has alone; one look-up for the many that did not change."""
    parts = (_cluster(mapping, cluster, edge), _endpoints(mapping, cluster, barred))
    if is_raw(mapping):
        return parts
    closed = bool(barred) and not upstream.open_targets(mapping, barred)
    return (*parts, _routes(mapping, cluster, edge, revoked, closed))


@lru_cache(maxsize=_KEPT)
def _secrets(mapping: DesiredMapping, edge: Edge) -> tuple[str, ...]:
    return tuple(secrets_of(mapping, edge)) if mapping.request.protocol == "tcp" else ()


@lru_cache(maxsize=_KEPT)
def _secret(name: str, certificate: Certificate) -> Resource:
    return make_resource(messages.SECRET, resources.make_secret(name, certificate))


@lru_cache(maxsize=1)
def _shared_limits() -> tuple[Resource, ...]:
    listener = shared_limits.make_listener(upstream.ADS)
    return (
        make_resource(messages.CLUSTER, shared_limits.make_cluster()),
        make_resource(messages.LISTENER, listener),
    )


@lru_cache(maxsize=4)
def _shared_buckets(cluster: DesiredCluster) -> Resource:
    return make_resource(messages.ROUTES, shared_limits.make_routes(cluster))


@lru_cache(maxsize=1)
def _redirects() -> tuple[Resource, ...]:
    return (
        make_resource(messages.CLUSTER, redirects.make_cluster()),
        make_resource(messages.LISTENER, redirects.make_listener()),
    )


@lru_cache(maxsize=_KEPT)
def _cluster(mapping: DesiredMapping, cluster: DesiredCluster, edge: Edge) -> Resource:
    return make_resource(messages.CLUSTER, upstream.make_cluster(mapping, cluster, edge))


@lru_cache(maxsize=_KEPT)
def _endpoints(
    mapping: DesiredMapping, cluster: DesiredCluster, barred: frozenset[Address]
) -> Resource:
    config = upstream.make_endpoints(mapping, barred)
    introduction = None
    if upstream.is_checked(mapping, cluster):
        introduction = upstream.make_endpoints(mapping, barred, check_health=False)
    return make_resource(messages.ENDPOINTS, config, introduction=introduction)


@lru_cache(maxsize=_KEPT)
def _routes(
    mapping: DesiredMapping,
    cluster: DesiredCluster,
    edge: Edge,
    revoked: tuple[str, ...],
    closed: bool,  # noqa: FBT001 - part of the cache's key
) -> Resource:
    config = resources.make_routes(mapping, cluster, edge, revoked, closed=closed)
    return make_resource(messages.ROUTES, config)


@lru_cache(maxsize=_KEPT)
def _listener(group: tuple[DesiredMapping, ...], cluster: DesiredCluster, edge: Edge) -> Resource:
    return make_resource(messages.LISTENER, resources.make_listener(group, cluster, edge))
