"""``%tensorone …``: the verbs in a cell.

The magic returns a result, which IPython shows as a card if it is the cell's last expression, and
which can be kept: ``tb = %tensorone expose 6006``. It holds no logic of the verbs (``commands/``).

Every kernel loads this module at its start, so it imports next to nothing until the magic is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .own_kernel import introduce_itself

if TYPE_CHECKING:
    from argparse import Namespace

    from IPython.core.interactiveshell import InteractiveShell

    from ..commands.results import Result
    from .panel import ProxyPanel

MAGIC = "tensorone"


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Register ``%tensorone``; loading it again changes nothing.

    Args:
        shell: IPython's shell.
    """

    def tensorone(line: str, cell: str | None = None) -> Result | ProxyPanel | None:
        """Expose a port of this machine through the cluster proxy, privately by default.

        `%tensorone -h` lists the verbs, `%tensorone VERB -h` explains one:

            %tensorone expose 6006 --name TensorBoard
            %tensorone list
            %tensorone unexpose 6006
            %tensorone panel

        `%%tensorone apply` takes a stack, TOML, from its cell.
        """
        return run_line(line, cell, in_kernel=hasattr(shell, "kernel"))

    introduce_itself(shell)
    untyped: Any = shell  # IPython annotates these two methods not at all, or wrongly
    if MAGIC not in shell.magics_manager.magics["line"]:
        for typed in (f"%{MAGIC}", f"%%{MAGIC}"):
            untyped.set_hook("complete_command", _complete, str_key=typed)
    untyped.register_magic_function(tensorone, "line_cell", MAGIC)


def run_line(
    line: str, cell: str | None = None, *, in_kernel: bool = False
) -> Result | ProxyPanel | None:
    """Run one line of the magic.

    Args:
        line: What follows ``%tensorone``.
        cell: What is below it, behind ``%%``.
        in_kernel: Whether a front end shows rich output.

    Returns:
        What happened, or the panel; None if help was shown.

    Raises:
        ProxyError: It could not be done; IPython shows the message only.
    """
    import shlex

    from ..commands.grammar import HelpRequested, parse
    from ..errors import UsageError

    try:
        words = shlex.split(line)
    except ValueError:  # an open quote; the line itself is not repeated
        raise UsageError("%tensorone: a quotation mark is not closed.") from None
    try:
        args = parse(words, rim="magic")
    except HelpRequested as help_text:
        print(help_text)  # noqa: T201 - the magic's help belongs in the cell's output
        return None
    if cell is not None and (args.verb != "apply" or args.file):
        raise UsageError(
            "%%tensorone takes a cell for `apply` without a file, and for nothing else.",
            suggestion="Type %tensorone for a line.",
        )
    if args.verb == "panel":
        return _panel(in_kernel=in_kernel)
    args.cell = cell
    return _run(args, in_kernel=in_kernel)


def _panel(*, in_kernel: bool) -> ProxyPanel:
    """Return a new panel; a terminal has no place for it."""
    from ..errors import UsageError

    if not in_kernel:
        raise UsageError(
            "%tensorone panel: a panel is made of widgets, which a terminal cannot show.",
            suggestion="Type it in a notebook, in JupyterLab, Notebook 7 or Voila; here "
            "`%tensorone list` lists what is exposed.",
        )
    from .panel import ProxyPanel

    return ProxyPanel()


def _run(args: Namespace, *, in_kernel: bool) -> Result:
    from contextlib import ExitStack

    from ..client import ProxyClient
    from ..commands.grammar import VERBS
    from ..commands.progress import announce_if_slow
    from ..commands.rows import Viewer
    from ..commands.verbs import show
    from ..stacks.runs import RUN

    verb = next(verb for verb in VERBS if verb.name == args.verb)
    # A link holds a credential, and cells are saved: here `open` shows the card and its link.
    run = show if args.verb == "open" else RUN[args.verb]
    notice = _Notice(verb.doing_now(args), in_kernel=in_kernel)
    try:
        with ExitStack() as announced:
            announced.enter_context(announce_if_slow(notice.appear))
            with ProxyClient(via="magic") as client:
                if verb.tells_itself:
                    announced.close()
                result = run(client, args, Viewer.of(client.settings))
    except BaseException:
        notice.end("failed")
        raise
    notice.end("done")
    return result


class _Notice:
    """One line that says what is going on, and then how it ended."""

    def __init__(self, text: str, *, in_kernel: bool) -> None:
        self._text = text
        self._in_kernel = in_kernel
        self._handle: Any = None

    def appear(self) -> None:
        """Show the line."""
        if not self._in_kernel:
            import sys

            print(self._text, file=sys.stderr)  # noqa: T201 - a terminal's progress
            return
        from IPython.display import DisplayHandle

        new_handle: Any = DisplayHandle  # IPython annotates it partly
        self._handle = new_handle()
        self._handle.display({"text/plain": self._text}, raw=True)

    def end(self, how: str) -> None:
        """Complete the line, if it was shown."""
        if self._handle is not None:
            self._handle.update({"text/plain": f"{self._text} {how}"}, raw=True)


def _complete(_shell: InteractiveShell, event: Any) -> list[str]:
    """Offer verbs, and after a verb its options."""
    from ..commands.grammar import completions

    return completions(event.text_until_cursor.split()[1:], event.symbol)
