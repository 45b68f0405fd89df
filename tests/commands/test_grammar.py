"""The words of a command: ports, keys on the line, help, mistakes."""

from __future__ import annotations

import pytest

from jupyter_tensorone_proxy.commands.grammar import VERBS, HelpRequested, Rim, build_parser, parse
from jupyter_tensorone_proxy.errors import (
    UsageError,
)


@pytest.mark.parametrize(
    "word",
    ["0", "65536", "80 ", " 80", "+80", "-80", "8_0", "80.0", "0x50", "٨٠", "true", "", "080"],
)
def test_r08_ports_are_plain_digits_from_1_to_65535(word: str) -> None:
    """Anything but a plain port number is refused, and the message says what a port is."""
    with pytest.raises(UsageError, match="number from 1 to 65535") as caught:
        parse(["expose", word], rim="cli")
    assert len(word) < 4 or word not in str(caught.value)


@pytest.mark.parametrize(
    "words",
    [
        ["list", "--api-key", "sk-12345"],
        ["list", "--api-key=sk-12345"],
        ["--key", "sk-12345", "list"],
        ["list", "TENSORONE_API_KEY=sk-12345"],
        ["expose", "6006", "--name", "Bearer sk-12345"],
        ["list", "Authorization:sk-12345"],
        ["list", "--token", "sk-12345"],
        ["show", "eyJhbGciOi.sk-12345"],
    ],
)
@pytest.mark.parametrize("rim", ["cli", "magic"])
def test_r49_a_key_on_the_line_is_refused_with_a_hint(words: list[str], rim: Rim) -> None:
    """The hint names a better way, and the error repeats nothing of the line."""
    with pytest.raises(UsageError, match=r"TENSORONE_API_KEY or use .*getpass") as caught:
        parse(words, rim=rim)
    assert "12345" not in str(caught.value)


@pytest.mark.parametrize(
    "words", [["sk-12345"], ["list", "sk-12345"], ["show", "sk-12345"], ["list", "--x=sk-12345"]]
)
def test_r49_unexpected_words_are_not_repeated(words: list[str]) -> None:
    """A word out of place may be a key, so no message repeats it."""
    with pytest.raises(UsageError) as caught:
        parse(words, rim="magic")
    assert "12345" not in str(caught.value)


def test_a_mistyped_verb_is_corrected() -> None:
    """The nearest verb is offered."""
    with pytest.raises(UsageError, match="did you mean `expose`"):
        parse(["expsoe", "6006"], rim="cli")


def test_a_mistyped_option_is_named() -> None:
    """The option that does not exist is named, and help is pointed to."""
    with pytest.raises(UsageError, match=r"no such option: --nam\. `jupyter tensorone expose -h`"):
        parse(["expose", "6006", "--nam", "x"], rim="cli")


@pytest.mark.parametrize(("verb", "rim"), [(verb.name, rim) for verb in VERBS for rim in verb.rims])
def test_every_verb_explains_itself(verb: str, rim: Rim) -> None:
    """`VERB -h` gives help by an exception: nothing is printed and no process exits."""
    with pytest.raises(HelpRequested, match=r"usage: (jupyter |%)tensorone"):
        parse([verb, "-h"], rim=rim)


@pytest.mark.parametrize(
    ("verb", "rim", "where"),
    [
        ("panel", "cli", "type `%tensorone panel` in a cell of a notebook"),
        ("trust", "magic", "type `jupyter tensorone trust` in a terminal"),
    ],
)
def test_a_verb_of_elsewhere_says_where(verb: str, rim: Rim, where: str) -> None:
    """Whoever types a verb where it is none learns where it is one."""
    with pytest.raises(UsageError, match=where):
        parse([verb], rim=rim)


def test_every_verb_of_the_cli_answers_programs_too() -> None:
    """`--json` is on each verb."""
    without = set()
    for verb in VERBS:
        if "cli" in verb.rims:
            with pytest.raises(HelpRequested) as asked:
                parse([verb.name, "-h"], rim="cli")
            without |= set() if "--json" in str(asked.value) else {verb.name}
    assert without == set()


def test_help_documents_the_exit_codes() -> None:
    """Scripts can rely on the codes, so the help lists them."""
    assert all(f"\n  {code}  " in build_parser("cli").format_help() for code in (0, 1, 2, 3, 4))


def test_the_magic_has_neither_print_nor_json_nor_gateway() -> None:
    """A one-time link is a credential and must not land in a saved cell."""
    for words in (["open", "80", "--print"], ["list", "--json"], ["gateway"]):
        with pytest.raises(UsageError):
            parse(words, rim="magic")


def test_who_can_open_it_is_one_choice() -> None:
    """`--public` and `--users` together are refused."""
    with pytest.raises(UsageError, match="not allowed with"):
        parse(["expose", "80", "--public", "--users", "ana"], rim="cli")
