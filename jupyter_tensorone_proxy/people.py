"""The vocabulary of our extensions of the contract: who may come in, how, and what they did.

As in `models`, what people ask for (`LinkRequest`, `UserSettings`, …) and what is observed
(`Session`, `Event`, …) are separate types. A server that has them says so in `meta.extensions`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, Field, Strict

from .models import Flag, Model, UserName, checked_origin, checked_path


class Link(Model):
    """A signed, expiring URL that signs one person in to one mapping (extension)."""

    id: str
    port_id: str
    user: str
    url: str = Field("", repr=False, description="A credential; only in the answer that made it.")
    one_time: bool = True
    created_at: datetime | None = None
    expires_at: datetime
    used_at: datetime | None = Field(None, description="When it was last used.")


class LinkRequest(Model):
    """What it takes to create a link (extension: POST …/proxy/links)."""

    port_id: Annotated[str, Strict(), Field(min_length=1, max_length=100)]
    user: UserName = Field(title="Person", description="Who is signed in by it.", examples=["ben"])
    expires_in_seconds: Annotated[int, Strict(), Field(ge=1, le=30 * 86_400)] = Field(
        60, title="For how long", description="Until when it can be used."
    )
    one_time: Flag = Field(True, title="The link works once", description="It can be used once.")
    path: Annotated[str, Field(max_length=4000), AfterValidator(checked_path)] = Field(
        "/",
        title="Where they land",
        description="Where the visitor lands, with its query.",
        examples=["/notebooks/a.ipynb"],
    )
    allow: Flag = Field(
        False,
        title="Also add them to the people who can open it",
        description="Add the person to the mapping's allowed_users if that lacks them.",
    )
    ends_sessions: Flag = Field(
        False, description="Sessions that it begins end when the link does, if not before."
    )
    frame_origin: Annotated[str, Strict(), AfterValidator(checked_origin)] | None = Field(
        None,
        description="Origin of the page that shows the service in a frame. For sessions that the "
        "link begins, it alone may, whatever the service itself says about frames.",
    )


class User(Model):
    """A person or program that may sign in (extension)."""

    name: UserName
    disabled: bool = False
    has_token: bool = Field(False, description="Whether a token of theirs is in force.")
    created_at: datetime | None = None
    token: str | None = Field(
        None, repr=False, description="The Bearer token; only in the answer that made it."
    )


class UserRequest(Model):
    """What it takes to create a user (extension: POST …/proxy/users)."""

    name: UserName


class UserSettings(Model):
    """What an update of a user may change (extension: PUT …/proxy/users/{name})."""

    disabled: Flag | None = Field(None, description="True ends their sessions, and lets none in.")


class Session(Model):
    """One signed-in visitor of one mapping (extension)."""

    id: str
    port_id: str
    user: str
    client_ip: str | None = None
    via: str | None = Field(None, description="How they signed in: open, link or token.")
    link_id: str | None = None
    created_at: datetime | None = None
    last_seen: datetime | None = None
    expires_at: datetime | None = None


class Revoked(Model):
    """How many sessions were ended (extension: DELETE …/proxy/sessions)."""

    revoked: int


class KeyRotation(Model):
    """How signing keys are replaced (extension: POST …/proxy/keys)."""

    overlap: Flag = Field(
        False,
        description="Keep what the old key signed in force until it expires or the next rotation; "
        "without, every session, link and token ends at once.",
    )


class Event(Model):
    """Something that happened, for the audit (extension: GET …/proxy/events)."""

    id: int
    timestamp: datetime
    action: str = Field(description="What happened, such as port.created or session.refused.")
    actor: str | None = Field(None, description="Who did it.")
    via: str | None = Field(
        None, description="Through what: cli, magic, panel, python, jupyter, visit."
    )
    client_ip: str | None = None
    port_id: str | None = None
    details: dict[str, Any] = Field(default_factory=dict)
