"""The gateway's options: parsed once by the supervisor, handed to the control plane as a file."""

from __future__ import annotations

import argparse
import getpass
import json
import os
import pwd
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from .files import write_private

CLUSTER_ID = "local"
"""The one cluster of an embedded gateway."""

_LONGEST_NAME = 200
_COOKIE_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,200}")  # RFC 6265, section 4.1.1
_DOMAIN = re.compile(r"(\*\.)?[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")


@dataclass(frozen=True)
class GatewayConfig:
    """How one gateway runs.

    Args:
        state_dir: Where it keeps its state, absolute; mode 0700.
        api_port: Port of the REST API on loopback.
        listen: Address that exposed ports are bound to.
        public_host: Host name in the URLs of exposed ports.
        first_external_port: Start of the range external ports are taken from.
        last_external_port: Its end, inclusive.
        database_url: SQLAlchemy URL of the store; empty for SQLite in the state directory.
        access_log_entries: How many requests the access log keeps.
        access_log_file_mb: How large Envoy's own file gets before a new one is started, in MB.
        owner: Whose services these are; visitors are told whom to ask.
        hidden_cookies: Names of further cookies that no service may see or set: Jupyter's own.
        jupyter_runtime_dir: Where Jupyter says which ports are its own; empty if there is none.
        tls_cert: File of the public host's certificate; empty for one of the local CA.
        tls_key: File of its key.
        domain_certs: (custom domain, file of its certificate, file of its key).
        service_users: Ids of other users of the machine whose services may be exposed too.
    """

    state_dir: str
    api_port: int = 0
    listen: str = "127.0.0.1"
    public_host: str = "localhost"
    first_external_port: int = 32000
    last_external_port: int = 32767
    database_url: str = ""
    access_log_entries: int = 10_000
    access_log_file_mb: int = 64
    owner: str = ""
    hidden_cookies: Sequence[str] = ()
    jupyter_runtime_dir: str = ""
    tls_cert: str = ""
    tls_key: str = ""
    domain_certs: Sequence[Sequence[str]] = ()
    service_users: tuple[int, ...] = ()

    @property
    def state_path(self) -> Path:
        """The state directory."""
        return Path(self.state_dir)

    @property
    def run_path(self) -> Path:
        """Sockets and logs of the running gateway; both processes work inside it.

        They use relative names, because the path of a unix socket may have 107 bytes at most.
        """
        return self.state_path / "run"

    @property
    def proxy_url(self) -> str:
        """The base of the exposed URLs, without a port."""
        host = self.public_host
        return f"https://[{host}]" if ":" in host else f"https://{host}"

    @property
    def api_key_file(self) -> Path:
        """The API key, random for each installation."""
        return self.state_path / "api_key"

    @property
    def ca_file(self) -> Path:
        """The local certificate authority's certificate."""
        return self.state_path / "ca.pem"

    def save(self, path: Path) -> None:
        """Write the options for the control plane; there is no secret among them."""
        write_private(path, json.dumps(asdict(self)))

    @classmethod
    def load(cls, path: Path) -> GatewayConfig:
        """Read what `save` wrote."""
        return cls(**json.loads(path.read_text()))


def parse_arguments(argv: Sequence[str] | None) -> tuple[GatewayConfig, bool]:
    """Return the options, and whether to stop when standard input ends."""
    parser = argparse.ArgumentParser(
        prog="jupyter tensorone gateway",
        description="Run the embedded cluster proxy in the foreground. "
        "Prints one JSON line once it serves; SIGTERM stops it and its Envoy.",
    )
    add = parser.add_argument
    add("--state-dir", required=True, help="directory for keys, certificates and mappings")
    add(
        "--api-port", type=_port_or_zero, default=0, help="port of the REST API; 0 takes a free one"
    )
    add("--listen", default="127.0.0.1", help="address that exposed ports are bound to")
    add("--public-host", default="localhost", help="host name in the URLs of exposed ports")
    add("--external-ports", type=_range, default=(32000, 32767), metavar="FIRST-LAST")
    add(
        "--database-url", default="", help="SQLAlchemy URL; SQLite in the state directory if absent"
    )
    add("--access-log-entries", type=_count, default=10_000, help="requests the access log keeps")
    add("--access-log-file-mb", type=_count, default=64, help="size of the file behind it, in MB")
    add("--owner", type=_name, default=_own_name(), help="whose services these are, for visitors")
    _add_tls_options(parser)
    add(
        "--hidden-cookie",
        type=_cookie,
        action="append",
        default=[],
        metavar="NAME",
        help="a cookie of the same host that is not the services': hidden, and not theirs to set",
    )
    add(
        "--jupyter-runtime-dir",
        default="",
        metavar="DIR",
        help="where Jupyter says which ports are its own and its kernels'; these are protected",
    )
    add("--exit-with-parent", action="store_true", help="stop when standard input is closed")
    add(
        "--service-users",
        type=_user_ids,
        default=(),
        metavar="NAME,…",
        help="users of this machine whose services may be exposed too, such as postgres",
    )
    options = parser.parse_args(argv)
    if bool(options.tls_cert) != bool(options.tls_key):
        parser.error("--tls-cert and --tls-key need each other")
    domains = [given[0] for given in options.domain_cert]
    if len(set(domains)) != len(domains):
        parser.error("--domain-cert names a domain twice")
    config = GatewayConfig(
        state_dir=_absolute(options.state_dir),
        api_port=options.api_port,
        listen=options.listen,
        public_host=options.public_host.lower(),
        first_external_port=options.external_ports[0],
        last_external_port=options.external_ports[1],
        database_url=options.database_url,
        access_log_entries=options.access_log_entries,
        access_log_file_mb=options.access_log_file_mb,
        owner=options.owner,
        hidden_cookies=options.hidden_cookie,
        jupyter_runtime_dir=options.jupyter_runtime_dir,
        tls_cert=options.tls_cert or "",
        tls_key=options.tls_key or "",
        domain_certs=options.domain_cert,
        service_users=options.service_users,
    )
    return config, options.exit_with_parent


def _add_tls_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group(
        "certificates",
        "PEM files, read again when they change. Names without any are served by the local CA.",
    )
    add = group.add_argument
    add("--tls-cert", type=_absolute, metavar="FILE", help="the public host's chain")
    add("--tls-key", type=_absolute, metavar="FILE", help="its key, not encrypted")
    add(
        "--domain-cert",
        type=_domain_certificate,
        action="append",
        default=[],
        metavar="DOMAIN=CERT,KEY",
        help="chain and key for a custom domain, or for *.DOMAIN; may be repeated",
    )


def _absolute(path: str) -> str:
    return str(Path(path).expanduser().absolute())


def _domain_certificate(text: str) -> tuple[str, str, str]:
    domain, _, files = text.partition("=")
    certificate, _, key = files.partition(",")
    if not _DOMAIN.fullmatch(domain) or not certificate or not key or "," in key:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not DOMAIN=CERT,KEY, such as api.example.com=/etc/api.pem,/etc/api.key"
        )
    return domain.lower(), _absolute(certificate), _absolute(key)


def _port_or_zero(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,5}", text) or int(text) > 65_535:  # noqa: PLR2004 - TCP's last port
        raise argparse.ArgumentTypeError(f"{text!r} is not a port, 0–65535")
    return int(text)


def _cookie(text: str) -> str:
    if not _COOKIE_NAME.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not the name of a cookie")
    return text


def _name(text: str) -> str:
    if not 0 < len(text) <= _LONGEST_NAME or not text.isprintable():
        raise argparse.ArgumentTypeError("a name is one line of 1–200 characters")
    return text


def _own_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # containers run under ids that have no entry in the user database
        return f"uid-{os.getuid()}"


def _count(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,7}", text) or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number, 1–9999999")
    return int(text)


def _user_ids(text: str) -> tuple[int, ...]:
    names = [name.strip() for name in text.split(",")]
    try:
        return tuple(pwd.getpwnam(name).pw_uid for name in names)
    except KeyError:
        raise argparse.ArgumentTypeError(f"not every name in {text!r} is a user here") from None


def _range(text: str) -> tuple[int, int]:
    first, _, last = text.partition("-")
    ports = (_port_or_zero(first), _port_or_zero(last or first))
    if not 0 < ports[0] <= ports[1]:
        raise argparse.ArgumentTypeError(f"{text!r} is not a range of ports, such as 32000-32767")
    return ports
