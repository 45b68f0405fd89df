"""Certificates of an administrator, for the public host and for custom domains."""

from __future__ import annotations

import os
import select
import signal
import ssl
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from jupyter_tensorone_proxy import ProxyClient
from jupyter_tensorone_proxy.errors import ProxyError
from jupyter_tensorone_proxy.gateway.config import parse_arguments
from jupyter_tensorone_proxy.settings import resolve_settings
from tests.fixtures.certificates import CompanyAuthority, Pair, shown, strict_context, verify
from tests.fixtures.gateway import (
    RunningGateway,
    free_range,
    is_alive,
    run_gateway,
    start_gateway,
    stop,
    wait_until,
)
from tests.fixtures.traffic import Exposed
from tests.tls.conftest import ExposeOn, echoes, open_websocket

HOST = "nb.localhost"
"""A public host that needs no DNS in a browser; programs here reach it by address."""


def options(pair: Pair, *more: str) -> tuple[str, ...]:
    """Return the options of a gateway with this certificate for its public host."""
    return ("--external-ports", free_range(10), "--public-host", HOST, *pair.options, *more)


def local_options(pair: Pair) -> tuple[str, ...]:
    """Return the options of a gateway on localhost with this certificate."""
    return ("--external-ports", free_range(10), *pair.options)


def make(directory: Path) -> Path:
    """Create a directory."""
    directory.mkdir()
    return directory


def shows(exposed: Exposed, pair: Pair, name: str = "localhost") -> Callable[[], bool]:
    """Return a condition: a new connection is shown this certificate."""
    return lambda: shown(exposed.port, name).serial_number == pair.certificate.serial_number


@pytest.mark.parametrize("kind", ["ec", "rsa"])
def test_the_public_host_shows_the_given_certificate_and_localhost_its_own(
    tmp_path: Path, company: CompanyAuthority, expose_on: ExposeOn, kind: str
) -> None:
    """Each name is served with a certificate that covers it; an address, with the local CA's."""
    key = rsa.generate_private_key(65537, 2048) if kind == "rsa" else None
    pair = company.issue(HOST, key=key).write()
    with run_gateway(tmp_path / "state", *options(pair)) as gateway:
        exposed = expose_on(gateway)
        local = strict_context(Path(gateway.runtime["ca_file"]))
        assert exposed.url == f"https://{HOST}:{exposed.port}"
        assert verify(exposed.port, HOST, strict_context(company.root_file))
        assert verify(exposed.port, "localhost", local)
        assert verify(exposed.port, "127.0.0.1", local)
        with pytest.raises(ssl.SSLCertVerificationError):
            verify(exposed.port, HOST, local)


def test_the_api_tells_the_given_certificates_issuer_and_dates(
    tmp_path: Path, company: CompanyAuthority
) -> None:
    """`ssl_certificate` is what visitors of the public host see."""
    pair = company.issue(HOST).write()
    with run_gateway(tmp_path / "state", *options(pair)) as gateway, gateway.client() as client:
        told = client.get_proxy(include_ssl_info=True).ssl_certificate
        assert told is not None
        assert (told.issuer, told.status) == ("Example AG", "valid")
        assert told.valid_from == pair.certificate.not_valid_before_utc
        assert told.valid_until == pair.certificate.not_valid_after_utc


def test_clients_verify_every_name_with_the_settings_context(
    tmp_path: Path,
    company: CompanyAuthority,
    expose_on: ExposeOn,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A program trusts whom its machine trusts, and the gateway's CA: it reaches all names."""
    pair = company.issue(HOST).write()
    state = tmp_path / "state"
    with run_gateway(state, *options(pair)) as gateway:
        exposed = expose_on(gateway)
        monkeypatch.setenv("TENSORONE_STATE_DIR", str(state))
        monkeypatch.setenv("SSL_CERT_FILE", str(company.root_file))
        with ProxyClient(settings=resolve_settings()) as client:
            assert client.settings.source == "running gateway"
            context = client.settings.tls_context()
        with httpx.Client(verify=context) as visitor:
            url = f"https://localhost:{exposed.port}"
            assert visitor.get(url).text == "web"
            url = f"https://127.0.0.1:{exposed.port}"
            headers, extensions = {"host": HOST}, {"sni_hostname": HOST}
            assert visitor.get(url, headers=headers, extensions=extensions).text == "web"


def test_a_renewed_certificate_is_used_without_cutting_connections(
    tmp_path: Path, company: CompanyAuthority, expose_on: ExposeOn
) -> None:
    """New connections see the new one; an open WebSocket and a stream go on, byte for byte."""
    pair = company.issue("localhost").write()
    with run_gateway(tmp_path / "state", *local_options(pair)) as gateway:
        exposed = expose_on(gateway)
        assert shows(exposed, pair)()
        renewed = company.issue("localhost")
        with (
            open_websocket(gateway, exposed, company.root_file) as websocket,
            httpx.Client(verify=strict_context(company.root_file)) as visitor,
            visitor.stream("GET", f"{exposed.url}/events") as events,
        ):
            numbers = (int(text.split()[1]) for text in events.iter_lines() if text)
            assert echoes(websocket, "before")
            assert next(numbers) == 0
            renewed.write()
            assert wait_until(shows(exposed, renewed))
            assert echoes(websocket, "after")
            # What was sent meanwhile, and what is sent from now on.
            assert [next(numbers) for _ in range(100)] == list(range(1, 101))
        assert verify(exposed.port, "localhost", strict_context(company.root_file))


@pytest.mark.parametrize("fault", ["the key of another", "expired", "not PEM", "gone"])
def test_a_bad_renewal_is_refused_and_the_old_certificate_stays(
    tmp_path: Path, company: CompanyAuthority, expose_on: ExposeOn, fault: str
) -> None:
    """The warning names the file; what is right later on is used without a restart."""
    pair = company.issue("localhost").write()
    with run_gateway(tmp_path / "state", *local_options(pair)) as gateway:
        exposed = expose_on(gateway)
        spoil(pair, company, fault)
        warning = read_warning(gateway)
        assert "--tls-cert: " in warning
        assert str(pair.chain_file) in warning
        assert "the certificate read before stays in force" in warning
        assert shows(exposed, pair)()
        renewed = company.issue("localhost").write()
        assert wait_until(shows(exposed, renewed))


def spoil(pair: Pair, company: CompanyAuthority, fault: str) -> None:
    """Put something wrong into a pair's files."""
    other = company.issue("localhost", end=-timedelta(hours=1))
    if fault == "the key of another":
        pair.key_file.write_text(other.key)
    elif fault == "expired":
        other.write()
    elif fault == "not PEM":
        pair.chain_file.write_bytes(b"\x30\x82\x01\x00")
    else:
        pair.chain_file.unlink()


def read_warning(gateway: RunningGateway) -> str:
    """Return the next line that the gateway writes to its log."""
    assert gateway.process.stderr is not None
    readable, _, _ = select.select([gateway.process.stderr], [], [], 30)
    assert readable, "the gateway said nothing"
    return gateway.process.stderr.readline()


def test_a_crash_while_the_files_are_wrong_keeps_the_certificate(
    tmp_path: Path, company: CompanyAuthority, expose_on: ExposeOn
) -> None:
    """The control plane that is started again has the last good pair, and drops it at the end."""
    pair = company.issue("localhost").write()
    with run_gateway(tmp_path / "state", *local_options(pair)) as gateway:
        exposed = expose_on(gateway)
        copies = list((gateway.state_dir / "run").glob("given-*.pem"))
        assert [copy.stat().st_mode & 0o777 for copy in copies] == [0o600]
        pair.key_file.unlink()
        control = gateway.children()["control"]
        os.kill(control, signal.SIGKILL)
        assert wait_until(lambda: not is_alive(control))
        with gateway.client() as client:
            assert wait_until(lambda: answers(client))
            told = client.get_proxy(include_ssl_info=True).ssl_certificate
        assert told is not None
        assert told.valid_until == pair.certificate.not_valid_after_utc
        assert shows(exposed, pair)()
    assert not list((gateway.state_dir / "run").glob("given-*.pem"))


def answers(client: ProxyClient) -> bool:
    """Say whether the API answers."""
    try:
        client.get_proxy()
    except ProxyError:
        return False
    return True


def test_custom_domains_take_the_certificate_that_was_given_for_them(
    tmp_path: Path, company: CompanyAuthority, expose_on: ExposeOn
) -> None:
    """Its own, else that of its wildcard, else the host's that covers it, else the local CA's."""
    exact = company.issue("app.lab.example", directory=make(tmp_path / "exact")).write()
    wildcard = company.issue("*.team.example", directory=make(tmp_path / "wildcard")).write()
    host = company.issue(HOST, "*.lab.example").write()
    given = (
        *exact.domain_option("app.lab.example"),
        *wildcard.domain_option("*.team.example"),
    )
    expected = {
        "app.lab.example": exact,
        "docs.team.example": wildcard,
        "docs.lab.example": host,
    }
    with run_gateway(tmp_path / "state", *options(host, *given)) as gateway:
        for domain, pair in expected.items():
            exposed = expose_on(gateway, custom_domain=domain)
            assert shows(exposed, pair, domain)()
        local = expose_on(gateway, custom_domain="a.b.team.example")
        trusted = strict_context(Path(gateway.runtime["ca_file"]))
        assert verify(local.port, "a.b.team.example", trusted)


def test_a_custom_domains_certificate_is_reloaded_too(
    tmp_path: Path, company: CompanyAuthority, expose_on: ExposeOn
) -> None:
    """`--domain-cert` files are looked at like those of `--tls-cert`."""
    domain = "app.lab.example"
    pair = company.issue(domain).write()
    ports = ("--external-ports", free_range(10))
    with run_gateway(tmp_path / "state", *ports, *pair.domain_option(domain)) as gateway:
        exposed = expose_on(gateway, custom_domain=domain)
        assert shows(exposed, pair, domain)()
        renewed = company.issue(domain).write()
        assert wait_until(shows(exposed, renewed, domain))


@pytest.mark.parametrize("fault", ["the key of another", "expired", "not PEM", "gone"])
def test_a_gateway_does_not_start_with_a_certificate_that_is_wrong(
    tmp_path: Path, company: CompanyAuthority, fault: str
) -> None:
    """It ends with status 1 and one sentence that names the file and the way out."""
    pair = company.issue("localhost").write()
    spoil(pair, company, fault)
    process = start_gateway(tmp_path / "state", *local_options(pair))
    try:
        _, said = process.communicate(timeout=60)
    finally:
        stop(process)
    assert process.returncode == 1
    line = next(line for line in said.splitlines() if line.startswith("--tls-cert: "))
    assert str(pair.chain_file) in line
    assert not (tmp_path / "state" / "runtime.json").exists()


def test_a_certificate_for_other_names_is_warned_of(
    tmp_path: Path, company: CompanyAuthority
) -> None:
    """The gateway starts, and says which names the certificate has and which it should have."""
    pair = company.issue("other.example").write()
    with run_gateway(tmp_path / "state", *options(pair)) as gateway:
        warning = read_warning(gateway)
    assert f"is not for {HOST} but for other.example" in warning


@pytest.mark.parametrize(
    "words",
    [
        ["--tls-cert", "a.pem"],
        ["--tls-key", "a.key"],
        ["--domain-cert", "app.example"],
        ["--domain-cert", "app.example=a.pem"],
        ["--domain-cert", "=a.pem,a.key"],
        ["--domain-cert", "app.example=a.pem,a.key,b"],
        ["--domain-cert", "a b.example=a.pem,a.key"],
        ["--domain-cert", "a.example=a.pem,a.key", "--domain-cert", "A.example=b.pem,b.key"],
    ],
)
def test_half_an_option_is_a_usage_error(
    tmp_path: Path, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """A certificate without a key, or a domain without both, ends with status 2."""
    with pytest.raises(SystemExit) as ended:
        parse_arguments(["--state-dir", str(tmp_path), *words])
    assert ended.value.code == 2
    assert words[0] in capsys.readouterr().err
