"""Every verb with the function that carries it out, for the rims."""

from __future__ import annotations

from . import people_verbs, record_verbs, user_verbs, verbs

RUN: dict[str, verbs.Run] = {
    **verbs.RUN,
    **people_verbs.RUN,
    **user_verbs.RUN,
    **record_verbs.RUN,
}
"""Verb → function."""
