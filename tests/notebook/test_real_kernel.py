"""`%tensorone` in kernels that a real Jupyter server started, with the real gateway and Envoy."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx
import nbformat
import pytest
from nbconvert import HTMLExporter

from tests.fixtures.gateway import free_port
from tests.fixtures.jupyter import CellError, JupyterServer, Kernel, output_text, run_jupyter
from tests.fixtures.services.web import WebService, web_service


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    """Run a Jupyter server without any configuration of ours."""
    with run_jupyter(tmp_path_factory.mktemp("jupyter")) as running:
        running.request("GET", "api/ports").raise_for_status()
        yield running


@pytest.fixture(scope="module")
def kernel(server: JupyterServer) -> Iterator[Kernel]:
    """Start one kernel for all tests that change nothing in it."""
    with server.kernel() as started:
        yield started


@pytest.fixture
def service(server: JupyterServer) -> Iterator[WebService]:
    """Run a web service; afterwards no port is exposed any more."""
    with web_service() as running:
        yield running
    for port in server.request("GET", "api/ports").json()["data"]:
        server.request("DELETE", f"api/ports/{port['id']}").raise_for_status()


def _shown(outputs: list[Any]) -> str:
    return "\n".join(output_text(output) for output in outputs)


def _error(kernel: Kernel, source: str) -> str:
    """Execute a cell that must fail, and return what it shows below its source."""
    with pytest.raises(CellError) as failed:
        kernel.execute(source)
    return str(failed.value).removeprefix(source).strip()


def test_the_magic_is_there_in_a_new_kernel(server: JupyterServer) -> None:
    """Nothing is loaded by hand, nothing of ours but the magic is imported until it is used."""
    used = "import sys; print(sorted(m for m in sys.modules if 'tensorone' in m or m == 'httpx'))"
    with server.kernel() as kernel:
        assert _shown(kernel.execute(used)).strip() == str(
            [
                "jupyter_tensorone_proxy",
                "jupyter_tensorone_proxy.kernels",
                "jupyter_tensorone_proxy.notebook",
                "jupyter_tensorone_proxy.notebook.magics",
                "jupyter_tensorone_proxy.notebook.own_kernel",
            ]
        )
        assert "running gateway" in _shown(kernel.execute("%tensorone status"))
        loaded = _shown(kernel.execute("%load_ext jupyter_tensorone_proxy"))
        assert "already loaded" in loaded
        assert "Nothing is exposed" in _shown(kernel.execute("%tensorone list"))


def test_load_ext_works_where_a_users_own_list_hides_ours(
    server: JupyterServer, tmp_path: Path
) -> None:
    """IPython's `extensions = […]` of a user replaces ours; `%load_ext` then brings the magic."""
    profile = server.state_dir.parent / "ipython" / "profile_default"
    profile.mkdir(parents=True, exist_ok=True)
    config = profile / "ipython_kernel_config.py"
    config.write_text("c.IPKernelApp.extensions = ['autoreload']\n")
    try:
        with server.kernel() as kernel:
            assert "`%tensorone` not found" in _error(kernel, "%tensorone list")
            kernel.execute("%load_ext jupyter_tensorone_proxy")
            assert "Nothing is exposed" in _shown(kernel.execute("%tensorone list"))
    finally:
        config.unlink()


def test_r16_a_kernels_environment_holds_no_key(server: JupyterServer, kernel: Kernel) -> None:
    """A kernel finds the gateway and its key by the state directory's name only."""
    shown = _shown(kernel.execute("import json, os; print(json.dumps(dict(os.environ)))"))
    environ = json.loads(shown)
    assert environ["TENSORONE_STATE_DIR"] == str(server.state_dir)
    assert (server.state_dir / "api_key").read_text().strip() not in shown
    assert not {"TENSORONE_API_KEY", "TENSORONE_API_KEY_FILE"} & set(environ)


def test_expose_in_python_lasts_as_long_as_its_cell(
    server: JupyterServer, kernel: Kernel, service: WebService
) -> None:
    """`with expose(…)`: private inside the block, gone after it."""
    source = f"""
from jupyter_tensorone_proxy import expose
with expose({service.port}, description="For a while") as mapping:
    print(mapping.url, mapping.mapping.access_control.allowed_users)
"""
    url, users = _shown(kernel.execute(source)).split(maxsplit=1)
    assert url.startswith("https://localhost:")
    assert len(json.loads(users.replace("'", '"'))) == 1
    assert server.request("GET", "api/ports").json()["data"] == []


class _Links(HTMLParser):
    """The links of a page, and the text that follows each."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[dict[str, str | None], str]] = []
        self._last: dict[str, str | None] = {}
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a link."""
        if tag == "a" and "tensorone-proxy" in str(dict(attrs).get("href")):
            self._last = dict(attrs)
            self.found.append((self._last, ""))

    def handle_data(self, data: str) -> None:
        """Note what follows it, up to the next line."""
        if self.found and len(self.found[-1][1]) < 60:
            self.found[-1] = (self.found[-1][0], self.found[-1][1] + data)


def test_a_saved_copy_says_that_its_links_are_dead(kernel: Kernel, service: WebService) -> None:
    """In a page made by nbconvert the card is there, without scripts, and says what links need."""
    source = f"%tensorone expose {service.port} --name '<script>alert(1)</script>'"
    cell = nbformat.v4.new_code_cell(source, outputs=kernel.execute(source))
    page, _ = HTMLExporter().from_notebook_node(nbformat.v4.new_notebook(cells=[cell]))
    ((link, text),) = _Links(page).found
    assert link["href"] == f"/tensorone-proxy/go/{service.port}/"
    assert text.startswith("Open (while this Jupyter server runs)")
    assert "<script>alert(1)" not in page
    assert "Only me" in page


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("expose 0", "a port is a number from 1 to 65535"),
        ("expose 65536", "a port is a number from 1 to 65535"),
        ("expose '80 '", "a port is a number from 1 to 65535"),
        ("expose True", "a port is a number from 1 to 65535"),
        ("show 9", "Port 9 is not exposed."),
        ("expose 3306", "it is the usual port of MySQL. If you mean it, set force"),
        ("expose 4000 --allow-ip 300.1.1.1", "300.1.1.1"),
        ("expose 4000 --external-port 70000", "a port is a number from 1 to 65535"),
        ("expose 4000 --name ''", "description"),
    ],
)
def test_bad_input_is_one_line_that_says_why(
    server: JupyterServer, kernel: Kernel, line: str, said: str
) -> None:
    """What is wrong is named, with the way out; there is no traceback and nothing half made."""
    shown = _error(kernel, f"%tensorone {line}")
    assert said in shown
    assert len(shown.splitlines()) == 1, shown
    assert "Traceback" not in shown
    assert server.request("GET", "api/ports").json()["data"] == []


@pytest.mark.parametrize("value", ["0", "65536", "'80 '", "True", "80.0", "None"])
def test_r08_bad_ports_in_python_are_one_line_too(kernel: Kernel, value: str) -> None:
    """`expose(…)` judges before anything is sent, and names the field."""
    shown = _error(kernel, f"import jupyter_tensorone_proxy as t; t.expose({value})")
    assert shown.startswith("InvalidRequestError: ")
    assert "internal_port" in shown
    assert len(shown.splitlines()) == 1


def test_a_port_that_is_mapped_already_is_told_with_the_way_out(
    kernel: Kernel, service: WebService
) -> None:
    """`create_port` of an exposed port: the contract's error, with id and suggestion."""
    fields = f"internal_port={service.port}, description='twice'"
    source = f"import jupyter_tensorone_proxy as t; c = t.ProxyClient(); c.create_port({fields})"
    kernel.execute(source)
    shown = _error(kernel, f"# again\n{source}")
    assert shown.startswith("PortAlreadyMappedError: ")
    assert str(service.port) in shown
    assert "update the existing mapping" in shown
    caught = f"""
try:
    c.create_port({fields})
except t.ApiError as error:
    print(error.code, sorted(error.details))
"""
    code, details = _shown(kernel.execute(caught)).split(maxsplit=1)
    assert code == "PORT_ALREADY_MAPPED"
    assert {"existing_mapping_id", "suggestion"} <= set(json.loads(details.replace("'", '"')))


def test_an_external_port_taken_by_somebody_else_is_named(
    server: JupyterServer, kernel: Kernel, service: WebService
) -> None:
    """Somebody else's socket holds it: the port is named, nothing is made, another port works."""
    mapping = server.request(
        "POST", "api/ports", json={"internal_port": service.port, "description": "x"}
    ).json()["data"]
    server.request("DELETE", f"api/ports/{mapping['id']}").raise_for_status()
    taken = mapping["external_port"]
    with socket.create_server(("127.0.0.1", taken)):
        line = f"%tensorone expose {service.port} --external-port {taken}"
        shown = _error(kernel, line)
        assert str(taken) in shown
        assert len(shown.splitlines()) == 1, shown
        assert server.request("GET", "api/ports").json()["data"] == []
    assert f"localhost:{taken}" in _shown(kernel.execute(line))


def test_a_port_that_nothing_listens_on_may_be_exposed(
    server: JupyterServer, kernel: Kernel, service: WebService
) -> None:
    """The page behind it says so with 502 until the service is there."""
    port = free_port()
    kernel.execute(f"%tensorone expose {port} --public")
    (mapping,) = server.request("GET", "api/ports").json()["data"]
    trusted = ssl.create_default_context(cafile=server.gateway()["ca_file"])
    with httpx.Client(verify=trusted, timeout=30) as visitor:
        answer = visitor.get(mapping["url"], headers={"accept": "text/html"})
    assert answer.status_code == 502
    assert str(port) in answer.text
