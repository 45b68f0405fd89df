"""Signed tokens: sessions, user tokens, links, assertions, all JWTs of one key (RFC 7519, ES256).

Envoy verifies sessions and user tokens with the public key; only links, and tokens that somebody
types into the sign-in page, are verified here. Each kind has its own audience, so that none can
stand in for another:

=========  ================================  ================================================
kind       ``aud``                           where it travels
=========  ================================  ================================================
session    the mapping's id                  the mapping's cookie
user       ``users``                         ``Authorization: Bearer …``, for programs
link       ``link:`` + the mapping's id      the query of a link, at most until it expires
assertion  ``assertion:`` + the mapping's id  inside a session; Envoy hands it to the service
=========  ================================  ================================================
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet

from ..errors import GatewayError, StorageFullError
from .files import read_or_create, write_private
from .xds.framing import FRAME_CLAIM
from .xds.sign_in import USER_AUDIENCE

USER_TOKEN_SECONDS = 365 * 86_400
_ALGORITHM = "ES256"
_KEY, _PREVIOUS_KEY = "signing.key", "signing.previous.key"


@dataclass(frozen=True)
class Claims:
    """What a valid token says: which one it is, and whose; of a link, for whose frame."""

    token_id: str
    user: str
    frame_origin: str | None = None


class _Rules(jwt.JWTClaimsRegistry):
    """What a token must say; as with Envoy, its end counts and not when it was made.

    So a clock that is set back, by a time server or a resumed laptop, locks nobody out.
    """

    def validate_iat(self, value: object) -> None:
        """Accept it, whatever it is."""


class Signer:
    """Makes and checks tokens with the installation's key.

    Args:
        directory: Where `signing.key` is, or will be made; beside it, after a rotation with
            overlap, the key before it.
        issuer: `iss` of every token.

    Raises:
        GatewayError: A key is there, but cannot be read. Nothing is replaced, nobody gets in.
    """

    def __init__(self, directory: Path, *, issuer: str) -> None:
        self.issuer = issuer
        self._directory = directory
        self._keys = [_read_key(directory / _KEY)]
        if (directory / _PREVIOUS_KEY).exists():
            self._keys.append(_read_key(directory / _PREVIOUS_KEY))

    @property
    def jwks(self) -> str:
        """The public keys as a JSON Web Key Set (RFC 7517)."""
        return json.dumps({"keys": [k.as_dict(private=False, alg=_ALGORITHM) for k in self._keys]})

    @property
    def key_ids(self) -> tuple[str, ...]:
        """The ids of the keys in force, as every token names its own (claim `key`)."""
        return tuple(str(key.kid) for key in self._keys)

    @contextmanager
    def rotated(self, *, overlap: bool) -> Iterator[None]:
        """Sign with a new key from now on; an exception in the block brings the old keys back.

        Args:
            overlap: Go on accepting what the key before it signed.

        Raises:
            StorageFullError: The new key cannot be written; nothing was changed.
        """
        before, fresh = self._keys, _fresh_key()
        self._use([fresh, before[0]] if overlap else [fresh])
        try:
            yield
        except BaseException:
            self._use(before)
            raise

    def _use(self, keys: list[ECKey]) -> None:
        """Keep keys on disk and use them; never is one accepted that is in neither list."""
        key, previous = self._directory / _KEY, self._directory / _PREVIOUS_KEY
        try:
            if len(keys) > 1:
                write_private(previous, _pem(keys[1]))
            else:
                previous.unlink(missing_ok=True)
            write_private(key, _pem(keys[0]))
        except OSError as error:
            raise StorageFullError(
                f"The gateway cannot write its signing key {key}: {error.strerror}",
                details={"suggestion": "Free space in the state directory and try again."},
            ) from None
        self._keys = keys

    def session(  # noqa: PLR0913 - keyword-only, with defaults
        self,
        mapping_id: str,
        user: str,
        session_id: str,
        *,
        lifetime_seconds: int,
        with_assertion: bool = False,
        frame_origin: str | None = None,
    ) -> str:
        """Return a session of one user on one mapping.

        Args:
            mapping_id: The mapping.
            user: Who.
            session_id: Its id, by which it can be revoked.
            lifetime_seconds: How long it lasts.
            with_assertion: Put in a token that tells the service who it is.
            frame_origin: Origin of the page that may show the service in a frame.
        """
        more = _framed(frame_origin)
        if with_assertion:
            told = f"assertion:{mapping_id}"
            more["assertion"] = self._sign(told, user, lifetime_seconds, new_id("ast"))
        return self._sign(mapping_id, user, lifetime_seconds, session_id, **more)

    def user_token(self, user: str, token_id: str) -> str:
        """Return a user's Bearer token, good for every mapping that admits the user."""
        return self._sign(USER_AUDIENCE, user, USER_TOKEN_SECONDS, token_id)

    def link(
        self,
        mapping_id: str,
        user: str,
        link_id: str,
        *,
        lifetime_seconds: int,
        frame_origin: str | None = None,
    ) -> str:
        """Return the token of a link; the arguments are those of `session`."""
        more = _framed(frame_origin)
        return self._sign(f"link:{mapping_id}", user, lifetime_seconds, link_id, **more)

    def read_link(self, token: str, mapping_id: str) -> Claims | None:
        """Return what a link says, or None if it is forged, expired or for another mapping."""
        return self._read(token, f"link:{mapping_id}")

    def read_session(self, token: str, mapping_id: str) -> Claims | None:
        """Return what a session says, or None if it is forged, expired or of another mapping."""
        return self._read(token, mapping_id)

    def read_user_token(self, token: str) -> Claims | None:
        """Return what a user's token says, or None if it is forged or expired."""
        return self._read(token, USER_AUDIENCE)

    def _read(self, token: str, audience: str) -> Claims | None:
        registry = _Rules(
            iss={"essential": True, "value": self.issuer},
            aud={"essential": True, "value": audience},
            exp={"essential": True},
            sub={"essential": True},
            jti={"essential": True},
        )
        try:
            decoded = jwt.decode(token, KeySet([*self._keys]), algorithms=[_ALGORITHM])
            registry.validate(decoded.claims)
        except (JoseError, ValueError):
            return None
        claims = decoded.claims
        return Claims(claims["jti"], claims["sub"], claims.get(FRAME_CLAIM))

    def _sign(
        self, audience: str, user: str, lifetime_seconds: int, token_id: str, **more: str
    ) -> str:
        now, key = int(time.time()), self._keys[0]
        claims: dict[str, Any] = {
            "iss": self.issuer,
            "aud": audience,
            "sub": user,
            "jti": token_id,
            "key": key.kid,
            "iat": now,
            "exp": now + lifetime_seconds,
            **more,
        }
        return jwt.encode({"alg": _ALGORITHM, "kid": key.kid}, claims, key)


def new_id(kind: str) -> str:
    """Return a fresh id that nobody can guess, e.g. ``port_k3x…``."""
    alphabet = "abcdefghijkmnpqrstuvwxyz23456789"
    return f"{kind}_" + "".join(secrets.choice(alphabet) for _ in range(12))


def claimed_user(token: str) -> str:
    """Return whose token somebody claims to have; nothing says that it is true.

    Example:
        >>> claimed_user("not a token")
        ''
    """
    try:
        return str(json.loads(jws.extract_compact(token.encode()).payload)["sub"])
    except (JoseError, ValueError, KeyError, TypeError):
        return ""


def _framed(origin: str | None) -> dict[str, str]:
    return {FRAME_CLAIM: origin} if origin else {}


def _fresh_key() -> ECKey:
    key: ECKey = ECKey.generate_key("P-256", {"use": "sig"}, private=True)
    key.ensure_kid()
    return key


def _pem(key: ECKey) -> str:
    return key.as_pem(private=True).decode()


def _read_key(path: Path) -> ECKey:
    try:
        key: ECKey = ECKey.import_key(read_or_create(path, _pem(_fresh_key())), {"use": "sig"})
        key.ensure_kid()
    except (OSError, ValueError, JoseError) as error:
        raise GatewayError(
            f"The signing key {path} cannot be read ({error}).",
            suggestion="Restore it, or remove it to make a new one, which ends all sessions.",
        ) from None
    return key
