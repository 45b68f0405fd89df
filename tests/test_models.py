"""The vocabulary: strict for what people ask, lenient for what servers say."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest
from pydantic import ValidationError

from jupyter_tensorone_proxy.models import (
    AccessControl,
    ClusterAccess,
    HealthCheck,
    PortMapping,
    PortRequest,
    PortSettings,
    ProxySettingsV2,
    RateLimit,
)
from jupyter_tensorone_proxy.people import Link, LinkRequest, User


def port(**fields: Any) -> PortRequest:
    """Return a request with the required fields."""
    return PortRequest.model_validate({"internal_port": 6006, "description": "x", **fields})


@pytest.mark.parametrize("number", [1, 80, 65535])
def test_r08_a_port_is_an_integer(number: int) -> None:
    """Every port there is can be asked for."""
    assert port(internal_port=number).internal_port == number


@pytest.mark.parametrize("number", [0, -1, 65536, "80", "80 ", "+80", "٨٠", True, 80.0, None, [80]])
def test_r08_what_is_no_port_is_refused(number: Any) -> None:
    """Strings, signs, other digits, booleans and fractions are no ports."""
    with pytest.raises(ValidationError):
        port(internal_port=number)


@pytest.mark.parametrize(
    "address", ["203.0.113.7", "203.0.113.0/24", "2001:db8::/32", "::1", "0.0.0.0/0", "10.1.2.3/8"]
)
def test_r37_addresses_and_ranges_are_accepted(address: str) -> None:
    """Both families, single or ranges, host bits too; the text is kept."""
    assert AccessControl(ip_whitelist=[address], blocked_ips=[address]).ip_whitelist == [address]


@pytest.mark.parametrize(
    "address", ["", "300.1.1.1", "10.0.0.0/33", "example.com", "10.0.0.1-9", 5]
)
def test_r37_a_bad_range_is_refused_by_name(address: Any) -> None:
    """What is no address is refused, wherever addresses can be given."""
    for model, field in (
        (AccessControl, "ip_whitelist"),
        (ClusterAccess, "blocked_ips"),
        (ProxySettingsV2, "allowedIps"),
    ):
        with pytest.raises(ValidationError, match=field):
            model.model_validate({field: [address]})


@pytest.mark.parametrize("path", ["", "lab", "//evil.example.com", "/a\nb", "/a\x00", "http://x/"])
def test_r18_a_path_starts_with_one_slash(path: str) -> None:
    """Paths of checks and links hold no host and no control characters."""
    for model, fields in (
        (HealthCheck, {"path": path}),
        (LinkRequest, {"port_id": "p", "user": "ana", "path": path}),
    ):
        with pytest.raises(ValidationError, match="path"):
            model.model_validate(fields)


@pytest.mark.parametrize(
    "domain", ["", "-a.com", "a..com", "a.com:443", "a b.com", "1.2.3.4", "*.a.com", "a" * 64]
)
def test_a_domain_is_a_host_name(domain: str) -> None:
    """Addresses, ports, wildcards and typing errors are no domains of one's own."""
    with pytest.raises(ValidationError, match="custom_domain"):
        port(custom_domain=domain)


def test_a_domain_has_one_spelling() -> None:
    """Letter case says nothing in a host name, so it is not kept."""
    assert port(custom_domain="API.Example.com").custom_domain == "api.example.com"


@pytest.mark.parametrize("text", ["", "two\nlines", "bell\x07", 5, "x" * 501])
def test_r28_a_description_is_one_line(text: Any) -> None:
    """Names that would break a table or a log are refused."""
    with pytest.raises(ValidationError, match="description"):
        port(description=text)


def test_public_and_signed_in_contradict_each_other() -> None:
    """Both at once is a mistake, and said so."""
    with pytest.raises(ValidationError, match="contradict"):
        AccessControl(authentication_required=True, public_access=True)


@pytest.mark.parametrize(
    ("fields", "by_default"),
    [
        ({}, (True, False)),
        ({"authentication_required": True}, (True, True)),
        ({"authentication_required": False}, (False, False)),
        ({"public_access": True}, (False, False)),
        ({"public_access": False}, (True, True)),
    ],
)
def test_r31_who_must_sign_in_follows_from_what_is_said(
    fields: dict[str, Any], by_default: tuple[bool, bool]
) -> None:
    """What the mapping says wins; where it is silent the cluster's default holds."""
    access = AccessControl(**fields)
    assert tuple(access.requires_sign_in(default=d) for d in (True, False)) == by_default


def test_a_check_may_not_outlast_its_interval() -> None:
    """A check that is still running when the next begins is refused, default interval or not."""
    for fields in ({"timeout_seconds": 31}, {"timeout_seconds": 6, "interval_seconds": 5}):
        with pytest.raises(ValidationError, match="interval_seconds"):
            HealthCheck(**fields)


@pytest.mark.parametrize(
    ("interval", "timeout", "effective"), [(30, None, 10), (5, None, 5), (30, 20, 20)]
)
def test_the_timeout_in_force_fits_the_interval(
    interval: int, timeout: int | None, effective: int
) -> None:
    """Ten seconds, or the interval if that is less, unless a timeout is given."""
    check = HealthCheck(interval_seconds=interval, timeout_seconds=timeout)
    assert check.effective_timeout_seconds == effective


@pytest.mark.parametrize("raw", [{"protocol": "udp"}, {"app_protocol": "tcp"}])
def test_raw_services_cannot_ask_for_sign_in(raw: dict[str, str]) -> None:
    """Where there is no HTTP there is no sign-in, so it must be declined in words."""
    for access in (None, {}, {"authentication_required": True}, {"allowed_users": ["ana"]}):
        with pytest.raises(ValidationError, match="sign"):
            port(**raw, access_control=access)
    open_to_some = {"authentication_required": False, "ip_whitelist": ["10.0.0.0/8"]}
    assert port(**raw, access_control=open_to_some).to_wire()["access_control"] == open_to_some


def test_the_wire_form_holds_what_was_set_and_no_more() -> None:
    """Defaults are the server's to fill in; explicit Nones are sent."""
    assert PortSettings(custom_domain=None).to_wire() == {"custom_domain": None}
    assert HealthCheck().to_wire() == {}
    assert ProxySettingsV2(allowed_ips=["::1"]).to_wire() == {"allowedIps": ["::1"]}


def test_times_are_utc_with_a_z_on_the_wire() -> None:
    """A time is aware in Python and ISO 8601 with Z in JSON."""
    mapping = PortMapping.from_server({"id": "p", "created_at": "2026-01-15T14:30:00Z"})
    assert mapping.created_at == datetime(2026, 1, 15, 14, 30, tzinfo=timezone.utc)
    assert mapping.to_wire()["created_at"] == "2026-01-15T14:30:00Z"


def test_models_do_not_change() -> None:
    """A value once read stays what it is."""
    with pytest.raises(ValidationError):
        RateLimit().burst_size = 5  # type: ignore[misc] # that is the point


def test_r16_credentials_are_not_in_what_is_shown() -> None:
    """A link's URL and a user's token are there to use, not to be printed."""
    link = Link.from_server(
        {
            "id": "l",
            "port_id": "p",
            "user": "ana",
            "url": "https://x/?token=canary",
            "expires_at": "?",
        }
    )
    user = User.from_server({"name": "ana", "token": "canary"})
    assert "canary" not in f"{link!r} {link} {user!r} {user}"
    assert ("canary" in link.url, user.token) == (True, "canary")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-15T14:30:00Z", datetime(2026, 1, 15, 14, 30, tzinfo=timezone.utc)),
        ("2026-01-15 15:30:00+01:00", datetime(2026, 1, 15, 14, 30, tzinfo=timezone.utc)),
    ],
)
def test_a_moment_is_kept_in_utc(text: str, moment: datetime) -> None:
    """Any time zone can be given; one is written."""
    request = port(expires_at=text)
    assert request.expires_at == moment
    assert request.to_wire()["expires_at"] == "2026-01-15T14:30:00Z"


@pytest.mark.parametrize(
    "value",
    [0, 1768487400, "1768487400", True, "8h", "", "2026-01-15T14:30:00", "2026-13-01T00:00:00Z",
     "0001-01-01T00:00:00+14:00", ["2026-01-15T14:30:00Z"]],
)  # fmt: skip
def test_what_is_no_moment_is_refused(value: Any) -> None:
    """Numbers, words, moments without a zone and those outside of the calendar are no moments."""
    with pytest.raises(ValidationError, match="expires_at"):
        port(expires_at=value)
