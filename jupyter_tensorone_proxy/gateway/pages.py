"""The look of the gateway's own pages, whoever serves them: Envoy or the control plane.

No script, nothing from elsewhere, light and dark, readable on a phone. Callers escape what they
put in.
"""

from __future__ import annotations

_STYLE = (
    ":root{color-scheme:light dark}"
    "body{font:16px/1.5 system-ui,sans-serif;max-width:36rem;margin:15vh auto;padding:0 1.5rem}"
    "h1{font-size:1.25rem}p.by{opacity:.75;font-size:.85rem}"
)

HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; "
    "form-action 'self'; base-uri 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
"""Headers that every page of ours has."""


def page(title: str, text: str) -> str:
    """Return an HTML document.

    Args:
        title: Heading and title; HTML.
        text: One paragraph; HTML.
    """
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width">'
        f"<style>{_STYLE}</style><h1>{title}</h1><p>{text}</p>"
        '<p class="by">jupyter-tensorone-proxy</p>\n'
    )
