"""What to do with a detected port: the one place that decides. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...detection.watcher import DetectedPort
from .personal import NOTHING, Personal
from .rules import Action, Rule
from .wishes import Wish


@dataclass(frozen=True)
class Limits:
    """What the administrator allows.

    Args:
        enabled: Whether anything happens by itself at all.
        allowed_actions: Which actions rules and wishes may have.
        denied_ports: Ports that are never exposed by themselves.
        max_exposed: How many ports may be exposed by themselves at one time.
    """

    enabled: bool = True
    allowed_actions: frozenset[Action] = frozenset({"notify", "expose", "ignore"})
    denied_ports: frozenset[int] = frozenset()
    max_exposed: int = 20


@dataclass(frozen=True)
class Decision:
    """What to do.

    Args:
        action: Nothing, a notice, or expose it privately.
        settings: Fields of the mapping, if it is exposed.
        question: Something that only people can decide; empty if there is nothing.
        because: Why, for people.
    """

    action: Action
    settings: Mapping[str, Any] = field(default_factory=dict)
    question: str = ""
    because: str = ""


@dataclass(frozen=True)
class Wanted:
    """What is wanted by those who may want something; who comes first here wins.

    Args:
        rules: The configuration's; the first that fits wins.
        personal: What the server's own user answered.
        wishes: The notebook's.
    """

    rules: Sequence[Rule] = ()
    personal: Personal = NOTHING
    wishes: Sequence[Wish] = ()


def decide(port: DetectedPort, wanted: Wanted, limits: Limits, *, exposed: int) -> Decision:
    """Decide what happens to a port: what somebody wants, else a notice if it is a page.

    Args:
        port: The port.
        wanted: What is wanted.
        limits: What the administrator allows.
        exposed: How many ports are exposed by themselves now.
    """
    decision = _decision(port, wanted)
    if not limits.enabled or "notify" not in limits.allowed_actions:
        fallback = Decision("ignore", because="switched off")
    else:
        fallback = Decision("notify", question=decision.question, because=decision.because)
    if not limits.enabled or decision.action == "ignore":
        return Decision("ignore", because=decision.because)
    if decision.action == "notify":
        return fallback
    if not may_expose(port, limits):
        return fallback
    if not port.can_be_exposed:
        return Decision(fallback.action, because=f"it listens on {port.host} alone")
    if exposed >= limits.max_exposed:
        return Decision(fallback.action, because=f"{exposed} ports are exposed already")
    return decision


def may_expose(port: DetectedPort, limits: Limits) -> bool:
    """Say whether the administrator allows that a port is exposed by itself."""
    allowed = limits.enabled and "expose" in limits.allowed_actions
    return allowed and port.port not in limits.denied_ports


def _decision(port: DetectedPort, wanted: Wanted) -> Decision:
    rule = next((rule for rule in wanted.rules if rule.fits(port)), None)
    if rule is not None:
        return Decision(rule.action, _private(rule.settings), because="a rule of the server")
    answer = next((rule for rule in wanted.personal.rules if rule.fits(port)), None)
    if answer is not None:
        return _personally(answer.action, "you said so")
    wish = next((wish for wish in wanted.wishes if wish.fits(port)), None)
    if wish is not None:
        return _of_wish(wish)
    if port.answers_http or port.service is not None:
        return _personally(wanted.personal.otherwise, "it was detected")
    return Decision("ignore", because="it is no page")


def _personally(action: Action, because: str) -> Decision:
    """Return what a person wants; what they ignore is still told, for the lists of front ends."""
    return Decision("expose" if action == "expose" else "notify", because=because)


def _of_wish(wish: Wish) -> Decision:
    settings: dict[str, Any] = {}
    if wish.name:
        settings["description"] = wish.name
    if wish.health_path:
        settings["health_check"] = {"path": wish.health_path}
    question = "public" if wish.wants_public else ""
    return Decision("expose", settings, question, because="the notebook wishes it")


def _private(settings: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return settings that require sign-in, whatever they say (SECURITY: R31)."""
    access = {k: v for k, v in settings.get("access_control", {}).items() if k != "public_access"}
    return {**settings, "access_control": {**access, "authentication_required": True}}
