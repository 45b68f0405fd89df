"""`apply` in a terminal and in cells: its forms, its exit codes, its progress, and its mistakes."""

from __future__ import annotations

import atexit
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import nbformat
import pytest
from IPython.core.interactiveshell import InteractiveShell
from nbclient import NotebookClient

from jupyter_tensorone_proxy import InvalidStackError, ProxyClient, StackPlan, StackResult
from jupyter_tensorone_proxy.cli import main
from jupyter_tensorone_proxy.commands.progress import PATIENCE_SECONDS
from jupyter_tensorone_proxy.errors import UsageError
from tests.fixtures.cells import execute
from tests.fixtures.fake_api import FakeApi
from tests.fixtures.pseudo_terminal import on_terminal
from tests.fixtures.terminal import run_json

Mistyped = Callable[[list[str], str], str]
NASTY = "<img src=x onerror=alert(1)>\u202e"
STACK = """
name = "lab"
team = { name = "NLP", members = ["ana", "ben"] }

[[services]]
name = "TensorBoard"
port = 6006
path = "/"
auth_required = false

[[services]]
name = "MLflow"
port = 5000
category = "tracking"
"""


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty directory that is the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def remembering(served_api: FakeApi) -> FakeApi:
    """Return a served API that keeps which stack made a mapping."""
    served_api.extensions = ("links", "stacks")
    return served_api


@pytest.fixture
def mistyped(
    served_api: FakeApi, directory: Path, capsys: pytest.CaptureFixture[str]
) -> Iterator[Mistyped]:
    """Return a function that types a command with a mistake, and returns what is said to that."""

    def type_it(words: list[str], text: str) -> str:
        (directory / "tensorone.toml").write_text(text)
        assert main(words) == 2
        return capsys.readouterr().err

    yield type_it
    assert served_api.changes == []


@pytest.fixture
def slow(remembering: FakeApi, monkeypatch: pytest.MonkeyPatch) -> FakeApi:
    """Return a served API that takes longer to answer than people wait without a word."""
    handle = remembering.handle

    def answer_late(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            time.sleep(2 * PATIENCE_SECONDS)
        return handle(request)

    monkeypatch.setattr(remembering, "handle", answer_late)
    return remembering


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    """Return a real IPython shell with the extension loaded."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    shell: Any = InteractiveShell()
    shell.extension_manager.load_extension("jupyter_tensorone_proxy")
    yield shell
    shell.atexit_operations()
    atexit.unregister(shell.atexit_operations)  # it would run a second time, and fail


@pytest.fixture
def kernel() -> Iterator[NotebookClient]:
    """Start a kernel with the magic loaded."""
    notebook = NotebookClient(nbformat.v4.new_notebook(), timeout=60, kernel_name="python3")
    with notebook.setup_kernel():
        execute(notebook, "%load_ext jupyter_tensorone_proxy")
        yield notebook


def test_programs_get_the_contracts_result(
    proxy: ProxyClient, directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--json` has created, failed and the access summary under the contract's names."""
    (directory / "tensorone.toml").write_text(STACK)
    answer = run_json(capsys, "apply")
    urls = {m.internal_port: m.url for m in proxy.list_ports()}
    assert answer["services_created"][0] == {
        "name": "TensorBoard",
        "category": "services",
        "url": urls[6006],
        "port": int(str(urls[6006]).rpartition(":")[2]),
        "priority": "medium",
        "auth_required": False,
    }
    assert (answer["cluster_id"], answer["team"], answer["services_failed"]) == ("local", "NLP", [])
    assert answer["access_summary"] == {
        "total_services": 2,
        "authenticated_services": 1,
        "public_services": 1,
        "team_access_urls": {"TensorBoard": urls[6006], "MLflow": urls[5000]},
    }
    again = run_json(capsys, "apply")
    assert [service["name"] for service in again["services_unchanged"]] == ["TensorBoard", "MLflow"]


def test_a_dry_run_shows_the_diff_and_sends_nothing(
    remembering: FakeApi, directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Old and new value of each difference, of a new service its values, and what would go."""
    (directory / "team.toml").write_text(STACK)
    remembering.add(6006, description="TensorBoard for NLP team", stack="lab", ssl_redirect=False)
    remembering.add(7000, description="Old", stack="lab")
    assert main(["apply", "team.toml", "--dry-run", "--prune"]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert "~ TensorBoard (port 6006): will be updated" in shown
    assert "    - ssl_redirect: False" in shown
    assert "    + health_check: {'enabled': True, 'path': '/'}" not in shown
    assert "    + health_check.path: '/'" in shown
    assert "+ MLflow (port 5000): will be created" in shown
    assert "- Old (port 7000): will be removed" in shown
    assert remembering.changes == []
    planned = run_json(capsys, "apply", "team.toml", "--dry-run")
    actions = {change["name"]: change["action"] for change in planned["changes"]}
    assert actions == {"TensorBoard": "update", "MLflow": "create"}
    assert planned["leftovers"] == ["Old"]


def test_a_failed_service_is_exit_1_and_told(
    remembering: FakeApi, directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The table, the error and the totals are printed; the exit code says that not all is well."""
    (directory / "tensorone.toml").write_text(STACK)
    remembering.add(6006, description="Theirs", stack="theirs")
    assert main(["apply"]) == 1
    shown = capsys.readouterr().out
    assert "TensorBoard: Port 6006 belongs to the stack 'theirs'." in shown
    assert "lab for NLP: 1 exposed, 1 with sign-in, 0 public, 1 failed." in shown


@pytest.mark.parametrize(
    ("words", "text", "said"),
    [
        (["apply", "missing.toml"], "", "missing.toml cannot be read"),
        (["apply"], "name =", "line 1, column 7"),
        (["apply"], f"{STACK}prot = 1", "services[1] (MLflow), prot: unknown field"),
        (["apply", "--prunee"], STACK, "no such option: --prunee"),
        (["apply", "a", "b"], STACK, "too many words"),
    ],
)
def test_a_mistake_is_exit_2_and_nothing_is_sent(
    mistyped: Mistyped, words: list[str], text: str, said: str
) -> None:
    """A stack that cannot be understood is like a command that cannot: told, and nothing done."""
    assert said in mistyped(words, text)
    assert json.loads(mistyped([*words, "--json"], text))["code"] in {"INVALID_STACK", "USAGE"}


def test_a_cell_is_a_stack(remembering: FakeApi, shell: Any) -> None:
    """`%%tensorone apply` takes the stack from its cell, its options from the line."""
    planned = shell.run_cell_magic("tensorone", "apply --dry-run", STACK)
    assert isinstance(planned, StackPlan)
    assert remembering.changes == []
    applied = shell.run_cell_magic("tensorone", "apply", STACK)
    assert isinstance(applied, StackResult)
    assert len(applied.services_created) == len(remembering.mappings) == 2
    emptied = shell.run_cell_magic("tensorone", "apply --prune", 'name = "lab"\nservices = []')
    assert emptied.services_removed == ("MLflow for NLP team", "TensorBoard for NLP team")
    assert remembering.mappings == {}


def test_a_line_reads_a_file(remembering: FakeApi, shell: Any, directory: Path) -> None:
    """`%tensorone apply FILE` is the same from a file."""
    (directory / "team.toml").write_text(STACK)
    applied = shell.run_line_magic("tensorone", "apply team.toml")
    assert len(applied.services_created) == len(remembering.mappings) == 2


@pytest.mark.parametrize(
    ("line", "cell", "error"),
    [
        ("apply", "name =", InvalidStackError),
        ("apply", "\n", InvalidStackError),
        ("apply team.toml", STACK, UsageError),
        ("list", STACK, UsageError),
    ],
)
def test_a_wrong_cell_is_told(
    served_api: FakeApi, shell: Any, line: str, cell: str, error: type[Exception]
) -> None:
    """A cell that is no stack, or belongs to no verb, is refused and nothing is sent."""
    with pytest.raises(error):
        shell.run_cell_magic("tensorone", line, cell)
    assert served_api.changes == []


def test_names_cannot_bring_markup_or_turn_the_line(remembering: FakeApi, shell: Any) -> None:
    """What a file, a team or a server says is text in the cell, and one line in a terminal."""
    stack = (
        f'name = "{NASTY}"\nteam = {{ name = "{NASTY}" }}\n[[services]]\nname = "{NASTY}"\n'
        f'port = 1\ncategory = "{NASTY}"\n'
    )
    remembering.add(2, description=NASTY, stack=NASTY, url="javascript:alert(1)")
    remembering.add(3, description="three", stack=NASTY)
    named = f'{stack}[[services]]\nname = "two"\nport = 2\n'
    for words in ("apply --dry-run", "apply"):
        shown = shell.run_cell_magic("tensorone", words, named)
        assert "<img" not in shown.html()
        assert "&lt;img" in shown.html()
        assert 'href="javascript' not in shown.html()
        assert "\u202e" not in shown.text() + shown.html()


def test_the_table_has_icons_and_links(remembering: FakeApi, kernel: NotebookClient) -> None:
    """In a notebook: what happened as icon and word, who can open it, and Open."""
    (output,) = execute(kernel, f"%%tensorone apply\n{STACK}").outputs
    html = output.data["text/html"]
    assert html.count("✓</span> created") == 2
    assert "<strong>Public: no sign-in</strong>" in html
    assert ">2 people</td>" in html
    assert 'href="https://localhost:32001"' in html
    assert "lab for NLP: 2 exposed, 1 with sign-in, 1 public." in html
    assert output.data["text/plain"].count("\n") == 3


@pytest.mark.usefixtures("slow")
def test_progress_is_shown_in_one_display_of_the_cell(kernel: NotebookClient) -> None:
    """After a second the cell says how far it is, updates that, and then shows the table."""
    progress, table = execute(kernel, f"%%tensorone apply\n{STACK}").outputs
    assert progress.data["text/plain"].startswith("Applying lab: 2 of 2, ")
    assert "text/html" in table.data


@pytest.mark.usefixtures("slow")
def test_progress_is_one_line_of_the_terminal(directory: Path) -> None:
    """After a second a terminal's line says how far it is; it is gone when the table comes."""
    (directory / "tensorone.toml").write_text(STACK)
    screen = on_terminal("apply")
    assert screen.code == 0
    assert "\rApplying lab …" in screen.text
    assert "\rApplying lab: 2 of 2, " in screen.text
    before_the_table = screen.text.partition("    SERVICE")[0]
    assert before_the_table.endswith(f"\r{' ' * 78}\r")


@pytest.mark.usefixtures("slow")
def test_who_is_no_terminal_gets_no_progress(
    directory: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A program that reads the output finds the answer alone, however long it takes."""
    (directory / "tensorone.toml").write_text(STACK)
    assert main(["apply"]) == 0
    assert capfd.readouterr().err == ""
