"""The history of the store's tables.

Alembic runs it in a process of its own: it is needed once, and its memory would stay for good.
"""

from __future__ import annotations

import subprocess
import sys

from ...errors import GatewayError

REVISIONS = ("0001", "0002")
LATEST_REVISION = REVISIONS[-1]


def migrate_in_another_process(url: str) -> None:
    """Bring a database to the latest revision.

    Args:
        url: SQLAlchemy's URL; handed over on standard input, as it may hold a password.

    Raises:
        GatewayError: It cannot be done; nothing was changed.
    """
    done = subprocess.run(
        [sys.executable, "-m", __name__], input=url, capture_output=True, text=True, check=False
    )
    if done.returncode:
        reason = done.stderr.strip().splitlines()[-1:] or ["no reason given"]
        raise GatewayError(
            f"The store's tables cannot be brought up to date: {reason[0]}.",
            suggestion="Restore it from a backup, or move it away to start without mappings.",
        )
