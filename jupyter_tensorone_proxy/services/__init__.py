"""The catalogue of services that are recognised: their names, their ports, how they are checked.

A service is recognised by the command that started it, else by what its page says of itself. What
is here are suggestions for people and rules; nothing is exposed because of an entry.

More services come from other packages, by the entry point group `jupyter_tensorone_proxy.services`
(each names a `Service`), and from configuration. This package starts nothing and does no I/O.
"""

from .built_in import BUILT_IN
from .catalogue import ENTRY_POINTS, Catalogue
from .service import Service

__all__ = ["BUILT_IN", "ENTRY_POINTS", "Catalogue", "Service"]
