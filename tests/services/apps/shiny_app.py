"""A Shiny app with one question."""

from __future__ import annotations

from shiny import App, Inputs, render, ui

page = ui.page_fluid(
    ui.panel_title("Shiny behind a proxy"),
    ui.input_action_button("ask", "Ask"),
    ui.output_text("answer"),
)


def server(inputs: Inputs) -> None:
    """Answer each visitor's question."""

    @render.text
    def answer() -> str:
        return f"Shiny says {6 * 7}" if inputs.ask() else ""


app = App(page, server)
