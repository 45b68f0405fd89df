"""People who wait are told."""

from __future__ import annotations

import threading

from jupyter_tensorone_proxy.commands.progress import announce_if_slow


def test_people_who_wait_are_told() -> None:
    """A block that takes its time is announced, once."""
    announced: list[str] = []
    told = threading.Event()

    def announce() -> None:
        announced.append("Exposing …")
        told.set()

    with announce_if_slow(announce, after_seconds=0.01):
        assert told.wait(10)
    assert announced == ["Exposing …"]


def test_quick_work_is_not_announced() -> None:
    """A block that ends in time leaves no thread that could still speak."""
    announced: list[str] = []
    with announce_if_slow(lambda: announced.append("?"), after_seconds=3600):
        pass
    assert announced == []
    assert not [t for t in threading.enumerate() if isinstance(t, threading.Timer)]
