"""The table of calls that both clients have, written once and typed for each.

`Call` is a descriptor: on `ProxyClient` a call returns its result, on `AsyncProxyClient` an
awaitable of it, with the operation's own signature and docstring.
"""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar, overload

from . import _operations

if TYPE_CHECKING:
    from ._async import AsyncProxyClient
    from ._operations import Operation
    from ._sync import ProxyClient

P = ParamSpec("P")
T = TypeVar("T")


class Call(Generic[P, T]):
    """A method made from the function that describes the call."""

    def __init__(self, describe: Callable[P, Operation[T]]) -> None:
        self._describe = describe
        self.__doc__ = describe.__doc__

    @overload
    def __get__(self, client: None, owner: type) -> Call[P, T]: ...
    @overload
    def __get__(self, client: ProxyClient, owner: type) -> Callable[P, T]: ...
    @overload
    def __get__(self, client: AsyncProxyClient, owner: type) -> Callable[P, Awaitable[T]]: ...
    def __get__(self, client: Any, owner: type) -> Any:
        """Return the call bound to a client."""
        if client is None:
            return self

        @functools.wraps(self._describe)
        def call(*args: P.args, **kwargs: P.kwargs) -> Any:
            return client.run(self._describe(*args, **kwargs))

        return call


class Calls:
    """Every call of the API."""

    get_proxy = Call(_operations.get_proxy)
    update_proxy = Call(_operations.update_proxy)
    list_ports = Call(_operations.list_ports)
    create_port = Call(_operations.create_port)
    update_port = Call(_operations.update_port)
    delete_port = Call(_operations.delete_port)
    update_access = Call(_operations.update_access)
    list_clusters = Call(_operations.list_clusters)
    create_link = Call(_operations.create_link)
    create_user = Call(_operations.create_user)
