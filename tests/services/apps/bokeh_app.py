"""A Bokeh app with one question."""

from __future__ import annotations

from bokeh.io import curdoc
from bokeh.layouts import column
from bokeh.models import Button, Div

button, answer = Button(label="Ask"), Div(text="")


def say() -> None:
    """Answer."""
    answer.text = f"Bokeh says {6 * 7}"


button.on_click(say)
curdoc().add_root(column(button, answer))
curdoc().title = "Bokeh behind a proxy"
