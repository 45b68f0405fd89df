"""Signed tokens: sessions, user tokens and links, all JWTs of one key (RFC 7519, ES256).

Envoy verifies sessions and user tokens with the public key; only links are verified here. Each
kind has its own audience, so that none can stand in for another:

========  ===========================  ==========================================
kind      ``aud``                      where it travels
========  ===========================  ==========================================
session   the mapping's id             the mapping's cookie
user      ``users``                    ``Authorization: Bearer …``, for programs
link      ``link:`` + the mapping's id  the query of a link, at most until it expires
========  ===========================  ==========================================
"""

from __future__ import annotations

import json
import secrets
import time
from dataclasses import dataclass
from pathlib import Path

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from ..errors import GatewayError
from .files import read_or_create

USER_AUDIENCE = "users"
_ALGORITHM = "ES256"


@dataclass(frozen=True)
class LinkClaims:
    """What a valid link says: which one it is, and whom it signs in."""

    link_id: str
    user: str


class Signer:
    """Makes and checks tokens with the installation's key.

    Args:
        directory: Where `signing.key` is, or will be made.
        issuer: `iss` of every token.

    Raises:
        GatewayError: The key is there, but cannot be read. Nothing is replaced, nobody gets in.
    """

    def __init__(self, directory: Path, *, issuer: str) -> None:
        self.issuer = issuer
        path = directory / "signing.key"
        fresh = ECKey.generate_key("P-256", private=True).as_pem(private=True).decode()
        try:
            self._key = ECKey.import_key(read_or_create(path, fresh), {"use": "sig"})
            self._key.ensure_kid()
        except (OSError, ValueError, JoseError) as error:
            raise GatewayError(
                f"The signing key {path} cannot be read ({error}).",
                suggestion="Restore it, or remove it to make a new one, which ends all sessions.",
            ) from None

    @property
    def jwks(self) -> str:
        """The public key as a JSON Web Key Set (RFC 7517)."""
        return json.dumps({"keys": [self._key.as_dict(private=False, alg=_ALGORITHM)]})

    def session(self, mapping_id: str, user: str, *, lifetime_seconds: int) -> str:
        """Return a session of one user on one mapping."""
        return self._sign(mapping_id, user, lifetime_seconds, new_id("ses"))

    def user_token(self, user: str, token_id: str, *, lifetime_seconds: int) -> str:
        """Return a user's Bearer token, good for every mapping that admits the user."""
        return self._sign(USER_AUDIENCE, user, lifetime_seconds, token_id)

    def link(self, mapping_id: str, user: str, link_id: str, *, lifetime_seconds: int) -> str:
        """Return the token of a link."""
        return self._sign(f"link:{mapping_id}", user, lifetime_seconds, link_id)

    def read_link(self, token: str, mapping_id: str) -> LinkClaims | None:
        """Return what a link says, or None if it is forged, expired or for another mapping."""
        registry = jwt.JWTClaimsRegistry(
            iss={"essential": True, "value": self.issuer},
            aud={"essential": True, "value": f"link:{mapping_id}"},
            exp={"essential": True},
            sub={"essential": True},
            jti={"essential": True},
        )
        try:
            decoded = jwt.decode(token, self._key, algorithms=[_ALGORITHM])
            registry.validate(decoded.claims)
        except (JoseError, ValueError):
            return None
        return LinkClaims(decoded.claims["jti"], decoded.claims["sub"])

    def _sign(self, audience: str, user: str, lifetime_seconds: int, token_id: str) -> str:
        now = int(time.time())
        claims: dict[str, str | int] = {
            "iss": self.issuer,
            "aud": audience,
            "sub": user,
            "jti": token_id,
            "iat": now,
            "exp": now + lifetime_seconds,
        }
        return jwt.encode({"alg": _ALGORITHM, "kid": self._key.kid}, claims, self._key)


def new_id(kind: str) -> str:
    """Return a fresh id that nobody can guess, e.g. ``port_k3x…``."""
    alphabet = "abcdefghijkmnpqrstuvwxyz23456789"
    return f"{kind}_" + "".join(secrets.choice(alphabet) for _ in range(12))
