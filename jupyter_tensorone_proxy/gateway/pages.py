"""The look of the gateway's own pages, whoever serves them: Envoy or the control plane.

No script, nothing from elsewhere, light and dark, readable on a phone. Callers escape what they
put in.
"""

from __future__ import annotations

# No percent sign anywhere: Envoy's formatter would take it for a command.
_STYLE = (
    ":root{color-scheme:light dark;--line:#767676;--accent:#0b57d0;--on:#fff}"
    "@media(prefers-color-scheme:dark){:root{--line:#8e8e8e;--accent:#8ab4f8;--on:#111}}"
    "*{box-sizing:border-box}"
    "body{font:16px/1.5 system-ui,sans-serif;max-width:36rem;margin:15vh auto;padding:0 1.5rem;"
    "overflow-wrap:anywhere}"
    "h1{font-size:1.25rem;line-height:1.3}p.by{opacity:.75;font-size:.85rem;margin-top:2.5rem}"
    "label{display:block;font-weight:600}"
    "input,button{font:inherit;border:1px solid var(--line);border-radius:.4rem;"
    "padding:.5rem .75rem}"
    "form{display:grid;justify-items:start;gap:.5rem}"
    "input{justify-self:stretch;background:Field;color:FieldText}"
    "button{background:var(--accent);color:var(--on);border-color:var(--accent);cursor:pointer}"
    "button.plain{background:none;color:inherit;border-color:var(--line)}"
    "[role=alert]{border-left:.25rem solid #d93025;padding-left:.75rem}"
    ":focus-visible{outline:3px solid var(--accent);outline-offset:2px}"
)

HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; "
    "form-action 'self'; base-uri 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
"""Headers that every page of ours has."""

FORM_HEADERS = HEADERS | {
    "content-security-policy": HEADERS["content-security-policy"] + "; frame-ancestors 'none'",
    # Not no-referrer: a form on such a page would send `Origin: null`, which is nobody's own.
    "referrer-policy": "same-origin",
}
"""Headers of a page with a form: nobody may put it under something else."""


def page(title: str, text: str, more: str = "") -> str:
    """Return an HTML document.

    Args:
        title: Heading and title; HTML.
        text: One paragraph; HTML.
        more: What follows it; HTML.
    """
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width">'
        f"<style>{_STYLE}</style><main><h1>{title}</h1><p>{text}</p>{more}</main>"
        '<p class="by">jupyter-tensorone-proxy</p>\n'
    )


def sign_in_form(action: str, *, problem: str = "") -> str:
    """Return the form that asks for a token.

    Args:
        action: Where it is sent to; HTML.
        problem: What was wrong with the last try; HTML.
    """
    described = ' aria-describedby="problem" aria-invalid="true"' if problem else ""
    alert = f'<p role="alert" id="problem">{problem}</p>' if problem else ""
    return (
        f'{alert}<form method="post" action="{action}"><label for="token">Your token</label>'
        '<input id="token" name="token" type="password" autocomplete="current-password" '
        f'spellcheck="false" autocapitalize="none" required autofocus{described}>'
        "<button>Sign in</button></form>"
    )


def sign_out_form(action: str) -> str:
    """Return the button that ends the session.

    Args:
        action: Where it is sent to; HTML.
    """
    return f'<form method="post" action="{action}"><button class="plain">Sign out</button></form>'
