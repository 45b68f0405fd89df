"""Processes of services: started, watched, started again, balanced and stopped.

::

    spec (pure) ──▶ runner ──▶ group ──▶ replica ──▶ guardian ──▶ the service
                      ▲          └▶ scaling            (a process of its own)
    server, host, remote

A *runner* keeps the services of one owner: of a Jupyter server, or of this Python process where
there is none. A *group* is one service with its replicas; a *replica* is one process, kept running.
Each run has a *guardian*: a small process that owns the service, keeps its output, and ends it with
everything it started when its owner is gone, by SIGKILL too.

Nothing here is a shell's: a command is a list of words, and each stays one word.
"""

from .runner import Runner
from .spec import ProcessSpec
from .states import GroupState, ReplicaState

__all__ = ["GroupState", "ProcessSpec", "ReplicaState", "Runner"]
