"""The catalogue of services that are recognised: their names, their ports, how they are checked.

A service is recognised by the command that started it, else by what its page says of itself. What
is here are suggestions for people and rules; nothing is exposed because of an entry.

More services come from other packages, by the entry point group `jupyter_tensorone_proxy.services`
(each names a `Service`), and from configuration. This module starts nothing and does no I/O.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from importlib.metadata import entry_points
from typing import Any

from .errors import ConfigurationError

ENTRY_POINTS = "jupyter_tensorone_proxy.services"


@dataclass(frozen=True)
class Service:
    """One kind of application.

    Args:
        id: Its name for rules and programs: lower case, digits and dashes.
        name: Its name for people.
        default_port: Where it usually listens; None if anywhere.
        health_path: A path that answers 200 while it is well; None to only connect.
        open_path: Where people begin.
        command: A regular expression, searched in the command line that started it.
        title: A regular expression, searched in the title of its page.
        headers: Header name (lower case) → a regular expression, searched in its value.
        app_protocol: What it speaks, as in `PortSettings`.
        note: What is peculiar about it behind a proxy, for people; empty if nothing.
        start: Words that start it, with ``{port}``; empty if it is not started from here.
        internal: It is a part of something else, and never offered by itself.
    """

    id: str
    name: str
    default_port: int | None = None
    health_path: str | None = None
    open_path: str = "/"
    command: str = ""
    title: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    app_protocol: str = "http"
    note: str = ""
    start: tuple[str, ...] = ()
    internal: bool = False

    def __post_init__(self) -> None:
        """Judge the patterns, so that a wrong one is told when it is written.

        Raises:
            ConfigurationError: The id or a pattern is wrong.
        """
        if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", self.id):
            raise ConfigurationError(
                f"{self.id!r} is not a service's id.", suggestion="Use lower case and dashes."
            )
        try:
            for pattern in (self.command, self.title, *self.headers.values()):
                re.compile(pattern)
        except re.error as error:
            raise ConfigurationError(f"A pattern of {self.id} is wrong: {error}.") from None


def _module(*names: str) -> str:
    """Return a pattern for a program or a Python module of one of these names."""
    any_name = "|".join(names)
    return rf"(?:^|[\s/])(?:{any_name})(?:\.exe)?(?=\s|$)|-m\s+(?:{any_name})(?=[\s.]|$)"


BUILT_IN: tuple[Service, ...] = (
    Service(
        "tensorboard",
        "TensorBoard",
        6006,
        "/data/environment",
        command=_module("tensorboard") + r"|tensorboard[./]main",
        title=r"^TensorBoard$",
        start=("tensorboard", "--logdir", "runs", "--port", "{port}"),
    ),
    Service(
        "mlflow",
        "MLflow",
        5000,
        "/health",
        command=r"(?:^|[\s/])mlflow\s+(?:server|ui|models)|mlflow\.server",
        title=r"^MLflow$",
        note="MLflow refuses a public Host: it is given its own address.",
        start=("mlflow", "server", "--port", "{port}"),
    ),
    Service(
        "jupyter",
        "Jupyter",
        8888,
        "/api",
        open_path="/lab",
        command=_module("jupyter-lab", "jupyter-notebook", "jupyter-server", "jupyterlab")
        + r"|(?:^|[\s/])jupyter\s+(?:lab|notebook|server)|-m\s+jupyter_server",
        title=r"^JupyterLab$|^Jupyter Server$|^Home$",
        note="A shell for whoever gets in: name the people.",
    ),
    Service(
        "vscode",
        "VS Code Server",
        8080,
        "/healthz",
        command=_module("code-server", "openvscode-server") + r"|code\s+serve-web",
        title=r"code-server|VS Code|Visual Studio Code",
        start=("code-server", "--auth", "none", "--bind-addr", "127.0.0.1:{port}"),
    ),
    Service(
        "prometheus",
        "Prometheus",
        9090,
        "/-/healthy",
        command=_module("prometheus"),
        title=r"^Prometheus",
        start=("prometheus", "--web.listen-address=127.0.0.1:{port}"),
    ),
    Service(
        "grafana",
        "Grafana",
        3000,
        "/api/health",
        command=_module("grafana", "grafana-server"),
        title=r"^Grafana",
    ),
    Service(
        "gradio",
        "Gradio",
        7860,
        "/",
        title=r"[Gg]radio",
        headers={"x-gradio-version": "."},
        command=_module("gradio"),
    ),
    Service(
        "streamlit",
        "Streamlit",
        8501,
        "/_stcore/health",
        command=_module("streamlit"),
        title=r"^Streamlit$",
        start=("streamlit", "run", "app.py", "--server.port", "{port}"),
    ),
    Service("dash", "Dash", 8050, "/", title=r"^Dash$", headers={"x-dash": "."}),
    Service("panel", "Panel", 5006, "/", command=_module("panel"), title=r"^Panel"),
    Service("bokeh", "Bokeh", 5006, "/", command=_module("bokeh"), title=r"^Bokeh"),
    Service("voila", "Voila", 8866, "/", command=_module("voila"), title=r"^[Vv]oil[aà]"),
    Service("marimo", "Marimo", 2718, "/health", command=_module("marimo"), title=r"marimo"),
    Service(
        "shiny",
        "Shiny",
        8000,
        "/",
        command=_module("shiny"),
        title=r"^Shiny",
    ),
    Service(
        "dask-dashboard",
        "Dask dashboard",
        8787,
        "/health",
        open_path="/status",
        command=_module("dask-scheduler") + r"|(?:^|[\s/])dask\s+scheduler",
        title=r"^Dask",
    ),
    Service(
        "dask-worker",
        "Dask worker",
        command=_module("dask-worker") + r"|(?:^|[\s/])dask\s+worker|distributed\.(?:nanny|cli)",
        internal=True,
    ),
    Service("ray", "Ray dashboard", 8265, "/api/version", title=r"^Ray Dashboard$"),
    Service(
        "ray-worker",
        "Ray worker",
        command=r"ray::|raylet|gcs_server|default_worker\.py|ray[/\\]_private",
        internal=True,
    ),
    Service("vllm", "vLLM", 8000, "/health", command=r"(?:^|[\s/])vllm\s+serve|vllm\.entrypoints"),
    Service(
        "triton",
        "Triton",
        8000,
        "/v2/health/ready",
        open_path="/v2",
        command=_module("tritonserver"),
    ),
    Service(
        "tgi",
        "Text Generation Inference",
        3000,
        "/health",
        command=_module("text-generation-launcher", "text-generation-router"),
    ),
    Service(
        "label-studio",
        "Label Studio",
        8080,
        "/health",
        command=_module("label-studio", "label_studio"),
        title=r"^Label Studio",
    ),
    Service("netron", "Netron", 8080, "/", command=_module("netron"), title=r"^Netron$"),
    Service(
        "fastapi",
        "FastAPI",
        8000,
        "/openapi.json",
        open_path="/docs",
        command=_module("uvicorn", "fastapi", "hypercorn"),
    ),
    Service(
        "gateway",
        "The gateway itself",
        command=r"jupyter_tensorone_proxy[./]gateway|jupyter-tensorone\s+gateway|envoy\.json",
        internal=True,
    ),
    Service(
        "debugger",
        "Debugger",
        5678,
        command=r"debugpy[./]adapter|pydevd|ptvsd",
        internal=True,
    ),
)
"""What is recognised without any configuration; the first that fits wins."""


@dataclass(frozen=True)
class Catalogue:
    """All services that are known.

    Args:
        services: The first that fits wins.
    """

    services: tuple[Service, ...] = BUILT_IN

    @classmethod
    def load(cls, configured: Iterable[Mapping[str, Any]] = ()) -> Catalogue:
        """Return the catalogue with what other packages and the configuration add, which win.

        Args:
            configured: Each the fields of a `Service`.

        Raises:
            ConfigurationError: An entry cannot be used; the message says which and why.
        """
        added = [_from_fields(entry) for entry in configured]
        for point in entry_points(group=ENTRY_POINTS):
            service = point.load()
            if not isinstance(service, Service):
                raise ConfigurationError(f"The entry point {point.name} names no Service.")
            added.append(service)
        ours = {service.id for service in added}
        return cls((*added, *(service for service in BUILT_IN if service.id not in ours)))

    def get(self, service_id: str) -> Service | None:
        """Return the service of an id; None if there is none."""
        return next((service for service in self.services if service.id == service_id), None)

    def by_command(self, words: Sequence[str]) -> Service | None:
        """Recognise a service by the command that started it.

        Args:
            words: The command line.

        Example:
            >>> found = Catalogue().by_command(["python", "-m", "tensorboard.main", "--port=0"])
            >>> found.name if found else None
            'TensorBoard'
        """
        line = " ".join(words)
        for service in self.services:
            if service.command and re.search(service.command, line):
                return service
        return None

    def by_page(self, headers: Mapping[str, str], title: str) -> Service | None:
        """Recognise a service by its page.

        Args:
            headers: Of the answer; names in lower case.
            title: The page's title.

        Example:
            >>> found = Catalogue().by_page({}, "MLflow")
            >>> found.id if found else None
            'mlflow'
        """
        for service in self.services:
            if service.title and re.search(service.title, title):
                return service
        for service in self.services:
            told = service.headers.items()
            if any(re.search(pattern, headers.get(name, "")) for name, pattern in told):
                return service
        return None


def _from_fields(entry: Mapping[str, Any]) -> Service:
    known = {f.name for f in fields(Service)}
    wrong = sorted(set(entry) - known)
    if wrong or not {"id", "name"} <= set(entry):
        what = f"unknown: {', '.join(wrong)}" if wrong else "id and name are needed"
        raise ConfigurationError(
            f"A configured service cannot be used ({what}).",
            suggestion=f"Its fields are {', '.join(sorted(known))}.",
        )
    given = dict(entry)
    if "start" in given:
        given["start"] = tuple(given["start"])
    return Service(**given)
