"""The examples in the docstrings of the client and of what it stands on are executed."""

from __future__ import annotations

import doctest
import importlib

import pytest

MODULES = [
    "errors",
    "models",
    "validation",
    "settings",
    "client._answers",
    "client._sync",
    "client._async",
]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_are_true(name: str) -> None:
    """Every example gives what it says; a module listed here has some."""
    module = importlib.import_module(f"jupyter_tensorone_proxy.{name}")
    result = doctest.testmod(module, optionflags=doctest.ELLIPSIS)
    assert result.attempted > 0
    assert result.failed == 0
