"""The quick start without a browser: executes the notebook, and visits what it exposes.

A real Jupyter server starts its gateway, a new kernel executes `notebooks/quickstart.ipynb` cell by
cell, and while TensorBoard is exposed this program fetches its page through the exposed URL.
Everything lives in a temporary directory and on free ports, and is gone afterwards.
"""

from __future__ import annotations

import re
import ssl
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import nbformat

sys.path.insert(0, str(Path(__file__).parents[1]))

from jupyter_tensorone_proxy import AccessControl, ProxyClient
from tests.fixtures.jupyter import CellError, JupyterServer, Kernel, output_text, run_jupyter

PROJECT = Path(__file__).parents[1]
NOTEBOOK = PROJECT / "notebooks" / "quickstart.ipynb"
EXPOSED = "exposed"
"""Tag of the cell after which the service is exposed and answers."""


@dataclass(frozen=True)
class Page:
    """What a visitor got.

    Args:
        url: The exposed address.
        status: The HTTP status.
        title: The page's title; empty if it has none.
    """

    url: str
    status: int
    title: str


def main() -> int:
    """Run the demonstration; returns the exit status."""
    say("Starting a Jupyter server and its gateway …")
    try:
        with tempfile.TemporaryDirectory() as directory, run_jupyter(Path(directory)) as server:
            page = run_notebook(server)
    except CellError as error:
        say(f"A cell failed:\n{error}")
        return 1
    if page is None or page.status != httpx.codes.OK or not page.title:
        say(f"This is not a page: {page}")
        return 1
    return 0


def run_notebook(server: JupyterServer) -> Page | None:
    """Execute the notebook in a new kernel, and visit what it exposes while it does.

    Args:
        server: Where.

    Returns:
        The page; None if no cell is tagged as exposing one.
    """
    page = None
    say(f"Executing {NOTEBOOK.relative_to(PROJECT)} in a new kernel …")
    with server.kernel() as kernel:
        for cell in nbformat.read(NOTEBOOK, as_version=4).cells:
            show(cell, kernel)
            if EXPOSED in cell.metadata.get("tags", []):
                page = visit(server)
                say("\n    Fetched by this program, signed in by a one-time link:")
                say(f"      URL     {page.url}")
                say(f"      Status  {page.status}")
                say(f"      Title   {page.title}")
    return page


def show(cell: Any, kernel: Kernel) -> None:
    """Execute a cell, and print what it says; of text only the headings."""
    if cell.cell_type == "markdown":
        say("".join(f"\n{line.lstrip('# ')}" for line in cell.source.splitlines() if "# " in line))
        return
    for output in kernel.execute(cell.source):
        for line in output_text(output).splitlines():
            say(f"    {line}")


def visit(server: JupyterServer) -> Page:
    """Fetch the first page of the one service that is exposed.

    Args:
        server: Its gateway is asked for a link, and its authority is trusted.
    """
    gateway = server.gateway()
    key = {"api_url": gateway["api_url"], "api_key_file": gateway["api_key_file"]}
    with ProxyClient(**key, cluster_id=gateway["cluster_id"]) as client:
        (mapping,) = client.list_ports()
        access = mapping.access_control or AccessControl()
        (user,) = access.allowed_users or ["demo"]
        link = client.create_link(mapping.id, user=user)
    trusted = ssl.create_default_context(cafile=gateway["ca_file"])
    with httpx.Client(verify=trusted, follow_redirects=True, timeout=30) as visitor:
        answer = visitor.get(link.url)
    title = re.search("<title>(.*?)</title>", answer.text)
    return Page(str(mapping.url), answer.status_code, title[1] if title else "")


def say(text: str) -> None:
    """Print at once, also into a pipe."""
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
