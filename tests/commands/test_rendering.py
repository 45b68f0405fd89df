"""How results read: words, cards, tables; and that nothing in them comes alive."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import pytest
from pydantic import SecretStr

from jupyter_tensorone_proxy import ProxyClient
from jupyter_tensorone_proxy.commands.results import MappingResult, Result
from jupyter_tensorone_proxy.commands.rows import Viewer, make_row, open_url, who_can_open
from jupyter_tensorone_proxy.models import PortMapping
from jupyter_tensorone_proxy.settings import Settings
from tests.fixtures.fake_api import FakeApi
from tests.fixtures.lines import ANA, run


@pytest.mark.parametrize(
    ("access", "default", "words"),
    [
        (None, True, "Anyone who signs in"),
        (None, False, "Public"),
        ({"public_access": True}, True, "Public"),
        ({"authentication_required": False}, True, "Public"),
        ({"authentication_required": True}, False, "Anyone who signs in"),
        ({"allowed_users": ["ana"]}, True, "Only me"),
        ({"allowed_users": ["ana"]}, False, "Public"),
        ({"allowed_users": ["ben"]}, True, "1 person"),
        ({"allowed_users": ["ana", "ben"]}, True, "2 people"),
        ("closed", True, "Anyone who signs in"),
    ],
)
def test_who_can_open_it_in_words(access: Any, words: str, *, default: bool) -> None:
    """The words follow from the mapping, the cluster's default and who I am."""
    mapping = PortMapping.from_server({"id": "port_1", "access_control": access})
    assert who_can_open(mapping, default_authentication=default, me="ana") == words


@pytest.mark.parametrize(
    ("fields", "go_url", "link"),
    [
        ({}, "/user/ana/tensorone-proxy/go/", "/user/ana/tensorone-proxy/go/6006/"),
        ({}, None, "https://localhost:32001"),
        ({"url": "javascript:alert(1)"}, None, None),
        ({"url": None}, None, None),
        ({"protocol": "udp", "url": "udp://localhost:32001"}, "/go/", None),
        ({"app_protocol": "tcp", "url": "tls://localhost:32001"}, "/go/", None),
    ],
)
def test_the_link_leads_through_jupyter_where_it_can(
    fields: dict[str, Any], go_url: str | None, link: str | None
) -> None:
    """In a notebook the link signs in by `go/`; what no browser can open has no link."""
    mapping = PortMapping.from_server(
        {"id": "port_1", "internal_port": 6006, "url": "https://localhost:32001", **fields}
    )
    assert open_url(mapping, Viewer(go_url=go_url)) == link


@pytest.mark.parametrize("go_url", ["javascript:alert(1)", "//evil.example/", "/\\evil", "go/"])
def test_a_go_address_that_is_none_is_ignored(go_url: str) -> None:
    """The environment cannot make a link that leaves Jupyter or runs a script."""
    settings = Settings("http://127.0.0.1:1", SecretStr("k"), "local")
    assert Viewer.of(settings, {"TENSORONE_GO_URL": go_url}).go_url is None


class _Page(HTMLParser):
    """What a browser would make of a card."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[dict[str, str | None]] = []
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the tag."""
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag == "a":
            self.links.append(dict(attrs))

    def handle_data(self, data: str) -> None:
        """Note the text."""
        self.text += data


def _card(**fields: Any) -> tuple[_Page, Result]:
    mapping = PortMapping.from_server(
        {"id": "port_1", "internal_port": 6006, "url": "https://localhost:32001", **fields}
    )
    result = MappingResult("shown", make_row(mapping, ANA, default_authentication=True))
    return _Page(result.html()), result


def test_the_card_says_name_port_address_people_and_health() -> None:
    """All that matters is in the card, and its link is safe to open."""
    page, result = _card(description="TensorBoard", health_status="healthy")
    for text in ("● TensorBoard", "port 6006", "https://localhost:32001", "healthy", "Open"):
        assert text in page.text
    assert "Anyone who signs in" in page.text
    (link,) = page.links
    assert link["href"] == "/tensorone-proxy/go/6006/"
    assert (link["rel"], link["target"]) == ("noopener noreferrer", "_blank")
    bundle = result._repr_mimebundle_()
    assert bundle["text/plain"] == (
        "TensorBoard  port 6006 → https://localhost:32001  Anyone who signs in  ● healthy"
    )


@pytest.mark.parametrize(
    "name",
    [
        "<img src=x onerror=alert(1)>",
        "\"'><script>alert(1)</script>",
        "\u202egnp.exe\u2066",
        "\x1b]8;;https://evil.example\x07click\x1b]8;;\x07",
        "a\nb\u2028c",
        "ش" * 300,
        "&lt;b&gt;",
    ],
)
def test_r28_a_hostile_name_stays_text(name: str) -> None:
    """No name adds an element, an attribute, a direction, a line or more than its share."""
    good, _ = _card(description="TensorBoard")
    for form in ("shown", "unexposed"):
        mapping = PortMapping.from_server(
            {"id": "p", "internal_port": 6006, "url": "https://h:1", "description": name}
        )
        row = make_row(mapping, ANA, default_authentication=True)
        result = MappingResult(form, row)
        page = _Page(result.html())
        assert set(page.tags) <= set(good.tags)
        assert page.attributes <= good.attributes
        line = result.text()
        assert line.isprintable()
        assert len(line) < 250
    page, _ = _card(description=name)
    assert page.tags == good.tags


def test_hostile_values_from_the_server_stay_text(client: ProxyClient, fake_api: FakeApi) -> None:
    """Tables and facts escape what the server says, whatever its type."""
    evil = "<script>alert(1)</script>"
    fake_api.add(6006, description=evil, url=f"https://h/{evil}", health_status=evil)
    fake_api.add(7000, description=7, usage_statistics=evil, health_check=evil)
    for line in ("list", "health", "status", "show 6006", "show 7000"):
        result = run(client, line)
        assert "<script" not in result.html()
        assert result.text()


def test_public_is_said_with_more_than_a_colour() -> None:
    """Everybody notices that a mapping is open to all."""
    page, _ = _card(access_control={"public_access": True})
    assert "◆ Public: no sign-in" in page.text


@pytest.mark.parametrize(
    ("status", "shown"),
    [
        ("healthy", "● healthy"),
        ("unhealthy", "▲ unhealthy"),
        ("unknown", "○ checking"),
        ("disabled", "◌ not checked"),
        (None, "◌ not checked"),
        ("dreaming", "○ dreaming"),
    ],
)
def test_health_is_shape_and_word(status: str | None, shown: str) -> None:
    """Just after exposing, an unknown health reads as what it is: being checked."""
    page, result = _card(health_status=status)
    shape, word = shown.split(" ", 1)
    assert page.text.startswith(f"{shape} port 6006")
    assert f"· {word} · stop" in page.text
    assert shown in result.text()
