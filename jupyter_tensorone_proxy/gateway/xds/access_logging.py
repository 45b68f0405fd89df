"""What Envoy writes about each request: one JSON line, without query strings or credentials."""

from __future__ import annotations

from .access import JWT_FILTER
from .typed import Config, typed

ACCESS_LOG = "access.log"


def access_log(mapping_id: str) -> list[Config]:
    """Return the access log of a mapping; `access_log.py` of the gateway reads it.

    Names are short, because the log of a busy mapping is long.
    """
    line = {
        "m": mapping_id,
        "t": "%START_TIME(%s.%3f)%",
        "a": "%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%",
        "u": f"%DYNAMIC_METADATA({JWT_FILTER}:identity:sub)%",
        "v": "%REQ(:METHOD)%",
        "p": "%PATH(NQ)%",
        "s": "%RESPONSE_CODE%",
        # Until the first byte: a stream's whole life is not how long it took to answer.
        "r": "%RESPONSE_DURATION%",
        "d": "%DURATION%",
        "g": "%REQ(USER-AGENT)%",
    }
    return [
        {
            "name": "envoy.access_loggers.file",
            "typed_config": typed(
                "envoy.extensions.access_loggers.file.v3.FileAccessLog",
                {"path": ACCESS_LOG, "log_format": {"json_format": line}},
            ),
        }
    ]
