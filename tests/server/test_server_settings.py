"""The extension's settings, as an administrator sees them."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from jupyter_tensorone_proxy.server.app import TensorOneProxy
from tests.fixtures.terminal import run_process


def test_every_setting_is_documented_by_help_all() -> None:
    """Each trait of ours is listed with a sentence by `jupyter tensorone-proxy --help-all`."""
    scripts = Path(sys.executable).parent
    path = f"{scripts}{os.pathsep}{os.environ['PATH']}"
    done = run_process(str(scripts / "jupyter"), "tensorone-proxy", "--help-all", PATH=path)
    assert done.returncode == 0, done.stderr
    shown = done.stdout
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
