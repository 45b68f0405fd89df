"""The sign-in page: what it says, whom it lets in, and what it cannot be used for."""

from __future__ import annotations

import getpass
import re

import httpx
import pytest

from jupyter_tensorone_proxy import ProxyClient
from tests.fixtures.traffic import Expose, Exposed, SignIn, Visit
from tests.people.conftest import HTML

SCRIPT = "<script>alert(1)</script>"


def _page(exposed: Exposed, target: str = "/") -> str:
    return f"{exposed.url}/.tensorone/sign-in?next={target}"


def _sign_in(
    browser: httpx.Client, exposed: Exposed, token: str, target: str = "/"
) -> httpx.Response:
    headers = {**HTML, "origin": exposed.url, "sec-fetch-site": "same-origin"}
    return browser.post(_page(exposed, target), data={"token": token}, headers=headers)


def test_r24_a_visitor_signs_in_and_lands_where_they_were_going(
    private: Expose, client: ProxyClient, visit: Visit
) -> None:
    """From the redirect over the form to the page that was asked for, with its query."""
    exposed, browser = private(), visit()
    token = client.create_user("visitor").token
    asked = browser.get(f"{exposed.url}/runs?a=1&b=%2F", headers=HTML)
    assert asked.status_code == 302
    form = browser.get(exposed.url + asked.headers["location"], headers=HTML)
    assert form.status_code == 401
    action = re.search(r'action="([^"]+)"', form.text)
    assert action
    headers = {**HTML, "origin": exposed.url}
    url = exposed.url + action[1].replace("&amp;", "&")
    answer = browser.post(url, data={"token": f" {token} "}, headers=headers)
    assert (answer.status_code, answer.headers["location"]) == (303, "/runs?a=1&b=%2F")
    assert browser.get(f"{exposed.url}/runs").status_code == 200


def test_the_page_says_which_service_and_whose_it_is(private: Expose, visit: Visit) -> None:
    """Name and owner, in text; no script, nothing from elsewhere, readable on a phone."""
    page = visit().get(_page(private("My <TensorBoard>")), headers=HTML)
    assert "My &lt;TensorBoard&gt;" in page.text
    assert f"belongs to {getpass.getuser()}" in page.text
    assert "<script" not in page.text
    assert 'name="viewport"' in page.text
    assert '<label for="token">' in page.text
    assert not re.search(r"(src|href)=.https?:", page.text)
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "frame-ancestors 'none'" in policy
    assert page.headers["cache-control"] == "no-store"


def test_a_wrong_token_is_told_so(private: Expose, client: ProxyClient, visit: Visit) -> None:
    """What is wrong stands at the field, and nobody is in."""
    exposed, browser = private(), visit("127.0.0.21")
    old = client.create_user("stale").token
    client.rotate_user_token("stale")
    for token in ("nonsense", str(old), "", "x" * 20_000):
        answer = _sign_in(browser, exposed, token)
        assert answer.status_code == 401
        assert 'role="alert"' in answer.text
        assert "set-cookie" not in answer.headers
    assert exposed.service.seen == []


def test_guessing_is_slowed_down_by_address_but_locks_nobody_out(
    private: Expose, client: ProxyClient, visit: Visit
) -> None:
    """After some wrong tokens an address must wait; others, and the right token, need not."""
    exposed, guesser = private(), visit("127.0.0.22")
    token = str(client.create_user("victim").token)
    wrong = token[:-8] + "AAAAAAAA"
    answers = [_sign_in(guesser, exposed, wrong) for _ in range(8)]
    assert [a.status_code for a in answers][:5] == [401] * 5
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert "Wait" in answers[-1].text
    assert _sign_in(guesser, exposed, token).status_code == 429
    assert _sign_in(visit("127.0.0.23"), exposed, token).status_code == 303


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("disabled", "may not sign in"),
        ("not invited", "shared with others only"),
        ("too many sessions", "is full"),
    ],
)
def test_each_refusal_says_why(
    private: Expose, cluster: ProxyClient, visit: Visit, reason: str, words: str
) -> None:
    """Disabled, not on the list, or no room: each has its own words, and the way out."""
    name = f"refused-{reason.replace(' ', '-')}"
    token = str(cluster.create_user(name).token)
    exposed = private("guarded", ["somebody"] if reason == "not invited" else None)
    if reason == "disabled":
        cluster.update_user(name, disabled=True)
        cluster.update_user(name, disabled=False)
        token = str(cluster.rotate_user_token(name).token)
        link = cluster.create_link(exposed.mapping.id, user=name)
        cluster.update_user(name, disabled=True)
        answer = visit().get(link.url, headers=HTML)
    else:
        if reason == "too many sessions":
            cluster.revoke_sessions()
            cluster.update_access(max_concurrent_sessions=1)
            other = cluster.create_link(exposed.mapping.id, user="first")
            assert visit().get(other.url).status_code == 302
        answer = _sign_in(visit("127.0.0.24"), exposed, token)
    assert answer.status_code == 403
    assert words in answer.text
    assert getpass.getuser() in answer.text
    assert "set-cookie" not in answer.headers


def test_somebody_signed_in_but_not_invited_is_told_who_they_are(
    private: Expose, sign_in: SignIn, client: ProxyClient
) -> None:
    """The page names them and the owner, and offers to sign out."""
    exposed = private("guarded")
    browser = sign_in(exposed, "ana")
    page = browser.get(_page(exposed, "/x"), headers=HTML)
    assert page.status_code == 200
    assert "signed in as ana" in page.text
    assert 'href="/x"' in page.text
    client.update_port(exposed.mapping.id, access_control={"allowed_users": ["ben"]})
    again = browser.get(_page(exposed), headers=HTML)
    assert again.status_code == 401  # taken off the list, and so signed out


def test_signing_out_ends_the_session_and_its_cookies(
    private: Expose, sign_in: SignIn, client: ProxyClient
) -> None:
    """After sign-out nothing of the session is left, in the browser or on the gateway."""
    exposed = private()
    browser = sign_in(exposed)
    headers = {**HTML, "origin": exposed.url}
    answer = browser.post(f"{exposed.url}/.tensorone/sign-out", headers=headers)
    assert answer.status_code == 200
    cleared = answer.headers.get_list("set-cookie")
    assert all("Max-Age=0" in cookie for cookie in cleared)
    assert len(cleared) == 2
    assert client.list_sessions(port_id=exposed.mapping.id) == []
    assert browser.get(exposed.url).status_code == 401


@pytest.mark.parametrize("page", ["sign-in", "sign-out"])
@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "https://localhost"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_r07_no_other_page_can_sign_somebody_in_or_out(
    private: Expose, sign_in: SignIn, client: ProxyClient, page: str, headers: dict[str, str]
) -> None:
    """A form on a foreign page, or on a sibling service, is refused."""
    exposed = private()
    browser = sign_in(exposed)
    url = f"{exposed.url}/.tensorone/{page}?next=/"
    answer = browser.post(url, data={"token": "x"}, headers=headers)
    assert answer.status_code == 403
    assert len(client.list_sessions(port_id=exposed.mapping.id)) == 1


def test_r15_no_get_signs_anybody_out(private: Expose, sign_in: SignIn) -> None:
    """An image or a link cannot end a session."""
    exposed = private()
    browser = sign_in(exposed)
    assert browser.get(f"{exposed.url}/.tensorone/sign-out").status_code == 405
    assert browser.get(exposed.url).status_code == 200


def test_r03_pages_repeat_nothing_unescaped(
    expose: Expose, visit: Visit, client: ProxyClient
) -> None:
    """Names of services, people and paths are text on every page of ours."""
    private = {"authentication_required": True}
    exposed = expose(f"name {SCRIPT}", access=private)
    link = client.create_link(exposed.mapping.id, user=SCRIPT)
    browser = visit()
    pages = [
        browser.get(_page(exposed, f"/{SCRIPT}'\"><b>"), headers=HTML),
        browser.get(f"{exposed.url}/{SCRIPT}", headers=HTML, follow_redirects=True),
        browser.get(link.url.replace("token=", "token=x"), headers=HTML),
    ]
    browser.get(link.url, headers=HTML)
    pages.append(browser.get(_page(exposed, f"/{SCRIPT}"), headers=HTML))
    for page in pages:
        assert page.status_code in {200, 401, 403}
        assert "<script" not in page.text
        assert "<b>" not in page.text
        assert page.headers["x-content-type-options"] == "nosniff"


def test_what_became_public_needs_no_session_any_more(
    private: Expose, sign_in: SignIn, client: ProxyClient
) -> None:
    """A browser with a session that ended gets to a service that is public now."""
    exposed = private()
    browser = sign_in(exposed)
    client.revoke_sessions(port_id=exposed.mapping.id)
    public = {"authentication_required": False, "public_access": True}
    client.update_port(exposed.mapping.id, access_control=public)
    answer = browser.get(exposed.url, headers=HTML, follow_redirects=True)
    assert (answer.status_code, answer.text) == (200, "web")
