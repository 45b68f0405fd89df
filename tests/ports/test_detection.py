"""Which ports are detected, what they are taken for, and which are never offered."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time

import pytest

from jupyter_tensorone_proxy.detection.processes import LinuxScanner, PsutilScanner, Root
from tests.fixtures.gateway import free_port, free_range
from tests.fixtures.jupyter import JupyterServer, Kernel
from tests.fixtures.ports import cell, comes, detected, listening, serve, terminal


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "::1", "::", "127.0.0.2"])  # noqa: S104
def test_a_child_of_a_kernel_is_detected_wherever_it_listens(
    jupyter: JupyterServer, kernel: Kernel, host: str
) -> None:
    """IPv4, IPv6, all addresses, another loopback address: each is found, and gone when it ends."""
    port = _fixed_port()
    serve(kernel, port, host)
    assert comes(lambda: port in detected(jupyter))
    found = detected(jupyter)[port]
    assert found["kernel_id"] in str(list(jupyter.runtime_dir.glob("kernel-*.json")))
    assert found["process"].startswith("python")
    kernel.execute("service.terminate(); service.wait()")
    assert comes(lambda: port not in detected(jupyter))


def test_a_daemon_that_left_its_kernel_is_still_the_kernels(
    jupyter: JupyterServer, kernel: Kernel
) -> None:
    """A double fork leaves the tree of processes; the environment tells where it comes from."""
    port = _fixed_port()
    kernel.execute(
        cell(
            """
            import os, sys
            if os.fork() == 0:
                os.setsid()
                if os.fork() == 0:
                    null = os.open(os.devnull, os.O_RDWR)
                    for fd in (0, 1, 2):
                        os.dup2(null, fd)
                    os.execv(sys.executable, [sys.executable, "-m", "http.server", "{port}",
                                              "--bind", "127.0.0.1"])
                os._exit(0)
            os.wait()
            """,
            port=port,
        )
    )
    assert comes(lambda: port in detected(jupyter))
    assert "kernel_id" in detected(jupyter)[port]
    kernel.execute(f"import subprocess; subprocess.run(['pkill', '-f', 'http.server {port}'])")
    assert comes(lambda: port not in detected(jupyter))


def test_a_server_inside_the_kernel_is_detected(jupyter: JupyterServer, kernel: Kernel) -> None:
    """A thread of the kernel's own process counts; the kernel's own ports do not."""
    port = _fixed_port()
    kernel.execute(
        cell(
            """
            import http.server, threading
            inside = http.server.ThreadingHTTPServer(("127.0.0.1", {port}),
                                                     http.server.SimpleHTTPRequestHandler)
            threading.Thread(target=inside.serve_forever, daemon=True).start()
            """,
            port=port,
        )
    )
    assert comes(lambda: port in detected(jupyter))
    assert list(detected(jupyter)) == [port]
    kernel.execute("inside.shutdown(); inside.server_close()")
    assert comes(lambda: not detected(jupyter))


def test_a_terminals_port_is_detected(jupyter: JupyterServer) -> None:
    """What is started in a terminal of Lab is offered like what a cell starts."""
    port = _fixed_port()
    with terminal(jupyter) as (name, send):
        send(f"{sys.executable} -m http.server {port} --bind 127.0.0.1")
        assert comes(lambda: port in detected(jupyter))
        assert detected(jupyter)[port]["terminal"] == name
    assert comes(lambda: port not in detected(jupyter))


def test_an_ephemeral_port_is_offered_only_if_it_answers_http(
    jupyter: JupyterServer, kernel: Kernel
) -> None:
    """A socket that says nothing is somebody's plumbing; a page on such a port is a page."""
    silent, page = free_port(), free_port()
    kernel.execute(
        cell(
            """
            import socket
            silent = socket.create_server(("127.0.0.1", {port}))
            """,
            port=silent,
        )
    )
    serve(kernel, page)
    assert comes(lambda: page in detected(jupyter))
    time.sleep(1)
    assert silent not in detected(jupyter)


def test_debuggers_and_workers_are_never_offered(jupyter: JupyterServer, kernel: Kernel) -> None:
    """Where `torch.distributed` meets, and what only looks like a service by its command."""
    port = _fixed_port()
    kernel.execute(
        cell(
            """
            import subprocess, sys
            code = "import http.server as h; h.HTTPServer(('127.0.0.1', {port}), " \\
                   "h.SimpleHTTPRequestHandler).serve_forever()"
            worker = subprocess.Popen([sys.executable, "-c", code, "dask", "worker"])
            """,
            port=port,
        )
    )
    marker = _fixed_port()
    serve(kernel, marker)
    assert comes(lambda: marker in detected(jupyter))
    assert port not in detected(jupyter)
    kernel.execute("worker.terminate(); worker.wait()")


def test_events_tell_what_came_and_went_without_commands(
    jupyter: JupyterServer, kernel: Kernel
) -> None:
    """Front ends need not ask; no command line is in an event, because it may hold a secret."""
    port = _fixed_port()
    with listening(jupyter) as events:
        serve(kernel, port)
        assert comes(lambda: events.of("detected_port"))
        kernel.execute("service.terminate(); service.wait()")
        assert comes(lambda: len(events.of("detected_port")) == 2)
    found, gone = events.of("detected_port")
    assert (found["change"], found["port"], found["decision"]) == ("found", port, "notify")
    assert (gone["change"], gone["port"]) == ("gone", port)
    assert "http.server" not in str(events.seen)


def test_a_flapping_port_makes_no_storm(jupyter: JupyterServer, kernel: Kernel) -> None:
    """A port that comes and goes all the time is told of a few times, and then left alone."""
    port = _fixed_port()
    with listening(jupyter) as events:
        kernel.execute(
            cell(
                """
                import http.server, threading, time
                for _ in range(12):
                    flapping = http.server.ThreadingHTTPServer(
                        ("127.0.0.1", {port}), http.server.SimpleHTTPRequestHandler)
                    threading.Thread(target=flapping.serve_forever, args=(0.01,)).start()
                    time.sleep(0.6)
                    flapping.shutdown(); flapping.server_close()
                    time.sleep(0.4)
                """,
                port=port,
            )
        )
        serve(kernel, port)
        assert comes(lambda: port in detected(jupyter))
    told = [event for event in events.of("detected_port") if event["change"] == "found"]
    assert 1 <= len(told) <= 3


def test_a_process_with_very_many_ports_is_offered_in_part(
    jupyter: JupyterServer, kernel: Kernel
) -> None:
    """500 ports of one process: a few are offered, and everything goes on."""
    first = int(free_range(500).partition("-")[0])
    kernel.execute(
        cell(
            """
            import socket
            many = [socket.create_server(("127.0.0.1", port)) for port in range({first}, {last})]
            """,
            first=first,
            last=first + 500,
        )
    )
    assert comes(lambda: detected(jupyter))
    time.sleep(1)
    assert 1 <= len(detected(jupyter)) <= 20
    kernel.execute("[one.close() for one in many]")
    assert comes(lambda: not detected(jupyter))


def test_services_are_in_the_api(jupyter: JupyterServer) -> None:
    """The catalogue can be asked for, without what is never offered."""
    answer = jupyter.request("GET", "api/services").raise_for_status().json()["data"]
    by_id = {service["id"]: service for service in answer}
    assert by_id["tensorboard"]["default_port"] == 6006
    assert "debugger" not in by_id


@pytest.mark.parametrize("scanner", [LinuxScanner(), PsutilScanner()])
def test_both_scanners_find_the_same(scanner: LinuxScanner | PsutilScanner) -> None:
    """By the kernel's tables and by psutil: port, process and origin agree."""
    source = (
        "import socket as s, time; x = s.create_server(('127.0.0.1', 0)); "
        "print(x.getsockname()[1], flush=True); time.sleep(60)"
    )
    child = subprocess.Popen([sys.executable, "-c", source], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    port = int(child.stdout.readline())
    root = Root("kernel", "kernel-1", os.getpid())
    try:
        found = {e.port: owner for e, owner in scanner.scan((root,)).items()}
        assert found[port][0].pid == child.pid
        assert found[port][1] == root
        assert scanner.scan(()) == {}
    finally:
        child.kill()
        child.wait()
        child.stdout.close()


def _fixed_port() -> int:
    """Return a free port below the ephemeral range."""
    first = int(free_range(1).partition("-")[0])
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", first))
    return first
