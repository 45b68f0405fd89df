"""A Panel app with one question."""

from __future__ import annotations

import panel as pn

button = pn.widgets.Button(name="Ask")


def say(clicks: int) -> str:
    """Answer, once asked."""
    return f"Panel says {6 * 7}" if clicks else ""


pn.Column(button, pn.bind(say, button.param.clicks)).servable(title="Panel behind a proxy")
