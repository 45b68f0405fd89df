"""What both clients share: the table of calls, written once, and the clients' arguments.

`Call` is a descriptor: on `ProxyClient` a call returns its result, on `AsyncProxyClient` a
coroutine of it, with the operation's own signature and docstring. Nothing here does I/O.
"""

from __future__ import annotations

import copy
import functools
import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypedDict, TypeVar, overload
from urllib.parse import urlsplit

import httpx

from ..errors import ConfigurationError
from ..settings import Settings, is_loopback, resolve_settings
from . import _operations, _people
from ._operations import Operation

if TYPE_CHECKING:
    from typing_extensions import Self

P = ParamSpec("P")
T = TypeVar("T")
_GATEWAY_START_SECONDS = 30.0
"""A notebook may run before the gateway that its server starts is there."""

HttpT = TypeVar("HttpT", httpx.Client, httpx.AsyncClient)
TransportT = TypeVar("TransportT")


class Call(Generic[P, T]):
    """A method of either client, made from the function that describes the call."""

    def __init__(self, describe: Callable[P, Operation[T]]) -> None:
        self._describe = describe
        self.__doc__ = describe.__doc__

    @overload
    def __get__(self, client: None, owner: object = None) -> Call[P, T]: ...
    @overload
    def __get__(self, client: Calls[httpx.Client, Any], owner: object = None) -> Callable[P, T]: ...
    @overload
    def __get__(
        self, client: Calls[httpx.AsyncClient, Any], owner: object = None
    ) -> Callable[P, Coroutine[Any, Any, T]]: ...
    def __get__(self, client: Calls[Any, Any] | None, owner: object = None) -> Any:
        """Return the call bound to a client."""
        if client is None:
            return self
        call = functools.update_wrapper(client.bind(self._describe), self._describe)
        call.__signature__ = self.signature  # type: ignore[attr-defined] # inspect's own hook
        return call

    @functools.cached_property
    def signature(self) -> inspect.Signature:
        """The call's signature: the operation's, returning what the operation is of."""
        described = inspect.signature(self._describe)
        returns = described.return_annotation.removeprefix("Operation[").removesuffix("]")
        return described.replace(return_annotation=returns)


class HttpOptions(TypedDict):
    """Arguments that `httpx.Client` and `httpx.AsyncClient` have in common."""

    timeout: httpx.Timeout
    follow_redirects: bool
    trust_env: bool
    limits: httpx.Limits


class Calls(ABC, Generic[HttpT, TransportT]):
    """Every call of the API; the arguments are described at `ProxyClient`."""

    get_proxy = Call(_operations.get_proxy)
    update_proxy = Call(_operations.update_proxy)
    list_ports = Call(_operations.list_ports)
    create_port = Call(_operations.create_port)
    update_port = Call(_operations.update_port)
    delete_port = Call(_operations.delete_port)
    update_access = Call(_operations.update_access)
    list_clusters = Call(_operations.list_clusters)
    create_link = Call(_people.create_link)
    list_links = Call(_people.list_links)
    delete_link = Call(_people.delete_link)
    list_users = Call(_people.list_users)
    create_user = Call(_people.create_user)
    update_user = Call(_people.update_user)
    rotate_user_token = Call(_people.rotate_user_token)
    delete_user = Call(_people.delete_user)
    list_sessions = Call(_people.list_sessions)
    revoke_session = Call(_people.revoke_session)
    revoke_sessions = Call(_people.revoke_sessions)
    rotate_keys = Call(_people.rotate_keys)
    list_events = Call(_people.list_events)
    access_logs = Call(_people.access_logs)

    def __init__(  # noqa: PLR0913 - keyword-only, each with a default
        self,
        *,
        api_url: str | None = None,
        api_key: str | None = None,
        api_key_file: str | Path | None = None,
        cluster_id: str | None = None,
        timeout_seconds: float = 30.0,
        transport: TransportT | None = None,
        settings: Settings | None = None,
        via: str | None = None,
    ) -> None:
        if settings is None:
            settings = resolve_settings(
                api_url=api_url,
                api_key=api_key,
                api_key_file=api_key_file,
                cluster_id=cluster_id,
                wait_seconds=_GATEWAY_START_SECONDS,
            )
        elif api_url or api_key or api_key_file or cluster_id:
            raise TypeError("give either settings, or the values one by one")
        if not timeout_seconds > 0:
            raise ConfigurationError(f"timeout_seconds must be more than 0, not {timeout_seconds}.")
        self.settings: Settings = replace(settings, via=via) if via else settings
        try:
            self._http: HttpT = self._open(transport, _http_options(settings, timeout_seconds))
        except (ImportError, ValueError) as error:  # httpx, of the HTTP proxy in the environment
            raise ConfigurationError(
                f"The environment's HTTP proxy cannot be used: {error}.",
                suggestion="Correct HTTPS_PROXY or ALL_PROXY, or add the API's host to NO_PROXY.",
            ) from None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.settings!r})"

    def on_behalf_of(self, user: str) -> Self:
        """Return this client in another person's name, for the audit of a local gateway.

        It shares the connections of this one; close only one of them.

        Args:
            user: Who asks.

        Example:
            >>> from pydantic import SecretStr
            >>> from jupyter_tensorone_proxy import ProxyClient
            >>> settings = Settings("http://127.0.0.1:1", SecretStr("k"), "local", user="ana")
            >>> with ProxyClient(settings=settings) as client:
            ...     client.on_behalf_of("ben").settings.user, client.settings.user
            ('ben', 'ana')
        """
        other = copy.copy(self)
        other.settings = replace(self.settings, user=user)
        return other

    @abstractmethod
    def bind(self, describe: Callable[P, Operation[T]]) -> Callable[P, Any]:
        """Return a function that carries out the call described for its arguments."""

    @abstractmethod
    def _open(self, transport: TransportT | None, options: HttpOptions) -> HttpT: ...


def _http_options(settings: Settings, timeout_seconds: float) -> HttpOptions:
    return {
        "timeout": httpx.Timeout(timeout_seconds),
        "follow_redirects": False,  # the exchange follows them, and knows who may have the key
        # A cluster's HTTP_PROXY must not carry what is meant for this machine.
        "trust_env": not is_loopback(urlsplit(settings.api_url).hostname or ""),
        # Less than the 5 s after which many servers hang up: no POST meets a closing door.
        "limits": httpx.Limits(keepalive_expiry=4.0),
    }
