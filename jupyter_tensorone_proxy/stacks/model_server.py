"""`ModelServer`: a model in production, with its API, its metrics and its dashboard.

It is a stack of up to three services with the settings of the contract's second use case. The
model's API listens on its ports already, or is started, in as many replicas as the load needs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ..client import AsyncProxyClient, ProxyClient
from ..errors import PortNotFoundError, ProxyError, UsageError
from ..monitoring import Alert, Monitor
from . import model_services as services
from .declaration import StackService
from .deployment import Configuration, DeploymentSummary
from .model_monitoring import MODEL_ALERTS, MODEL_INTERVAL_SECONDS, watch
from .processing import end_all
from .running import in_a_loop
from .stack import Stack

if TYPE_CHECKING:
    from typing_extensions import Self


class _ModelStack(Stack):
    """A stack that is for whoever signs in, where it names nobody (contract)."""

    def _bodies(self, services: Sequence[StackService], me: str | None) -> list[dict[str, Any]]:  # noqa: ARG002 - not for me
        return super()._bodies(services, None)


class ModelServer:
    """A model in production (contract: the use case "production model serving").

    As a context manager, also an asynchronous one, it is deployed at the beginning of the block and
    cleaned up at its end.

    Args:
        name: The model's name, at most 90 characters.
        api_port: Where its API listens; it answers 200 at ``/health``. None with a `command`: a
            free port.
        metrics_port: Where its metrics are, at ``/metrics``; None for none.
        dashboard_port: Where its dashboard is, at ``/dashboard``; None for none.
        require_auth: Whether callers of the API must sign in, or have a token.
        users: Who may call it; None for anyone who signs in.
        rate_limit: Requests a minute.
        burst_size: How many of them at once.
        allowed_ips: Addresses that may call the API; none for all.
        cors_origins: Web origins that may read its answers.
        custom_domain: A host name of the API's own.
        monitoring_ips: Addresses that may read the metrics; none for all.
        replica_ports: Further ports of the same API; requests are spread over all.
        command: The program that serves the API, and its words; ``{port}`` is filled in. Without
            one it runs already.
        env: Variables of its environment.
        cwd: Where it works; at first where you are.
        replicas: How many of it are started.
        scaling: ``min_replicas`` and ``max_replicas``, between which the number follows the load;
            ``target_cpu_utilization`` (percent of one core for each replica, 70 at first) and
            ``target_memory_utilization`` (percent of a replica's share of this machine, 80). A new
            one gets requests once it is ready, and one that goes finishes those it has.
        client: Where; by default what `ProxyClient()` finds. Its settings are used.

    Raises:
        InvalidStackError: A value is wrong, or a port is there twice.

    Example:
        >>> server = ModelServer("Iris", api_port=8000, metrics_port=None)
        >>> [service.name for service in server.stack().services]
        ['Model API']
        >>> with server:  # doctest: +SKIP
        ...     print(server.get_deployment_summary().endpoints["Model API"])
        https://localhost:32001
    """

    def __init__(  # noqa: PLR0913 - keyword-only: the contract's configuration
        self,
        name: str,
        *,
        api_port: int | None = 8000,
        metrics_port: int | None = 9090,
        dashboard_port: int | None = None,
        require_auth: bool = True,
        users: Sequence[str] | None = None,
        rate_limit: int = 1000,
        burst_size: int = 200,
        allowed_ips: Sequence[str] = (),
        cors_origins: Sequence[str] = ("*",),
        custom_domain: str | None = None,
        monitoring_ips: Sequence[str] = (),
        replica_ports: Sequence[int] = (),
        command: Sequence[str] | None = None,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        replicas: int = 1,
        scaling: Mapping[str, int] | None = None,
        client: ProxyClient | AsyncProxyClient | None = None,
    ) -> None:
        self.name = name
        self._is_started = command is not None
        self._scaling = dict(scaling or {})
        self._replicas: int | list[int] = replicas if self._is_started else list(replica_ports)
        self.configuration = Configuration(
            require_auth, rate_limit, custom_domain, _number(self._replicas)
        )
        self._services = [
            services.api(
                name,
                api_port,
                auth_required=require_auth,
                users=None if users is None else list(users),
                limits={"requests_per_minute": rate_limit, "burst_size": burst_size},
                ip_whitelist=list(allowed_ips),
                cors=services.cors(cors_origins),
                custom_domain=custom_domain,
                **(services.processes(command, env or {}, cwd) if command is not None else {}),
            )
        ]
        if metrics_port is not None:
            self._services.append(services.metrics(name, metrics_port, monitoring_ips))
        if dashboard_port is not None:
            self._services.append(services.dashboard(name, dashboard_port))
        self._settings = None if client is None else client.settings
        self._made: dict[str, str] = {}
        self._summary: DeploymentSummary | None = None
        self._monitor: Monitor | None = None
        self.stack()

    def stack(self) -> Stack:
        """Return the model as a stack.

        Raises:
            InvalidStackError: As for the class.
        """
        api, *others = self._services
        if isinstance(self._replicas, int):
            balanced = {**api, **services.scaled(self._replicas, self._scaling)}
        else:
            balanced = {**api, **services.balancing(self._replicas)}
        return _ModelStack.model_validate(
            {"name": f"model {self.name}", "services": [balanced, *others]}
        )

    def deploy(self) -> DeploymentSummary:
        """Expose the API, and with it metrics and dashboard where there are any.

        An API with a `command` is started first, and exposed when it is ready. Doing it again
        changes only what differs. Metrics or a dashboard that cannot be exposed do not keep the API
        from being so: the summary says what failed.

        Raises:
            ProcessError: The API cannot be started.
            ProxyError: The API cannot be exposed.
        """
        return in_a_loop(self.deploy_async)

    async def deploy_async(self) -> DeploymentSummary:
        """Do as `deploy` does, in an event loop."""
        stack = self.stack()
        async with self._client() as client:
            result = await stack.apply_async(client)
        for outcome in result.outcomes:
            mapping = outcome.mapping
            if mapping is not None and not outcome.error:
                # What somebody exposed before by hand is theirs to remove.
                if outcome.change.action == "create" or mapping.stack == stack.name:
                    self._made[outcome.change.name] = mapping.id
            elif outcome.change.name == services.API and outcome.error is not None:
                raise outcome.error
        self._summary = DeploymentSummary(self.name, self.configuration, result)
        return self._summary

    def setup_load_balancing(self, replicas: int | Sequence[int]) -> DeploymentSummary:
        """Spread the API's requests over replicas: in turn, with retries, and only healthy ones.

        Args:
            replicas: With a `command`, how many there are to be. Without one, the ports of the
                replicas beside the API's own; none ends the balancing.

        Raises:
            ProcessError: A replica cannot be started.
            ProxyError: The API refused.
            UsageError: A number, and nothing is started; or ports, and something is.
        """
        return in_a_loop(lambda: self.setup_load_balancing_async(replicas))

    async def setup_load_balancing_async(self, replicas: int | Sequence[int]) -> DeploymentSummary:
        """Do as `setup_load_balancing` does, in an event loop.

        Args:
            replicas: How many, or where.
        """
        if isinstance(replicas, int) != self._is_started:
            raise UsageError(
                f"{self.name} {'is' if self._is_started else 'is not'} started from here.",
                suggestion="With a `command` say how many replicas; without one, their ports.",
            )
        before = self._replicas, self.configuration
        self._replicas = replicas if isinstance(replicas, int) else list(replicas)
        self.configuration = self.configuration.with_replicas(_number(self._replicas))
        try:
            return await self.deploy_async()
        except ProxyError:
            self._replicas, self.configuration = before
            raise

    def setup_monitoring(
        self,
        *,
        alerts: Sequence[Alert | str] = MODEL_ALERTS,
        interval_seconds: float = MODEL_INTERVAL_SECONDS,
        **options: Any,
    ) -> Monitor:
        """Watch what is deployed until `cleanup`: health, response times, requests, errors.

        Args:
            alerts: When somebody is told; the contract's thresholds if missing.
            interval_seconds: From one look to the next.
            options: Further arguments of `Monitor`, such as `on_alert` and `webhook`.

        Raises:
            ProxyError: Nothing is deployed.
            InvalidAlertError: An alert is wrong.
        """
        settings, given = self._settings, {"interval_seconds": interval_seconds, **options}
        monitor = watch(self.get_deployment_summary(), alerts, settings, given)
        if self._monitor is not None:
            self._monitor.stop()
        self._monitor = monitor.start()
        return monitor

    def get_deployment_summary(self) -> DeploymentSummary:
        """Return what is deployed, as it was when it was deployed.

        Raises:
            ProxyError: Nothing is.
        """
        if self._summary is None:
            raise ProxyError(f"{self.name} is not deployed.", suggestion="Call deploy() first.")
        return self._summary

    def cleanup(self) -> None:
        """Stop exposing what `deploy` exposed, and what it started; what was before stays.

        Raises:
            ProxyError: Something is still exposed; calling it again tries the rest.
        """
        in_a_loop(self.cleanup_async)

    async def cleanup_async(self) -> None:
        """Do as `cleanup` does, in an event loop."""
        if self._monitor is not None:
            await asyncio.to_thread(self._monitor.stop)
            self._monitor = None
        if self._made:
            async with self._client() as client:
                failures = [
                    failure
                    for name, port_id in list(self._made.items())
                    if (failure := await self._remove(client, name, port_id))
                ]
            if failures:
                raise failures[0]
        if self._is_started:
            await end_all(self.stack().name)
        self._summary = None

    def __enter__(self) -> Self:
        self.deploy()
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self.cleanup()

    async def __aenter__(self) -> Self:
        await self.deploy_async()
        return self

    async def __aexit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        await self.cleanup_async()

    async def _remove(self, client: AsyncProxyClient, name: str, port_id: str) -> ProxyError | None:
        try:
            await client.delete_port(port_id)
        except PortNotFoundError:
            pass  # somebody did
        except ProxyError as error:
            return error
        del self._made[name]
        return None

    def _client(self) -> AsyncProxyClient:
        return AsyncProxyClient(settings=self._settings) if self._settings else AsyncProxyClient()


def _number(replicas: int | Sequence[int]) -> int:
    return replicas if isinstance(replicas, int) else 1 + len(replicas)
