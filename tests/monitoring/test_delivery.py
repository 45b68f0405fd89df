"""Telling of alerts: webhooks, and functions that are slow."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from jupyter_tensorone_proxy import AlertEvent, PortMapping
from tests.fixtures.gateway import free_port, wait_until
from tests.fixtures.services.web import WebService
from tests.monitoring.conftest import HEALTH, Expose, quick, shows


@dataclass
class Hook:
    """Whoever is told by a webhook.

    Args:
        answers: The statuses that come next; 204 when there is none left.
    """

    answers: list[int] = field(default_factory=list)
    told: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        """Where it is told; the path is a secret."""
        return f"http://127.0.0.1:{self.port}/hooks/T0PSECRET"


@pytest.fixture
def hook() -> Iterator[Hook]:
    """Run a real server that is told."""
    hook = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            hook.told.append(json.loads(body))
            hook.headers.append({name.lower(): value for name, value in self.headers.items()})
            status = hook.answers.pop(0) if hook.answers else 204
            self.send_response(status)
            if status == 302:
                self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        hook.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield hook
        server.shutdown()
        thread.join()


@contextmanager
def ill(expose: Expose, board: WebService) -> Iterator[PortMapping]:
    """Expose a service that does not do well."""
    board.healthy = False
    yield expose(board.port, "board <b>", health_check=HEALTH)


def test_a_webhook_is_told_of_beginning_and_recovery(
    expose: Expose, board: WebService, hook: Hook
) -> None:
    """Each is posted once as JSON, without an address of the service or anything secret."""
    with ill(expose, board) as mapping, quick(webhook=hook.url):
        assert wait_until(lambda: len(hook.told) == 1)
        board.healthy = True
        assert wait_until(lambda: len(hook.told) == 2)
    begun, over = hook.told
    assert (begun["state"], over["state"]) == ("firing", "recovered")
    assert begun["message"].startswith(f"board <b> (port {board.port}): alert: health; it is not")
    assert begun.keys() - over.keys() == {"reason"}
    assert begun["port_id"] == mapping.id
    assert str(mapping.url) not in json.dumps(hook.told)
    assert not {"authorization", "cookie"} & {name for each in hook.headers for name in each}


def test_a_webhook_that_fails_is_tried_again(expose: Expose, board: WebService, hook: Hook) -> None:
    """A server that has a bad moment hears of it all the same."""
    hook.answers = [503]
    with ill(expose, board), quick(webhook=hook.url) as monitor:
        assert wait_until(lambda: len(hook.told) == 2)
        assert shows(monitor, lambda result: result.looks >= 4)
    assert hook.told[0] == hook.told[1]


@pytest.mark.parametrize("status", [500, 302])
def test_r16_a_webhook_that_cannot_be_told_is_a_line_without_its_address(
    expose: Expose, board: WebService, hook: Hook, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    """Three tries, no redirect is followed, and the log names the host alone."""
    hook.answers = [status] * 3
    caplog.set_level(logging.DEBUG)
    with ill(expose, board), quick(webhook=hook.url):
        assert wait_until(lambda: "was not told" in caplog.text)
    assert f"The webhook at 127.0.0.1 was not told of an alert: it answers {status}." in caplog.text
    assert len(hook.told) == 3
    assert [record for record in caplog.records if record.name == "httpx"], "it does log"
    assert "T0PSECRET" not in caplog.text


def test_a_webhook_where_nobody_listens_does_not_hold_up_the_watch(
    expose: Expose, board: WebService, caplog: pytest.LogCaptureFixture
) -> None:
    """Rounds go on while it is tried, and the end does not wait for it for long."""
    with ill(expose, board), quick(webhook=f"http://127.0.0.1:{free_port()}/x") as monitor:
        assert shows(monitor, lambda result: result.looks >= 5)
        assert wait_until(lambda: "was not told of an alert: ConnectError" in caplog.text)
    assert not monitor.running


def test_a_slow_function_holds_up_nobody(expose: Expose, board: WebService, hook: Hook) -> None:
    """It is called in a thread of its own; others are told meanwhile."""
    entered, leave = threading.Event(), threading.Event()

    def slow(event: AlertEvent) -> None:
        del event
        entered.set()
        leave.wait(30)

    with ill(expose, board), quick(on_alert=slow, webhook=hook.url) as monitor:
        assert entered.wait(20)
        assert wait_until(lambda: len(hook.told) == 1)
        looks = monitor.result().looks
        assert shows(monitor, lambda result: result.looks >= looks + 3)
        leave.set()


def test_what_is_on_its_way_is_told_before_the_end(
    expose: Expose, board: WebService, hook: Hook, caplog: pytest.LogCaptureFixture
) -> None:
    """A monitor that is stopped right after an alert has told of it."""
    caplog.set_level(logging.INFO, "jupyter_tensorone_proxy")
    with ill(expose, board), quick(webhook=hook.url) as monitor:
        while not monitor.events:
            time.sleep(0.005)
    assert len(hook.told) == 1
    assert "alert: health" in caplog.text
