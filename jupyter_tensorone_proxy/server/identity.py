"""The one name that stands for a Jupyter user, in `go/…`, in kernels and in `allowed_users`.

Jupyter's own sign-in (one token or password) has no accounts: it gives every browser a random
name. There the person is whoever runs the server. Where an identity provider has accounts, such
as JupyterHub's, the account's name counts.
"""

from __future__ import annotations

from jupyter_server.auth.identity import IdentityProvider, PasswordIdentityProvider
from jupyter_server.base.handlers import JupyterHandler

from ..settings import owner_name

_WITHOUT_ACCOUNTS = (IdentityProvider, PasswordIdentityProvider)


def user_name(handler: JupyterHandler | None) -> str:
    """Return the name to sign in with at exposed services.

    Args:
        handler: The signed-in request at hand; None where there is none.

    Returns:
        One stable name per person, 1–200 printable characters.
    """
    if handler is None or type(handler.identity_provider) in _WITHOUT_ACCOUNTS:
        return owner_name()
    name = "".join(c for c in str(handler.current_user.username) if c.isprintable())[:200]
    return name or owner_name()
