"""A Marimo notebook with one question, served as an app."""

from __future__ import annotations

from typing import Any

import marimo

app = marimo.App(app_title="Marimo behind a proxy")


@app.cell
def _() -> Any:
    import marimo

    button = marimo.ui.run_button(label="Ask")
    button  # noqa: B018 - the last expression of a cell is shown
    return button, marimo


@app.cell
def _(button: Any, marimo: Any) -> None:
    marimo.md(f"Marimo says {6 * 7}" if button.value else "")


if __name__ == "__main__":
    app.run()
