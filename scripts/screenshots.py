"""Takes the pictures of the documentation: a real JupyterLab, a real browser, a real TensorBoard.

``python scripts/screenshots.py`` writes `docs/images/`. It needs Debian's chromium, and port 6006:
the notebook in the picture is the README's quick start, executed cell by cell as a person would.
"""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from PIL import Image
from playwright.sync_api import Page, expect, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1]))

from scripts.demo import PROJECT
from tests.fixtures.browser import run_chromium
from tests.fixtures.jupyter import TOKEN, JupyterServer, run_jupyter
from tests.fixtures.lab import ask_nothing
from tests.fixtures.markdown import blocks

IMAGES = PROJECT / "docs" / "images"
SIZE: Any = {"width": 1100, "height": 660}
_PATIENCE_MS = 60_000
_COLORS = 256
_DEFAULT_PORTS = "--TensorOneProxy.external_ports=32000-32767"


def main() -> None:
    """Take every picture."""
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        directory = Path(name)
        prepare(directory)
        with run_jupyter(directory, _DEFAULT_PORTS, module="jupyterlab") as server:
            server.request("GET", "api/ports").raise_for_status()
            ca_file = server.gateway()["ca_file"]
            # Started by hand: Playwright's own flags leave no cookies to frames.
            with run_chromium(playwright, directory / "home", ca_file) as browser:
                context = browser.new_context(viewport=SIZE, device_scale_factor=1.5)
                context.set_default_timeout(_PATIENCE_MS)
                take(context.new_page(), server)


def prepare(directory: Path) -> None:
    """Write the notebook, and tell JupyterLab to ask nothing."""
    ask_nothing(directory)
    start, expose, _ = [b.text for b in blocks(PROJECT / "README.md") if b.language == "python"]
    cells = [
        new_markdown_cell("## Training, with a TensorBoard that only I can open"),
        new_code_cell(start),
        new_code_cell(expose),
        new_code_cell("%tensorone list"),
    ]
    kernel = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
    notebook = new_notebook(cells=cells, metadata={"kernelspec": kernel})
    nbformat.write(notebook, directory / "train.ipynb")


def take(page: Page, server: JupyterServer) -> None:
    """Expose a TensorBoard in JupyterLab, and open it."""
    origin = server.url.replace("127.0.0.1", "localhost")
    page.goto(f"{origin}/lab/tree/train.ipynb?reset&token={TOKEN}")
    page.locator(".jp-Notebook-ExecutionIndicator[data-status='idle']").wait_for()
    page.wait_for_timeout(3000)  # it says idle before the kernel is connected
    page.keyboard.press("Control+b")
    cells = page.locator(".jp-Cell")
    execute(page, 1)
    page.locator(".Toastify__toast", has_text="TensorBoard is running on port").wait_for()
    page.wait_for_timeout(1000)  # it glides in
    save(page, "toast.png")
    execute(page, 2)
    wait_until_healthy(page, server)
    execute(page, 3)
    page.mouse.move(2, 2)
    save(page, "card.png")
    card = cells.nth(2).locator(".jp-OutputArea-output")
    with page.context.expect_page() as opening:
        card.get_by_role("link", name="Open TensorBoard").click()
    board = opening.value
    board.get_by_text("loss").first.wait_for()
    expect(board.locator("line-chart").first).to_be_visible()
    board.wait_for_timeout(2000)  # the chart is drawn on a canvas, which says nothing
    save(board, "tensorboard.png")
    page.bring_to_front()
    show_sidebar(page)
    show_tab(page)
    unexpose(server)
    page.bring_to_front()
    page.locator('.jp-SideBar [data-id="tensorone-ports"]').click()
    page.locator("#tensorone-ports").get_by_role("button", name="Expose").last.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("Only you can open it.").wait_for()
    save(page, "expose-dialog.png")


def show_sidebar(page: Page) -> None:
    """Show the sidebar with an open row."""
    tab = page.locator('.jp-SideBar [data-id="tensorone-ports"]')
    tab.click()
    sidebar = page.locator("#tensorone-ports")
    sidebar.get_by_role("button", expanded=False).first.click()
    sidebar.get_by_role("img", name=re.compile("requests in the last")).wait_for()
    sidebar.get_by_text("GET").first.wait_for()
    page.mouse.move(2, 2)
    save(page, "sidebar.png")
    tab.click()


def show_tab(page: Page) -> None:
    """Open TensorBoard in a tab of JupyterLab, by the button of the notebook; go back."""
    page.locator(".jp-TensorOne-notebook").click()
    page.locator(".lm-Menu").get_by_text("Open TensorBoard").click()
    frame = page.locator(".jp-TensorOne-tab").frame_locator("iframe")
    frame.locator("line-chart").first.wait_for()
    page.wait_for_timeout(2000)
    page.mouse.move(2, 2)
    save(page, "tab.png")
    page.locator(".lm-TabBar-tab", has_text="train.ipynb").click()


def execute(page: Page, index: int) -> None:
    """Execute a cell, and wait until it has been."""
    prompt = page.locator(".jp-Cell").nth(index).locator(".jp-InputPrompt")
    prompt.click()
    page.keyboard.press("Shift+Enter")
    expect(prompt).to_have_text(re.compile(r"\[\d+\]"), timeout=_PATIENCE_MS)


def wait_until_healthy(page: Page, server: JupyterServer) -> None:
    """Wait for the gateway's check of the exposed service."""
    for _ in range(_PATIENCE_MS // 500):
        ports = server.request("GET", "api/ports").json()["data"]
        if ports and ports[0]["health_status"] == "healthy":
            return
        page.wait_for_timeout(500)
    raise SystemExit("TensorBoard did not become healthy.")


def unexpose(server: JupyterServer) -> None:
    """Stop exposing everything."""
    for port in server.request("GET", "api/ports").json()["data"]:
        server.request("DELETE", f"api/ports/{port['id']}").raise_for_status()


def save(page: Page, name: str) -> None:
    """Write a picture with few colours, which makes it small."""
    path = IMAGES / name
    page.screenshot(path=path)
    picture: Any = Image.open(path).convert("RGB")
    picture.quantize(_COLORS, dither=Image.Dither.NONE).save(path, optimize=True)
    print(f"{path.relative_to(PROJECT)}  {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
