"""How results look under a cell: small HTML. Pure.

Everything that came from outside is escaped. No script, no image, no style sheet: the colours are
JupyterLab's own CSS variables, with fallbacks that suit light and dark pages elsewhere. A state is
told by shape, colour and word.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from .rows import Health, Row
from .text import NOTHING, last_check_of, requests_of

TONES = {
    "good": "var(--jp-success-color0, #388e3c)",
    "bad": "var(--jp-error-color0, #d84315)",
    "neutral": "var(--jp-warn-color0, #b26a00)",
}
_FRAME = (
    "border: 1px solid var(--jp-border-color2, #9e9e9e); border-radius: 4px; padding: 6px 12px; "
    "max-width: 60em; line-height: 1.7; overflow-x: auto; "
    "color: var(--jp-ui-font-color1, inherit); background: var(--jp-layout-color1, transparent); "
    "font-family: var(--jp-ui-font-family, sans-serif); font-size: var(--jp-ui-font-size1, 13px);"
)
_CELL = (
    "text-align: left; padding: 2px 12px 2px 0; vertical-align: top; background: none; "
    "white-space: nowrap;"
)
_NAME = (
    "display: inline-block; min-width: 8em; max-width: 28em; white-space: normal; "
    "overflow-wrap: anywhere;"
)
_TABLE = "border: 0; border-collapse: collapse; margin: 0; color: inherit; font-size: inherit;"
_LINE = "background: none;"
"""On every table row: Lab would stripe them."""

_MUTED = "color: var(--jp-ui-font-color2, inherit);"
_TO_COPY = (
    "border: 1px solid var(--jp-border-color2, #9e9e9e); border-radius: 4px; margin: 6px 0; "
    "padding: 6px 8px; line-height: 1.4;"
)
_ALL = (
    "-webkit-user-select: all; user-select: all; overflow-wrap: anywhere; word-break: break-all; "
    "background: none; color: inherit; padding: 0;"
)
_LINK = "color: var(--jp-content-link-color, revert); text-decoration: underline;"


def mapping_card(row: Row, *, stop: str = "unexpose") -> str:
    """Return the card of one exposed port.

    Args:
        row: The mapping.
        stop: The verb that ends it.
    """
    port = row.mapping.internal_port
    until = f"{escape(row.until)} · " if row.until else ""
    ending = f"{until}stop: {code(f'%tensorone {stop} {port}')}"
    return frame(
        f"<div>{_dot(row.health)} <strong>{isolated(row.name)}</strong> &nbsp; "
        f"port {port} → {code(row.address)} &nbsp; {who(row)}</div>"
        f"<div>{_open(row)}{escape(row.health.word)} · {ending}</div>"
    )


def gone_card(row: Row) -> str:
    """Return the card of a port that is no longer exposed.

    Args:
        row: The mapping as it was.
    """
    again = code(f"%tensorone expose {row.mapping.internal_port}")
    return frame(
        f"<div>○ <strong>{isolated(row.name)}</strong> (port {row.mapping.internal_port}) "
        f'is no longer exposed. <span style="{_MUTED}">Again: {again}</span></div>'
    )


def mapping_table(rows: Sequence[Row]) -> str:
    """Return the table of exposed ports.

    Args:
        rows: The mappings.
    """
    head = ("Port", "Name", "Who can open it", "Health", "Requests", "Address", "")
    body = [
        (
            escape(str(row.mapping.internal_port)),
            _name(row),
            who(row),
            state(row.health),
            escape(requests_of(row)),
            code(row.address),
            link(row) if row.open_url else "",
        )
        for row in rows
    ]
    return table(head, body, NOTHING)


def health_table(rows: Sequence[Row]) -> str:
    """Return the table of how services do.

    Args:
        rows: The mappings.
    """
    head = ("Port", "Name", "Health", "Failures in a row", "Last check")
    body = [
        (
            escape(str(row.mapping.internal_port)),
            _name(row),
            state(row.health),
            escape(str(row.failures)),
            escape(last_check_of(row)),
        )
        for row in rows
    ]
    return table(head, body, NOTHING)


def facts_card(facts: Sequence[tuple[str, str]]) -> str:
    """Return names and values as a card.

    Args:
        facts: Plain text; escaped here.
    """
    lines = "".join(
        f'<tr style="{_LINE}"><th scope="row" style="{_CELL}">{escape(name)}</th>'
        f'<td style="{_CELL}">{isolated(value)}</td></tr>'
        for name, value in facts
    )
    return frame(f'<table style="{_TABLE}"><tbody>{lines}</tbody></table>')


def frame(inner: str, *, wide: bool = False) -> str:
    """Put a frame around HTML that is already safe.

    Args:
        inner: Escaped HTML.
        wide: Whether it may take more room than a line of text.
    """
    style = f"{_FRAME} max-width: 90em;" if wide else _FRAME
    return f'<div style="{style}">{inner}</div>'


def table(head: Sequence[str], body: Sequence[Sequence[str]], nothing: str, note: str = "") -> str:
    """Return a framed table.

    Args:
        head: The columns' titles; escaped here.
        body: The cells of each line, HTML that is already safe.
        nothing: What to say if there is no line; escaped here.
        note: What to say below it; escaped here.
    """
    if not body:
        return frame(escape(nothing))
    titles = "".join(f'<th scope="col" style="{_CELL}">{escape(title)}</th>' for title in head)
    lines = "".join(
        f'<tr style="{_LINE}">'
        + "".join(f'<td style="{_CELL}">{cell}</td>' for cell in line)
        + "</tr>"
        for line in body
    )
    below = muted(escape(note)) if note else ""
    return frame(
        f'<table style="{_TABLE}"><thead><tr>{titles}</tr></thead><tbody>{lines}</tbody></table>'
        f"{below}",
        wide=True,
    )


def isolated(text: str) -> str:
    """Escape text and keep its writing direction to itself."""
    return f"<bdi>{escape(text)}</bdi>"


def _name(row: Row) -> str:
    return f'<span style="{_NAME}">{isolated(row.name)}</span>'


def code(text: str) -> str:
    """Return text to be typed as it stands, escaped."""
    return f"<code>{isolated(text)}</code>"


def wrapped(html: str) -> str:
    """Return a cell's content that may take several lines.

    Args:
        html: HTML that is already safe.
    """
    return f'<span style="{_NAME} max-width: 36em;">{html}</span>'


def muted(html: str) -> str:
    """Return a paragraph that stands back.

    Args:
        html: HTML that is already safe.
    """
    return f'<div style="{_MUTED}">{html}</div>'


def marked(text: str) -> str:
    """Escape text; what stands between backquotes is typed, a verb behind the magic's name.

    Example:
        >>> marked("`sessions` lists them, `--json` for programs")
        '<code><bdi>%tensorone sessions</bdi></code> lists them, <code><bdi>--json</bdi></code> ...'
    """
    pieces = text.split("`")
    typed = [f"%tensorone {piece}" if piece[:1].islower() else piece for piece in pieces]
    return "".join(
        code(typed[i]) if i % 2 and i + 1 < len(pieces) else escape(piece)
        for i, piece in enumerate(pieces)
    )


def to_copy(secret: str) -> str:
    """Return text that one click selects whole: copying it needs no script.

    Args:
        secret: Escaped here.
    """
    return f'<div style="{_TO_COPY}"><code style="{_ALL}">{escape(secret)}</code></div>'


def who(row: Row) -> str:
    """Return who can open a mapping; a public one is marked.

    Args:
        row: The mapping.
    """
    text = escape(row.who_can_open)
    if not row.is_public:
        return text
    mark = f'<span aria-hidden="true" style="color: {TONES["neutral"]}">◆</span>'
    return f"{mark} <strong>{text}: no sign-in</strong>"


def state(health: Health) -> str:
    """Return how something is, by shape, colour and word.

    Args:
        health: How it is.
    """
    return f"{_dot(health)} {escape(health.word)}"


def _dot(health: Health) -> str:
    return f'<span aria-hidden="true" style="color: {TONES[health.tone]}">{health.shape}</span>'


def _open(row: Row) -> str:
    """Return the link with what follows it; a saved copy of the notebook says when it is dead."""
    if row.open_url is None:
        return ""
    note = "(while this Jupyter server runs) " if row.open_url.startswith("/") else ""
    return f'{link(row)} <span style="{_MUTED}">{note}</span>· '


def link(row: Row) -> str:
    """Return the link that opens a mapping.

    Args:
        row: The mapping; it has an `open_url`.
    """
    return (
        f'<a href="{escape(row.open_url or "")}" target="_blank" rel="noopener noreferrer" '
        f'aria-label="{escape(f"Open {row.name}")}" style="{_LINK}">Open</a>'
    )
