"""The verbs that run services: `run`, `stop`, `processes`, and `logs --output`.

As in `commands.verbs`: plain functions from a client and arguments to a result.
"""

from __future__ import annotations

import argparse
import contextlib
import time
from collections.abc import Iterator, Sequence
from typing import Any

from ..client import ProxyClient
from ..commands import record_verbs
from ..commands.fields import who_fields
from ..commands.people_results import DoneResult, TableResult
from ..commands.results import Result
from ..commands.rows import Viewer, readable
from ..commands.verbs import create_or_update, see
from ..errors import NotFoundError, PortNotFoundError, ProxyError, UsageError
from ..services import Catalogue, Service
from .planning import remembers
from .processes.environment import own_environment
from .processes.finding import known_runners, runner_for
from .processes.runner import Runner
from .processes.spec import ProcessSpec
from .processes.states import GroupState
from .run_results import OutputResult, RunResult, process_table
from .running import in_a_loop
from .running_services import known_service, spec_of_line, usual_port

_LOOK_SECONDS = 0.5
_MOST_LINES = 1000


def run(client: ProxyClient, args: argparse.Namespace, viewer: Viewer) -> RunResult:
    """Start a service, wait until it is ready, and expose it, for me alone unless told otherwise.

    Running the same line again is safe: what runs is left alone. Another line for the same service
    starts it anew.

    Args:
        client: Where.
        args: Arguments of the verb; ``words`` are the service's own.
        viewer: Who asks, and from where.

    Raises:
        UsageError: The line cannot be understood.
        ProcessError: The service is not installed, or does not start.
    """
    service = known_service(args, Catalogue.load())
    who = who_fields(args, viewer.me)
    runner = runner_for(client.settings)
    spec = spec_of_line(args, service, {} if runner.ends_here else own_environment())
    group, is_new = in_a_loop(lambda: _started(runner, spec, service))
    try:
        fields = _fields(client, group, service, spec, who)
        what, mapping = create_or_update(client, group.port or 0, fields, viewer, persistent=True)
    except ProxyError:
        if is_new:  # half a service is none
            in_a_loop(lambda: runner.act(group.id, "remove"))
        raise
    return RunResult(what, see(client, mapping, viewer), group, runner.ends_here)


async def _started(runner: Runner, spec: ProcessSpec, service: Service) -> tuple[GroupState, bool]:
    """Start a service; return it, and whether it is new."""
    known = await runner.list_groups(spec.stack)
    if not known and spec.port is None:
        spec = spec.model_copy(update={"port": usual_port(service)})
    await runner.place(spec)
    group = await runner.start(spec)
    await runner.settle(spec)
    return group, not known


def _fields(
    client: ProxyClient,
    group: GroupState,
    service: Service,
    spec: ProcessSpec,
    who: dict[str, Any],
) -> dict[str, Any]:
    """Return what the mapping of a service is to be."""
    config = client.get_proxy()
    exposed = any(m.internal_port == group.port for m in config.port_mappings)
    marked = remembers(config) and not exposed  # what somebody exposed by hand stays theirs
    path = {"path": spec.ready_path} if spec.ready_path else {}
    return {
        "description": spec.name,
        "health_check": {"enabled": True, **path},
        **({"app_protocol": service.app_protocol} if service.app_protocol != "http" else {}),
        **({"access_control": who} if who else {}),
        **({"stack": spec.stack} if marked else {}),
    }


def stop(client: ProxyClient, args: argparse.Namespace, _viewer: Viewer) -> DoneResult:
    """Stop a service that was started from here, and stop exposing it.

    Args:
        client: Where.
        args: Arguments of the verb.

    Raises:
        NotFoundError: Nothing of that port or name was started from here.
    """
    runner, group = _find(args.target)
    for mapping in client.list_ports():
        if mapping.internal_port in group.ports:
            with contextlib.suppress(PortNotFoundError):  # somebody did
                client.delete_port(mapping.id)
    in_a_loop(lambda: runner.act(group.id, "remove"))
    name = readable(group.name)
    return DoneResult(
        f"{name} (port {group.port}) is stopped, and no longer exposed.",
        "`processes` lists what still runs.",
        {"id": group.id, "name": group.name, "port": group.port, "state": "stopped"},
    )


def processes(_client: ProxyClient, _args: argparse.Namespace, _viewer: Viewer) -> TableResult:
    """List what was started from here: by `run`, by stacks, by models."""
    return process_table([group for _, group in _all_groups()])


def logs(client: ProxyClient, args: argparse.Namespace, viewer: Viewer) -> Result:
    """Show requests to exposed services; or with `--output` what one of them printed.

    Args:
        client: Where.
        args: Arguments of the verb.
        viewer: Who asks, and from where.

    Raises:
        UsageError: ``--follow`` without ``--output``, or ``--output`` without a port.
        NotFoundError: Nothing on that port was started from here.
    """
    if not args.output:
        if getattr(args, "follow", False):
            raise UsageError(
                "logs: --follow goes on with what a service prints.",
                suggestion="Say `logs PORT --output --follow`; `events --follow` tells the rest.",
            )
        return record_verbs.logs(client, args, viewer)
    if args.port is None:
        raise UsageError("logs --output: which service?", suggestion="Say `logs PORT --output`.")
    if getattr(args, "follow", False) and getattr(args, "json", False):
        raise UsageError("logs: --follow has no end.", suggestion="Use it without --json.")
    runner, group = _find(str(args.port))
    replica = _replica(group, args.port)
    part = in_a_loop(lambda: runner.log(group.id, lines=args.lines, replica=replica))
    return OutputResult(group, replica, part)


def follow_output(shown: OutputResult) -> Iterator[OutputResult]:
    """Go on with what a service prints after what was shown, until somebody interrupts.

    Args:
        shown: What `logs` returned.

    Yields:
        What it printed since.
    """
    runner, group = _find(str(shown.group.ports[shown.replica]))
    cursor = shown.part.cursor
    while True:
        part = in_a_loop(
            lambda after=cursor: runner.log(  # type: ignore[misc]
                group.id, lines=_MOST_LINES, replica=shown.replica, after=after
            )
        )
        cursor = part.cursor
        if part.lines:
            yield OutputResult(group, shown.replica, part)
        time.sleep(_LOOK_SECONDS)


def _replica(group: GroupState, port: int) -> int:
    return next((r.replica for r in group.replicas if r.port == port), 0)


def _all_groups() -> list[tuple[Runner, GroupState]]:
    runners = known_runners()

    async def ask() -> list[list[GroupState]]:
        return [await runner.list_groups() for runner in runners]

    found = zip(runners, in_a_loop(ask), strict=True)
    return [(runner, group) for runner, groups in found for group in groups]


def _find(target: str) -> tuple[Runner, GroupState]:
    """Return the service of a port or a name, and who runs it.

    Raises:
        NotFoundError: There is none.
        UsageError: There are several.
    """
    everything = _all_groups()
    found = [(runner, group) for runner, group in everything if _is_meant(group, target)]
    if len(found) == 1:
        return found[0]
    if found:
        ports = ", ".join(str(group.port) for _, group in found)
        raise UsageError("Several services have that name.", suggestion=f"Say its port: {ports}.")
    raise NotFoundError(
        "Nothing of that port or name was started from here.",
        details={"suggestion": _which([group for _, group in everything])},
    )


def _is_meant(group: GroupState, target: str) -> bool:
    if target.isdigit():
        return int(target) in group.ports
    return target.casefold() in {group.name.casefold(), group.id}


def _which(groups: Sequence[GroupState]) -> str:
    if not groups:
        return "Nothing runs; `run SERVICE` starts and exposes a service."
    shown = (f"{readable(group.name)} ({group.port})" for group in groups[:10])
    return f"There are {', '.join(shown)}."
