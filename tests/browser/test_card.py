"""The card of `%tensorone expose` in JupyterLab, and what its Open does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.browser.conftest import StartService
from tests.fixtures.lab import Lab
from tests.fixtures.services.page import WORKS

_ENOUGH = {False: 4.5, True: 3.0}
"""The least contrast of words, and of a single sign (WCAG 2.2, 1.4.3 and 1.4.11)."""

_CONTRASTS = """area => {
  const parse = text => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(value => value / 255)
    .map(value => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4)
    .reduce((sum, value, i) => sum + value * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = element => {
    const color = parse(getComputedStyle(element).backgroundColor);
    return color[3] === 0 ? behind(element.parentElement) : color;
  };
  const texts = document.createTreeWalker(area, NodeFilter.SHOW_TEXT);
  const found = [];
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement, text = texts.currentNode.data.trim();
    if (!text || element.closest(".jp-OutputPrompt, style, script")) continue;
    const ground = behind(element), [r, g, b, alpha = 1] = parse(getComputedStyle(element).color);
    const color = [r, g, b].map((value, i) => alpha * value + (1 - alpha) * ground[i]);
    const one = light(color), other = light(ground);
    found.push([text, (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05)]);
  }
  return found;
}"""


def test_open_leads_from_the_card_into_the_signed_in_page(
    lab: Lab, person: Any, service: StartService
) -> None:
    """One cell and one click: the private page is there, in a tab of its own, and works."""
    port = service().port
    lab.open(f"%tensorone expose {port} --name 'My page'")
    card = lab.run()
    assert "Only me" in card.inner_text()
    with person.expect_page() as opened:
        card.get_by_role("link", name="Open My page").click()
    page = opened.value
    page.get_by_text(WORKS).wait_for()
    assert page.url.startswith("https://localhost:")
    assert page.evaluate("window.opener") is None
    assert ".tensorone" not in page.url


def test_everything_stands_out_from_its_background(
    lab: Lab, service: StartService, pictures: Path
) -> None:
    """In Lab's light and dark theme every word has the contrast that WCAG 2.2 asks for (1.4.3)."""
    port = service().port
    lines = ("expose {} --name 'My page' --public", "list", "health", "status", "unexpose {}")
    lab.open(*(f"%tensorone {line.format(port)}" for line in lines))
    outputs = [lab.run(number) for number in range(len(lines))]
    for theme in ("JupyterLab Dark", "JupyterLab Light"):
        lab.theme(theme)
        lab.page.screenshot(path=pictures / f"card-{theme.split()[1].lower()}.png")
        for line, output in zip(lines, outputs, strict=True):
            contrasts = output.evaluate(_CONTRASTS)
            assert len(contrasts) >= 3, line
            weak = {text: ratio for text, ratio in contrasts if ratio < _ENOUGH[len(text) == 1]}
            assert not weak, (theme, line, weak)
