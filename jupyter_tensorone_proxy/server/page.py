"""The few pages people see at `go/…`: a question, a stop before a frame is filled, a failure.

Everything that came from outside is escaped here. The pages load nothing. The question may not be
framed and runs no script; the others show in Jupyter's own frames, where somebody waits for a
service. This module knows neither tornado nor the API.
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

_SCRIPT = """
const {link, origin} = document.querySelector("main").dataset;
fetch(origin + "/.tensorone/jwks.json", {mode: "no-cors", credentials: "omit", cache: "no-store"})
  .then(() => location.replace(link), () => { document.querySelector("main").hidden = false });
"""
"""Whether a certificate is trusted only the browser knows, and it tells by failing to fetch."""


def _hash_of(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{b64encode(digest).decode()}'"


Frames = Literal["none", "self"]
"""Whose frames a page shows in: nobody's, or its own origin's."""


def headers(frames: Frames, *, asks: str | None = None) -> dict[str, str]:
    """Return the headers of a page.

    Args:
        frames: Whose frames it may show in.
        asks: The one origin that the page's script asks something of, if it has a script.
    """
    script = (f"script-src {_hash_of(_SCRIPT)}", f"connect-src {asks}") if asks else ()
    policy = (
        "default-src 'none'",
        f"style-src {_hash_of(_STYLE)}",
        *script,
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


def frame_page(link: str, origin: str, again: str) -> str:
    """Return the page that fills a frame of Jupyter's with a service, if the browser can show it.

    A browser shows an untrusted certificate in a frame as an empty grey box, without a word. This
    page goes on to the service only if the browser reaches it, and else says what to do.

    Args:
        link: Where it goes on to; signs in.
        origin: The service's origin.
        again: This page's own address.
    """
    address = escape(again)
    return _page(
        "One more step",
        f"<p>This browser does not trust the certificate of {escape(origin)} yet, or cannot reach "
        "it.</p>"
        f'<p><a class="button" href="{address}" target="_blank" rel="noopener">Open it in a new '
        f'tab</a> and accept the warning there. Then <a href="{address}">try again here</a>.</p>'
        "<p><small><code>jupyter tensorone trust</code>, run in a terminal of your own machine, "
        "spares you the warning.</small></p>"
        f"<script>{_SCRIPT}</script>",
        attributes=f' hidden data-link="{escape(link)}" data-origin="{escape(origin)}"',
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


def _page(title_html: str, body_html: str, attributes: str = "") -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title_html}</title><style>{_STYLE}</style></head>"
        f"<body><main{attributes}><h1>{title_html}</h1>{body_html}</main></body></html>"
    )
