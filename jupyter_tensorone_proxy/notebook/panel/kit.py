"""The controls that the panel is made of, all made in one place.

They share layouts and styles, because each of those is a model of its own in the page. What they
call never raises: ipywidgets would print a traceback into somebody's cell.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets as widgets

Say = Callable[[Exception], None]
Act = Callable[[], None]


class Kit:
    """Makes controls, and takes them away again.

    Args:
        say: Told of what went wrong in a callback.

    Attributes:
        lock: Held by callbacks, and by whoever else changes what controls show.
    """

    def __init__(self, say: Say) -> None:
        self.lock = threading.RLock()
        self._say = say
        self._fit = widgets.Layout(width="auto", flex="0 0 auto")
        self._grow = widgets.Layout(flex="1 1 16em", width="auto", min_width="0")
        self._wide = widgets.Layout(width="auto")
        self._field = widgets.Layout(width="auto", max_width="36em")
        self._line = widgets.Layout(
            width="auto", flex_flow="row wrap", align_items="center", overflow="visible"
        )
        self._inset = widgets.Layout(width="auto", margin="0 0 8px 24px", overflow="visible")
        self._framed = widgets.Layout(
            width="auto",
            padding="2px 0",
            border_top="1px solid var(--jp-border-color2, #9e9e9e)",
            overflow="visible",
        )
        self._label = {"description_width": "10em"}

    def html(self, value: str = "", *, grow: bool = False) -> Any:
        """Return a piece of HTML that is already safe."""
        return widgets.HTML(value=value, layout=self._grow if grow else self._wide)

    def once(self) -> Once:
        """Return a place for something that is shown once."""
        return Once(layout=self._wide)

    def line(self, *children: Any) -> Any:
        """Return controls side by side; they wrap where there is little room."""
        return widgets.Box(children=children, layout=self._line)

    def column(self, *children: Any, inset: bool = False, framed: bool = False) -> Any:
        """Return controls below each other."""
        layout = self._inset if inset else self._framed if framed else self._wide
        return widgets.VBox(children=children, layout=layout)

    def button(self, text: str, about: str, act: Act, *, kind: str = "") -> Any:
        """Return a button.

        Args:
            text: What is on it.
            about: What it does, to what; shown under the pointer and read aloud.
            act: What happens.
            kind: One of ipywidgets' own styles, such as ``danger``; empty for none.
        """
        button = widgets.Button(
            description=text, tooltip=about, button_style=kind, layout=self._fit
        )
        button.on_click(lambda _: self.guarded(act))
        return button

    def toggle(self, text: str, about: str, act: Callable[[bool], None]) -> Any:
        """Return a button that stays down; `act` is told whether it is."""
        button = widgets.ToggleButton(description=text, tooltip=about, layout=self._fit)
        self._on_change(button, act)
        return button

    def text(self, label: str, value: str = "", *, like: str = "", act: Any = None) -> Any:
        """Return a field for a line of text; `act` is told of each change."""
        field = widgets.Text(
            value=value,
            description=label,
            placeholder=like,
            layout=self._field,
            style=self._label,
            continuous_update=act is not None,
        )
        return self._on_change(field, act)

    def number(self, label: str, value: int, *, least: int, most: int) -> Any:
        """Return a field for a whole number."""
        return widgets.BoundedIntText(
            value=value,
            min=least,
            max=most,
            description=label,
            layout=self._field,
            style=self._label,
        )

    def choice(self, label: str, options: Sequence[str], value: str, act: Any = None) -> Any:
        """Return a choice of one among several; `act` is told of each change."""
        field = widgets.Dropdown(
            options=options, value=value, description=label, layout=self._field, style=self._label
        )
        return self._on_change(field, act)

    def check(self, label: str, *, value: bool, act: Any = None) -> Any:
        """Return a box to tick; `act` is told of each change."""
        box = widgets.Checkbox(value=value, description=label, indent=False, layout=self._field)
        return self._on_change(box, act)

    def guarded(self, act: Act) -> None:
        """Do something that was clicked; what goes wrong becomes a line in the panel."""
        try:
            with self.lock:
                act()
        except Exception as error:  # noqa: BLE001 - a click must not print a traceback into a cell
            self._say(error)

    def close(self) -> None:
        """Take away what controls share; they are gone by then."""
        for layout in vars(self).values():
            if isinstance(layout, widgets.Layout):
                layout.close()

    def _on_change(self, field: Any, act: Any) -> Any:
        if act is not None:
            field.observe(lambda change: self.guarded(lambda: act(change["new"])), "value")
        return field


class Once(widgets.HTML):  # type: ignore[misc] # ipywidgets has no types
    """Something for the eyes of now: a live page is sent it, and no copy of the state has it.

    Whoever asks for the whole state (a saved notebook, an exported page, a page that is opened
    later) gets an empty text; and so does `repr`.
    """

    def get_state(self, key: Any = None, drop_defaults: bool = False) -> Any:  # noqa: FBT001, FBT002 - ipywidgets' signature
        """Return the state; without what is shown, unless that alone is asked for."""
        state = super().get_state(key, drop_defaults)
        if key is None and "value" in state:
            state["value"] = ""
        return state

    def __repr__(self) -> str:
        return "Once()"


def dispose(widget: Any) -> None:
    """Close a control with all that is in it.

    Args:
        widget: Of a `Kit`.
    """
    for child in getattr(widget, "children", ()):
        dispose(child)
    style = getattr(widget, "style", None)
    if isinstance(style, widgets.Widget):
        style.close()
    widget.close()
