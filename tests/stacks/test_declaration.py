"""A stack as it is written down: what it asks of the API, and what is wrong with it."""

from __future__ import annotations

import doctest
import importlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

import jupyter_tensorone_proxy
from jupyter_tensorone_proxy import (
    InvalidStackError,
    RateLimit,
    Stack,
    StackDefaults,
    StackService,
    Team,
    UsageError,
)
from jupyter_tensorone_proxy.stacks.declaration import Shared

DATA = Path(__file__).parents[1] / "contract" / "data"
ENVIRONMENT = {
    path.stem: json.loads(path.read_text())["body"]
    for path in sorted(DATA.glob("request_environment_*.json"))
}
TEAM = {
    "team_name": "ML Research Team",
    "team_members": ["alice_researcher", "bob_engineer", "carol_scientist"],
    "project_focus": "NLP Research",
    "security_level": "standard",
}
ONE = '[[services]]\nname = "MLflow"\nport = 5000\n'


@pytest.mark.parametrize("name", ENVIRONMENT)
def test_the_environment_is_the_contracts_field_by_field(name: str) -> None:
    """Each of the six requests has exactly the documented fields, rates and intervals."""
    wanted = ENVIRONMENT[name]
    requests = {body["internal_port"]: body for body in Stack.ml_environment(TEAM).requests("ana")}
    assert requests[wanted["internal_port"]] == wanted
    assert len(requests) == len(ENVIRONMENT) == 6


def test_the_environment_has_three_categories_and_priorities() -> None:
    """Names, categories and priorities are those of the contract's table."""
    services = Stack.ml_environment(Team(name="NLP")).services
    assert [(s.name, s.category, s.priority) for s in services] == [
        ("Jupyter Lab", "core_services", "high"),
        ("TensorBoard", "core_services", "high"),
        ("VSCode Server", "development_tools", "medium"),
        ("MLflow UI", "development_tools", "medium"),
        ("Prometheus Metrics", "monitoring_services", "low"),
        ("Grafana Dashboard", "monitoring_services", "low"),
    ]


def test_the_shipped_file_is_the_environment() -> None:
    """The example file, read as anybody would, is `ml_environment` of the contract's team."""
    file = Path(jupyter_tensorone_proxy.__file__).parent / "stacks" / "ml_environment.toml"
    assert Stack.read(file).requests() == Stack.ml_environment(TEAM).requests()


def test_a_team_without_members_is_anyone_who_signs_in() -> None:
    """The contract sends an empty list for a team that names nobody."""
    for body in Stack.ml_environment({"team_name": "NLP"}).requests("ana"):
        assert body["access_control"]["allowed_users"] == []


@pytest.mark.parametrize("team", [{}, {"team_name": 3}, {"team_name": "x", "team_members": "ana"}])
def test_a_wrong_team_is_told(team: dict[str, Any]) -> None:
    """A team that cannot be one is named as the place."""
    with pytest.raises(InvalidStackError, match="team"):
        Stack.ml_environment(team)


def test_toml_and_python_say_the_same() -> None:
    """What is declared in one way can be declared in the other."""
    text = (
        'name = "lab"\nteam = { name = "NLP", members = ["ana"] }\n'
        "[defaults]\nlimits = { requests_per_minute = 60 }\n"
        f'[defaults.low]\nauth_required = false\n{ONE}priority = "low"\n'
    )
    stack = Stack(
        name="lab",
        team=Team(name="NLP", members=["ana"]),
        defaults=StackDefaults(
            limits=RateLimit(requests_per_minute=60), low=Shared(auth_required=False)
        ),
        services=[StackService(name="MLflow", port=5000, priority="low")],
    )
    assert Stack.from_toml(text) == stack
    assert Stack.from_toml(text).requests() == stack.requests()


def test_the_particular_wins_over_the_general() -> None:
    """Service over priority over defaults, value by value inside tables too."""
    stack = Stack.from_toml(
        'name = "lab"\n[defaults]\nlimits = { requests_per_minute = 1, burst_size = 1 }\n'
        "session_timeout_minutes = 5\n[defaults.high]\nlimits = { burst_size = 2 }\n"
        f'{ONE}priority = "high"\nlimits = {{ requests_per_minute = 3 }}\n'
        '[[services]]\nname = "b"\nport = 2\n'
    )
    high, medium = (body["access_control"] for body in stack.requests())
    assert high["rate_limit"] == {"requests_per_minute": 3, "burst_size": 2}
    assert medium["rate_limit"] == {"requests_per_minute": 1, "burst_size": 1}
    assert high["session_timeout_minutes"] == medium["session_timeout_minutes"] == 5


@pytest.mark.parametrize(
    ("extra", "users"),
    [
        ("", ["ana"]),
        ('users = ["ben"]', ["ben"]),
        ("users = []", []),
        ("auth_required = false", None),
    ],
)
def test_a_service_that_names_nobody_is_for_me_alone(extra: str, users: list[str] | None) -> None:
    """Without a team it is as `expose` has it; whoever wants more says so."""
    (body,) = Stack.from_toml(f'name = "lab"\n{ONE}{extra}').requests("ana")
    assert body["access_control"].get("allowed_users") == users
    assert body["access_control"]["authentication_required"] is (users is not None)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('name = "x"\nservices = [\n  { name = "a" port = 1 }\n]', "line 3, column 16"),
        ('name = "x"\nservices = [', "line 2, column 13"),
        ('name = "x"\nname = "y"', "line 2, column 11"),
        ("\0", "line 1, column 1"),
        ('name = "x"\nservces = []', "servces: unknown field; did you mean services?"),
        ('name = "x"\nservces = []', "services: is missing"),
        ("services = []", "name: is missing"),
        (f'name = "x"\n{ONE}prot = 1', "services[0] (MLflow), prot: unknown field; did you mean"),
        (
            f'name = "x"\n{ONE}health = {{ intervall_seconds = 3 }}',
            "health.intervall_seconds: unknown field; did you mean interval_seconds?",
        ),
        (
            'name = "x"\nservices = []\n[defaults.high]\nlimit = {}',
            "defaults.high.limit: unknown field; did you mean limits?",
        ),
        ('name = "x"\nservices = []\n[team]\nnam = "t"', "team.nam: unknown field; did you mean"),
        (f'name = "x"\n{ONE}priority = "hihg"', "priority: should be 'high', 'medium' or 'low'"),
        (f'name = "x"\n{ONE}auth_required = 1', "auth_required: should be a valid boolean"),
        (f'name = "x"\n{ONE}users = "ana"', "users: should be a list"),
        (f'name = "x"\n{ONE}path = "lab"', "path: must start with a single '/'"),
        (f'name = "x"\n{ONE}custom_domain = "_"', "custom_domain: '_' is not a host name"),
        (f'name = "x"\n{ONE}ip_whitelist = ["1.2.3"]', "ip_whitelist[0]: '1.2.3' is not an IP"),
        (f'name = "x"\n{ONE}protocol = "udp"', "services[0] (MLflow): sign-in cannot apply"),
        ('name = "x"\nservices = 7', "services: should be a list"),
        ('name = "x"\nservices = [7]', "services[0]: should be a table of keys and values"),
        ('name = 3\nservices = []\nteam = "t"', "team: should be a table of keys and values"),
        ('name = ""\nservices = []', "name: "),
        (f'name = "x"\n{ONE}[[services]]\nname = "b"\nport = 0', "services[1] (b), port: "),
        (f'name = "x"\n{ONE}{ONE}', "name 'MLflow' is there 2 times: services[0], services[1]"),
        (f'name = "x"\n{ONE}{ONE}', "port 5000 is there 2 times: services[0], services[1]"),
        (
            f'name = "x"\n{ONE}external_port = 9\n{ONE}external_port = 9',
            "external_port 9 is there 2 times",
        ),
        (f"{'a = [' * 5000}", "The stack is not TOML"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text: str, said: str) -> None:
    """The place, what is wrong there, and the nearest name that there is."""
    with pytest.raises(InvalidStackError) as caught:
        Stack.from_toml(text)
    assert said in str(caught.value)


def test_everything_wrong_is_told_at_once_and_not_without_end() -> None:
    """A file with many mistakes is corrected in a few rounds, and its error can be read."""
    services = "".join(f'[[services]]\nname = "s{i}"\nport = 0\n' for i in range(100))
    with pytest.raises(InvalidStackError) as caught:
        Stack.from_toml(f'name = "x"\n{services}')
    assert len(re.findall(r"services\[\d+\]", str(caught.value))) == 10
    assert "And 90 more." in str(caught.value)


def test_python_is_judged_like_toml() -> None:
    """A wrong keyword or a mapping with one is refused where it is written."""
    service: Any = {"name": "a", "port": 1, "prot": 3}
    with pytest.raises(InvalidStackError, match=r"services\[0\] \(a\), prot: unknown field"):
        Stack(name="x", services=[service])
    with pytest.raises(InvalidStackError, match="servces: unknown field"):
        Stack.model_validate({"name": "x", "services": [], "servces": []})


def test_an_error_of_a_stack_is_one_of_what_was_typed() -> None:
    """So it has the exit code of a command that cannot be understood."""
    assert issubclass(InvalidStackError, UsageError)


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "cannot be read"), (b"\xff\xfe", "not UTF-8: byte 0"), (b"#" * 1_000_001, "1 MB")],
)
def test_a_file_that_is_no_text_is_told(tmp_path: Path, content: bytes | None, said: str) -> None:
    """A file that is missing, has other bytes, or is far too large is named, not a traceback."""
    file = tmp_path / "tensorone.toml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(InvalidStackError) as caught:
        Stack.read(file)
    assert said in str(caught.value)
    assert str(file) in str(caught.value)


def test_a_directory_is_no_file(tmp_path: Path) -> None:
    """A directory's name is told as what it is."""
    with pytest.raises(InvalidStackError, match="Is a directory"):
        Stack.read(tmp_path)


@pytest.mark.parametrize("name", ["declaration", "judging", "stack"])
def test_the_examples_of_a_module_are_true(name: str) -> None:
    """Every example gives what it says; a module listed here has some."""
    module = importlib.import_module(f"jupyter_tensorone_proxy.stacks.{name}")
    result = doctest.testmod(module, optionflags=doctest.ELLIPSIS)
    assert result.attempted > 0
    assert result.failed == 0
