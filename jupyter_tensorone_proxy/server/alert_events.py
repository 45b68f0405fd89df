"""Alerts of monitors that run in kernels, as Jupyter events.

The kernels hand them to the Jupyter server's own address for events, signed in by its token; what
it takes and tells its subscribers is what this schema allows, and nothing else.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

SCHEMA_FILE = Path(__file__).parent / "event_schemas" / "alert" / "v1.yaml"


def accept_alerts(event_logger: Any) -> None:
    """Have a Jupyter server take alerts, and tell them to its subscribers.

    Args:
        event_logger: The server's.
    """
    event_logger.register_event_schema(SCHEMA_FILE)
