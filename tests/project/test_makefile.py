"""The verbs: what `make` says of itself, and `make lab`, which a person would start."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from scripts.demo import PROJECT
from tests.fixtures.gateway import free_port, free_range, is_alive, wait_until
from tests.fixtures.jupyter import TOKEN, JupyterServer, environment

MAKEFILE = PROJECT / "Makefile"
_MAKE = "/usr/bin/make"


def verbs() -> set[str]:
    """Return the verbs that the Makefile declares."""
    (declared,) = re.findall(r"^\.PHONY: (.+)$", MAKEFILE.read_text(), flags=re.MULTILINE)
    return set(declared.split())


def test_make_alone_lists_every_verb() -> None:
    """`make` without words explains itself, and does nothing."""
    listed = subprocess.run([_MAKE], cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    assert set(re.findall(r"^  make ([a-z]+) +\S", listed, flags=re.MULTILINE)) == verbs()


def test_contributors_are_told_every_verb() -> None:
    """CONTRIBUTING has a row for each verb, in the Makefile's words."""
    told = dict(
        re.findall(
            r"^\| `make ([a-z]+)` \| (.+) \|$",
            (PROJECT / "CONTRIBUTING.md").read_text(),
            flags=re.MULTILINE,
        )
    )
    said = dict(re.findall(r"^([a-z]+):.*## (.+)$", MAKEFILE.read_text(), flags=re.MULTILINE))
    assert {verb: text.replace("`", "") for verb, text in told.items()} == said


@pytest.mark.parametrize(
    ("version", "told"),
    [(None, "there is no node"), ("v20.9.0", "v20.9.0 is too old"), ("v20.19.0", None)],
)
def test_what_is_missing_to_bundle_the_front_end_is_told(
    tmp_path: Path, version: str | None, told: str | None
) -> None:
    """Without a Node.js that is new enough the verbs stop, and say what to install."""
    if version:
        for name in ("node", "npm"):
            program = tmp_path / name
            program.write_text(f"#!/bin/sh\necho {version}\n")
            program.chmod(0o755)
    done = subprocess.run(
        ["/bin/sh", str(PROJECT / "scripts" / "need-node.sh")],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode == 0) == (told is None)
    if told:
        assert told in done.stderr
        assert "sudo apt-get install nodejs npm" in done.stderr


def test_ci_uses_the_verbs_of_the_readme() -> None:
    """What CI runs is what people are told to run."""
    commands = (PROJECT / ".ci" / "run").read_text()
    assert re.findall(r"^make ([a-z]+)$", commands, flags=re.MULTILINE)[-1] == "test"
    assert "$ make test" in (PROJECT / "README.md").read_text()


@dataclass
class Lab:
    """`make lab`, running."""

    process: subprocess.Popen[bytes]
    server: JupyterServer


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    """Run `make lab` with this Python's environment, as a new user without a browser."""
    port, log = free_port(), tmp_path / "lab.log"
    words = f"--no-browser --ServerApp.port={port} --TensorOneProxy.external_ports={free_range(5)}"
    installed = f"{sys.prefix}/installed-demo"  # it is: these tests run in it
    with log.open("wb") as output:
        process = subprocess.Popen(
            [_MAKE, f"VENV={sys.prefix}", "-o", installed, "lab", f"ARGS={words}"],
            cwd=PROJECT,
            env={**environment(tmp_path), "HOME": str(tmp_path)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    url = f"http://127.0.0.1:{port}"
    yield Lab(process, JupyterServer(process, url, tmp_path / "state", tmp_path / "runtime", log))

    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_make_lab_shows_the_quick_start_with_a_gateway(lab: Lab) -> None:
    """The notebook opens in JupyterLab, ports can be exposed, and Ctrl-C ends everything."""
    server = lab.server
    assert wait_until(lambda: answers(server), seconds=90), server.log.read_text()
    assert server.jupyter("GET", "lab/tree/quickstart.ipynb").status_code == httpx.codes.OK
    content = server.jupyter("GET", "api/contents/quickstart.ipynb?content=0")
    assert content.json()["type"] == "notebook"
    assert server.request("GET", "api/ports").json()["data"] == []
    below = server.descendants()
    assert server.gateway_pid() in below
    os.killpg(lab.process.pid, signal.SIGTERM)
    lab.process.wait(60)
    assert wait_until(lambda: not any(is_alive(pid) for pid in below))


def answers(server: JupyterServer) -> bool:
    """Say whether JupyterLab serves pages."""
    assert server.process.poll() is None, server.log.read_text()
    try:
        return httpx.get(f"{server.url}/lab?token={TOKEN}", timeout=10).status_code < 400
    except httpx.TransportError:
        return False
