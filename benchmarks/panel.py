"""What the front end costs: Lab's start with it and without, many rows, one change, the bundle.

``python benchmarks/panel.py [--rounds 10] [--mappings 200]``

A real JupyterLab in Debian's chromium, with the extension and with it disabled, by turns: from the
request to the launcher. Then a real gateway with many mappings: from the click on the sidebar's
icon until all rows are drawn, and what is drawn anew when one of them is renamed.
"""

from __future__ import annotations

import argparse
import gzip
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.fixtures.browser import run_chromium, run_playwright
from tests.fixtures.gateway import free_range
from tests.fixtures.jupyter import TOKEN, JupyterServer, run_jupyter
from tests.fixtures.lab import OPTIONS, ask_nothing
from tests.fixtures.sidebar import expose

_BUNDLE = Path(__file__).parents[1] / "jupyter_tensorone_proxy" / "labextension" / "static"
_PATIENCE_MS = 120_000
_START = "() => performance.now()"
_DRAW = """async count => {
  const rows = () => document.querySelectorAll("#tensorone-ports [data-port-id]").length;
  const frame = () => new Promise(requestAnimationFrame);
  const begin = performance.now();
  jupyterapp.commands.execute("tensorone-proxy:show-panel");
  while (rows() < count && performance.now() - begin < 60_000) await frame();
  await frame();
  return performance.now() - begin;
}"""
_COUNT_CHANGES = """() => {
  window.touched = new Set();
  new MutationObserver(records => {
    for (const {target} of records) {
      const element = target.nodeType === Node.TEXT_NODE ? target.parentElement : target;
      const row = element?.closest("[data-port-id]");
      if (row) window.touched.add(row.dataset.portId);
    }
  }).observe(document.querySelector("#tensorone-ports"),
             {subtree: true, childList: true, characterData: true, attributes: true});
}"""


def main() -> None:
    """Run the benchmark and print its numbers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--mappings", type=int, default=200)
    options = parser.parse_args()
    print(f"bundle: {bundle_kb():.0f} kB gzipped, all of it")
    with run_playwright() as playwright, tempfile.TemporaryDirectory() as name:
        root = Path(name)
        with (
            servers(root, options.mappings) as (bare, ours),
            run_chromium(playwright, root / "home") as browser,
        ):
            starts(browser, bare, ours, options.rounds)
            rows(browser, ours, options.mappings, options.rounds)


def bundle_kb() -> float:
    """Return the size of all JavaScript, as it is sent."""
    return sum(len(gzip.compress(file.read_bytes())) for file in _BUNDLE.glob("*.js")) / 1000


@contextmanager
def servers(root: Path, mappings: int) -> Iterator[tuple[JupyterServer, JupyterServer]]:
    """Run a JupyterLab whose front end leaves the extension out, and one that has it."""
    with ExitStack() as stack:
        found = []
        for name in ("bare", "ours"):
            (root / name).mkdir()
            ask_nothing(root / name, *(["jupyter-tensorone-proxy"] if name == "bare" else []))
            words = (*OPTIONS, f"--TensorOneProxy.external_ports={free_range(mappings + 1)}")
            server = stack.enter_context(run_jupyter(root / name, *words, module="jupyterlab"))
            server.request("GET", "api/proxy").raise_for_status()
            found.append(server)
        yield found[0], found[1]


def starts(browser: Any, bare: JupyterServer, ours: JupyterServer, rounds: int) -> None:
    """Open JupyterLab again and again, by turns, with everything in the browser's cache."""
    contexts = {name: browser.new_context() for name in ("without", "with")}
    took: dict[str, list[float]] = {"without": [], "with": []}
    for number in range(rounds + 2):
        for name, server in (("without", bare), ("with", ours)):
            page = contexts[name].new_page()
            page.set_default_timeout(_PATIENCE_MS)
            page.goto(f"{server.url}/lab?reset&token={TOKEN}", wait_until="commit")
            page.locator(".jp-Launcher").wait_for()
            if number >= 2:  # the first fill the cache
                took[name].append(page.evaluate(_START))
            page.close()
    for word, of in (("fastest", min), ("median", statistics.median)):
        without, with_it = of(took["without"]), of(took["with"])
        print(
            f"Lab's start, {word} of {rounds}: {without:.0f} ms without, {with_it:.0f} ms with, "
            f"{with_it - without:+.0f} ms"
        )


def rows(browser: Any, server: JupyterServer, count: int, rounds: int) -> None:
    """Draw many rows, then change one."""
    made = [expose(server, 20_000 + n, f"Service {n}", force=True) for n in range(count)]
    took = []
    context = browser.new_context()
    for number in range(rounds):
        page = context.new_page()
        page.set_default_timeout(_PATIENCE_MS)
        page.goto(f"{server.url}/lab?reset&token={TOKEN}")
        page.locator(".jp-TensorOne-status", has_text=f"{count} ports exposed").wait_for()
        first = page.evaluate(_DRAW, count)
        page.locator('.jp-SideBar [data-id="tensorone-ports"]').click()
        again = page.evaluate(_DRAW, count)
        took.append((first, again))
        if number < rounds - 1:
            page.close()
    first, again = (statistics.median(times) for times in zip(*took, strict=True))
    print(f"{count} rows: {first:.0f} ms at first, its code loaded; shown again {again:.0f} ms")
    page.wait_for_timeout(2_000)
    page.evaluate(_COUNT_CHANGES)
    server.request("PUT", f"api/ports/{made[0]['id']}", json={"description": "Renamed"})
    page.locator("#tensorone-ports").get_by_text("Renamed").wait_for()
    print(f"one renamed: {page.evaluate('() => window.touched.size')} of {count} rows touched")


if __name__ == "__main__":
    main()
