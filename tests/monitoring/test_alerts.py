"""Alerts: what they may say, when they begin, and when they recover."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_tensorone_proxy import Alert
from jupyter_tensorone_proxy.errors import ConfigurationError, InvalidAlertError
from jupyter_tensorone_proxy.monitoring.alerts import Vigil
from jupyter_tensorone_proxy.monitoring.monitor import Monitor


@pytest.mark.parametrize(
    ("measure", "threshold", "limit"),
    [
        ("response_time", "2 s", 2.0),
        ("response_time", "250ms", 0.25),
        ("p95", "1.5 s", 1.5),
        ("request_rate", "50/s", 3000.0),
        ("request_rate", "600 /min", 600.0),
        ("error_rate", "5 %", 5.0),
        ("metric:queue_depth", 100, 100.0),
        ("metric:queue_depth", "100", 100.0),
    ],
)
def test_a_threshold_is_read_with_its_unit(measure: str, threshold: Any, limit: float) -> None:
    """Just above it the alert holds, just below it does not."""
    alert = Alert(measure, above=threshold)
    assert alert.holds(limit * 1.001) is True
    assert alert.holds(limit * 0.999) is False
    assert alert.holds(None) is None


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"above": "5 %"}, "above: '5 %' is percent; response_time is measured in seconds"),
        ({"above": "10/s"}, "above: '10/s' is per minute; response_time is measured in seconds"),
        ({"above": 2}, "above: 2 has no unit; response_time is measured in seconds, such as '2 s'"),
        ({"above": "2"}, "above: '2' has no unit; response_time"),
        ({"above": "2 sec"}, "above: '2 sec' is no quantity; response_time"),
        ({"above": "-2 s"}, "above: '-2 s' is no quantity; response_time"),
        ({"below": True}, r"below: True \(bool\) is none; response_time"),
        ({"above": [2]}, r"above: \[2\] \(list\) is none; response_time"),
        ({"above": float("nan")}, "above: nan"),
        ({}, "response_time: neither above nor below is given"),
        (
            {"above": "2 s", "for_seconds": "30"},
            r"for_seconds: '30' \(str\) is no number of seconds",
        ),
        ({"above": "2 s", "for_seconds": -1}, "for_seconds: -1 is not from 0 s to 7 days"),
        ({"above": "2 s", "recovery_seconds": float("inf")}, "recovery_seconds: inf is not from"),
        ({"above": "2 s", "services": "web"}, "services: 'web' is no list"),
        ({"above": "2 s", "services": [8.5]}, r"services: \[8.5\] is no list"),
    ],
)
def test_a_wrong_threshold_is_named(words: dict[str, Any], said: str) -> None:
    """The error says which value it is, what is wrong with it, and what is right."""
    with pytest.raises(InvalidAlertError, match=said):
        Alert("response_time", **words)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("speed > 2 s", "measure: 'speed' cannot be measured. There are health, response_time"),
        ("metric:no-dash > 2", "is no alert|cannot be measured"),
        ("health > 2 s", "above: health has no threshold"),
        ("error_rate > 5 s", "above: '5 s' is seconds; error_rate is measured in percent"),
        ("error_rate > 5 % for 2 %", "for: '2 %' is percent"),
        ("error_rate >", "is no alert"),
        ("", "is no alert"),
        (7, "is no alert"),
    ],
)
def test_a_wrong_line_is_named(line: Any, said: str) -> None:
    """A line of a terminal is judged as strictly, and so is one that a monitor is given."""
    with pytest.raises(InvalidAlertError, match=said):
        Alert.parse(line)
    with pytest.raises(InvalidAlertError, match=said):
        Monitor(alerts=[line])


@pytest.mark.parametrize(
    ("line", "alert"),
    [
        ("health", Alert("health")),
        ("health for 1 min", Alert("health", for_seconds=60)),
        ("response_time > 2 s for 30 s", Alert("response_time", above="2 s", for_seconds=30)),
        ("request_rate below 1/min", Alert("request_rate", below="1/min")),
        ("metric:queue_depth > 10", Alert("metric:queue_depth", above=10.0)),
    ],
)
def test_a_line_says_the_same_as_python(line: str, alert: Alert) -> None:
    """What a terminal and a notebook declare is one thing."""
    assert Alert.parse(line) == alert


def test_an_alert_begins_after_its_time_and_recovers_after_its_own() -> None:
    """Short peaks are not told, nor is a short calm the end; each is told once."""
    vigil = Vigil(Alert("error_rate", above="5 %", for_seconds=10, recovery_seconds=5))
    looks = [
        *((9, 0), (9, 8), (1, 9)),  # a short peak
        *((9, 10), (9, 19), (9, 20), (9, 30)),  # a long one: it is told once
        *((1, 31), (9, 35)),  # a short calm
        *((1, 40), (1, 44), (1, 45), (1, 60)),  # a long one
    ]
    told = [(now, state) for value, now in looks if (state := vigil.look(value, now))]
    assert told == [(20, "firing"), (45, "recovered")]


def test_what_is_not_known_changes_nothing() -> None:
    """An alert neither begins nor ends because there is nothing to look at."""
    vigil = Vigil(Alert("response_time", above="1 s", for_seconds=10))
    told = [vigil.look(value, now) for value, now in ((2.0, 0), (None, 10), (2.0, 11), (None, 99))]
    assert told == [None, None, "firing", None]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"interval_seconds": 0}, r"interval_seconds: 0 \(int\) is not from 0.2 to 3600"),
        ({"interval_seconds": "10"}, r"interval_seconds: '10' \(str\)"),
        ({"history": 1}, "history: 1"),
        ({"timeout_seconds": True}, r"timeout_seconds: True \(bool\)"),
        ({"on_alert": 5}, "on_alert: 5 cannot be called"),
        ({"webhook": "ftp://example.com"}, "webhook: this is no http"),
        ({"webhook": "file:///etc/passwd"}, "webhook: this is no http"),
        ({"webhook": "https://"}, "webhook: this is no http"),
        ({"webhook": "http://[::1"}, "webhook: this is no http"),
        ({"webhook": 5}, "webhook: this is no http"),
        ({"metrics": "/metrics"}, "metrics: '/metrics' is no table"),
        ({"metrics": {8.5: "/metrics"}}, "metrics: .* is no table"),
        ({"metrics": {8000: "metrics"}}, "metrics: 'metrics', of 8000, is no path"),
        ({"metrics": {8000: "//evil.example"}}, "is no path"),
        ({"metrics": {8000: 5}}, "metrics: 5, of 8000, is no path"),
        ({"user": 5}, "user: 5 is no name"),
        ({"user": {8000: 5}}, "user: .* no table of names"),
        ({"token": 5}, r"token: this \(int\) is no user's token"),
        ({"token": ""}, "is no user's token"),
    ],
)
def test_a_wrong_argument_of_a_monitor_is_named(given: dict[str, Any], said: str) -> None:
    """Nothing begins to watch with a setting that means something else."""
    with pytest.raises(ConfigurationError, match=said):
        Monitor(**given)


@pytest.mark.parametrize("alerts", ["health", None, {"health": 1}, 7])
def test_alerts_are_a_list(alerts: Any) -> None:
    """One line alone would be taken for a list of its letters."""
    with pytest.raises(InvalidAlertError, match=r"alerts: .* is no list"):
        Monitor(alerts=alerts)


@pytest.mark.parametrize("service", [8.5, True, None, [8000]])
def test_services_are_ports_and_names(service: Any) -> None:
    """What is neither is named."""
    with pytest.raises(ConfigurationError, match="neither a port nor a service's name"):
        Monitor(service)


def test_r13_a_password_in_a_webhooks_address_is_refused_unseen() -> None:
    """A credential in an address is neither used nor repeated."""
    with pytest.raises(ConfigurationError) as refused:
        Monitor(webhook="https://ana:secret@example.com/hook")
    assert "secret" not in str(refused.value)
