"""Kernels of other languages: detection, rules and the end of what was exposed are the same.

Bash's kernel is a Python program around a shell; Deno's is one program without any Python.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.fixtures.gateway import free_range
from tests.fixtures.jupyter import JupyterServer, run_jupyter
from tests.fixtures.outside_kernels import home_of, managed_kernel
from tests.fixtures.ports import comes, detected, listening, mappings
from tests.fixtures.services.processes import need

pytestmark = pytest.mark.services

_PROGRAMS = Path(sys.executable).parent
_PORTS = 10


@dataclass(frozen=True)
class Language:
    """A kernel's language.

    Args:
        package: What must be installed.
        command: How its kernel is started.
        serve: A cell that begins to serve pages.
        stop: A cell that ends that.
        process: What the process that listens is called.
    """

    package: str
    command: tuple[str, ...]
    serve: str
    stop: str
    process: str


LANGUAGES = {
    "bash": Language(
        "bash_kernel",
        (sys.executable, "-m", "bash_kernel", "-f", "{connection_file}"),
        f"{sys.executable} -m http.server PORT --bind 127.0.0.1 >/dev/null 2>&1 &",
        "kill %1",
        "python",
    ),
    "deno": Language(
        "deno",
        (str(_PROGRAMS / "deno"), "jupyter", "--kernel", "--conn", "{connection_file}"),
        "const served = Deno.serve("
        '{port: PORT, hostname: "127.0.0.1", onListen: () => {}}, () => new Response('
        '"<title>Page of Deno</title>", {headers: {"content-type": "text/html"}}));',
        "await served.shutdown();",
        "deno",
    ),
}


@pytest.fixture(scope="module")
def first() -> int:
    """Return the first of the ports that a rule exposes."""
    return int(free_range(_PORTS).partition("-")[0])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, first: int) -> Iterator[JupyterServer]:
    """Run a server that knows both languages, with a rule."""
    directory = tmp_path_factory.mktemp("languages")
    for name, language in LANGUAGES.items():
        folder = directory / "data" / "kernels" / name
        folder.mkdir(parents=True)
        spec = {"argv": language.command, "display_name": name, "language": name}
        (folder / "kernel.json").write_text(json.dumps(spec))
    rule = {"ports": f"{first}-{first + _PORTS}", "action": "expose"}
    (directory / "config").mkdir()
    file = directory / "config" / "jupyter_server_config.json"
    file.write_text(json.dumps({"AutoExpose": {"rules": [rule]}}))
    with run_jupyter(directory) as started:
        started.request("GET", "api/proxy").raise_for_status()
        yield started


@pytest.fixture(params=LANGUAGES)
def name(request: pytest.FixtureRequest) -> str:
    """Return a language's name; skip where its kernel is not installed."""
    found = str(request.param)
    need(LANGUAGES[found].package)
    return found


def _port() -> int:
    return int(free_range(1).partition("-")[0])


def test_its_ports_are_detected_and_none_of_the_kernels_own(
    server: JupyterServer, name: str
) -> None:
    """What a cell serves is found, with its kernel and process, and is gone when it ends."""
    language, port = LANGUAGES[name], _port()
    with listening(server) as events, server.kernel(name) as kernel:
        kernel.execute(language.serve.replace("PORT", str(port)))
        assert comes(lambda: port in detected(server))
        (found,) = detected(server).values()  # and so no port of the kernel's own
        assert found["process"].startswith(language.process)
        assert found["kernel_id"] in str(list(server.runtime_dir.glob("kernel-*.json")))
        kernel.execute(language.stop)
        assert comes(lambda: port not in detected(server))
    told = [(e["change"], e["port"]) for e in events.of("detected_port")]
    assert told == [("found", port), ("gone", port)]


def test_rules_expose_it_until_its_kernel_ends(
    server: JupyterServer, first: int, name: str
) -> None:
    """A rule of the server exposes the port with sign-in, bound to the kernel."""
    port = first + list(LANGUAGES).index(name)
    with server.kernel(name) as kernel:
        kernel.execute(LANGUAGES[name].serve.replace("PORT", str(port)))
        assert comes(lambda: port in mappings(server))
        mapping = mappings(server)[port]
        assert mapping["access_control"]["authentication_required"] is True
        assert mapping["kernel_id"] == detected(server)[port]["kernel_id"]
    assert comes(lambda: port not in mappings(server), seconds=10)


def test_it_is_watched_outside_of_the_server_too(
    server: JupyterServer, first: int, name: str
) -> None:
    """A kernel that a program manages itself, in another language: the same."""
    port = first + len(LANGUAGES) + list(LANGUAGES).index(name)
    specs = server.state_dir.parent / "data" / "kernels"
    with managed_kernel(home_of(server), name, specs) as kernel:
        kernel.execute(LANGUAGES[name].serve.replace("PORT", str(port)))
        assert comes(lambda: port in mappings(server))
        assert mappings(server)[port]["kernel_id"] == kernel.id
        assert list(detected(server)) == [port]
    assert comes(lambda: port not in mappings(server), seconds=10)
