"""The one door to the API: `ProxyClient`, and `AsyncProxyClient` for event loops.

Each call is described once, as data, in `_operations`; `_exchange` knows how to carry one out
without doing I/O; `_sync` and `_async` do the I/O, and nothing else.
"""

from ._async import AsyncProxyClient
from ._sync import ProxyClient

__all__ = ["AsyncProxyClient", "ProxyClient"]
