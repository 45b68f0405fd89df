"""A browser that does not know the gateway's authority, as on the first day."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.browser.conftest import StartService
from tests.fixtures.lab import Lab, go_path
from tests.fixtures.services.page import WORKS


def test_a_frame_says_what_to_do_about_the_certificate(
    newcomer: Lab, service: StartService, pictures: Path
) -> None:
    """No grey box: the frame says why it is empty; after one accepted warning it is filled."""
    mine = service("My page")
    newcomer.open(f"from IPython.display import IFrame; IFrame({go_path(mine.port)!r}, 700, 260)")
    frame = newcomer.run().frame_locator("iframe")
    frame.get_by_text("does not trust the certificate of https://localhost:").wait_for()
    newcomer.page.screenshot(path=pictures / "untrusted.png")
    assert mine.seen == []

    with newcomer.page.context.expect_page() as opened:
        frame.get_by_role("link", name="Open it in a new tab").click()
    _accept_the_warning(opened.value)
    opened.value.get_by_text(WORKS).wait_for()

    frame.get_by_role("link", name="try again here").click()
    frame.get_by_text(WORKS).wait_for()


def _accept_the_warning(tab: Any) -> None:
    """Do what "Proceed (unsafe)" does, by the words that Chromium's warning listens for."""
    tab.get_by_text("Your connection is not private").first.wait_for()
    tab.keyboard.type("thisisunsafe")
