"""Changes of processes as Jupyter events, so that front ends need not ask again and again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ...stacks.processes.states import GroupState, ReplicaState

SCHEMA_ID = "https://tensorone.ai/schemas/jupyter_tensorone_proxy/process/v1"
SCHEMA_FILE = Path(__file__).parents[1] / "event_schemas" / "process" / "v1.yaml"


class ProcessEvents:
    """Tells everybody who listens to this server's events.

    Args:
        event_logger: The Jupyter server's.
    """

    def __init__(self, event_logger: Any) -> None:
        self._events = event_logger
        self._events.register_event_schema(SCHEMA_FILE)

    def tell(self, group: GroupState, replica: ReplicaState) -> None:
        """Tell that a process is in another state; not why, which may hold what it printed."""
        said = {
            "id": group.id,
            "stack": group.stack,
            "name": group.name,
            "replica": replica.replica,
            "port": replica.port,
            "state": replica.state,
            "restarts": replica.restarts,
        }
        self._events.emit(schema_id=SCHEMA_ID, data=said)
