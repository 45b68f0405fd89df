"""The controls that the panel is made of, all made in one place.

They share layouts and styles, because each of those is a model of its own in the page. What they
call never raises: ipywidgets would print a traceback into somebody's cell.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import ipywidgets as widgets

_LABEL = {"description_width": "10em"}

Act = Callable[[], None]


class Owner(Protocol):
    """Whom people use the controls of."""

    def used(self) -> None:
        """Take that somebody is there."""

    def failed(self, error: Exception) -> None:
        """Take what went wrong in a callback."""


class Layouts:
    """The layouts that all controls of a panel share."""

    def __init__(self) -> None:
        self.fit = widgets.Layout(width="auto", flex="0 0 auto")
        self.grow = widgets.Layout(flex="1 1 16em", width="auto", min_width="0")
        self.wide = widgets.Layout(width="auto")
        self.field = widgets.Layout(width="auto", max_width="36em")
        self.line = widgets.Layout(
            width="auto", flex_flow="row wrap", align_items="center", overflow="visible"
        )
        self.group = widgets.Layout(
            width="auto", flex="0 1 auto", flex_flow="row wrap", overflow="visible"
        )
        self.inset = widgets.Layout(width="auto", margin="0 0 8px 24px", overflow="visible")
        self.framed = widgets.Layout(
            width="auto",
            padding="2px 0",
            border_top="1px solid var(--jp-border-color2, #9e9e9e)",
            overflow="visible",
        )

    def close(self) -> None:
        """Take them away; what used them is gone by then."""
        for layout in vars(self).values():
            layout.close()


class Kit:
    """Makes controls, and takes away those that it made.

    Args:
        owner: Told of each use of a control, and of what goes wrong.
        whole: The kit of the whole panel, for one of a part; None for that itself.

    Attributes:
        lock: Held by callbacks, and by whoever else changes what controls show.
        layouts: Shared by all parts.
        parts: Kits of parts that are there.
    """

    def __init__(self, owner: Owner, whole: Kit | None = None) -> None:
        self.lock: threading.RLock = whole.lock if whole else threading.RLock()
        self.layouts: Layouts = whole.layouts if whole else Layouts()
        self.parts: list[Kit] = []
        self._owner, self._whole = owner, whole
        self._made: list[Any] = []

    def part(self) -> Kit:
        """Return a kit for a part that may go before the whole does."""
        part = Kit(self._owner, self)
        self.parts.append(part)
        return part

    def close(self) -> None:
        """Close everything that this kit and its parts made."""
        for part in list(self.parts):
            part.close()
        for widget in self._made:
            style = getattr(widget, "style", None)
            if isinstance(style, widgets.Widget):
                style.close()
            widget.close()
        self._made = []
        if self._whole is None:
            self.layouts.close()
        elif self in self._whole.parts:
            self._whole.parts.remove(self)

    def html(self, value: str = "", *, grow: bool = False) -> Any:
        """Return a piece of HTML that is already safe."""
        layout = self.layouts.grow if grow else self.layouts.wide
        return self._keep(widgets.HTML(value=value, layout=layout))

    def once(self) -> Once:
        """Return a place for something that is shown once."""
        once: Once = self._keep(Once(layout=self.layouts.wide))
        return once

    def line(self, *children: Any) -> Any:
        """Return controls side by side; they wrap where there is little room."""
        return self._keep(widgets.Box(children=children, layout=self.layouts.line))

    def group(self, *children: Any) -> Any:
        """Return controls that stay together in a line as long as there is room."""
        return self._keep(widgets.Box(children=children, layout=self.layouts.group))

    def column(self, *children: Any, inset: bool = False, framed: bool = False) -> Any:
        """Return controls below each other."""
        shared = self.layouts
        layout = shared.inset if inset else shared.framed if framed else shared.wide
        return self._keep(widgets.VBox(children=children, layout=layout))

    def button(self, text: str, about: str, act: Act, *, kind: str = "") -> Any:
        """Return a button.

        Args:
            text: What is on it.
            about: What it does, to what; shown under the pointer and read aloud.
            act: What happens.
            kind: One of ipywidgets' own styles, such as ``danger``; empty for none.
        """
        button = widgets.Button(
            description=text, tooltip=about, button_style=kind, layout=self.layouts.fit
        )
        button.on_click(lambda _: self.guarded(act))
        return self._keep(button)

    def toggle(self, text: str, about: str, act: Callable[[bool], None]) -> Any:
        """Return a button that stays down; `act` is told whether it is."""
        button = widgets.ToggleButton(description=text, tooltip=about, layout=self.layouts.fit)
        return self._on_change(button, act)

    def text(self, label: str, value: str = "", *, like: str = "", act: Any = None) -> Any:
        """Return a field for a line of text; `act` is told of each change."""
        field = widgets.Text(
            value=value,
            description=label,
            placeholder=like,
            layout=self.layouts.field,
            style=_LABEL,
            continuous_update=act is not None,
        )
        return self._on_change(field, act)

    def number(self, label: str, value: int, *, least: int, most: int) -> Any:
        """Return a field for a whole number."""
        field = widgets.BoundedIntText(
            value=value,
            min=least,
            max=most,
            description=label,
            layout=self.layouts.field,
            style=_LABEL,
        )
        return self._keep(field)

    def choice(self, label: str, options: Sequence[str], value: str, act: Any = None) -> Any:
        """Return a choice of one among several; `act` is told of each change."""
        field = widgets.Dropdown(
            options=options,
            value=value,
            description=label,
            layout=self.layouts.field,
            style=_LABEL,
        )
        return self._on_change(field, act)

    def check(self, label: str, *, value: bool, act: Any = None) -> Any:
        """Return a box to tick; `act` is told of each change."""
        box = widgets.Checkbox(
            value=value, description=label, indent=False, layout=self.layouts.field
        )
        return self._on_change(box, act)

    def guarded(self, act: Act) -> None:
        """Do something that was clicked; what goes wrong becomes a line in the panel."""
        self._owner.used()
        try:
            with self.lock:
                act()
        except Exception as error:  # noqa: BLE001 - a click must not print a traceback into a cell
            self._owner.failed(error)

    def _on_change(self, field: Any, act: Any) -> Any:
        if act is not None:
            field.observe(lambda change: self.guarded(lambda: act(change["new"])), "value")
        return self._keep(field)

    def _keep(self, widget: Any) -> Any:
        self._made.append(widget)
        return widget


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
