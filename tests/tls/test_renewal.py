"""Certificates of the local CA are renewed while the gateway runs, and nothing is cut."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

from jupyter_tensorone_proxy.gateway.authority import LocalAuthority
from tests.fixtures.certificates import shown, strict_context, verify
from tests.fixtures.gateway import run_gateway, wait_until
from tests.tls.conftest import ExposeOn, echoes, open_websocket

DOMAIN = "app.lab.example"
SECONDS_LEFT = 20
"""From when they are made until they have less than the 30 days at which they are renewed."""


def test_certificates_are_renewed_in_time_and_an_open_websocket_goes_on(
    tmp_path: Path, expose_on: ExposeOn
) -> None:
    """Names, addresses and domains get new ones 30 days before the end; clients accept them."""
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    made = datetime.now(timezone.utc) - timedelta(days=60) + timedelta(seconds=SECONDS_LEFT)
    # Made ten minutes early on purpose, for clocks that are behind; so is their end.
    clock = made + timedelta(minutes=10)
    old = LocalAuthority(state, ["localhost", DOMAIN], clock=lambda: clock)
    old.host_certificate(["localhost"], kept_as="leaf")
    old.host_certificate(["127.0.0.1", "::1"], kept_as="addresses")
    old.domain_certificate(DOMAIN)
    with run_gateway(state) as gateway:
        host, domain = expose_on(gateway), expose_on(gateway, custom_domain=DOMAIN)
        places = [(host.port, "localhost"), (host.port, None), (domain.port, DOMAIN)]
        before = [shown(*place) for place in places]
        assert {str(c.not_valid_before_utc) for c in before} == {str(made.replace(microsecond=0))}
        with open_websocket(gateway, host) as websocket:
            assert echoes(websocket, "before")

            def renewed() -> bool:
                pairs = zip(places, before, strict=True)
                return all(shown(*p).serial_number != old.serial_number for p, old in pairs)

            assert wait_until(renewed, seconds=SECONDS_LEFT + 40)
            assert echoes(websocket, "after")
        trusted = strict_context(Path(gateway.runtime["ca_file"]))
        for port, name in [*places[::2], (host.port, "127.0.0.1")]:
            assert verify(port, name or "", trusted)
        ends = [shown(*place).not_valid_after_utc for place in places]
        assert min(ends) - datetime.now(timezone.utc) > timedelta(days=89)
