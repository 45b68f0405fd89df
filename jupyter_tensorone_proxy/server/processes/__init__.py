"""Processes of services, looked after by the Jupyter server: they end with it.

`services.py` ties the runner to one server. Front ends reach it by REST (`routes.py`,
`stack_routes.py`), signed in as anywhere in Jupyter. Kernels of this server, and terminals of this
user, reach it over a unix socket that nobody else can open (`door.py`), so they need no token.
"""

from .services import Services

__all__ = ["Services"]
