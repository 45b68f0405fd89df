"""Cookies on their way to the service: its own pass byte for byte, other people's not at all."""

from __future__ import annotations

import pytest

from tests.fixtures.traffic import Expose, Visit

SESSION = "__Host-t1-port_abc=eyJ.a.b"
FRAMED = "__Host-t1f-port_abc=eyJ.a.b"
LAB = 'username-localhost-8888="2|1:0|10:179|24:username-localhost-8888|220:eyJ=|79"'


@pytest.mark.parametrize(
    ("sent", "seen"),
    [
        ("a=1; b=2", "a=1; b=2"),
        (f"a=1; {SESSION}; b=2", "a=1; b=2"),
        (f"{SESSION}; {FRAMED}; a=1", "a=1"),
        (f"a=1; {LAB}", "a=1"),
        (f"{LAB}; {SESSION}; a=1; {LAB}; b=2", "a=1; b=2"),
        ("username-localhost=proxied; a=1", "a=1"),
        ("username-127-0-0-1-8888=x; a=1", "a=1"),
        ("jupyterhub-session-id=x; jupyterhub-user-ana=y; a=1", "a=1"),
        (
            "username=ana; my-username-localhost-8888=1",
            "username=ana; my-username-localhost-8888=1",
        ),
        ('odd="q;  x=\\"1\\""; _ga=GA1.2.3;flag', 'odd="q;  x=\\"1\\""; _ga=GA1.2.3;flag'),
        ("USERNAME-LOCALHOST-8888=mine", "USERNAME-LOCALHOST-8888=mine"),
    ],
)
def test_r05_r09_only_a_services_own_cookies_reach_it(
    expose: Expose, visit: Visit, sent: str, seen: str
) -> None:
    """Sessions and Jupyter's cookies are taken out; what is left is as it came."""
    exposed = expose()
    visit().get(exposed.url, headers={"cookie": sent}).raise_for_status()
    assert exposed.service.seen[-1].values("cookie") == [seen]


@pytest.mark.parametrize("cookie", [SESSION, LAB, f"{LAB}; {SESSION}", "jupyterhub-user-a=1"])
def test_r05_where_nothing_is_left_there_is_no_cookie(
    expose: Expose, visit: Visit, cookie: str
) -> None:
    """The header goes with its last cookie."""
    exposed = expose()
    visit().get(exposed.url, headers={"cookie": cookie}).raise_for_status()
    assert exposed.service.seen[-1].values("cookie") == []


def test_a_jupyter_behind_the_mapping_keeps_its_own_cookie(expose: Expose, visit: Visit) -> None:
    """It is asked for by the local address, so its cookie is told from all others."""
    exposed = expose()
    port = exposed.service.port
    own = f"username-127-0-0-1-{port}=own"
    others = [f"username-127-0-0-1-{n}=other" for n in (port + 1, port * 10, port // 10, 1, 65_535)]
    header = "; ".join([*others[:2], own, *others[2:], f"username-localhost-{port}=other"])
    visit().get(exposed.url, headers={"cookie": header}).raise_for_status()
    assert exposed.service.seen[-1].values("cookie") == [own]


def test_r05_several_cookie_lines_are_no_way_around(expose: Expose, visit: Visit) -> None:
    """HTTP/2 may send each cookie in a line of its own."""
    exposed = expose()
    lines = [("cookie", "a=1"), ("cookie", LAB), ("cookie", SESSION), ("cookie", "b=2")]
    for http2 in (True, False):
        visit(http2=http2).get(exposed.url, headers=lines).raise_for_status()
        seen = "; ".join(exposed.service.seen[-1].values("cookie"))
        assert "username" not in seen
        assert "__Host" not in seen
        assert {"a=1", "b=2"} == set(seen.replace(",", "; ").replace("  ", " ").split("; "))
