"""Which certificate each name is served with, now.

A custom domain is served with the certificate that was given for it, else with the host's if that
covers it, else with one of the local CA. The host is served with the certificate that was given for
it; the names that one does not cover, such as `localhost`, with one of the local CA.

The local CA's certificate for names holds no addresses. BoringSSL, and so every gRPC client,
refuses a certificate with an address from a CA that is held to some addresses, as ours is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

from .authority import LocalAuthority
from .certificates import covers, is_address
from .config import GatewayConfig
from .desired import Certificate, domain_secret
from .given_certificate import CertificateFiles, GivenCertificate

_LOCAL = "leaf"
_ADDRESSES = "addresses"
_GIVEN = "given"


class TlsCertificates:
    """All certificates of one gateway.

    Args:
        config: The gateway's options.
        host_names: The names it answers to, the public one first.

    Raises:
        GatewayError: A file cannot be used; the message names it.
    """

    def __init__(self, config: GatewayConfig, host_names: Sequence[str]) -> None:
        self._host_names = host_names
        self._authority = LocalAuthority(config.state_path, host_names)
        self._given_host: GivenCertificate | None = None
        self._given: dict[str, GivenCertificate] = {}
        if config.tls_cert:
            files = _files("--tls-cert", config.public_host, config.tls_cert, config.tls_key)
            self._given_host = _given(config, files)
        for domain, certificate, key in config.domain_certs:
            files = _files("--domain-cert", domain, certificate, key)
            self._given[domain] = _given(config, files)

    @property
    def host_secrets(self) -> tuple[str, ...]:
        """Names of the certificates of the host's listeners.

        Envoy chooses by the name that the visitor asks for (SNI). Whoever asks for an address sends
        no name, and gets the first.
        """
        local = (_ADDRESSES, _LOCAL)
        if self._given_host is None:
            return local
        return (_GIVEN, *local) if is_address(self._host_names[0]) else (*local, _GIVEN)

    @property
    def host(self) -> Certificate:
        """The certificate of the public host."""
        if self._given_host:
            return self._given_host.current
        return self._local()[_ADDRESSES if is_address(self._host_names[0]) else _LOCAL]

    def served(self, domains: Iterable[str]) -> dict[str, Certificate]:
        """Return every certificate by the name of its secret; the same objects if none changed.

        Args:
            domains: The custom domains in use.

        Raises:
            StorageFullError: The local CA cannot be told of a new domain.
        """
        certificates = self._local()
        if self._given_host:
            certificates[_GIVEN] = self._given_host.current
        return certificates | {domain_secret(d): self._of_domain(d) for d in domains}

    def refresh(self) -> None:
        """Look whether the given files changed, and whether the local CA must be renewed.

        Raises:
            StorageFullError: It must, and its file cannot be written.
        """
        for given in self._all_given():
            given.refresh()
        self._authority.vouch_for()

    def close(self) -> None:
        """Remove the copies of the given keys."""
        for given in self._all_given():
            given.forget()

    def _all_given(self) -> list[GivenCertificate]:
        return [*self._given.values(), *([self._given_host] if self._given_host else [])]

    def _local(self) -> dict[str, Certificate]:
        given = self._given_host.current.names if self._given_host else frozenset[str]()
        addresses = [name for name in self._host_names if is_address(name)]
        names = [name for name in self._host_names if not is_address(name)]
        # A name in two certificates would be served with either.
        own = [name for name in names if not covers(given, name)] or addresses
        return {
            secret: self._authority.host_certificate(of_it, kept_as=secret)
            for secret, of_it in ((_ADDRESSES, addresses), (_LOCAL, own))
        }

    def _of_domain(self, domain: str) -> Certificate:
        wildcard = f"*.{domain.partition('.')[2]}"
        given = self._given.get(domain) or self._given.get(wildcard)
        if given is None and self._given_host and covers(self._given_host.current.names, domain):
            given = self._given_host
        return given.current if given else self._authority.domain_certificate(domain)


def _files(option: str, name: str, certificate: str, key: str) -> CertificateFiles:
    return CertificateFiles(Path(certificate), Path(key), option, name)


def _given(config: GatewayConfig, files: CertificateFiles) -> GivenCertificate:
    kept = hashlib.sha256(f"{files.option} {files.name}".encode()).hexdigest()[:16]
    return GivenCertificate(files, config.run_path / f"given-{kept}.pem")
