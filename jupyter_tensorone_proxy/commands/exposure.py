"""`expose()` for Python: a port exposed for as long as a block runs, or until told otherwise."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ..client import ProxyClient
from ..errors import PortNotFoundError, ProxyError
from ..models import PortMapping
from .results import MappingResult
from .rows import Viewer
from .verbs import create_or_update, see

if TYPE_CHECKING:
    from typing_extensions import Self


class Exposure:
    """An exposed port, as `expose` returns it.

    As a context manager it stops exposing the port at the end of the block, if it was this very
    `expose` that began to; a port that was exposed before stays exposed.

    Args:
        result: What exposing it brought.
        client: The caller's client; None to make one when it is needed.
    """

    def __init__(self, result: MappingResult, client: ProxyClient | None) -> None:
        self._result = result
        self._client = client

    @property
    def mapping(self) -> PortMapping:
        """The mapping, as it was when it was exposed."""
        return self._result.mapping

    @property
    def id(self) -> str:
        """The mapping's id."""
        return self._result.id

    @property
    def url(self) -> str | None:
        """Where visitors reach it."""
        return self._result.url

    @property
    def created(self) -> bool:
        """Whether the port was not exposed before."""
        return self._result.what == "exposed"

    def unexpose(self) -> None:
        """Stop exposing the port; nothing happens if somebody already did.

        Raises:
            ProxyError: The API refused or cannot be reached; the port is still exposed.
        """
        with _using(self._client) as client, contextlib.suppress(PortNotFoundError):
            client.delete_port(self.id)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        if not self.created:
            return
        try:
            self.unexpose()
        except ProxyError as failure:
            if error is None:
                raise
            # The block's own exception is the news; it must not be hidden by ours.
            port = self.mapping.internal_port
            warnings.warn(f"Port {port} is still exposed: {failure}", stacklevel=2)

    def __repr__(self) -> str:
        return f"<Exposure of {self._result.text()}>"

    def _repr_html_(self) -> str:
        return self._result.html()


def expose(
    port: int,
    *,
    description: str | None = None,
    client: ProxyClient | None = None,
    persistent: bool = False,
    **fields: Any,
) -> Exposure:
    """Expose a local port, for me alone unless told otherwise.

    A cell that is run again is safe: if the port already is exposed, the given settings are
    applied to its mapping and the rest stays. (`ProxyClient.create_port` raises instead.)

    Args:
        port: The service's port, 1–65535.
        description: The name people see; ``port PORT`` by default.
        client: Where; by default what `ProxyClient()` finds.
        persistent: It stays when this kernel goes; outside of kernels it always does.
        fields: More fields of `PortRequest`, such as ``health_check={"path": "/health"}``.

    Returns:
        The exposure: use it in a ``with`` block, or keep its ``url``.

    Raises:
        ApiError: The API refused.
        ApiUnreachableError: The API did not answer.
        ConfigurationError: Nobody said where the API is.

    Example:
        >>> with expose(6006, description="TensorBoard") as mapping:  # doctest: +SKIP
        ...     print(mapping.url)
        https://localhost:32001
    """
    given = {**fields, **({} if description is None else {"description": description})}
    with _using(client) as api:
        viewer = Viewer.of(api.settings)
        what, mapping = create_or_update(api, port, given, viewer, persistent=persistent)
        return Exposure(MappingResult(what, see(api, mapping, viewer)), client)


@contextlib.contextmanager
def _using(client: ProxyClient | None) -> Iterator[ProxyClient]:
    """Lend the caller's client, or one of our own for as long as it takes."""
    if client is not None:
        yield client
        return
    with ProxyClient() as own:
        yield own
