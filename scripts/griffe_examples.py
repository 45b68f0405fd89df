"""For mkdocs: a docstring's ``Example:`` is shown as code, as griffe shows ``Examples:``."""

from __future__ import annotations

from typing import Any

import griffe


class Examples(griffe.Extension):
    """Renames the section before griffe parses it."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Change one object's docstring, in memory."""
        if obj.docstring is not None:
            text = obj.docstring.value
            obj.docstring.value = text.replace("\nExample:\n", "\nExamples:\n")
