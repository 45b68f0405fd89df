"""The write path: policy → one transaction → push → Envoy's acknowledgement → answer.

Everything that changes what is exposed goes through `Controller`. If Envoy refuses, or does not
answer, the transaction is undone and Envoy is given the last good configuration again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from ..errors import (
    DataPlaneRejectedError,
    DataPlaneUnavailableError,
    ExternalPortInUseError,
    PortNotFoundError,
)
from ..models import PortRequest
from ..validation import parse_request
from .admission import Admission
from .audit import Note
from .config import CLUSTER_ID, GatewayConfig
from .desired import (
    Address,
    Certificate,
    Desired,
    DesiredCluster,
    DesiredMapping,
    Edge,
    secrets_of,
    targets_of,
)
from .external_ports import ExternalPorts
from .identity import new_id
from .jupyter_ports import JupyterPorts
from .listening import first_silent_port
from .merge import merge_patch
from .ownership import Ownership
from .store import EXPIRED, Store, Transaction
from .tables import now
from .xds.discovery import DiscoveryServer, NotConnectedError, RejectedError
from .xds.resources import listener_name
from .xds.snapshot import Snapshot, build_snapshot

T = TypeVar("T")
_log = logging.getLogger(__name__)


class Controller:
    """Keeps the store and Envoy in agreement; all changes pass here, one at a time.

    Args:
        config: The gateway's options.
        store: Where desired state is kept.
        edge: What all listeners share.
        certificates: Gives the certificates for the custom domains in use, by name.
        capacity: How many mappings Envoy's file descriptors allow.
        own_ports: Ports that must never be exposed, because they are the gateway's.
        ownership: Says on which ports another user listens.
    """

    def __init__(  # noqa: PLR0913 - the parts it is put together from
        self,
        config: GatewayConfig,
        store: Store,
        edge: Edge,
        certificates: Callable[[Iterable[str]], Mapping[str, Certificate]],
        *,
        capacity: int,
        own_ports: frozenset[int],
        ownership: Ownership,
    ) -> None:
        self._certificates = certificates
        loaded = store.load(CLUSTER_ID)
        if store.end_expired(loaded):
            loaded = store.load(CLUSTER_ID)
        self.desired = self._certified(
            Desired(loaded.cluster, loaded.mappings, edge, loaded.revocations)
        )
        self._ownership = ownership
        self._foreign = self._look_for_foreign()
        self.discovery = DiscoveryServer(self._snapshot(self.desired))
        self._config = config
        self._store = store
        runtime = config.jupyter_runtime_dir
        jupyter_ports = JupyterPorts(Path(runtime) if runtime else None)
        self._admission = Admission(capacity, own_ports, jupyter_ports, ownership)
        self._external_ports = ExternalPorts(config, own_ports)
        self._lock = asyncio.Lock()

    def mapping(self, mapping_id: str) -> DesiredMapping:
        """Return a mapping.

        Raises:
            PortNotFoundError: There is none of that id.
        """
        try:
            return self.desired.mappings[mapping_id]
        except KeyError:
            raise PortNotFoundError(
                f"There is no port mapping {mapping_id!r}",
                details={"port_id": mapping_id, "suggestion": "List the mappings to see their ids"},
            ) from None

    async def create_port(self, request: PortRequest) -> DesiredMapping:
        """Expose a port; when this returns, Envoy is listening.

        Raises:
            PortAlreadyMappedError, ExternalPortInUseError, ProtectedPortError: As they say.
            DataPlaneRejectedError, DataPlaneUnavailableError, StorageFullError: Nothing changed.
        """
        async with self._lock:
            self._admission.require_room(self.desired)
            asked = request.internal_host is not None
            request = self._admission.located(request, asked=asked)
            self._admission.require(request, self.desired)
            moment = now()
            external_port = self._external_ports.choose(request, self.desired.mappings)
            mapping = DesiredMapping(new_id("port"), request, external_port, moment, moment)

            def change(transaction: Transaction) -> Desired:
                transaction.save_mapping(self.desired.cluster.id, mapping)
                transaction.events.add(Note("port.created", mapping.id, _told(request.to_wire())))
                return self._with_mapping(mapping)

            await self._commit(change)
        return mapping

    async def invite(self, mapping_id: str, user: str) -> DesiredMapping:
        """Add somebody to those whom a mapping admits, whoever else is being added just now."""

        def added(mapping: DesiredMapping) -> Mapping[str, Any]:
            users = mapping.access.allowed_users or []
            more = {} if mapping.is_for(user) else {"allowed_users": [*users, user]}
            return {"access_control": more}

        return await self.update_port(mapping_id, added)

    async def update_port(
        self,
        mapping_id: str,
        patch: Mapping[str, Any] | Callable[[DesiredMapping], Mapping[str, Any]],
    ) -> DesiredMapping:
        """Change what is given and leave the rest (RFC 7396: null resets a field).

        Whoever may no longer come in is signed out.

        Raises:
            InvalidRequestError: The mapping as it would be is not valid.
            PortNotFoundError: There is none of that id; and as for `create_port`.
        """
        async with self._lock:
            old = self.mapping(mapping_id)
            patch = patch if isinstance(patch, Mapping) else patch(old)
            request = parse_request(PortRequest, merge_patch(old.request.to_wire(), patch))
            if "internal_port" in patch:
                asked = patch.get("internal_host") is not None
                request = self._admission.located(request, asked=asked)
            self._admission.require(request, self.desired, old)
            external_port = self._external_ports.choose(request, self.desired.mappings, old)
            mapping = replace(old, request=request, external_port=external_port, updated_at=now())

            told = _told(patch)

            def change(transaction: Transaction) -> Desired:
                transaction.save_mapping(self.desired.cluster.id, mapping)
                transaction.events.add(Note("port.updated", mapping_id, told))
                transaction.revoke(
                    s
                    for s in transaction.sessions.live(port_id=mapping_id)
                    if not mapping.is_for(s.user)
                )
                revocations = transaction.revocations()
                return replace(self._with_mapping(mapping), revocations=revocations)

            await self._commit(change)
        return mapping

    async def delete_port(self, mapping_id: str) -> None:
        """Stop exposing a port; when this returns, its listener is closed.

        Raises:
            PortNotFoundError: There is none of that id.
        """
        async with self._lock:
            await self._end([self.mapping(mapping_id)])

    async def stop_expired(self) -> None:
        """Stop exposing what was to be exposed until now.

        Raises:
            DataPlaneRejectedError, DataPlaneUnavailableError, StorageFullError: Nothing changed.
        """
        if not self._expired():
            return
        async with self._lock:
            await self._end(self._expired(), reason=EXPIRED)

    def _expired(self) -> list[DesiredMapping]:
        moment = now()
        return [m for m in self.desired.mappings.values() if m.has_ended(moment)]

    async def _end(self, ended: Collection[DesiredMapping], **why: str) -> None:
        ids = {mapping.id for mapping in ended}
        rest = {k: v for k, v in self.desired.mappings.items() if k not in ids}

        def change(transaction: Transaction) -> Desired:
            for mapping in ended:
                transaction.end_mapping(mapping, **why)
            return replace(self.desired, mappings=rest)

        await self._commit(change)

    async def update_cluster(
        self,
        action: str,
        patch: Mapping[str, Any],
        changed: Callable[[DesiredCluster], DesiredCluster],
    ) -> DesiredCluster:
        """Change what holds for all mappings.

        Args:
            action: What the audit calls it.
            patch: What was asked for, for the audit.
            changed: Returns the cluster as it should be.
        """
        async with self._lock:
            cluster = replace(changed(self.desired.cluster), updated_at=now())

            def change(transaction: Transaction) -> Desired:
                transaction.save_cluster(cluster)
                transaction.events.add(Note(action, details=_told(patch)))
                return replace(self.desired, cluster=cluster)

            await self._commit(change)
        return cluster

    async def change_people(self, write: Callable[[Transaction], T]) -> T:
        """Change who may come in; when this returns, Envoy refuses what was revoked by it.

        Args:
            write: Changes users, links or sessions, and returns what the caller wants to know.
        """
        results: list[T] = []
        async with self._lock:

            def change(transaction: Transaction) -> Desired:
                results.append(write(transaction))
                return replace(self.desired, revocations=transaction.revocations())

            await self._commit(change)
        return results[0]

    async def forget_ended(self) -> None:
        """Drop what ended by itself from the store, and from what Envoy is told to refuse."""
        async with self._store.transaction() as transaction:
            transaction.forget_ended()
            revocations = transaction.revocations()
        if revocations != self.desired.revocations:
            await self.change_people(lambda _: None)

    async def cut(self, mapping_ids: Iterable[str]) -> None:
        """Close every open connection of some mappings; visitors come back if they may."""
        async with self._lock:
            mappings = dict(self.desired.mappings)
            cut = [mappings[i] for i in mapping_ids if i in mappings]
            for mapping in cut:
                mappings[mapping.id] = replace(mapping, generation=mapping.generation + 1)

            def change(transaction: Transaction) -> Desired:
                for mapping in cut:
                    transaction.save_mapping(self.desired.cluster.id, mappings[mapping.id])
                return replace(self.desired, mappings=mappings)

            await self._commit(change)

    async def renew_edge(
        self, edge: Edge, write: Callable[[Transaction], None] = lambda _: None
    ) -> None:
        """Use another certificate or other keys.

        Args:
            edge: What all listeners share from now on.
            write: What is stored with it.
        """
        async with self._lock:

            def change(transaction: Transaction) -> Desired:
                write(transaction)
                revocations = transaction.revocations()
                return replace(self.desired, edge=edge, revocations=revocations)

            await self._commit(change)

    def _with_mapping(self, mapping: DesiredMapping) -> Desired:
        return replace(self.desired, mappings={**self.desired.mappings, mapping.id: mapping})

    async def renew_certificates(self) -> None:
        """Have Envoy use the certificates of now; open connections are not touched."""
        async with self._lock:
            if self._certified(self.desired).certificates != self.desired.certificates:
                await self._commit(lambda _: self.desired)

    async def bring_up(self) -> None:
        """Wait for Envoy; what it refuses then is offered again by `reconcile`.

        Raises:
            DataPlaneUnavailableError: Envoy did not connect, or did not answer.
        """
        async with self._lock:
            try:
                await self.discovery.synchronize(timeout_seconds=15)
                await self._wait_until_listening(self.desired)
            except RejectedError as error:
                _log.warning("Envoy refuses a part of what is stored: %s", error)
            except NotConnectedError as error:
                raise DataPlaneUnavailableError(str(error)) from None

    def _certified(self, desired: Desired) -> Desired:
        return replace(desired, certificates=self._certificates(desired.domains))

    async def reconcile(self) -> None:
        """Offer Envoy again what it refused, e.g. because a port was in use.

        What a restart of either process left different has come right when Envoy connected.
        """
        async with self._lock:
            before = set(self.discovery.refusals)
            try:
                await self.discovery.retry()
            except RejectedError as error:
                if set(self.discovery.refusals) != before:
                    _log.warning("Envoy still refuses a part: %s", error)
            except NotConnectedError as error:
                _log.warning("What Envoy refused waits: %s", error)

    async def watch_ownership(self) -> None:
        """Close what leads to another user's socket, and open it when that is gone."""
        foreign = self._look_for_foreign()
        if foreign == self._foreign:
            return
        for address in foreign - self._foreign:
            _log.warning("Port %s belongs to another user now: it is closed", address.port)
        async with self._lock:
            self._foreign = foreign
            try:
                await self.discovery.apply(self._snapshot(self.desired), timeout_seconds=2)
            except (RejectedError, NotConnectedError) as error:
                _log.warning("Envoy has not confirmed whose ports are closed: %s", error)

    def trouble(self, mapping: DesiredMapping) -> str | None:
        """Return why a mapping does not serve; None if nothing is known against it."""
        refusals = self.discovery.refusals
        if refusals:
            port = mapping.external_port
            listeners = {listener_name(port), listener_name(port, udp=True)}
            names = {mapping.id, *listeners, *secrets_of(mapping, self.desired.edge)}
            reason = next((why for (_, name), why in refusals.items() if name in names), None)
            if reason is not None:
                return reason
        if self._foreign & targets_of(mapping.request):
            return "another user of the machine listens on its port"
        return None

    def _look_for_foreign(self) -> frozenset[Address]:
        return self._ownership.foreign(self.desired.targets)

    def _snapshot(self, desired: Desired) -> Snapshot:
        return build_snapshot(desired, foreign=self._foreign)

    async def _commit(self, change: Callable[[Transaction], Desired]) -> None:
        try:
            async with self._store.transaction() as transaction:
                desired = self._certified(change(transaction))
                await self.discovery.apply(self._snapshot(desired))
                before = {m.external_port for m in self.desired.active}
                await self._wait_until_listening(desired, but=before)
        except BaseException as error:
            await self._restore()
            if isinstance(error, RejectedError):
                raise self._rejection(error) from None
            if isinstance(error, NotConnectedError):
                raise DataPlaneUnavailableError(
                    f"{error}. Nothing was changed.",
                    details={"suggestion": "Try again in a few seconds; the gateway restarts it"},
                ) from None
            raise
        self.desired = desired

    async def _wait_until_listening(self, desired: Desired, *, but: Collection[int] = ()) -> None:
        ports = (m.external_port for m in desired.active if m.request.protocol == "tcp")
        wanted = [port for port in ports if port not in but]
        silent = await first_silent_port(self._config.listen, wanted)
        if silent is not None:
            raise NotConnectedError(f"Envoy does not listen on {silent}")

    async def _restore(self) -> None:
        try:
            await self.discovery.apply(self._snapshot(self.desired), timeout_seconds=2)
        except (RejectedError, NotConnectedError) as error:
            _log.warning("Envoy has not confirmed the last good configuration: %s", error)

    def _rejection(self, error: RejectedError) -> Exception:
        if any("cannot bind" in reason for _, reason in error.reasons):
            return ExternalPortInUseError(
                "The external port is in use by another program",
                details={"suggestion": "Leave external_port out to get a free one"},
            )
        reasons = "; ".join(sorted({reason for _, reason in error.reasons}))
        return DataPlaneRejectedError(f"Envoy refused the configuration: {reasons}")


def _told(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the audit tells of a change: all that was asked for, as none of it is secret."""
    return {"fields": dict(fields)}
