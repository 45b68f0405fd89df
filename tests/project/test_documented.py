"""Whatever can be set, called or typed has a row in the reference; and no row is of nothing.

A failure names the page and the row that is missing: ``| `name` | what it is |``.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import httpx
import pytest
from traitlets.config import Configurable

import jupyter_tensorone_proxy
from jupyter_tensorone_proxy import server
from jupyter_tensorone_proxy.commands.grammar import VERBS, build_parser
from jupyter_tensorone_proxy.gateway import config as gateway_config
from jupyter_tensorone_proxy.gateway.config import GatewayConfig
from jupyter_tensorone_proxy.server.routes import handlers
from tests.fixtures.gateway import run_gateway

PACKAGE = Path(jupyter_tensorone_proxy.__file__).parent
REFERENCE = PACKAGE.parent / "docs" / "reference"
_ROW = re.compile(r"^\| (`[^|]+`) \|([^|]*)\|", re.MULTILINE)
_UNDOCUMENTED_ENVIRONMENT = {
    "PATH",  # nothing of ours
}


def rows(page: str, heading: str | None = None) -> dict[str, str]:
    """Return what a page's tables are about: each row's name, with its second column."""
    text = (REFERENCE / page).read_text()
    if heading is not None:
        assert f"\n## {heading}\n" in text, f"{page} has no section {heading!r}"
        text = re.split(r"^## ", text.partition(f"\n## {heading}\n")[2], flags=re.MULTILINE)[0]
    return {
        name: second.strip()
        for names, second in _ROW.findall(text)
        for name in re.findall("`([^`]+)`", names)
    }


def compare(documented: set[str], real: set[str], page: str) -> None:
    """Compare what a page says with what there is."""
    missing = [f"| `{name}` | … |" for name in sorted(real - documented)]
    assert not missing, f"docs/reference/{page} lacks rows: {missing}"
    gone = sorted(documented - real)
    assert not gone, f"docs/reference/{page} documents what is not there: {gone}"


# --- Jupyter's configuration ----------------------------------------------------------------


def configurables() -> Iterator[type[Configurable]]:
    """Yield every class of ours that Jupyter's configuration can set something of."""
    for found in pkgutil.walk_packages(server.__path__, f"{server.__name__}."):
        if found.name.endswith("__main__"):
            continue
        module = importlib.import_module(found.name)
        for _, owner in inspect.getmembers(module, inspect.isclass):
            if issubclass(owner, Configurable) and owner.__module__ == module.__name__:
                yield owner


def traits() -> dict[str, object]:
    """Return our own settings with their defaults."""
    return {
        f"{owner.__name__}.{name}": trait.default_value
        for owner in configurables()
        for name, trait in owner.class_own_traits(config=True).items()
        if trait.this_class is owner
    }


def test_every_trait_is_documented() -> None:
    """An administrator finds every setting of the server extension."""
    page = "settings.md"
    compare(set(rows(page, "Jupyter's configuration")), set(traits()), page)


def test_the_documented_defaults_of_traits_are_true() -> None:
    """A default that is written down is the one in force."""
    documented = rows("settings.md", "Jupyter's configuration")
    for name, default in traits().items():
        written = documented[name].strip("`")
        if isinstance(default, (str, bool, int)):
            assert written == (str(default) if default != "" else "empty"), name


# --- environment ----------------------------------------------------------------------------


def environment_names() -> set[str]:
    """Return the environment variables that the source names or reads."""
    found: set[str] = set()
    for file in PACKAGE.rglob("*.py"):
        tree = ast.parse(file.read_text())
        docstrings = {id(text) for text in docstrings_of(tree)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and id(node) not in docstrings:
                found |= set(re.findall(r"^TENSORONE_[A-Z_]+[A-Z]$", str(node.value)))
            found |= read_from_environ(node)
    return found - _UNDOCUMENTED_ENVIRONMENT


def docstrings_of(tree: ast.Module) -> Iterator[ast.Constant]:
    """Yield the texts that are statements: docstrings, and comments on constants."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield node.value


def read_from_environ(node: ast.AST) -> set[str]:
    """Return the name if a node is `environ.get("NAME")` or `environ["NAME"]`."""
    match node:
        case ast.Call(func=ast.Attribute(value=holder, attr="get"), args=[ast.Constant(name), *_]):
            pass
        case ast.Subscript(value=holder, slice=ast.Constant(name), ctx=ast.Load()):
            pass
        case _:
            return set()
    source = ast.unparse(holder)
    return {str(name)} if source in {"environ", "os.environ", "sources.environ"} else set()


def test_every_environment_variable_is_documented() -> None:
    """Whoever starts a kernel by other means finds every variable that is read or set."""
    page = "settings.md"
    names = environment_names()
    assert {"TENSORONE_API_KEY", "TENSORONE_KERNEL_ID", "NO_COLOR", "JUPYTERHUB_USER"} <= names
    compare(set(rows(page, "Environment")), names, page)


# --- commands -------------------------------------------------------------------------------


def test_every_verb_is_documented_where_it_exists() -> None:
    """Each verb has a row that says where it can be typed."""
    page = "commands.md"
    documented = rows(page, "Verbs")
    compare(set(documented), {verb.name for verb in VERBS}, page)
    for verb in VERBS:
        where = {("cli", "magic"): "both", ("cli",): "terminal", ("magic",): "notebook"}
        assert documented[verb.name] == where[verb.rims], verb.name


def options() -> dict[str, set[str]]:
    """Return each option of the verbs with the verbs that have it."""
    found: dict[str, set[str]] = {}
    for rim in ("cli", "magic"):
        parser = build_parser(rim)
        (verbs,) = [action for action in vars(parser)["_actions"] if action.choices]
        for verb, of_verb in verbs.choices.items():
            for action in vars(of_verb)["_actions"]:
                for option in action.option_strings:
                    found.setdefault(option, set()).add(verb)
    return {o: verbs for o, verbs in found.items() if o.startswith("--") and o != "--help"}


def test_every_option_is_documented_with_its_verbs() -> None:
    """Each option has a row that names the verbs it belongs to."""
    page = "commands.md"
    documented = rows(page, "Options")
    compare(set(documented), set(options()), page)
    for option, verbs in options().items():
        said = documented[option]
        assert said == "all" or set(re.findall("`([^`]+)`", said)) == verbs, (option, verbs)


def test_the_readme_names_every_verb() -> None:
    """Whoever reads only the README knows what there is."""
    readme = (PACKAGE.parent / "README.md").read_text()
    named = set(re.findall(r"^\| `(?:%|jupyter )tensorone ([a-z-]+)", readme, flags=re.MULTILINE))
    assert named == {verb.name for verb in VERBS}


# --- gateway --------------------------------------------------------------------------------


def test_every_gateway_option_is_documented(capsys: pytest.CaptureFixture[str]) -> None:
    """Each option of `jupyter tensorone gateway` has a row, with its default."""
    page = "gateway.md"
    with pytest.raises(SystemExit):
        gateway_config.parse_arguments(["--help"])
    shown = set(re.findall(r"^  (--[a-z-]+)", capsys.readouterr().out, flags=re.MULTILINE))
    assert "--state-dir" in shown
    documented = rows(page, "Options")
    compare(set(documented), shown, page)
    defaults = {field.name: field.default for field in fields(GatewayConfig)}
    for option, written in documented.items():
        default = defaults.get(option.strip("-").replace("-", "_"), "")
        if isinstance(default, (int, str)) and default != "":
            assert written.strip("`") == str(default), option
    ports = f"{defaults['first_external_port']}-{defaults['last_external_port']}"
    assert documented["--external-ports"].strip("`") == ports


def test_every_route_of_the_gateway_is_documented(tmp_path: Path) -> None:
    """Each address of the REST API, asked of a running gateway, has a row."""
    page = "gateway.md"
    with run_gateway(tmp_path) as gateway:
        paths = httpx.get(f"{gateway.api_url}/openapi.json").json()["paths"]
    routes = {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}
    compare(set(rows(page, "REST")) - set(visitor_addresses()), routes, page)


def visitor_addresses() -> set[str]:
    """Return the addresses under `/.tensorone/` that the source routes."""
    source = (PACKAGE / "gateway" / "visitor.py").read_text()
    return {f"/.tensorone/{name}" for name in re.findall(r"\{VISITOR_PREFIX\}([\w.-]+)", source)}


def test_every_page_for_visitors_is_documented() -> None:
    """Each address that the gateway takes from a service's origin has a row."""
    page = "gateway.md"
    documented = {name for name in rows(page, "REST") if name.startswith("/.")}
    assert "/.tensorone/link" in documented
    compare(documented, visitor_addresses(), page)


def test_every_file_of_the_state_directory_is_documented(tmp_path: Path) -> None:
    """Whoever looks into a running gateway's state directory finds every file explained."""
    with run_gateway(tmp_path) as gateway:
        there = {f"{f.name}/" if f.is_dir() else f.name for f in gateway.state_dir.iterdir()}
    there = {name for name in there if not name.endswith(("-shm", "-wal"))}  # SQLite's own
    compare(set(rows("gateway.md", "Files in the state directory")), there, "gateway.md")


# --- Jupyter's addresses --------------------------------------------------------------------


def test_every_route_of_the_server_extension_is_documented() -> None:
    """Each method of each handler has a row."""
    page = "jupyter-api.md"
    real = set()
    parts: list[Any] = [None] * len(inspect.signature(handlers).parameters)  # never called here
    for pattern, handler, _ in handlers(*parts):
        path = re.sub(r"go/\.\*$", "go/{port}", re.sub(r"\(\[[^)]*\)", "{id}", pattern))
        for method in ("get", "post", "put", "patch", "delete"):
            if method in vars(handler):
                real.add(f"{method.upper()} {path}")
    assert "POST tensorone-proxy/api/ports" in real
    compare(set(rows(page)), real, page)
