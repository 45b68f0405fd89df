"""Every verb with the function that carries it out, for the rims."""

from __future__ import annotations

from ..commands import runs, verbs
from ..monitoring.verb import monitor
from .verb import apply

RUN: dict[str, verbs.Run] = {**runs.RUN, "apply": apply, "monitor": monitor}
"""Verb → function."""
