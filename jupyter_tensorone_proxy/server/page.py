"""The few pages people see at `go/…`: the question before opening, and what went wrong.

Everything that came from outside is escaped here. The pages load nothing and run no script. The
question may not be framed; what went wrong shows in Jupyter's own frames, where somebody waits for
a service. This module knows neither tornado nor the API.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from dataclasses import dataclass
from html import escape
from typing import Literal

_STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { display: grid; place-items: center; min-height: 90vh; margin: 0; padding: 1rem }
main { max-width: 34rem; overflow-wrap: anywhere }
h1 { font-size: 1.4rem; line-height: 1.3 }
button, a.button { font: inherit; padding: .5rem 1.2rem; border-radius: .4rem; cursor: pointer;
  border: 1px solid; background: light-dark(#1e5fb4, #8ab8f5); color: light-dark(#fff, #111);
  text-decoration: none; display: inline-block }
:focus-visible { outline: 3px solid Highlight; outline-offset: 2px }
small { opacity: .75 }
"""
_STYLE_HASH = b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

Frames = Literal["none", "self"]
"""Whose frames a page shows in: nobody's, or its own origin's."""


def headers(frames: Frames) -> dict[str, str]:
    """Return the headers of a page.

    Args:
        frames: Whose frames it may show in.
    """
    policy = (
        "default-src 'none'",
        f"style-src 'sha256-{_STYLE_HASH}'",
        "base-uri 'none'",
        f"frame-ancestors '{frames}'",
        # Chromium judges every redirect that follows a form by this list: the exposed URL, and
        # wherever the service sends its visitors from there. So no host can be named.
        "form-action 'self' https: http:",
    )
    return {
        "Cache-Control": "no-store",
        "Content-Security-Policy": "; ".join(policy),
        "Content-Type": "text/html; charset=UTF-8",
        # Not no-referrer: a form on such a page would send `Origin: null`, which Jupyter refuses.
        "Referrer-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY" if frames == "none" else "SAMEORIGIN",
    }


@dataclass(frozen=True)
class Question:
    """What the page asks before it opens a service.

    Args:
        service: Its name.
        port: Its internal port.
        user: Who will be signed in there.
        action: Where the form is sent to; on Jupyter's own origin.
        xsrf_field: Jupyter's hidden form field, as HTML.
        will_expose: Whether the port is not exposed yet and would be.
    """

    service: str
    port: int
    user: str
    action: str
    xsrf_field: str
    will_expose: bool


def question_page(question: Question) -> str:
    """Return the page that asks whether to open a service.

    The button has no focus at first: a key pressed on the page before must not answer.
    """
    service, user = escape(question.service), escape(question.user)
    consequence = (
        f"Port {question.port} will be exposed first; only you can open it."
        if question.will_expose
        else f"Port {question.port} of this machine."
    )
    return _page(
        f"Open {service}?",
        f"<p>{consequence} You will be signed in there as <strong>{user}</strong>.</p>"
        f'<form method="post" action="{escape(question.action)}">{question.xsrf_field}'
        f"<button>Open {service}</button></form>"
        "<p><small>Jupyter asks because this did not come from its own page. "
        "If you did not want to open it, close this tab.</small></p>",
    )


def error_page(title: str, message: str, link: tuple[str, str] | None) -> str:
    """Return the page for something that went wrong.

    Args:
        title: What happened, in a few words.
        message: What, to what, why, and what to do now.
        link: The way out, address and text; None in a frame, where Jupyter is all around.
    """
    address, text = link or ("", "")
    way_out = (
        f'<p><a class="button" href="{escape(address)}">{escape(text)}</a></p>' if link else ""
    )
    return _page(escape(title), f"<p>{escape(message)}</p>{way_out}")


def _page(title_html: str, body_html: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title_html}</title><style>{_STYLE}</style></head>"
        f"<body><main><h1>{title_html}</h1>{body_html}</main></body></html>"
    )
