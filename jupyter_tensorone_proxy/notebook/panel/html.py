"""The panel's own pieces of HTML. Pure; whatever came from outside is escaped.

ipywidgets put such text into the page as it is, so this is the only place that writes any; the
rest is taken from `commands.card`, which escapes too.
"""

from __future__ import annotations

from html import escape
from typing import Literal

from ...commands import card
from ...commands.moments import ago, now, stamp
from ...commands.people_tables import how_they_came, log_table
from ...commands.plot import usage_svg
from ...commands.rows import Health, Row, readable
from ...commands.text import last_check_of, requests_of
from ...commands.usage import minutes_of, spans_of, usage_text
from ...detection.watcher import DetectedPort
from ...models import ProxyConfig
from ...people import Session
from .picture import MOST_REQUESTS, Details

Tone = Literal["good", "bad", "neutral"]
_LEADS: dict[Tone, tuple[str, str]] = {
    "good": ("●", "status"),
    "bad": ("▲", "alert"),
    "neutral": ("○", "status"),
}
_WORKS = "active"
_PROXY = {
    _WORKS: (Health("connected", "●", "good"), ""),
    "disabled": (Health("closed", "■", "bad"), "the proxy is disabled: every port is closed"),
    "restarting": (
        Health("restarting", "○", "neutral"),
        "Envoy is being started again; what is exposed answers in a moment",
    ),
}
"""What the proxy's own state is, and what it means for people."""

_RECENT = 5
_SELECTED_WHOLE = "-webkit-user-select: all; user-select: all;"
"""One click selects all of it: copying needs no script."""

PANEL_CLASS = _CLASS = "tensorone-panel"
_GONE = ".jupyter-widgets-disconnected"
_STYLE = (
    f"<style>.{_CLASS}-over, {_GONE} .{_CLASS}-live {{ display: none; }}"
    f"{_GONE} .{_CLASS}-over {{ display: block; }}"
    f".{_CLASS}{_GONE} > :not(:first-child) {{ opacity: 0.5; }}</style>"
)
_OVER = (
    f"{card.state(Health('over', '■', 'neutral'))} · This panel's kernel was stopped or restarted. "
    "Run the cell again for a new one."
)


def summary(row: Row) -> str:
    """Return what there is to say of a port at first sight.

    Args:
        row: The mapping.
    """
    requests = requests_of(row)
    told = f"{requests} request{'' if requests == '1' else 's'}"
    until = f" · {escape(row.until)}" if row.until else ""
    opens = f"{card.link(row)} · " if row.open_url else ""
    address = f'<span style="{_SELECTED_WHOLE}">{card.code(row.address)}</span>'
    return _text(
        f"<div>{card.state(row.health)} &nbsp; <strong>{card.isolated(row.name)}</strong> &nbsp; "
        f"port {row.mapping.internal_port}</div>"
        f"<div>{opens}{address} · {card.who(row)} · {escape(told)}{until}</div>"
    )


def header(config: ProxyConfig, place: str) -> str:
    """Return where the proxy is and whether it works.

    Args:
        config: The proxy as the server sees it.
        place: Which server it is, for people.
    """
    status = config.proxy_status or _WORKS
    health, means = _PROXY.get(status) or (Health(readable(status, limit=20), "○", "neutral"), "")
    count = len(config.port_mappings)
    url = f" · {card.code(readable(config.proxy_url, limit=200))}" if config.proxy_url else ""
    return _live(
        f"{card.state(health)} · {escape(place)}{url} · <strong>{count} exposed</strong>"
        + (f" · {means}" if means else "")
    )


def away(error: object, since: str) -> str:
    """Return that nothing is known at the moment, why, and what now.

    Args:
        error: What happened; says what to do.
        since: When what is shown was seen; empty if nothing was.
    """
    stale = f" What is below was so at {escape(since)}." if since else ""
    state = card.state(Health("not connected", "▲", "bad"))
    return _live(f"{state} · {card.isolated(readable(error, limit=400))}{stale}")


def paused() -> str:
    """Return that nothing is looked at any more."""
    state = card.state(Health("paused", "○", "neutral"))
    return _live(f"{state} · Nobody has looked for a while. Refresh goes on.")


def looking() -> str:
    """Return that nothing is known yet."""
    return _live(card.muted("Looking …"))


def over() -> str:
    """Return that the panel is over, for pages that hear of it."""
    return _text(_OVER)


def notice(text: str, tone: Tone) -> str:
    """Return a line that says how something went; screen readers say it too.

    Args:
        text: Plain text; empty for none.
        tone: How it went.
    """
    if not text:
        return ""
    shape, role = _LEADS[tone]
    mark = card.state(Health("", shape, tone))
    return f'<div role="{role}">{_text(f"{mark}{card.isolated(readable(text, limit=500))}")}</div>'


def heading(text: str) -> str:
    """Return the title of a part."""
    return _text(f"<strong>{escape(text)}</strong>")


def hint(text: str) -> str:
    """Return a sentence that stands back."""
    return _text(card.muted(escape(text)))


def detected(port: DetectedPort) -> str:
    """Return a port that could be exposed.

    Args:
        port: As it was found.
    """
    name, process = readable(port.name), readable(port.process.name, limit=20)
    of = "" if process == name else f" · {card.isolated(process)}"
    return _text(f"<strong>{card.isolated(name)}</strong> &nbsp; port {port.port}{of}")


def usage(row: Row, details: Details) -> str:
    """Return how a port was used and how its service did, as a picture and in words.

    Args:
        row: The mapping.
        details: What is known of it.
    """
    words = f"{card.state(row.health)}, last checked {escape(last_check_of(row))}"
    if details.requests is None:
        return _text(f"<div>{words}</div>" + card.muted("This server does not tell requests."))
    minutes = minutes_of(details.requests, details.moment)
    spans = spans_of(details.changes or (), row.mapping.health_status, details.moment)
    cut = len(details.requests) >= MOST_REQUESTS
    plot = usage_svg(minutes, spans, cut=cut)
    said = card.muted(f"{escape(usage_text(minutes, cut=cut))}. Below the bars: health.")
    recent = log_table(details.requests[:_RECENT], {row.mapping.id: row.mapping}).html()
    return _text(f"<div>{words}</div>{plot}{said}{recent}")


def session(person: Session) -> str:
    """Return who is signed in, from where, since when and how.

    Args:
        person: Their session.
    """
    seen = person.last_seen or person.created_at
    last = f"seen {ago(seen, now())}" if hasattr(seen, "tzinfo") and seen else "not seen yet"
    where = f"from {person.client_ip}" if person.client_ip else ""
    words = [readable(word, limit=80) for word in (where, last, how_they_came(person)) if word]
    who = card.isolated(readable(person.user))
    return _text(f"<strong>{who}</strong> · {escape(' · '.join(words))}")


def clock() -> str:
    """Return the time of day."""
    return stamp(now(), seconds=True, with_zone=False).partition(" ")[2]


def _live(html: str) -> str:
    """Return what holds as long as the page is connected; then it says that this is over.

    Jupyter's pages mark widgets whose kernel is gone, by a class, and hear nothing of it any more;
    so this is decided by a style.
    """
    return _text(
        f"{_STYLE}<div class='{_CLASS}-live'>{html}</div><div class='{_CLASS}-over'>{_OVER}</div>"
    )


def _text(html: str) -> str:
    style = (
        "line-height: 1.6; overflow-wrap: anywhere; color: var(--jp-ui-font-color1, inherit); "
        "font-family: var(--jp-ui-font-family, sans-serif); font-size: var(--jp-ui-font-size1, "
        "13px);"
    )
    return f'<div style="{style}">{html}</div>'
