"""The local CA's files: damage is refused, they are private, and none is kept for ever."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from jupyter_tensorone_proxy.errors import GatewayError, StorageFullError
from jupyter_tensorone_proxy.gateway.authority import LocalAuthority
from jupyter_tensorone_proxy.gateway.issuing import pem
from tests.fixtures.certificates import CompanyAuthority
from tests.fixtures.gateway import free_range, start_gateway, stop
from tests.tls.conftest import DAY, NAMES, accepts, host, now


@pytest.mark.parametrize(
    ("file", "contents"),
    [("ca.pem", "rubbish"), ("ca.key", "rubbish"), ("ca.pem", None), ("ca.key", None)],
)
def test_r36_a_damaged_ca_is_refused_and_left_alone(
    tmp_path: Path, file: str, contents: str | None
) -> None:
    """Nothing is replaced by itself: the error names the directory and says what to do."""
    LocalAuthority(tmp_path, NAMES)
    damaged = tmp_path / file
    damaged.unlink()
    if contents is not None:
        damaged.write_text(contents)
    kept = {f.name: f.read_bytes() for f in tmp_path.iterdir()}
    with pytest.raises(GatewayError, match=r"Restore ca\.pem and ca\.key") as raised:
        LocalAuthority(tmp_path, NAMES)
    assert str(tmp_path) in str(raised.value)
    assert {f.name: f.read_bytes() for f in tmp_path.iterdir()} == kept


def test_r36_a_gateway_with_a_damaged_ca_does_not_start(tmp_path: Path) -> None:
    """It ends with status 1 and says which directory; it serves nothing with a new CA instead."""
    LocalAuthority(tmp_path, NAMES)
    (tmp_path / "ca.key").write_text("rubbish")
    process = start_gateway(tmp_path, "--external-ports", free_range(5))
    try:
        _, said = process.communicate(timeout=60)
    finally:
        stop(process)
    assert process.returncode == 1
    assert f"The certificate authority in {tmp_path} cannot be read" in said
    assert (tmp_path / "ca.key").read_text() == "rubbish"


def test_r36_a_ca_with_the_key_of_another_is_refused(tmp_path: Path) -> None:
    """Its certificate and its key must belong together."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        LocalAuthority(tmp_path / name, NAMES)
    shutil.copy(tmp_path / "one" / "ca.key", tmp_path / "two" / "ca.key")
    with pytest.raises(GatewayError, match="do not belong together"):
        LocalAuthority(tmp_path / "two", NAMES)


@pytest.mark.parametrize("damage", ["rubbish", "of another", "key of another", "gone"])
def test_a_damaged_leaf_is_made_anew(tmp_path: Path, damage: str) -> None:
    """It is nothing that anybody must restore."""
    authority = LocalAuthority(tmp_path, NAMES)
    first = host(authority)
    if damage == "rubbish":
        (tmp_path / "leaf.pem").write_text("rubbish")
    elif damage == "of another":
        pair = CompanyAuthority(tmp_path / "company").issue(*NAMES)
        (tmp_path / "leaf.pem").write_text(pair.chain)
        (tmp_path / "leaf.key").write_text(pair.key)
    elif damage == "key of another":
        (tmp_path / "leaf.key").write_text(authority.issue(NAMES).private_key_pem)
    else:
        (tmp_path / "leaf.key").unlink()
    again = host(LocalAuthority(tmp_path, NAMES))
    assert again.chain_pem != first.chain_pem
    accepts(again, "localhost", tmp_path / "ca.pem")


def test_a_ca_of_ones_own_is_used_as_it_is(tmp_path: Path) -> None:
    """Without constraints it vouches for everything, and its certificate is never replaced."""
    key = ec.generate_private_key(ec.SECP256R1())
    company = CompanyAuthority(tmp_path / "company")
    own = company.authority_for(key)
    (tmp_path / "ca.pem").write_text(pem(own))
    (tmp_path / "ca.key").write_text(pem(key))
    authority = LocalAuthority(tmp_path, NAMES)
    assert authority.domain_certificate("shop.example").issuer == "Example AG"
    assert (tmp_path / "ca.pem").read_text() == pem(own)
    bundle = tmp_path / "bundle.pem"
    bundle.write_text(pem(own) + company.root_file.read_text())
    accepts(authority.domain_certificate("shop.example"), "shop.example", bundle)


def test_r50_files_of_the_ca_are_private_whatever_the_umask(tmp_path: Path) -> None:
    """Keys and certificates have mode 0600."""
    before = os.umask(0)
    try:
        authority = LocalAuthority(tmp_path, NAMES)
        host(authority)
        authority.domain_certificate("shop.example")
    finally:
        os.umask(before)
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert len(files) == 6
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_no_key_is_in_what_certificates_show_of_themselves(tmp_path: Path) -> None:
    """A log or a traceback that holds one has no key in it."""
    certificate = host(LocalAuthority(tmp_path, NAMES))
    assert "PRIVATE KEY" in certificate.private_key_pem
    assert "PRIVATE KEY" not in repr(certificate)


def test_a_new_name_that_cannot_be_stored_changes_nothing(tmp_path: Path) -> None:
    """The CA's file cannot be written: the domain is refused, and the old certificate stays."""
    authority = LocalAuthority(tmp_path, NAMES)
    before = authority.certificate
    (tmp_path / "ca.pem").unlink()
    (tmp_path / "ca.pem").mkdir()
    with pytest.raises(StorageFullError, match=r"ca\.pem cannot be written"):
        authority.domain_certificate("shop.example")
    assert authority.certificate is before


def test_a_name_that_no_certificate_can_hold_is_refused(tmp_path: Path) -> None:
    """A public host outside ASCII is an error that says how to write it."""
    with pytest.raises(GatewayError, match="xn--"):
        LocalAuthority(tmp_path, ["bücher.example"])


def test_certificates_of_domains_that_are_gone_are_removed_in_time(tmp_path: Path) -> None:
    """What nobody has used for as long as it lasts is not kept for ever."""
    moment = now()
    authority = LocalAuthority(tmp_path, NAMES, clock=lambda: moment)
    authority.domain_certificate("shop.example")
    LocalAuthority(tmp_path, NAMES, clock=lambda: moment)
    assert len(list((tmp_path / "domains").iterdir())) == 2
    moment += 91 * DAY
    LocalAuthority(tmp_path, NAMES, clock=lambda: moment)
    assert list((tmp_path / "domains").iterdir()) == []
