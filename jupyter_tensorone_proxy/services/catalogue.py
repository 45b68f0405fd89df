"""`Catalogue`: all services that are known, and recognising one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from importlib.metadata import entry_points
from typing import Any

from ..errors import ConfigurationError
from .built_in import BUILT_IN
from .service import Service

ENTRY_POINTS = "jupyter_tensorone_proxy.services"


@dataclass(frozen=True)
class Catalogue:
    """All services that are known.

    Args:
        services: The first that fits wins.
    """

    services: tuple[Service, ...] = BUILT_IN

    @classmethod
    def load(cls, configured: Iterable[Mapping[str, Any]] = ()) -> Catalogue:
        """Return the catalogue with what other packages and the configuration add, which win.

        Args:
            configured: Each the fields of a `Service`.

        Raises:
            ConfigurationError: An entry cannot be used; the message says which and why.
        """
        added = [_from_fields(entry) for entry in configured]
        for point in entry_points(group=ENTRY_POINTS):
            service = point.load()
            if not isinstance(service, Service):
                raise ConfigurationError(f"The entry point {point.name} names no Service.")
            added.append(service)
        ours = {service.id for service in added}
        return cls((*added, *(service for service in BUILT_IN if service.id not in ours)))

    def get(self, service_id: str) -> Service | None:
        """Return the service of an id; None if there is none."""
        return next((service for service in self.services if service.id == service_id), None)

    def by_command(self, words: Sequence[str]) -> Service | None:
        """Recognise a service by the command that started it.

        Args:
            words: The command line.

        Example:
            >>> found = Catalogue().by_command(["python", "-m", "tensorboard.main", "--port=0"])
            >>> found.name if found else None
            'TensorBoard'
        """
        line = " ".join(words)
        for service in self.services:
            if service.command and re.search(service.command, line):
                return service
        return None

    def by_page(self, headers: Mapping[str, str], title: str) -> Service | None:
        """Recognise a service by its page.

        Args:
            headers: Of the answer; names in lower case.
            title: The page's title.

        Example:
            >>> found = Catalogue().by_page({}, "MLflow")
            >>> found.id if found else None
            'mlflow'
        """
        for service in self.services:
            if service.title and re.search(service.title, title):
                return service
        for service in self.services:
            told = service.headers.items()
            if any(re.search(pattern, headers.get(name, "")) for name, pattern in told):
                return service
        return None


def _from_fields(entry: Mapping[str, Any]) -> Service:
    known = {f.name for f in fields(Service)}
    wrong = sorted(set(entry) - known)
    if wrong or not {"id", "name"} <= set(entry):
        what = f"unknown: {', '.join(wrong)}" if wrong else "id and name are needed"
        raise ConfigurationError(
            f"A configured service cannot be used ({what}).",
            suggestion=f"Its fields are {', '.join(sorted(known))}.",
        )
    given = dict(entry)
    for name in ("start", "start_words"):
        if name in given:
            given[name] = tuple(given[name])
    return Service(**given)
