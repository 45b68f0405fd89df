"""What Envoy writes about each request: one JSON line, without query strings or credentials."""

from __future__ import annotations

from .sign_in import JWT_FILTER
from .typed import Config, typed

ACCESS_LOG = "access.log"
STREAM_LOG = "streams.log"
STREAM_LOG_INTERVAL = "2s"
REFUSED_CONNECTION = "refused_connection"
"""Instead of Envoy's word for who answered: nobody did, it is for none of the services there."""

_CLAIM = f"%DYNAMIC_METADATA({JWT_FILTER}:identity:{{}})%"


def access_log(mapping_id: str) -> list[Config]:
    """Return the access log of a mapping, and the log of its streams that are open.

    `access_log.py` and `enforcement.py` of the gateway read them.

    Names are short, because the log of a busy mapping is long.
    """
    line = {
        "m": mapping_id,
        "t": "%START_TIME(%s.%3f)%",
        "a": "%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%",
        "u": _CLAIM.format("sub"),
        "j": _CLAIM.format("jti"),
        "v": "%REQ(:METHOD)%",
        "p": "%PATH(NQ)%",
        "s": "%RESPONSE_CODE%",
        # Until the first byte: a stream's whole life is not how long it took to answer.
        "r": "%RESPONSE_DURATION%",
        "d": "%DURATION%",
        "g": "%REQ(USER-AGENT)%",
        # Who answered: the service, or Envoy itself, and which of its filters.
        "w": "%RESPONSE_CODE_DETAILS%",
    }
    stream = {"m": mapping_id, **{k: line[k] for k in "uj"}, "e": _CLAIM.format("exp")}
    return [
        _file(ACCESS_LOG, line, _on("DownstreamEnd")),
        _file(STREAM_LOG, stream, _on("DownstreamPeriodic")),
    ]


def refused_connections(mapping_id: str) -> list[Config]:
    """Return the log of connections that are for none of a listener's services.

    Args:
        mapping_id: The only mapping there, or nothing if there are several.
    """
    line = {
        **dict.fromkeys("ujvrg"),
        "m": mapping_id,
        "t": "%START_TIME(%s.%3f)%",
        "a": "%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%",
        # A connection asks for a name, where a request asks for a path.
        "p": "%REQUESTED_SERVER_NAME%",
        "s": 0,
        "d": "%DURATION%",
        "w": REFUSED_CONNECTION,
    }
    return [_file(ACCESS_LOG, line, {"response_flag_filter": {"flags": ["NR"]}})]


def _on(occasion: str) -> Config:
    return {"log_type_filter": {"types": [occasion]}}


def _file(path: str, line: Config, condition: Config) -> Config:
    kind = "envoy.extensions.access_loggers.file.v3.FileAccessLog"
    return {
        "name": "envoy.access_loggers.file",
        "filter": condition,
        "typed_config": typed(kind, {"path": path, "log_format": {"json_format": line}}),
    }
