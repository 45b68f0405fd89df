"""Showing how everything does for as long as it is watched: under a cell, or on a terminal.

Under a cell it is one piece of HTML with SVG plots, in a widget where ipywidgets is installed and
in a display that is updated elsewhere. On a terminal it is a table that is written over, by rich
where that is installed.
"""

from __future__ import annotations

import contextlib
import contextvars
import importlib.util
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from ..commands.surroundings import in_kernel
from .results import MonitorResult

if TYPE_CHECKING:
    from .monitor import Monitor

_CLEAR = "\x1b[H\x1b[2J"
Show = Callable[[MonitorResult], None]


def show(monitor: Monitor) -> Any:
    """Show a monitor; see `Monitor.show`.

    Args:
        monitor: What watches.
    """
    if not in_kernel():
        return monitor.wait_for_look()
    if importlib.util.find_spec("ipywidgets") is not None:
        return widget(monitor)
    update_display(monitor)
    return None


def html_of(monitor: Monitor) -> str:
    """Return a monitor's table, and whether it goes on.

    Args:
        monitor: What watches.
    """
    every = f"Looked at every {monitor.interval_seconds:g} s."
    note = every if monitor.running else "No longer watched."
    return monitor.result().html_with(note)


def widget(monitor: Monitor) -> Any:
    """Return a widget that shows a monitor, and stops and starts it.

    Args:
        monitor: What watches.
    """
    import ipywidgets  # where it is installed

    table = ipywidgets.HTML(html_of(monitor))
    button = ipywidgets.Button(description="Stop", tooltip="Stop watching")

    def update() -> None:
        table.value = html_of(monitor)
        running = monitor.running
        button.description = "Stop" if running else "Start"
        button.tooltip = "Stop watching" if running else "Watch again"

    def toggle(_: object) -> None:
        if monitor.running:
            monitor.stop()
        else:
            monitor.start()
        update()

    button.on_click(toggle)
    monitor.on_look(_in_this_context(update))
    return ipywidgets.VBox([table, button])


def update_display(monitor: Monitor) -> Callable[[], None]:
    """Show a monitor in a display that is updated.

    Args:
        monitor: What watches.

    Returns:
        A function that empties the display.
    """
    from IPython.display import DisplayHandle

    new_handle: Any = DisplayHandle  # IPython annotates it partly
    handle = new_handle()

    def bundle() -> dict[str, str]:
        return {"text/plain": monitor.result().text(), "text/html": html_of(monitor)}

    handle.display(bundle(), raw=True)
    monitor.on_look(_in_this_context(lambda: handle.update(bundle(), raw=True)))
    return lambda: handle.update({"text/plain": ""}, raw=True)


@contextlib.contextmanager
def terminal() -> Iterator[Show]:
    """Yield a function that shows a table in place of the one before, on standard output."""
    if importlib.util.find_spec("rich") is None:
        yield lambda result: print(f"{_CLEAR}{result.text()}", flush=True)  # noqa: T201 - it is the screen
        return
    from rich.live import Live
    from rich.text import Text

    with Live(auto_refresh=False, transient=True) as live:
        yield lambda result: live.update(
            Text.from_ansi(result.text(color=True), no_wrap=True, overflow="crop"), refresh=True
        )


def on_a_terminal() -> bool:
    """Say whether somebody looks at a terminal, where a table can be written over."""
    return not in_kernel() and sys.stdout.isatty()


def _in_this_context(update: Callable[[], Any]) -> Callable[[], None]:
    """Have a thread that updates take the cell's context along: by it ipykernel knows the cell."""
    context = contextvars.copy_context()
    return lambda: context.run(update)
