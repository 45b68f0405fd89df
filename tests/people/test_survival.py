"""Who may come in outlives what fails: a killed process, a stalled Envoy, a full disk."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from jupyter_tensorone_proxy import ProxyClient
from jupyter_tensorone_proxy.errors import DataPlaneUnavailableError, StorageFullError
from tests.fixtures.gateway import RunningGateway, run_gateway, wait_until
from tests.fixtures.mounts import mounted
from tests.fixtures.processes import kill, stopped
from tests.fixtures.services.web import web_service
from tests.people.conftest import HTML


class _People:
    """A gateway with one private service, and people of every kind who may or may not come in."""

    def __init__(self, gateway: RunningGateway, client: ProxyClient, port: int) -> None:
        self.gateway = gateway
        self.client = client
        mapping = client.create_port(internal_port=port, description="kept")
        self.id, self.url = mapping.id, str(mapping.url)
        self.token = str(client.create_user("program").token)
        old = str(client.create_user("rotated").token)
        client.rotate_user_token("rotated")
        link = client.create_link(mapping.id, user="ana", one_time=False, expires_in_seconds=900)
        used = client.create_link(mapping.id, user="ana")
        self.links = {"shared": link.url, "used": used.url}
        self.cookies = {name: self._come_in(link.url) for name in ("in", "thrown out")}
        self._come_in(used.url)
        thrown_out = client.list_sessions()[1]
        client.revoke_session(thrown_out.id)
        self.tokens = {"good": self.token, "old": old}

    def _come_in(self, link: str) -> str:
        with self.gateway.visitor() as browser:
            answer = browser.get(link, headers=HTML)
            assert answer.status_code == 302
            return "; ".join(c.partition(";")[0] for c in answer.headers.get_list("set-cookie"))

    def find(self) -> dict[str, int]:
        """Return with which status each is answered now."""
        found = {}
        with self.gateway.visitor() as visitor:
            for name, cookie in self.cookies.items():
                found[name] = visitor.get(self.url, headers={"cookie": cookie}).status_code
            for name, token in self.tokens.items():
                bearer = {"authorization": f"Bearer {token}"}
                found[f"{name} token"] = visitor.get(self.url, headers=bearer).status_code
            for name, link in self.links.items():
                found[f"{name} link"] = visitor.get(link, headers=HTML).status_code
                visitor.cookies.clear()
        return found


EXPECTED = {
    "in": 200,
    "thrown out": 401,
    "good token": 200,
    "old token": 401,
    "shared link": 302,
    "used link": 403,
}


@pytest.fixture
def people(tmp_path: Path) -> Iterator[_People]:
    """Run a gateway for this test alone, with its people."""
    with (
        web_service() as service,
        run_gateway(tmp_path / "state") as gateway,
        gateway.client() as client,
    ):
        yield _People(gateway, client, service.port)


@pytest.mark.parametrize("names", [("control",), ("envoy",), ("control", "envoy")], ids="+".join)
def test_sessions_links_and_users_survive_a_kill(people: _People, names: tuple[str, ...]) -> None:
    """After kill -9 of either process, or both: who was in is in, who was thrown out is out."""
    assert people.find() == EXPECTED
    before = {session.id for session in people.client.list_sessions()}
    kill(people.gateway, *names)
    assert wait_until(lambda: _is_as_before(people)), people.find()
    assert before <= {session.id for session in people.client.list_sessions()}
    assert {"program", "rotated", "ana"} <= {user.name for user in people.client.list_users()}


def _is_as_before(people: _People) -> bool:
    try:
        return people.find() == EXPECTED
    except httpx.TransportError:
        return False


@pytest.mark.parametrize("overlap", [True, False])
def test_a_rotation_that_envoy_does_not_take_part_in_changes_no_key(
    people: _People, *, overlap: bool
) -> None:
    """It is 503, and everything signed goes on, after a restart too; then it can be done."""
    folder = people.gateway.state_dir
    before = {file.name: file.read_text() for file in folder.glob("signing*.key")}
    with stopped(people.gateway.children()["envoy"]), pytest.raises(DataPlaneUnavailableError):
        people.client.rotate_keys(overlap=overlap)
    assert {file.name: file.read_text() for file in folder.glob("signing*.key")} == before
    assert wait_until(lambda: _is_as_before(people)), people.find()
    kill(people.gateway, "control")
    assert wait_until(lambda: _is_as_before(people)), people.find()
    people.client.rotate_keys(overlap=overlap)
    expected = 200 if overlap else 401
    assert wait_until(lambda: people.find()["in"] == expected)


def test_r58_on_a_full_disk_signing_in_waits_and_who_is_in_goes_on(tmp_path: Path) -> None:
    """The page says "not now" with 503, no key is lost, and with space again it works."""
    disk = tmp_path / "disk"
    disk.mkdir()
    with (
        mounted("-t", "tmpfs", "-o", "size=1m", "tmpfs", at=disk),
        web_service() as service,
        run_gateway(disk) as gateway,
        gateway.client() as client,
    ):
        people = _People(gateway, client, service.port)
        filler = _fill(disk)
        form = f"{people.url}/.tensorone/sign-in?next=/"
        with gateway.visitor() as visitor:
            pages = [
                visitor.get(people.links["shared"], headers=HTML),
                visitor.post(form, data={"token": people.token}, headers=HTML),
                visitor.post(form, data={"token": "wrong"}, headers=HTML),
            ]
            assert [page.status_code for page in pages] == [503] * 3
            assert all("Not now" in page.text for page in pages)
            cookie = {"cookie": people.cookies["in"]}
            assert visitor.get(people.url, headers=cookie).status_code == 200
        with pytest.raises(StorageFullError):
            client.rotate_keys(overlap=True)
        filler.unlink()
        assert wait_until(lambda: _is_as_before(people)), people.find()
        kill(gateway, "control")
        assert wait_until(lambda: _is_as_before(people)), people.find()


def _fill(disk: Path) -> Path:
    """Fill a disk to the last byte, with a file that is returned."""
    filler = disk / "filler"
    descriptor = os.open(filler, os.O_CREAT | os.O_WRONLY)
    with contextlib.suppress(OSError):
        while os.write(descriptor, b"x" * 512):
            pass
    os.close(descriptor)
    return filler
