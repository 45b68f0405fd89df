"""The pages of `go/…` and the reading of its addresses."""

from __future__ import annotations

import hashlib
from base64 import b64encode

import pytest

from jupyter_tensorone_proxy.errors import NotFoundError
from jupyter_tensorone_proxy.server.go import is_own_navigation
from jupyter_tensorone_proxy.server.opening import landing_path, parse_port
from jupyter_tensorone_proxy.server.page import (
    Frames,
    Question,
    error_page,
    frame_page,
    headers,
    question_page,
)
from tests.fixtures.fetch_metadata import OWN_CLICK

NASTY = "<script>alert(1)</script>\"'&"


def test_r28_question_escapes_everything_that_came_from_outside() -> None:
    """No name, user or address can become markup in the question."""
    page = question_page(Question(NASTY, 6006, NASTY, f"/go/6006/{NASTY}", "", will_expose=False))
    assert "<script" not in page
    assert 'action="/go/6006/&lt;script' in page


def test_r28_error_page_escapes_everything_that_came_from_outside() -> None:
    """No message or address can become markup in an error page."""
    page = error_page("Title", NASTY, (NASTY, NASTY))
    assert "<script" not in page


def test_r28_frame_page_escapes_everything_that_came_from_outside() -> None:
    """No address can become markup, or another script, in the page that fills a frame."""
    page = frame_page(NASTY, NASTY, NASTY)
    assert page.count("<script") == 1
    assert 'alert(1)</script>"' not in page


def test_the_frames_page_runs_its_own_script_and_asks_one_origin() -> None:
    """The policy names the script by its hash: no other runs, and it reaches nothing else."""
    page = frame_page("https://h:1/.tensorone/link?token=t", "https://h:1", "/go/1/")
    script = page.partition("<script>")[2].partition("</script>")[0]
    digest = b64encode(hashlib.sha256(script.encode()).digest()).decode()
    given = headers("self", asks="https://h:1")["Content-Security-Policy"].split("; ")
    assert f"script-src 'sha256-{digest}'" in given
    assert "connect-src https://h:1" in given
    assert not any(part.startswith("script-src") for part in headers("self").values())


def test_question_says_when_it_would_expose() -> None:
    """Nobody exposes a port without having been told."""
    asked = question_page(Question("port 1", 1, "me", "/", "", will_expose=True))
    assert "will be exposed" in asked
    known = question_page(Question("port 1", 1, "me", "/", "", will_expose=False))
    assert "will be exposed" not in known


def test_a_key_pressed_before_does_not_answer_the_question() -> None:
    """The button has no focus at first: Enter on the page before must not open anything."""
    page = question_page(Question("port 1", 1, "me", "/", "", will_expose=True))
    assert "<button>Open port 1</button>" in page
    assert "autofocus" not in page


@pytest.mark.parametrize(("frames", "older"), [("none", "DENY"), ("self", "SAMEORIGIN")])
def test_pages_run_nothing_and_say_who_may_frame_them(frames: Frames, older: str) -> None:
    """The policy allows one style and forms, and nothing else."""
    given = headers(frames)
    policy = dict(part.split(" ", 1) for part in given["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert (policy["frame-ancestors"], given["X-Frame-Options"]) == (f"'{frames}'", older)
    assert policy["base-uri"] == "'none'"
    assert policy["style-src"].startswith("'sha256-")
    assert "script-src" not in policy


@pytest.mark.parametrize(
    "text",
    ["0", "65536", "+80", "-1", " 80", "80 ", "８０", "080", "", "abc", "1e3", "%380", "9" * 99],
)
def test_r08_only_plain_numbers_are_ports(text: str) -> None:
    """Signs, spaces, other digits and numbers out of range are refused."""
    with pytest.raises(NotFoundError, match="is not a port"):
        parse_port(text)


@pytest.mark.parametrize("port", [1, 80, 6006, 65535])
def test_ports_are_read(port: int) -> None:
    """Every port is accepted in its plain form."""
    assert parse_port(str(port)) == port


@pytest.mark.parametrize(
    ("path", "query", "landing"),
    [
        ("", "", "/"),
        ("data/runs", "a=1&b=%20x", "/data/runs?a=1&b=%20x"),
        ("a%2Fb", "", "/a%2Fb"),
        ("//evil.example/", "", "/evil.example/"),
        ("/\\evil.example", "", "/evil.example"),
        ("\\/evil.example", "", "/evil.example"),
        ("a\\b", "", "/a%5Cb"),
        ("a", "next=//evil", "/a?next=//evil"),
        ("caf\xc3\xa9", "", "/caf%C3%A9"),
        ("a\r\nSet-Cookie: x", "", "/a%0D%0ASet-Cookie:%20x"),
    ],
)
def test_r24_landing_is_always_a_path_of_the_service(path: str, query: str, landing: str) -> None:
    """Whatever is asked for starts with exactly one slash and holds nothing a browser bends."""
    assert landing_path(path, query, drop_token=False) == landing


def test_r05_jupyters_token_does_not_travel_on() -> None:
    """A token that signed in to Jupyter is taken out of the service's query; others stay."""
    assert landing_path("", "a=1&token=t&b", drop_token=True) == "/?a=1&b"
    assert landing_path("", "to%6ben=t", drop_token=True) == "/"
    assert landing_path("", "token=app", drop_token=False) == "/?token=app"


@pytest.mark.parametrize(
    ("changes", "own"),
    [
        ({}, True),
        ({"Sec-Fetch-Dest": "iframe"}, True),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "none"}, False),
        ({"Sec-Fetch-Site": ""}, False),
        ({"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}, False),
        ({"Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}, False),
        ({"Sec-Fetch-Dest": "embed"}, False),
        ({"Sec-Purpose": "prefetch"}, False),
        ({"Sec-Purpose": "prefetch;prerender", "Sec-Fetch-Site": "none"}, False),
    ],
)
def test_r15_only_a_navigation_from_jupyters_own_page_opens_at_once(
    changes: dict[str, str],
    own: bool,  # noqa: FBT001 - a table's column
) -> None:
    """Images, scripts, fetches, prefetches, foreign pages and typed addresses never do."""
    from tornado.httputil import HTTPHeaders

    assert is_own_navigation(HTTPHeaders({**OWN_CLICK, **changes})) is own
