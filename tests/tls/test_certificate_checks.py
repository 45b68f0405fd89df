"""What is found wrong with an administrator's certificate, and what is said about it."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from jupyter_tensorone_proxy.errors import GatewayError
from jupyter_tensorone_proxy.gateway.certificates import covers
from jupyter_tensorone_proxy.gateway.given_certificate import CertificateFiles, GivenCertificate
from tests.fixtures.certificates import CompanyAuthority, Pair, key_pem

HOST = "nb.lab.example"
Fault = Callable[[CompanyAuthority, Pair], None]


def files(pair: Pair, name: str = HOST) -> CertificateFiles:
    """Return where a pair is, as the options name it."""
    return CertificateFiles(pair.chain_file, pair.key_file, "--tls-cert", name)


def _exchanged(_: CompanyAuthority, pair: Pair) -> None:
    pair.chain_file.write_text(pair.key)
    pair.key_file.write_text(pair.chain)


def _binary(_: CompanyAuthority, pair: Pair) -> None:
    pair.chain_file.write_bytes(pair.certificate.public_bytes(serialization.Encoding.DER))


def _encrypted(company: CompanyAuthority, pair: Pair) -> None:
    key = rsa.generate_private_key(65537, 2048)
    company.issue(HOST, key=key).write()
    pair.key_file.write_text(key_pem(key, password=b"secret"))


def _unknown_kind(company: CompanyAuthority, _: Pair) -> None:
    company.issue(HOST, key=ed25519.Ed25519PrivateKey.generate()).write()


def _short(company: CompanyAuthority, _: Pair) -> None:
    key = rsa.generate_private_key(65537, 1024)  # noqa: S505 - that is the fault
    company.issue(HOST, key=key).write()


def _too_early(company: CompanyAuthority, _: Pair) -> None:
    company.issue(HOST, start=timedelta(hours=1)).write()


def _too_late(company: CompanyAuthority, _: Pair) -> None:
    company.issue(HOST, end=timedelta(seconds=-1)).write()


def _upside_down(_: CompanyAuthority, pair: Pair) -> None:
    marker = "-----BEGIN CERTIFICATE-----"
    own, between = pair.chain.split(marker)[1:]
    pair.chain_file.write_text(marker + between + marker + own)


def _directory(_: CompanyAuthority, pair: Pair) -> None:
    pair.key_file.unlink()
    pair.key_file.mkdir()


def _pipe(_: CompanyAuthority, pair: Pair) -> None:
    pair.chain_file.unlink()
    os.mkfifo(pair.chain_file)


def _endless(_: CompanyAuthority, pair: Pair) -> None:
    pair.chain_file.unlink()
    pair.chain_file.symlink_to("/dev/zero")


def _too_long(_: CompanyAuthority, pair: Pair) -> None:
    pair.chain_file.write_text(pair.chain * 2000)


def _empty(_: CompanyAuthority, pair: Pair) -> None:
    pair.key_file.write_text("")


@pytest.mark.parametrize(
    ("fault", "file", "words"),
    [
        (_exchanged, "fullchain.pem", ["holds a key and no certificate", "Exchange the two files"]),
        (_binary, "fullchain.pem", ["is not a certificate in PEM", "Give the chain in PEM"]),
        (_encrypted, "privkey.pem", ["is encrypted", "openssl pkey"]),
        (_unknown_kind, "privkey.pem", ["is of a kind that Envoy does not take", "P-256"]),
        (_short, "privkey.pem", ["is of a kind that Envoy does not take", "2048 bits"]),
        (_too_early, "fullchain.pem", ["is not valid before", "clock"]),
        (_too_late, "fullchain.pem", ["expired on", "Renew it"]),
        (
            _upside_down,
            "fullchain.pem",
            ["begins with another certificate", "own certificate first"],
        ),
        (_directory, "privkey.pem", ["it is not a file", "Correct --tls-cert"]),
        (_pipe, "fullchain.pem", ["it is not a file", "Correct --tls-cert"]),
        (_endless, "fullchain.pem", ["it is not a file", "Correct --tls-cert"]),
        (_too_long, "fullchain.pem", ["too long for a certificate", "Correct --tls-cert"]),
        (_empty, "privkey.pem", ["is not a private key in PEM", "Give the certificate's key"]),
    ],
)
def test_what_is_wrong_is_said_with_the_file_and_the_way_out(
    tmp_path: Path, company: CompanyAuthority, fault: Fault, file: str, words: list[str]
) -> None:
    """Each fault is told from the others, and no key is in the message."""
    pair = company.issue(HOST).write()
    fault(company, pair)
    with pytest.raises(GatewayError) as raised:
        GivenCertificate(files(pair), tmp_path / "copy.pem")
    text = str(raised.value)
    assert text.startswith("--tls-cert: ")
    assert str(pair.directory / file) in text
    assert [word for word in words if word not in text] == []
    assert "BEGIN" not in text
    assert not (tmp_path / "copy.pem").exists()


def test_one_file_may_hold_both(tmp_path: Path, company: CompanyAuthority) -> None:
    """Certificate and key in one file are read too, as some tools write them."""
    pair = company.issue(HOST)
    pair.chain_file.write_text(pair.key + pair.chain)
    both = CertificateFiles(pair.chain_file, pair.chain_file, "--tls-cert", HOST)
    given = GivenCertificate(both, tmp_path / "copy.pem")
    assert given.current.names == {HOST}
    assert "PRIVATE KEY" not in given.current.chain_pem


def test_files_that_are_replaced_one_after_the_other_are_no_fault(
    tmp_path: Path, company: CompanyAuthority, caplog: pytest.LogCaptureFixture
) -> None:
    """A look between the two changes nothing and says nothing; the next one sees the pair."""
    pair = company.issue(HOST).write()
    given = GivenCertificate(files(pair), tmp_path / "copy.pem")
    renewed = company.issue(HOST)
    renewed.chain_file.write_text(renewed.chain)
    given.refresh()
    assert given.current.chain_pem == pair.chain
    renewed.write()
    given.refresh()
    assert given.current.chain_pem == renewed.chain
    assert caplog.text == ""


def test_a_lasting_fault_is_said_once(
    tmp_path: Path, company: CompanyAuthority, caplog: pytest.LogCaptureFixture
) -> None:
    """Not at every look; and again when something else is wrong."""
    pair = company.issue(HOST).write()
    given = GivenCertificate(files(pair), tmp_path / "copy.pem")
    for fault in (_too_late, _empty):
        fault(company, pair)
        for _ in range(5):
            given.refresh()
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 2
    assert given.current.chain_pem == pair.chain


def test_a_certificate_that_becomes_valid_is_used_then(
    tmp_path: Path, company: CompanyAuthority
) -> None:
    """Files that were refused are judged again, though they did not change."""
    pair = company.issue(HOST).write()
    given = GivenCertificate(files(pair), tmp_path / "copy.pem")
    early = company.issue(HOST, start=timedelta(seconds=1.5)).write()
    given.refresh()
    assert given.current.chain_pem == pair.chain
    while datetime.now(timezone.utc) < early.certificate.not_valid_before_utc:
        pass
    given.refresh()
    assert given.current.chain_pem == early.chain


def test_an_approaching_end_is_warned_of(
    tmp_path: Path, company: CompanyAuthority, caplog: pytest.LogCaptureFixture
) -> None:
    """Two weeks before, once, and once more when it is over: nobody else may be watching."""
    pair = company.issue(HOST, end=timedelta(days=30)).write()
    moment = datetime.now(timezone.utc)
    given = GivenCertificate(files(pair), tmp_path / "copy.pem", clock=lambda: moment)
    given.refresh()
    assert caplog.text == ""
    said = []
    for days in (17, 18, 31, 32):
        moment = datetime.now(timezone.utc) + timedelta(days=days)
        given.refresh()
        said.append(
            [record.getMessage().split(str(pair.chain_file))[1] for record in caplog.records]
        )
    assert [len(lines) for lines in said] == [1, 1, 2, 2]
    assert said[-1][0].startswith(" ends on")
    assert said[-1][1].startswith(" expired on")


@pytest.mark.parametrize(("mode", "warned"), [(0o600, False), (0o640, False), (0o644, True)])
def test_r50_a_key_that_everybody_can_read_is_warned_of(
    tmp_path: Path,
    company: CompanyAuthority,
    caplog: pytest.LogCaptureFixture,
    mode: int,
    warned: bool,  # noqa: FBT001 - a column of the table
) -> None:
    """A group may read it, as Debian's ssl-cert does; other users of the machine should not."""
    pair = company.issue(HOST).write()
    pair.key_file.chmod(mode)
    GivenCertificate(files(pair), tmp_path / "copy.pem")
    assert ("every user of this machine can read the key" in caplog.text) is warned


@pytest.mark.parametrize(
    ("names", "host", "covered"),
    [
        ([HOST], HOST, True),
        (["*.lab.example"], HOST, True),
        (["*.example"], HOST, False),
        (["lab.example"], HOST, False),
        (["*.lab.example"], "lab.example", False),
        (["192.0.2.7"], "192.0.2.7", True),
        (["*.0.2.7"], "192.0.2.7", False),
        ([], HOST, False),
    ],
)
def test_which_names_a_certificate_covers(names: list[str], host: str, *, covered: bool) -> None:
    """A wildcard stands for one label, and for no part of an address (RFC 9525)."""
    assert covers(names, host) is covered
