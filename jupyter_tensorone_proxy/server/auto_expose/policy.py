"""What to do with a detected port: the one place that decides. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..detection.watcher import DetectedPort
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


def decide(
    port: DetectedPort,
    *,
    rules: Sequence[Rule],
    wishes: Sequence[Wish],
    limits: Limits,
    exposed: int,
) -> Decision:
    """Decide what happens to a port: rules first, then wishes, else a notice if it is a page.

    Args:
        port: The port.
        rules: The configuration's; the first that fits wins.
        wishes: The notebook's.
        limits: What the administrator allows.
        exposed: How many ports are exposed by themselves now.
    """
    decision = _wanted(port, rules, wishes)
    if not limits.enabled or "notify" not in limits.allowed_actions:
        fallback = Decision("ignore", because="switched off")
    else:
        fallback = Decision("notify", question=decision.question, because=decision.because)
    if not limits.enabled or decision.action == "ignore":
        return Decision("ignore", because=decision.because)
    if decision.action == "notify":
        return fallback
    if "expose" not in limits.allowed_actions or port.port in limits.denied_ports:
        return fallback
    if not port.can_be_exposed:
        return Decision(fallback.action, because=f"it listens on {port.host} alone")
    if exposed >= limits.max_exposed:
        return Decision(fallback.action, because=f"{exposed} ports are exposed already")
    return decision


def _wanted(port: DetectedPort, rules: Sequence[Rule], wishes: Sequence[Wish]) -> Decision:
    rule = next((rule for rule in rules if rule.fits(port)), None)
    if rule is not None:
        return Decision(rule.action, _private(rule.settings), because="a rule of the server")
    wish = next((wish for wish in wishes if wish.fits(port)), None)
    if wish is not None:
        return _of_wish(wish)
    if port.answers_http or port.service is not None:
        return Decision("notify", because="it was detected")
    return Decision("ignore", because="it is no page")


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
