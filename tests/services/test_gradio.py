"""A Gradio app behind a private mapping, with Gradio's own client and in a browser."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.services.browser import Chromium
from tests.fixtures.services.exposed import ExposedService, Start
from tests.fixtures.services.processes import answers, need

pytestmark = [
    pytest.mark.services,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # of Gradio's client
]

APP = Path(__file__).with_name("apps") / "gradio_app.py"


@pytest.fixture(scope="module")
def gradio(start: Start) -> ExposedService:
    """Start the app."""
    need("gradio")
    return start("Gradio", [sys.executable, str(APP), "{port}"], ready=answers("/config"))


@pytest.fixture
def gradio_client(
    gradio: ExposedService, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Any]:
    """Return Gradio's client, as a user sets it up for a private URL and a local authority."""
    from gradio_client import Client

    monkeypatch.setenv("SSL_CERT_FILE", gradio.ca_file)
    client = Client(
        gradio.url,
        headers=gradio.authorization,
        verbose=False,
        analytics_enabled=False,
        download_files=tmp_path,
    )
    yield client
    client.close()


def test_p3_gradio_client_predicts(gradio_client: Any) -> None:
    """A prediction through the exposed URL comes back."""
    assert gradio_client.predict("Ana", api_name="/greet") == "Hello Ana!"


def test_p3_gradio_stream_arrives_one_item_at_a_time(gradio_client: Any) -> None:
    """Five items arrive, though the app sends each only when the one before has arrived."""
    items = []
    for item in gradio_client.submit(5, api_name="/count"):
        items.append(item)
        gradio_client.predict(api_name="/take")
    assert items == [f"item {number}" for number in range(5)]


def test_p3_gradio_upload_arrives_unchanged(gradio_client: Any, tmp_path: Path) -> None:
    """The app computes the SHA-256 of the very file that was uploaded."""
    from gradio_client import handle_file

    file = tmp_path / "upload.bin"
    file.write_bytes(os.urandom(5_000_000))
    said = gradio_client.predict(handle_file(str(file)), api_name="/digest")
    assert said == hashlib.sha256(file.read_bytes()).hexdigest()


def test_p3_gradio_works_in_a_browser(gradio: ExposedService, chromium: Chromium) -> None:
    """A visitor types a name, clicks, and reads the app's answer."""
    with chromium.visit(gradio) as visit:
        visit.page.get_by_label("Name").fill("Ana")
        visit.page.get_by_role("button", name="Greet").click()
        visit.page.wait_for_function(
            "[...document.querySelectorAll('textarea, input')].some(e => e.value == 'Hello Ana!')"
        )
        assert visit.errors == []
