"""The extension's settings, as an administrator sees them."""

from __future__ import annotations

import subprocess
import sys

from jupyter_tensorone_proxy.server.app import TensorOneProxy


def test_every_setting_is_documented_by_help_all() -> None:
    """Each trait of ours is listed with a sentence by `python -m …server --help-all`."""
    command = [sys.executable, "-m", "jupyter_tensorone_proxy.server", "--help-all"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    ours = {
        name: trait
        for name, trait in TensorOneProxy.class_own_traits(config=True).items()
        if trait.this_class is TensorOneProxy
    }
    assert set(ours) >= {
        "api_url",
        "api_key_file",
        "auto_expose_on_go",
        "cluster_id",
        "external_ports",
        "gateway_command",
        "listen",
        "public_host",
        "start_gateway",
        "state_dir",
    }
    for name, trait in ours.items():
        assert f"--TensorOneProxy.{name}=" in shown
        assert " ".join(trait.help.split())[:40] in " ".join(shown.split()), name


def test_r13_no_setting_holds_the_key() -> None:
    """A key in a trait would be printed with the configuration."""
    assert not TensorOneProxy.class_traits().keys() & {"api_key", "key", "token"}
