"""The live view of a monitor in JupyterLab: it follows, can be read in both themes, and stops."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import StartService
from tests.browser.test_card import _CONTRASTS, _ENOUGH
from tests.fixtures.gateway import wait_until
from tests.fixtures.lab import Lab

EVIL = "Model <img src=x onerror=alert(1)>"


def says(area: Any, *words: str) -> bool:
    """Wait until the view says all these words."""
    return wait_until(lambda: all(word in area.inner_text() for word in words), seconds=30)


@pytest.mark.browser
def test_a_monitor_follows_what_happens_in_lab(
    lab: Lab, service: StartService, pictures: Path
) -> None:
    """A service does well, then is gone; one button stops the watch and starts it again."""
    page = service()
    lab.open(
        f"%tensorone expose {page.port} --name '{EVIL}' --health-path /",
        "from jupyter_tensorone_proxy import Monitor\n"
        "Monitor(interval_seconds=0.5, alerts=['health', 'request_rate > 1/min']).show()",
        f"%tensorone unexpose {page.port}",
    )
    exposed = lab.run(0)
    assert says(exposed, EVIL, str(page.port)), exposed.inner_text()
    area = lab.run(1)
    assert says(area, EVIL, "● healthy", "Looked at every 0.5 s."), area.inner_text()
    assert area.locator("img").count() == 0
    plot = area.get_by_role("img", name="Response time of Model")
    plot.wait_for()
    assert "at most" in str(plot.get_attribute("aria-label"))
    for theme in ("Light", "Dark"):
        lab.theme(f"JupyterLab {theme}")
        contrasts = area.evaluate(_CONTRASTS)
        assert len(contrasts) > 10
        weak = {said: ratio for said, ratio in contrasts if ratio < _ENOUGH[len(said) == 1]}
        assert not weak, (theme, weak)
        lab.page.screenshot(path=pictures / f"monitor-{theme.lower()}.png")
    area.get_by_role("button", name="Stop", exact=True).click()
    assert says(area, "No longer watched.")
    start = area.get_by_role("button", name="Start", exact=True)
    start.focus()
    lab.page.keyboard.press("Enter")
    assert says(area, "Looked at every 0.5 s.")
    lab.run(2)
    assert says(area, "Nothing is watched"), area.inner_text()
    area.get_by_role("button", name="Stop", exact=True).click()
    assert says(area, "No longer watched.")
