"""How results read in a terminal: lines and tables. Pure; colours only if asked for."""

from __future__ import annotations

from collections.abc import Sequence

from ..models import ObservedHealthCheck, ProxyConfig
from ..settings import Settings
from .rows import Health, Row, readable

NOTHING = "Nothing is exposed. `expose PORT` exposes a service by its port."
NOTHING_YET = (
    "Nothing is exposed. Start TensorBoard, MLflow or any web app in a notebook and it appears "
    "here, or expose a port by its number."
)
"""The same, for people who look at a panel."""

_ANSI = {"good": "\x1b[32m", "bad": "\x1b[31m", "neutral": "\x1b[33m"}
_RESET = "\x1b[0m"


def health_text(health: Health, *, color: bool) -> str:
    """Return shape and word, coloured if asked for.

    Example:
        >>> health_text(Health("healthy", "●", "good"), color=False)
        '● healthy'
    """
    return toned(f"{health.shape} {health.word}", health.tone if color else None)


def toned(line: str, tone: str | None) -> str:
    r"""Return a line in the colour of a tone; as it is without one.

    Example:
        >>> toned("500", "bad"), toned("200", None)
        ('\x1b[31m500\x1b[0m', '200')
    """
    return f"{_ANSI[tone]}{line}{_RESET}" if tone else line


def row_line(row: Row, *, color: bool) -> str:
    """Return one mapping in one line.

    Args:
        row: The mapping.
        color: Whether the terminal shows colours.
    """
    where = f"port {row.mapping.internal_port} → {row.address}"
    health = health_text(row.health, color=color)
    parts = [row.name, where, row.who_can_open, health, row.until]
    return "  ".join(filter(None, parts))


def row_table(rows: Sequence[Row], *, color: bool) -> str:
    """Return mappings as a table, the address last so that it is never cut.

    Args:
        rows: The mappings.
        color: Whether the terminal shows colours.
    """
    head = ("PORT", "NAME", "WHO", "HEALTH", "REQUESTS", "URL")
    body = [
        (
            str(row.mapping.internal_port),
            row.name,
            row.who_can_open,
            _plain_health(row),
            requests_of(row),
            row.address,
        )
        for row in rows
    ]
    return _table(head, body, rows, color=color, right=(0, 4)) if rows else NOTHING


def health_table(rows: Sequence[Row], *, color: bool) -> str:
    """Return how services do as a table.

    Args:
        rows: The mappings.
        color: Whether the terminal shows colours.
    """
    head = ("PORT", "NAME", "HEALTH", "FAILURES", "LAST CHECK")
    body = [
        (
            str(row.mapping.internal_port),
            row.name,
            _plain_health(row),
            str(row.failures),
            last_check_of(row),
        )
        for row in rows
    ]
    return _table(head, body, rows, color=color, right=(0, 3)) if rows else NOTHING


def status_facts(config: ProxyConfig, api_url: str, source: str) -> list[tuple[str, str]]:
    """Return what there is to say of the whole proxy, as names and values.

    Args:
        config: The proxy as the server sees it.
        api_url: Where the API is.
        source: Where `api_url` came from.
    """
    facts: list[tuple[str, object]] = [
        ("Proxy", config.proxy_url),
        ("Status", config.proxy_status),
        ("Exposed", len(config.port_mappings)),
        ("API", f"{api_url} (from: {source})"),
        ("Cluster", config.cluster_id),
        ("Version", config.meta.proxy_version),
    ]
    if config.ssl_certificate:
        certificate = config.ssl_certificate
        facts.append(("Certificate", f"{certificate.status}, by {certificate.issuer}"))
    return [(name, readable(value, limit=200)) for name, value in facts if value is not None]


def place_of(config: ProxyConfig, settings: Settings) -> str:
    """Say which server the proxy is, for people.

    Args:
        config: The proxy as the server sees it.
        settings: Where the API is.

    Example:
        >>> from pydantic import SecretStr
        >>> settings = Settings("http://127.0.0.1:1", SecretStr("k"), "local", "running gateway")
        >>> place_of(ProxyConfig(cluster_id="local"), settings)
        'local gateway'
    """
    local = settings.source == "running gateway"
    return "local gateway" if local else f"cluster {readable(config.cluster_id)}"


def facts_text(facts: Sequence[tuple[str, str]]) -> str:
    """Return names and values, one a line.

    Example:
        >>> print(facts_text([("Proxy", "https://localhost"), ("API", "http://127.0.0.1:8000")]))
        Proxy  https://localhost
        API    http://127.0.0.1:8000
    """
    width = max(len(name) for name, _ in facts)
    return "\n".join(f"{name:<{width}}  {value}" for name, value in facts)


def requests_of(row: Row) -> str:
    """Return how many requests a mapping had, or a dash."""
    usage = row.mapping.usage_statistics
    return str(getattr(usage, "total_requests", "-"))


def last_check_of(row: Row) -> str:
    """Return when the service was last checked, or a dash."""
    check = row.mapping.health_check
    when = check.last_check if isinstance(check, ObservedHealthCheck) else None
    return f"{when:%Y-%m-%d %H:%M:%S %Z}" if when else "-"


def aligned(
    head: Sequence[str],
    body: Sequence[Sequence[str]],
    *,
    right: Sequence[int] = (),
    least: Sequence[int] = (),
) -> list[str]:
    """Return a table's lines, the head first, each cell padded to its column.

    Args:
        head: The columns' titles.
        body: The cells of each line.
        right: Which columns hold numbers.
        least: How wide each column is at least; as wide as its cells if missing.

    Example:
        >>> aligned(("PORT", "NAME"), [("80", "web")], right=(0,))
        [' PORT  NAME', '   80  web']
    """
    widths = [
        max(wide, *(len(line[i]) for line in (head, *body)))
        for i, wide in enumerate(least or [0] * len(head))
    ]
    return [
        " "
        + "  ".join(
            cell.rjust(widths[i]) if i in right else cell.ljust(widths[i])
            for i, cell in enumerate(line)
        ).rstrip()
        for line in (head, *body)
    ]


def _plain_health(row: Row) -> str:
    return health_text(row.health, color=False)


def _table(
    head: Sequence[str],
    body: Sequence[Sequence[str]],
    rows: Sequence[Row],
    *,
    color: bool,
    right: Sequence[int],
) -> str:
    """Align columns; colour the health after its width is known."""
    lines = aligned(head, body, right=right)
    if color:
        for index, row in enumerate(rows, start=1):
            plain, colored = (health_text(row.health, color=c) for c in (False, True))
            lines[index] = lines[index].replace(plain, colored, 1)
    return "\n".join(lines)
