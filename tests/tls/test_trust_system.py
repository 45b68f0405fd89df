"""`jupyter tensorone trust`: the store of the whole machine, under a root of the test's own."""

from __future__ import annotations

import os
import ssl
from argparse import Namespace
from pathlib import Path

import pytest
from cryptography import x509

from jupyter_tensorone_proxy.commands.grammar import parse
from jupyter_tensorone_proxy.commands.trust.results import TrustResult
from jupyter_tensorone_proxy.commands.trust.verb import look
from jupyter_tensorone_proxy.gateway.authority import LocalAuthority
from tests.fixtures.certificates import CompanyAuthority, shake_hands, strict_context
from tests.fixtures.services.processes import program

_DEBIAN = """#!/bin/sh
# The real one, kept inside a directory.
cd {root} && exec {real} --etccertsdir {root}/etc/ssl/certs --certsconf etc/ca-certificates.conf \\
  --certsdir {root}/usr/share/ca-certificates --hooksdir {root}/etc/ca-certificates/update.d \\
  --localcertsdir {root}/usr/local/share/ca-certificates "$@"
"""
_NOTED = """#!/bin/sh
echo "$(basename $0) $*" >> {root}/commands
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty root directory; `bin` in it is first on the PATH."""
    root = tmp_path / "root"
    (root / "bin").mkdir(parents=True)
    (tmp_path / "state").mkdir()
    LocalAuthority(tmp_path / "state", ["localhost"])
    monkeypatch.setenv("TENSORONE_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("PATH", f"{root / 'bin'}{os.pathsep}{os.environ['PATH']}")
    return root


def add_program(root: Path, name: str, script: str, **values: str) -> None:
    """Put a program into `bin`."""
    file = root / "bin" / name
    file.write_text(script.format(root=root, **values))
    file.chmod(0o755)


def debian(root: Path) -> Path:
    """Make the root directory Debian's; return where certificates are looked up."""
    for directory in ("usr/share", "usr/local/share"):
        (root / directory / "ca-certificates").mkdir(parents=True)
    (root / "etc/ca-certificates/update.d").mkdir(parents=True)
    (root / "etc/ca-certificates.conf").touch()
    (root / "etc/ssl/certs").mkdir(parents=True)
    add_program(root, "update-ca-certificates", _DEBIAN, real=program("update-ca-certificates"))
    return root / "etc" / "ssl" / "certs"


def trust(root: Path, *words: str, interactive: bool = False) -> TrustResult:
    """Run the verb on that root directory."""
    args: Namespace = parse(["trust", "--only", "system", *words], rim="cli")
    return look(args, interactive=interactive, home=root / "home", root=root).carry_out()


def states(result: TrustResult) -> list[str]:
    """Return the state of each store."""
    return [row.state for row in result.rows]


def test_debians_store_has_the_ca_and_programs_accept_it(root: Path, tmp_path: Path) -> None:
    """`update-ca-certificates` takes it into the bundle and the directory; and out again."""
    found = debian(root)
    company = CompanyAuthority(root / "usr/local/share/ca-certificates")
    company.root_file.rename(company.root_file.with_suffix(".crt"))
    assert states(trust(root, "--show")) == ["not trusted"]
    result = trust(root)
    assert (states(result), result.complete) == (["trusted"], True)
    certificate = LocalAuthority(tmp_path / "state", ["localhost"]).issue(["localhost"])
    server = certificate.chain_pem + certificate.private_key_pem
    shake_hands(server, "localhost", strict_context(found / "ca-certificates.crt"))
    hashed = strict_context()
    hashed.load_verify_locations(capath=str(found))
    shake_hands(server, "localhost", hashed)

    result = trust(root, "--remove")
    assert (states(result), result.complete) == (["not trusted"], True)
    bundle = (found / "ca-certificates.crt").read_bytes()
    assert x509.load_pem_x509_certificates(bundle) == [company.root]
    with pytest.raises(ssl.SSLCertVerificationError, match="unable to get local issuer"):
        shake_hands(server, "localhost", strict_context(found / "ca-certificates.crt"))


def test_an_older_certificate_of_the_ca_is_replaced(root: Path, tmp_path: Path) -> None:
    """The file has one name for all of them."""
    debian(root)
    trust(root)
    LocalAuthority(tmp_path / "state", ["nb.lab.example"])
    assert states(trust(root, "--show")) == ["older"]
    assert states(trust(root)) == ["trusted"]
    assert len(list((root / "usr/local/share/ca-certificates").iterdir())) == 1


@pytest.mark.parametrize(
    ("anchors", "refresh", "suffix"),
    [
        ("etc/pki/ca-trust/source/anchors", "update-ca-trust extract", ".pem"),
        ("etc/ca-certificates/trust-source/anchors", "update-ca-trust ", ".crt"),
        ("etc/pki/trust/anchors", "update-ca-certificates ", ".pem"),
    ],
)
def test_other_systems_have_their_own_place_and_program(
    root: Path, tmp_path: Path, anchors: str, refresh: str, suffix: str
) -> None:
    """Fedora, Arch and openSUSE: the file is where they look, and their program is run."""
    (root / anchors).mkdir(parents=True)
    add_program(root, refresh.split(maxsplit=1)[0], _NOTED)
    assert states(trust(root)) == ["trusted"]
    (file,) = (root / anchors).iterdir()
    assert file.suffix == suffix
    assert file.read_bytes() == (tmp_path / "state" / "ca.pem").read_bytes()
    assert file.stat().st_mode & 0o777 == 0o644
    assert (root / "commands").read_text() == f"{refresh}\n"
    assert states(trust(root, "--remove")) == ["not trusted"]
    assert not file.exists()


def test_who_is_not_root_uses_sudo(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`sudo` may ask for a password only where somebody can type one."""
    (root / "etc/pki/ca-trust/source/anchors").mkdir(parents=True)
    add_program(root, "update-ca-trust", _NOTED)
    add_program(root, "sudo", '#!/bin/sh\necho "sudo $*" >> {root}/commands\n')
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    for interactive in (True, False):
        trust(root, interactive=interactive)
    lines = (root / "commands").read_text().splitlines()
    assert [line.split()[:2] for line in lines] == [
        ["sudo", "install"],
        ["sudo", "update-ca-trust"],
        ["sudo", "-n"],
        ["sudo", "-n"],
    ]


def test_where_sudo_refuses_the_steps_are_told(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it said, and the commands for somebody who may; nothing was changed."""
    (root / "etc/pki/ca-trust/source/anchors").mkdir(parents=True)
    add_program(root, "update-ca-trust", _NOTED)
    add_program(root, "sudo", "#!/bin/sh\necho 'sudo: a password is required' >&2\nexit 1\n")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    result = trust(root)
    assert not result.complete
    text = result.text()
    assert "a password is required" in text
    assert "    sudo install -m 0644 " in text
    assert "    sudo update-ca-trust extract" in text
    assert not (root / "commands").exists()


def test_a_machine_wide_change_is_named_in_the_question(root: Path) -> None:
    """Who is asked knows that it concerns everybody."""
    debian(root)
    plan = look(parse(["trust"], rim="cli"), interactive=True, home=root / "home", root=root)
    assert "This system (Debian, Ubuntu, Alpine) (for every user of this machine)" in plan.question
    shown = look(parse(["trust", "--show"], rim="cli"), interactive=True, home=root, root=root)
    assert shown.question == ""


def test_an_unknown_system_is_left_alone(root: Path) -> None:
    """No directory of a known kind: no store, and nothing is made."""
    before = sorted(root.rglob("*"))
    assert trust(root).rows == ()
    assert sorted(root.rglob("*")) == before
