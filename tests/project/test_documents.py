"""The documents: they build, their links lead somewhere, and their promises are tested."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import jupyter_tensorone_proxy
from jupyter_tensorone_proxy.client import ProxyClient
from jupyter_tensorone_proxy.client._calls import Call

PROJECT = Path(jupyter_tensorone_proxy.__file__).parents[1]
TESTS = PROJECT / "tests"
_ROW = re.compile(r"^\| (\d\d) \| (.+) \|$", re.MULTILINE)
_LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)(?:#([^)]+))?\)")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the documentation with warnings as errors, without any network."""
    directory = tmp_path_factory.mktemp("site")
    nowhere = {"HTTPS_PROXY": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"}
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(directory)],
        cwd=PROJECT,
        env={**os.environ, **nowhere, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return directory


def test_the_pages_ask_no_other_host_for_anything(site: Path) -> None:
    """Whoever reads needs no network, and no other host is told what they read."""
    pages = list(site.rglob("*.html"))
    assert len(pages) > 10
    loaded = re.compile(
        r'<(?:script|img|link rel="(?:stylesheet|icon|preload)")[^>]+(?:src|href)="(https?:[^"]+)'
    )
    for page in pages:
        assert not loaded.findall(page.read_text()), page


def test_every_public_name_and_call_is_in_the_reference(site: Path) -> None:
    """Whatever can be imported, and whatever a client can call, has its place on the page."""
    page = (site / "reference" / "python" / "index.html").read_text()
    calls = {name for name in dir(ProxyClient) if isinstance(getattr(ProxyClient, name), Call)}
    assert len(calls) > 10
    for name in {*jupyter_tensorone_proxy.__all__, *calls} - {"__version__"}:
        assert re.search(rf'id="[\w.]*\.{name}"|<code>{name}</code>', page), name


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"])
def test_every_link_of_a_document_leads_somewhere(name: str) -> None:
    """A link to a file of the repository is to one that is there, and its heading too."""
    for target, heading in _LINK.findall((PROJECT / name).read_text()):
        file = PROJECT / target
        assert file.exists(), f"{name} links to {target}"
        if heading:
            assert heading in headings(file), f"{name} links to {target}#{heading}"


def headings(file: Path) -> set[str]:
    """Return a document's headings as they stand in links."""
    titles = re.findall(r"^#+ (.+)$", file.read_text(), flags=re.MULTILINE)
    return {re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-") for title in titles}


def test_the_promises_of_the_security_policy_are_those_of_the_tests() -> None:
    """What SECURITY.md says is enforced, tests with its number show; and all of it is told."""
    source = "\n".join(file.read_text() for file in TESTS.rglob("test_*.py"))
    promises = dict(_ROW.findall((PROJECT / "SECURITY.md").read_text()))
    assert len(promises) > 20
    tested = set(re.findall(r"(?<=_r)\d\d(?=_)", " ".join(re.findall(r"def (test\w+)", source))))
    assert promises.keys() - tested == set(), "SECURITY.md promises what no test shows"
    assert tested - promises.keys() == set(), "SECURITY.md lacks rows for what tests show"
