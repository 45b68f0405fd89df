"""`Stack`: several services declared together, and applied."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ModelWrapValidatorHandler, ValidationError, model_validator

from ..client import AsyncProxyClient, ProxyClient
from ..commands.rows import Viewer
from ..errors import InvalidRequestError, NotSupportedError
from ..models import Model, ProxyConfig, StackName
from . import judging, processing
from .applying import carry_out
from .declaration import StackDefaults, StackService, Team, request_of
from .planning import Change, make_changes, remembers
from .plans import StackPlan
from .processes.runner import Runner
from .progress import Progress
from .reading import read_file, read_toml
from .results import StackResult
from .running import in_a_loop

_MOST_SERVICES = 1000
_ANY_PORT = 65_535


class Stack(Model):
    """Several services that are exposed together (TOML: the same names).

    Raises:
        InvalidStackError: Something is wrong with it; every wrong, missing or unknown key is named
            with its place, and ports and names that are there twice.

    Example:
        >>> stack = Stack(
        ...     name="research",
        ...     team=Team(name="NLP", members=["ana", "ben"]),
        ...     services=[StackService(name="TensorBoard", port=6006, path="/")],
        ... )
        >>> stack.requests()[0]["description"]
        'TensorBoard for NLP team'
        >>> stack.apply().access_summary.team_access_urls  # doctest: +SKIP
        {'TensorBoard': 'https://localhost:32001'}
    """

    name: StackName = Field(description="Mappings are marked with it; `--prune` goes by it.")
    team: Team | None = Field(None, description="Who it is for; missing: me.")
    defaults: StackDefaults = Field(
        default_factory=StackDefaults, description="Settings of all services."
    )
    services: Annotated[list[StackService], Field(max_length=_MOST_SERVICES)]

    @model_validator(mode="wrap")
    @classmethod
    def _judge(cls, data: Any, handler: ModelWrapValidatorHandler[Stack]) -> Stack:
        unknown = judging.unknown_problems(cls, data)
        try:
            stack = handler(data)
        except ValidationError as error:
            raise judging.invalid([*judging.typed_problems(error, data), *unknown]) from None
        problems = [*unknown, *_twice(stack.services)]
        for index in range(len(stack.services)):
            problems += _wrong_processes(stack, index, data) or _wrong_request(stack, index, data)
        if problems:
            raise judging.invalid(problems)
        return stack

    @classmethod
    def from_toml(cls, source: str, *, where: str = "The stack") -> Stack:
        r"""Read a stack from TOML.

        Args:
            source: The text.
            where: What people call it, for messages.

        Raises:
            InvalidStackError: It is no TOML (with line and column), or no stack.

        Example:
            >>> Stack.from_toml('name = "lab"\nservices = [{ name = "MLflow", port = 5000 }]').name
            'lab'
        """
        return cls.model_validate(read_toml(source, where))

    @classmethod
    def read(cls, path: str | Path) -> Stack:
        """Read a stack from a file, such as ``tensorone.toml``.

        Args:
            path: The file, TOML in UTF-8, at most 1 MB.

        Raises:
            InvalidStackError: It cannot be read, or is wrong.
        """
        return cls.from_toml(read_file(Path(path).expanduser()), where=str(path))

    @classmethod
    def ml_environment(
        cls, team: Team | Mapping[str, Any], *, name: str = "ml-environment"
    ) -> Stack:
        """Return a team's environment for machine learning (contract: the first use case).

        Six services in three categories: Jupyter Lab and TensorBoard (public); VSCode Server and
        MLflow UI; Prometheus Metrics and Grafana Dashboard.

        Args:
            team: The team, or the contract's ``team_config``: ``team_name`` and ``team_members``;
                what else it says is not used.
            name: The stack's name.

        Raises:
            InvalidStackError: The team is wrong.

        Example:
            >>> [s.port for s in Stack.ml_environment({"team_name": "NLP"}).services]
            [8888, 6006, 8080, 5000, 9090, 3000]
        """
        example = files(__package__).joinpath("ml_environment.toml").read_text("utf-8")
        if not isinstance(team, Team):
            members = team.get("team_members", [])
            team = {"name": team["team_name"], "members": members} if "team_name" in team else {}
        return cls.model_validate({**read_toml(example, "The example"), "team": team, "name": name})

    def requests(self, me: str | None = None) -> list[dict[str, Any]]:
        """Return the bodies that create the services' mappings, in their order.

        A service that has no port yet, because it gets a free one, has none in it.

        Args:
            me: Whom services are for that name neither people nor a team.
        """
        return self._bodies(self.services, me)

    def plan(self, client: ProxyClient | None = None, *, prune: bool = False) -> StackPlan:
        """Return what `apply` would do; nothing is changed.

        Args:
            client: Where; by default what `ProxyClient()` finds.
            prune: As for `apply`.

        Raises:
            ProxyError: As for `apply`.
        """

        async def ask() -> StackPlan:
            async with _opened(client) as opened:
                return await self.plan_async(opened, prune=prune)

        return in_a_loop(ask)

    async def plan_async(
        self, client: AsyncProxyClient, *, prune: bool = False, runner: Runner | None = None
    ) -> StackPlan:
        """Return what `apply_async` would do.

        Args:
            client: Where.
            prune: As for `apply`.
            runner: As for `apply_async`.
        """
        running = processing.Running.of(self.services, self.name, client.settings, runner)
        config = await client.get_proxy()
        changes, removals = await self._changes(config, client, running, prune=prune)
        going, leftovers = (removals, []) if prune else ([], removals)
        return StackPlan(self.name, (*changes, *going), tuple(c.name for c in leftovers))

    def apply(self, client: ProxyClient | None = None, *, prune: bool = False) -> StackResult:
        """Make the proxy as the stack says: create, update what differs, leave the rest.

        Services are exposed in the order of their priority, those of one priority at once; one
        with a `command` is started first, and exposed when it is ready. One that fails neither
        stops nor undoes the others; applying the stack again repairs it.

        What it starts is looked after by the Jupyter server whose kernel this is, and ends with it;
        elsewhere it ends with this Python process.

        Args:
            client: Where; by default what `ProxyClient()` finds.
            prune: Also remove what this stack made and no longer names.

        Returns:
            What became of each service; `services_failed` says what failed and why.

        Raises:
            NotSupportedError: `prune`, and the server does not keep which stack made a mapping.
            ProxyError: The API did not even say what there is; nothing was changed.
        """

        async def ask() -> StackResult:
            async with _opened(client) as opened:
                return await self.apply_async(opened, prune=prune)

        return in_a_loop(ask)

    async def apply_async(
        self, client: AsyncProxyClient, *, prune: bool = False, runner: Runner | None = None
    ) -> StackResult:
        """Do as `apply` does, in an event loop.

        Args:
            client: Where.
            prune: Also remove what this stack made and no longer names.
            runner: Who runs processes; by default as for `apply`.
        """
        running = processing.Running.of(self.services, self.name, client.settings, runner)
        progress = Progress(f"Applying {self.name}")
        async with progress.shown_if_slow():
            config = await client.get_proxy()
            changes, removals = await self._changes(config, client, running, prune=prune)
            going, leftovers = (removals, []) if prune else ([], removals)
            outcomes = await carry_out(client, changes, going, progress, running.runner)
            groups = await running.groups()
        return StackResult(
            stack=self.name,
            cluster_id=config.cluster_id,
            team=self.team.name if self.team else None,
            outcomes=tuple(outcomes),
            leftovers=tuple(change.name for change in leftovers),
            viewer=Viewer.of(client.settings),
            processes=tuple(groups),
            ends_here=bool(groups and running.runner and running.runner.ends_here),
        )

    def _bodies(self, services: Sequence[StackService], me: str | None) -> list[dict[str, Any]]:
        return [request_of(service, self.defaults, self.team, me) for service in services]

    async def _changes(
        self,
        config: ProxyConfig,
        client: AsyncProxyClient,
        running: processing.Running,
        *,
        prune: bool,
    ) -> tuple[list[Change], list[Change]]:
        if prune and not remembers(config):
            raise NotSupportedError(
                f"{client.settings.api_url} does not keep which stack made a mapping, so nothing "
                "can be pruned, and nothing was done.",
                suggestion="Apply without pruning, and remove what is no longer wanted by "
                "`unexpose PORT`.",
            )
        services, errors = await running.place(self.services)
        me = Viewer.of(client.settings).me
        bodies = self._bodies(services, me)
        changes = make_changes(self.name, list(zip(services, bodies, strict=True)), config)
        groups = await running.groups()
        return processing.with_processes(*changes, running.specs, errors, groups)


def _wrong_processes(stack: Stack, index: int, data: Any) -> list[str]:
    """Return what is wrong with what a service says of its processes."""
    return [
        f"{judging.place(['services', index, key], data)}{problem}"
        for key, problem in processing.problems(stack.services[index])
    ]


def _wrong_request(stack: Stack, index: int, data: Any) -> list[str]:
    """Return what is wrong with what a service asks of the API."""
    service = stack.services[index]
    if service.port is None:  # it gets one when it is started
        service = service.model_copy(update={"port": _ANY_PORT})
    try:
        request_of(service, stack.defaults, stack.team)
    except InvalidRequestError as error:
        return judging.request_problems(error, index, data)
    return []


def _twice(services: Iterable[StackService]) -> list[str]:
    """Return what two services claim that only one can have."""
    services = list(services)
    problems = []
    claims: dict[str, list[Any]] = {
        "name": [service.name for service in services],
        "port": [service.port for service in services],
        "external_port": [s.external_port for s in services if not s.custom_domain],
        "custom_domain": [s.custom_domain for s in services if not s.external_port],
    }
    for what, values in claims.items():
        for value, count in Counter(values).items():
            if count > 1 and value is not None:
                claim = [
                    f"services[{i}]" for i, s in enumerate(services) if getattr(s, what) == value
                ]
                problems.append(f"{what} {value!r} is there {count} times: {', '.join(claim)}")
    return problems


def _opened(client: ProxyClient | None) -> AsyncProxyClient:
    return AsyncProxyClient() if client is None else AsyncProxyClient(settings=client.settings)
