"""`jupyter tensorone trust` as browsers see it: before, a warning; after, the page."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.firefox import FirefoxError, run_firefox
from tests.fixtures.gateway import RunningGateway, run_gateway
from tests.fixtures.services.browser import FLAGS
from tests.fixtures.services.processes import need, program
from tests.fixtures.terminal import COMMAND, run_process
from tests.tls.conftest import ExposeOn

DOMAIN = "app.lab.example"
_RESOLVE = f"--host-resolver-rules=MAP {DOMAIN} 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE localhost"


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[RunningGateway]:
    """Run a gateway, if there is something to trust it with."""
    program("certutil")
    with run_gateway(tmp_path / "state") as running:
        yield running


@contextmanager
def chromium_of(home: Path) -> Iterator[Any]:
    """Start the Chromium of a home directory; it believes whom that home trusts."""
    from playwright.sync_api import sync_playwright

    flags = [flag for flag in FLAGS if not flag.startswith("--host-resolver-rules")]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program("chromium"),
            args=[*flags, _RESOLVE],
            env={**os.environ, "HOME": str(home)},
        )
        yield browser.new_page()
        browser.close()


def failure_in_chromium(home: Path, url: str) -> str:
    """Return why Chromium does not show a page; empty if it does."""
    need("playwright")
    from playwright.sync_api import Error

    with chromium_of(home) as page:
        try:
            answer = page.goto(url)
        except Error as error:
            return str(error)
        assert answer.text() == "web"
        assert answer.security_details()["issuer"].startswith("jupyter-tensorone-proxy local CA")
    return ""


def trust(home: Path, gateway: RunningGateway, *words: str) -> None:
    """Run the command as the owner of that home directory."""
    done = run_process(
        *(*COMMAND, "trust", "--only", "browsers", "--yes", *words),
        HOME=str(home),
        TENSORONE_STATE_DIR=str(gateway.state_dir),
    )
    assert done.returncode == 0, done.stdout + done.stderr


def failure_in_firefox(home: Path, url: str) -> str:
    """Return why Firefox does not show a page; empty if it does."""
    with run_firefox(home, home / ".mozilla" / "firefox" / "abc.default") as firefox:
        try:
            assert firefox.text_of(url) == "web"
        except FirefoxError as error:
            return str(error)
    return ""


@pytest.mark.parametrize(
    ("failure", "untrusted"),
    [(failure_in_chromium, "ERR_CERT_"), (failure_in_firefox, "insecure certificate")],
    ids=["chromium", "firefox"],
)
def test_a_browser_shows_the_page_after_trust_and_not_before(
    gateway: RunningGateway,
    tmp_path: Path,
    expose_on: ExposeOn,
    failure: Callable[[Path, str], str],
    untrusted: str,
) -> None:
    """A custom domain that comes later needs the command once more; --remove ends it all."""
    home = tmp_path / "home"
    home.mkdir()
    host = expose_on(gateway).url
    assert untrusted in failure(home, host)
    trust(home, gateway)
    assert failure(home, host) == ""
    domain = expose_on(gateway, custom_domain=DOMAIN).url
    # What it trusts so far may not vouch for the new name.
    assert untrusted in failure(home, domain)
    trust(home, gateway)
    assert failure(home, domain) == ""
    assert failure(home, host) == ""
    trust(home, gateway, "--remove")
    assert untrusted in failure(home, host)
