"""Judging what a monitor is given, so that nothing watches with a setting that means another thing.

Pure. Errors name the argument, and repeat no value that may be a credential.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..errors import ConfigurationError, InvalidAlertError
from ..models import checked_path
from .alerts import Alert


def within(name: str, value: object, least: float, most: float) -> None:
    """Raise unless a number is in its range.

    Args:
        name: The argument.
        value: What was given.
        least: The smallest.
        most: The largest.

    Raises:
        ConfigurationError: It is no number, or out of its range.
    """
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not least <= value <= most:  # type: ignore[operator] # a number by now
        raise ConfigurationError(
            f"{name}: {value!r} ({type(value).__name__}) is not from {least:g} to {most:g}."
        )


def check_services(services: Sequence[object]) -> None:
    """Raise unless all are ports or names.

    Args:
        services: What was given.

    Raises:
        ConfigurationError: One is neither.
    """
    for service in services:
        if not _is_service(service):
            raise ConfigurationError(
                f"{service!r} is neither a port nor a service's name.",
                suggestion="Give such as Monitor(8000, 'TensorBoard').",
            )


def read_alerts(alerts: object) -> list[Alert]:
    """Return alerts, of which some may be lines.

    Args:
        alerts: What was given.

    Raises:
        InvalidAlertError: It is no list, or one of them is wrong.

    Example:
        >>> [str(alert) for alert in read_alerts(["health", "p95 > 1 s"])]
        ['health', 'p95 above 1 s']
    """
    if isinstance(alerts, str) or not isinstance(alerts, Sequence):
        raise InvalidAlertError(
            f"alerts: {alerts!r} is no list.", suggestion="Give such as ['health', 'p95 > 1 s']."
        )
    return [alert if isinstance(alert, Alert) else Alert.parse(alert) for alert in alerts]


def check_metrics(metrics: object) -> None:
    """Raise unless this says of services where their metrics are.

    Args:
        metrics: What was given; None for nothing.

    Raises:
        ConfigurationError: It is no table of paths.
    """
    if metrics is None:
        return
    if not isinstance(metrics, Mapping) or not all(map(_is_service, metrics)):
        raise ConfigurationError(
            f"metrics: {metrics!r} is no table of ports or names.",
            suggestion="Give such as {8000: '/metrics'}.",
        )
    for service, path in metrics.items():
        try:
            good = isinstance(path, str) and bool(checked_path(path))
        except ValueError:
            good = False
        if not good:
            raise ConfigurationError(
                f"metrics: {path!r}, of {service!r}, is no path.",
                suggestion="A path begins with one '/', such as /metrics.",
            )


def check_people(user: object, token: object) -> None:
    """Raise unless these say in whose name to sign in.

    Args:
        user: A name, or port or name of a service → name; None for nobody.
        token: A token; None for none. It is not repeated.

    Raises:
        ConfigurationError: They are something else.
    """
    named = isinstance(user, Mapping) and all(isinstance(who, str) for who in user.values())
    if not (user is None or isinstance(user, str) or named):
        raise ConfigurationError(
            f"user: {user!r} is no name, and no table of names.",
            suggestion="Give such as 'ana', or {8000: 'ana'}.",
        )
    if token is not None and not (isinstance(token, str) and token.isascii() and token.strip()):
        raise ConfigurationError(
            f"token: this ({type(token).__name__}) is no user's token.",
            suggestion="`users add` gives one.",
        )


def _is_service(value: object) -> bool:
    return isinstance(value, (int, str)) and not isinstance(value, bool)
