"""From a stack's declaration to what has to run for it, and what has to stop. Pure but for `place`.

Processes belong to the stack's name and the service's. What a stack no longer names goes on running
until it is pruned, as its mapping does.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import ProcessError
from ..models import Scaling
from ..settings import Settings
from .declaration import StackService
from .planning import Change, Difference
from .processes.placeholders import filled, mentions
from .processes.runner import Runner
from .processes.spec import ProcessSpec
from .processes.states import GroupState

_LAST_PORT = 65_535
_OF_PROCESSES = (
    "env",
    "cwd",
    "restart",
    "ready_path",
    "ready_log",
    "ready_timeout_seconds",
    "stop_grace_seconds",
)


@dataclass(frozen=True)
class Surroundings:
    """Where a stack is applied from.

    Args:
        folder: Its services work there, and folders that are not absolute are below it.
        environment: What its services inherit; empty: what their runner has itself.
    """

    folder: Path
    environment: dict[str, str]


def problems(service: StackService) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with what a service says of processes: the key, and the problem.

    Args:
        service: As it is declared.

    Example:
        >>> list(problems(StackService(name="MLflow", restart="always", port=1)))
        [('restart', 'needs a `command`: without one nothing is started')]
    """
    if service.command is None:
        if service.port is None:
            yield "port", "is missing"
        for key in _OF_PROCESSES:
            if getattr(service, key) is not None:
                yield key, "needs a `command`: without one nothing is started"
        if isinstance(service.replicas, int):
            yield "replicas", "needs a `command`, or is a list of ports that are listened on"
        return
    scaling = service.scaling or Scaling()
    least, most = scaling.min_replicas or 1, scaling.max_replicas
    if most is not None and least > most:
        yield "scaling", f"min_replicas {least} is more than max_replicas {most}"
    if mentions([*service.command, *(service.env or {}).values()], "port"):
        return
    if service.port is None:
        yield "command", "has no {port}, so the service cannot be told its port; or name its `port`"
    elif _count(service) > 1 or (most or 1) > 1:
        yield "command", "has no {port}, and each of several replicas needs its own port"


def spec_of(service: StackService, stack: str, around: Surroundings) -> ProcessSpec | None:
    """Return what has to run for a service; None if nothing has.

    Args:
        service: As it is declared.
        stack: The stack's name.
        around: Where it is applied from.
    """
    if service.command is None:
        return None
    speaks_http = service.protocol != "udp" and service.app_protocol in {None, "http"}
    said = {key: getattr(service, key) for key in (*_OF_PROCESSES, "scaling")}
    given = {key: value for key, value in said.items() if value is not None}
    ready_path = service.ready_path or (service.path if speaks_http else None)
    return ProcessSpec.model_validate(
        {
            **given,
            "stack": stack,
            "name": service.name,
            "command": service.command,
            "cwd": str(around.folder / Path(service.cwd or ".").expanduser()),
            "inherited": around.environment,
            "port": service.port,
            "ports": service.replicas if isinstance(service.replicas, list) else [],
            "replicas": _count(service),
            "ready_path": ready_path,
            "listens": service.protocol != "udp",
        }
    )


def _count(service: StackService) -> int:
    if isinstance(service.replicas, list):
        return 1 + len(service.replicas)
    return service.replicas or 1


def placed(service: StackService, ports: Sequence[int]) -> StackService:
    """Return a service with the ports that it has, or gets.

    Args:
        service: As it is declared.
        ports: Where its replicas listen, its own port first.
    """
    return service.model_copy(update={"port": ports[0], "replicas": [*ports[1:]] or None})


@dataclass(frozen=True)
class Running:
    """What has to run for a stack, and who runs it.

    Args:
        stack: The stack's name.
        specs: What has to run for each service.
        runner: Who runs it; None if nothing runs, nor ever did.
    """

    stack: str
    specs: list[ProcessSpec | None]
    runner: Runner | None

    @classmethod
    def of(
        cls,
        services: Sequence[StackService],
        stack: str,
        settings: Settings,
        runner: Runner | None = None,
    ) -> Running:
        """Find out who runs what a stack needs.

        Args:
            services: As they are declared.
            stack: The stack's name.
            settings: Where they are exposed.
            runner: Who runs it, if that is known.
        """
        # They bring much along that a stack without processes does not need.
        from .processes.environment import own_environment
        from .processes.finding import known_runners, runner_for

        if runner is None:
            wanted = any(service.command is not None for service in services)
            known = [] if wanted else known_runners()
            runner = runner_for(settings) if wanted else next(iter(known), None)
        inherited = {} if runner is None or runner.ends_here else own_environment()
        around = Surroundings(Path.cwd(), inherited)
        return cls(stack, [spec_of(service, stack, around) for service in services], runner)

    async def place(
        self, services: Sequence[StackService]
    ) -> tuple[list[StackService], list[ProcessError | None]]:
        """Return services with the ports that they have, or get; and why one gets none.

        Args:
            services: As they are declared.
        """
        found: list[StackService] = []
        errors: list[ProcessError | None] = []
        for service, spec in zip(services, self.specs, strict=True):
            ports, error = [service.port or _LAST_PORT - len(found)], None
            if spec is not None and self.runner is not None:
                try:
                    ports = await self.runner.place(spec)
                except ProcessError as failure:
                    error = failure
            found.append(service if spec is None else placed(service, ports))
            errors.append(error)
        return found, errors

    async def groups(self) -> list[GroupState]:
        """Return what runs for the stack; nothing where its runner does not answer.

        Such a runner is gone, with all that it had started.
        """
        if self.runner is None:
            return []
        try:
            return await self.runner.list_groups(self.stack)
        except ProcessError:
            return []


def with_processes(
    changes: Sequence[Change],
    removals: Sequence[Change],
    specs: Sequence[ProcessSpec | None],
    errors: Sequence[ProcessError | None],
    groups: Sequence[GroupState],
) -> tuple[list[Change], list[Change]]:
    """Add to changes what has to run for them, and to removals what stops with them.

    Args:
        changes: One for each service.
        removals: What the stack made and no longer names.
        specs: What has to run for each service.
        errors: Why a service cannot be started, as far as that is known.
        groups: What runs for the stack.
    """
    running = {group.id: group for group in groups}
    started = [
        _refused(change, error, spec.port)
        if error and spec
        else _started(change, spec, running.get(spec.id) if spec else None)
        for change, spec, error in zip(changes, specs, errors, strict=True)
    ]
    wanted = {spec.id for spec in specs if spec is not None}
    names = {change.name for change in changes}
    going = {group.id: group for group in groups if group.id not in wanted}
    for index, change in enumerate(started):
        ended = tuple(g.id for g in going.values() if g.name == change.name)
        started[index] = replace(change, ends=ended)
    rest = [group for group in going.values() if group.name not in names]
    gone = []
    for removal in removals:
        ended = tuple(group.id for group in rest if removal.port in group.ports)
        rest = [group for group in rest if group.id not in ended]
        gone.append(replace(removal, ends=ended))
    gone += [Change("remove", group.name, group.port, ends=(group.id,)) for group in rest]
    return started, gone


def _refused(change: Change, error: ProcessError, port: int | None) -> Change:
    """Return the change of a service that cannot be started: nothing is sent for it."""
    refused = replace(change, action="refuse", port=port, body={}, differences=())
    return replace(refused, reason=str(error), error=error)


def _started(change: Change, spec: ProcessSpec | None, running: GroupState | None) -> Change:
    if spec is None:
        return change
    same = running is not None and running.command == spec.command and running.state == "running"
    lines = change.differences
    if not same:
        before = _filled(running.command, running) if running else None
        after = shlex.join(spec.words(change.port or 0, 0))
        lines = (*lines, Difference("command", None if before == after else before, after))
    return replace(change, process=spec, starts=not same, differences=lines)


def _filled(command: Sequence[str], group: GroupState) -> str:
    values = {"port": group.port, "replica": 0, "name": group.name}
    return shlex.join(filled(word, values) for word in command)


async def end_all(stack: str) -> None:
    """Stop and forget everything that runs for a stack, whoever runs it.

    Args:
        stack: The stack's name.

    Raises:
        ProcessError: Its runner does not answer.
    """
    from .processes.finding import known_runners

    for runner in known_runners():
        for group in await runner.list_groups(stack):
            await runner.act(group.id, "remove")


async def start(change: Change, runner: Runner | None) -> None:
    """Start what a change needs.

    Args:
        change: The change.
        runner: Who runs it.

    Raises:
        ProcessError: It does not run.
    """
    if change.process is not None and runner is not None:
        await runner.start(change.process)


async def end(change: Change, runner: Runner | None) -> None:
    """Stop what a change leaves without use.

    Args:
        change: The change; what it was exposed by leads elsewhere already.
        runner: Who runs it.

    Raises:
        ProcessError: Its runner does not answer.
    """
    if runner is None:
        return
    if change.process is not None:
        await runner.settle(change.process)
    for service_id in change.ends:
        await runner.act(service_id, "remove")
