"""Detected ports as front ends see them: in `api/detected`, and as Jupyter events."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..detection.watcher import DetectedPort
from .auto_expose.policy import Decision

SCHEMA_ID = "https://tensorone.ai/schemas/jupyter_tensorone_proxy/detected_port/v1"
SCHEMA_FILE = Path(__file__).parent / "event_schemas" / "detected_port" / "v1.yaml"


def described(
    port: DetectedPort, decision: Decision | None, notebook: str | None, *, may_expose: bool = False
) -> dict[str, Any]:
    """Return a port in plain values; nothing that may hold a secret is among them.

    Args:
        port: The port.
        decision: What happened by itself.
        notebook: The document of its kernel.
        may_expose: Whether the administrator allows that it is exposed by itself.
    """
    values = {
        "port": port.port,
        "host": port.host,
        "name": port.name[:200],
        "service": port.service.id if port.service else None,
        "process": port.process.name,
        "kernel_id": port.root.id if port.root.kind == "kernel" else None,
        "terminal": port.root.id if port.root.kind == "terminal" else None,
        "notebook": notebook,
        "decision": decision.action if decision and decision.action != "ignore" else None,
        "question": decision.question or None if decision else None,
        "because": decision.because or None if decision else None,
        "may_expose": may_expose or None,
    }
    return {name: value for name, value in values.items() if value is not None}


class DetectedEvents:
    """Tells everybody who listens to this server's events.

    Args:
        event_logger: The Jupyter server's.
    """

    def __init__(self, event_logger: Any) -> None:
        self._events = event_logger
        self._events.register_event_schema(SCHEMA_FILE)

    def tell(self, change: str, values: dict[str, Any]) -> None:
        """Tell that a port was ``found`` or is ``gone``."""
        self._events.emit(schema_id=SCHEMA_ID, data={"change": change, **values})
