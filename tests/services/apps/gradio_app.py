"""A Gradio app: a prediction, a stream, and an upload. Argument: the port."""

from __future__ import annotations

import hashlib
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import gradio

taken = threading.Semaphore(0)


def greet(name: str) -> str:
    """Return a greeting."""
    return f"Hello {name}!"


def count(to: float) -> Iterator[str]:
    """Yield numbers, each only after the client has said that it has the one before."""
    for number in range(int(to)):
        yield f"item {number}"
        if not taken.acquire(timeout=30):
            yield f"nobody took item {number}"
            return


def take() -> str:
    """Hear that the client has an item."""
    taken.release()
    return "thank you"


def digest(file: str) -> str:
    """Return the SHA-256 of an uploaded file."""
    return hashlib.sha256(Path(file).read_bytes()).hexdigest()


def app() -> gradio.Blocks:
    """Return the app: one button for each function."""
    with gradio.Blocks(title="Gradio behind a proxy") as blocks:
        text, number, file = gradio.Textbox(label="Name"), gradio.Number(), gradio.File()
        said = gradio.Textbox(label="Said")
        for label, function, value in (
            ("Greet", greet, text),
            ("Count", count, number),
            ("Take", take, None),
            ("Digest", digest, file),
        ):
            button = gradio.Button(label)
            button.click(function, value, said, api_name=label.lower())
    return blocks


if __name__ == "__main__":
    app().launch(server_name="127.0.0.1", server_port=int(sys.argv[1]), quiet=True)
