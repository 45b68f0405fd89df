"""What a person answered once for good: "Always" and "Ignore", in the settings of the front end.

JupyterLab keeps its users' settings as files of the server. They are read anew at each decision, so
an answer counts at once, whichever page it was given in, and also while no page is open. What
cannot be understood is left out with a word in the log: a wrong setting must not stop the server.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import ConfigurationError
from .rules import ACTIONS, Action, Rule, parse_rules

_log = logging.getLogger(__name__)
SETTINGS_FILE = Path("jupyter-tensorone-proxy", "settings.jupyterlab-settings")
"""Where the front end's settings are, in the directory of users' settings."""

_MOST_ANSWERS = 200
_FIELDS = ("action", "port", "service")


@dataclass(frozen=True)
class Personal:
    """What one person wants.

    Args:
        rules: Their answers; the first that fits wins.
        otherwise: What happens to pages that no answer, rule or wish is about.
    """

    rules: tuple[Rule, ...] = ()
    otherwise: Action = "notify"


NOTHING = Personal()


@dataclass(frozen=True)
class PersonalSettings:
    """Reads them.

    Args:
        directories: Returns where the front ends of this server keep users' settings.
    """

    directories: Callable[[], Iterable[Path]]

    def read(self) -> Personal:
        """Return what the person of this server wants now."""
        for directory in self.directories():
            try:
                text = (directory / SETTINGS_FILE).read_text("utf-8")
            except OSError:  # nothing was ever set
                continue
            return parse_settings(text)
        return NOTHING


def parse_settings(text: str) -> Personal:
    """Read the settings leniently.

    Args:
        text: The file's, JSON with comments.

    Example:
        >>> wanted = parse_settings('{"answers": [{"service": "mlflow", "action": "expose"}]}')
        >>> wanted.rules[0].service, wanted.otherwise
        ('mlflow', 'notify')
    """
    try:
        # It comes with every front end that has such settings; the server alone does not need it.
        import json5

        settings = json5.loads(text)
    except (ImportError, ValueError) as error:
        _log.warning("The settings of JupyterLab's ports cannot be read: %s", error)
        return NOTHING
    if not isinstance(settings, Mapping):
        return NOTHING
    otherwise = settings.get("onDetection")
    answers = settings.get("answers")
    answers = answers[:_MOST_ANSWERS] if isinstance(answers, list) else []
    return Personal(
        tuple(rule for answer in answers for rule in _rules(answer)),
        otherwise if otherwise in ACTIONS else "notify",
    )


def _rules(answer: Any) -> tuple[Rule, ...]:
    """Return an answer as a rule; none if it names neither a port nor a service."""
    known = {n: answer[n] for n in _FIELDS if n in answer} if isinstance(answer, Mapping) else {}
    if not {"port", "service"} & set(known):
        return ()
    try:
        return parse_rules([known])
    except ConfigurationError as error:
        _log.warning("An answer in the settings of JupyterLab's ports: %s", error)
        return ()


def directories_of(extension_apps: Mapping[str, Iterable[Any]]) -> list[Path]:
    """Return where the front ends of a server keep their users' settings.

    Args:
        extension_apps: The server's, by their names.
    """
    apps = (app for several in extension_apps.values() for app in several)
    found = (getattr(app, "user_settings_dir", "") for app in apps)
    return sorted({Path(directory) for directory in found if directory})
