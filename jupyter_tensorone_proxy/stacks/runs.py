"""Every verb with the function that carries it out, `apply` included, for the rims."""

from __future__ import annotations

from ..commands import runs, verbs
from .verb import apply

RUN: dict[str, verbs.Run] = {**runs.RUN, "apply": apply}
"""Verb → function."""
