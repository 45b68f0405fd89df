"""Rules of the server's configuration: which detected ports they are about, and what to do."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from ...detection.watcher import DetectedPort
from ...errors import ConfigurationError, InvalidRequestError
from ...models import PortSettings
from ...validation import parse_patch

Action = Literal["notify", "expose", "ignore"]
ACTIONS: tuple[Action, ...] = get_args(Action)
_FIELDS = {"port", "ports", "command", "service", "action", "settings"}
_LAST_PORT = 65_535


@dataclass(frozen=True)
class Rule:
    """One rule; what it does not mention fits everything.

    Args:
        action: What to do with a port that fits.
        first_port: Start of the range it is about.
        last_port: Its end, inclusive.
        command: A regular expression, searched in the command line.
        service: The id of a service of the catalogue.
        settings: Fields of the mapping, as in `PortSettings`, if it is exposed.
    """

    action: Action
    first_port: int = 1
    last_port: int = _LAST_PORT
    command: str = ""
    service: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)

    def fits(self, port: DetectedPort) -> bool:
        """Say whether the rule is about a port."""
        return (
            self.first_port <= port.port <= self.last_port
            and (not self.service or (port.service is not None and port.service.id == self.service))
            and (not self.command or bool(re.search(self.command, " ".join(port.process.words))))
        )


def parse_rules(entries: Iterable[Mapping[str, Any]]) -> tuple[Rule, ...]:
    """Read rules strictly, so that a wrong one is told when the server starts.

    Args:
        entries: Each with `action`, and any of `port`, `ports` (``"8000-8100"``), `command` (a
            regular expression), `service` (an id of the catalogue) and `settings`.

    Raises:
        ConfigurationError: The message names the rule and what is wrong with it.

    Example:
        >>> rule, = parse_rules([{"service": "tensorboard", "action": "expose"}])
        >>> rule.service, rule.action
        ('tensorboard', 'expose')
        >>> parse_rules([{"command": "(", "action": "expose"}])
        Traceback (most recent call last):
        ...
        jupyter_tensorone_proxy.errors.ConfigurationError: Rule 1 of AutoExpose.rules: command ...
    """
    return tuple(_parse(number, entry) for number, entry in enumerate(entries, start=1))


def _parse(number: int, entry: Mapping[str, Any]) -> Rule:
    unknown = sorted(set(entry) - _FIELDS)
    if unknown:
        known = ", ".join(sorted(_FIELDS))
        raise _wrong(number, f"there is no {', '.join(unknown)}", f"It may have {known}.")
    action = entry.get("action")
    if action not in ACTIONS:
        raise _wrong(number, f"action {action!r}", f"It is one of {', '.join(ACTIONS)}.")
    first, last = _range(number, entry)
    command, service = entry.get("command", ""), entry.get("service", "")
    try:
        re.compile(command)
    except (re.error, TypeError) as error:
        raise _wrong(number, f"command {command!r}", f"As a regular expression: {error}.") from None
    settings = _settings(number, entry.get("settings", {}))
    return Rule(action, first, last, command, str(service), settings)


def _range(number: int, entry: Mapping[str, Any]) -> tuple[int, int]:
    text = str(entry.get("port", entry.get("ports", f"1-{_LAST_PORT}")))
    match = re.fullmatch(r"([1-9]\d{0,4})(?:-([1-9]\d{0,4}))?", text)
    first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
    if not first <= last <= _LAST_PORT:
        raise _wrong(number, f"ports {text!r}", "It is a port, or a range such as 8000-8100.")
    return first, last


def _settings(number: int, settings: Any) -> Mapping[str, Any]:
    if not isinstance(settings, Mapping):
        raise _wrong(number, "settings", "They are fields of a port mapping.")
    try:
        return parse_patch(PortSettings, settings)
    except InvalidRequestError as error:
        raise _wrong(number, "settings", str(error)) from None


def _wrong(number: int, what: str, how: str) -> ConfigurationError:
    return ConfigurationError(f"Rule {number} of AutoExpose.rules: {what}.", suggestion=how)
