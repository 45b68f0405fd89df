"""Reading the JSON of good answers: leniently, because a server may be newer than we are.

What cannot be read at all is a ValueError; `_answers` makes an error of it that names the server.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from ..models import Cluster, Model, PortMapping, ProxyConfig

M = TypeVar("M", bound=Model)


def read_proxy(body: Any) -> ProxyConfig:
    """Return the proxy; what the envelope says about the answer becomes its `meta`."""
    data = _data_of(body)
    return ProxyConfig.from_server({**data, "meta": body["meta"]} if "meta" in body else data)


def read_ports(body: Any) -> list[PortMapping]:
    """Return the proxy's mappings, each one typed."""
    mappings: Any = read_proxy(body).port_mappings
    # A list that could not be typed is kept as it came, which is right for `get_proxy` only.
    if not isinstance(mappings, list) or not all(isinstance(m, PortMapping) for m in mappings):
        raise ValueError("port_mappings is not a list of mappings with ids")
    return mappings


def read_clusters(body: Any) -> list[Cluster]:
    """Return the clusters of a list, in an envelope or not."""
    data = body.get("data", body) if isinstance(body, dict) else body
    items = data.get("clusters") if isinstance(data, dict) else data
    if not isinstance(items, list):
        raise ValueError("the list of clusters is not a list")  # noqa: TRY004 - of the data, not of a caller
    return [Cluster.from_server(item) for item in items]


def read_data(model: type[M]) -> Callable[[Any], M]:
    """Return a reader of what is inside the envelope."""
    return lambda body: model.from_server(_data_of(body))


def read_list(model: type[M]) -> Callable[[Any], list[M]]:
    """Return a reader of a list inside the envelope."""

    def read(body: Any) -> list[M]:
        items = _object(body).get("data")
        if not isinstance(items, list):
            raise ValueError("the data is not a list")  # noqa: TRY004 - of the data, not of a caller
        return [model.from_server(_object(item)) for item in items]

    return read


def read_plain(model: type[M]) -> Callable[[Any], M]:
    """Return a reader of an answer without an envelope, as the API's second version has."""
    return lambda body: model.from_server(_object(body))


def _data_of(body: Any) -> dict[str, Any]:
    """Return what is inside the envelope; an answer without one is taken as it is."""
    plain = _object(body)
    return _object(plain["data"]) if "data" in plain else plain


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("it is not a JSON object")  # noqa: TRY004 - of the data, not of a caller
    return value
