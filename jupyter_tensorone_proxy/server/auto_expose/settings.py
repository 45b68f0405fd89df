"""The administrator's settings of automatic exposing, as traits (`c.AutoExpose. …`)."""

from __future__ import annotations

from typing import Any

from traitlets import Bool, Dict, Int, List, Unicode
from traitlets.config import LoggingConfigurable

from ...services import Catalogue
from .policy import Limits
from .rules import ACTIONS, Rule, parse_rules


class AutoExpose(LoggingConfigurable):
    """What happens by itself when something starts to listen."""

    enabled = Bool(
        True, help="Whether ports are detected and rules and wishes are followed at all."
    ).tag(config=True)
    rules: List[dict[str, Any]] = List(
        Dict(),
        help="What to do with detected ports; the first rule that fits wins. Each has 'action' "
        "(notify, expose or ignore), and any of 'port', 'ports' ('8000-8100'), 'command' (a "
        "regular expression), 'service' (an id of the catalogue) and 'settings' (fields of the "
        "port mapping). What is exposed by itself always requires sign-in.",
    ).tag(config=True)
    allowed_actions: List[str] = List(  # type: ignore[misc]  # traitlets annotates both halves apart
        Unicode(),
        default_value=[*ACTIONS],
        help="Which actions rules and notebooks may have; without 'expose' nothing is exposed by "
        "itself, without 'notify' nobody is told.",
    ).tag(config=True)
    denied_ports = List(Int(), help="Ports that are never exposed by themselves.").tag(config=True)
    max_exposed = Int(
        20, min=0, help="How many ports may be exposed by themselves at one time."
    ).tag(config=True)
    services: List[dict[str, Any]] = List(
        Dict(),
        help="Services that are recognised beside the known ones; each the fields of "
        "jupyter_tensorone_proxy.services.Service, at least 'id' and 'name'.",
    ).tag(config=True)

    def parsed_rules(self) -> tuple[Rule, ...]:
        """Return the rules.

        Raises:
            ConfigurationError: One is wrong; the message names it.
        """
        return parse_rules(self.rules)

    def catalogue(self) -> Catalogue:
        """Return the catalogue of services.

        Raises:
            ConfigurationError: A configured service is wrong.
        """
        return Catalogue.load(self.services)

    def limits(self) -> Limits:
        """Return what is allowed."""
        return Limits(
            enabled=self.enabled,
            allowed_actions=frozenset(a for a in ACTIONS if a in self.allowed_actions),
            denied_ports=frozenset(self.denied_ports),
            max_exposed=self.max_exposed,
        )
