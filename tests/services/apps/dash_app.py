"""A Dash app with one question. Argument: the port."""

from __future__ import annotations

import sys

from dash import Dash, Input, Output, html

app = Dash(title="Dash behind a proxy")
app.layout = html.Div([html.Button("Ask", id="ask", n_clicks=0), html.Div(id="answer")])


@app.callback(Output("answer", "children"), Input("ask", "n_clicks"))
def say(clicks: int) -> str:
    """Answer, once asked."""
    return f"Dash says {6 * 7}" if clicks else ""


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=sys.argv[1], debug=False)
