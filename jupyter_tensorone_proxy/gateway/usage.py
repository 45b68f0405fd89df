"""Observed usage: what was counted from the access log, and its last entries.

Kept in a small database of its own beside the store: it is derived, may be lost without harm, and
never flows back into desired state. All counters are in it, so that none starts again with the
control plane.

Requests for the gateway's own pages (`/.tensorone/`) are in the log, but are no visits: they count
neither as requests nor as visitors. A visitor is a signed-in user, else a client address.
"""

from __future__ import annotations

import logging
import sqlite3
import time
from collections import defaultdict, deque
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from ..models import AccessLogEntry, UsageStatistics
from .access_log import Position, Request
from .traffic import CLASS, Traffic
from .usage_database import LOG_COLUMNS, as_moment, as_seconds, log_entry, open_database
from .xds.filters import VISITOR_PREFIX

_log = logging.getLogger(__name__)


_SEEN_DAYS = 30


class Usage:
    """Counts requests and keeps the last of them.

    Args:
        path: The database; made if it is missing, made anew if it is of another version.
        keep_entries: How many log entries are kept.
    """

    def __init__(self, path: Path, *, keep_entries: int) -> None:
        self._gone: deque[str] = deque(maxlen=100)
        self._keep_entries = keep_entries
        try:
            self._database = open_database(path)
        except sqlite3.DatabaseError as error:
            _log.warning("%s cannot be used (%s); usage is counted anew", path, error)
            for leftover in path.parent.glob(f"{path.name}*"):
                leftover.unlink()
            self._database = open_database(path)

    @property
    def position(self) -> Position:
        """Where reading of the access log stopped."""
        return Position(*self._database.execute("select inode, offset from position").fetchone())

    def take(self, requests: Iterable[Request], position: Position) -> None:
        """Count requests and remember how far the log was read, in one transaction.

        Raises:
            sqlite3.Error: The database cannot be written; nothing was counted.
        """
        taken = list(requests)
        gone = set(self._gone)
        visits = [
            r
            for r in taken
            if r.mapping_id not in gone and not (r.path or "").startswith(VISITOR_PREFIX)
        ]
        traffic: dict[str, Traffic] = defaultdict(Traffic)
        for request in visits:
            traffic[request.mapping_id].add(request)
        execute = self._database.execute
        execute("begin")
        try:
            self._count(traffic)
            self._remember(taken, {(r.mapping_id, r.visitor) for r in visits})
            execute("update position set inode = ?, offset = ?", (position.inode, position.offset))
            execute("commit")
        except sqlite3.Error:
            if self._database.in_transaction:
                execute("rollback")
            raise

    def _count(self, traffic: dict[str, Traffic]) -> None:
        self._database.executemany(
            "insert into usage values (?, ?, ?, ?) on conflict (port_id) do update set "
            "total = total + excluded.total, time_ms = time_ms + excluded.time_ms, "
            "last_accessed = max(last_accessed, excluded.last_accessed)",
            [(port_id, t.total, t.time_ms, t.last_accessed) for port_id, t in traffic.items()],
        )
        self._database.executemany(
            "insert into counters values (?, ?, ?, ?) "
            "on conflict (port_id, kind, number) do update set count = count + excluded.count",
            [row for port_id, t in traffic.items() for row in t.rows(port_id)],
        )

    def _remember(self, taken: list[Request], visitors: set[tuple[str, str]]) -> None:
        many = self._database.executemany
        self._see({r.token_id: r.timestamp for r in taken if r.token_id})
        many("insert or ignore into visitors values (?, ?)", visitors)
        many(  # the places are the fields of a `Request`; the fifth, the token's id, is not kept
            "insert into entries values (null, ?1, ?2, ?3, ?4, ?6, ?7, ?8, ?9, ?10)",
            [request[:10] for request in taken[-self._keep_entries :]],
        )
        self._database.execute(
            "delete from entries where id <= (select max(id) from entries) - ?",
            (self._keep_entries,),
        )

    def of(self, mapping_id: str) -> UsageStatistics:
        """Return a mapping's usage so far."""
        row = self._database.execute(
            "select total, time_ms, last_accessed from usage where port_id = ?", (mapping_id,)
        ).fetchone()
        if row is None:
            return UsageStatistics(
                total_requests=0, unique_visitors=0, last_accessed=None, avg_response_time_ms=None
            )
        visitors = self._database.execute(
            "select count(*) from visitors where port_id = ?", (mapping_id,)
        ).fetchone()[0]
        return UsageStatistics(
            total_requests=row[0],
            unique_visitors=visitors,
            last_accessed=as_moment(row[2]),
            avg_response_time_ms=round(row[1] / row[0], 1),
        )

    def see(self, token_ids: Iterable[str], at: float) -> None:
        """Note when sessions with open streams were there.

        Args:
            token_ids: Ids of the sessions.
            at: When, in seconds since 1970.
        """
        try:
            self._see(dict.fromkeys(token_ids, at))
        except sqlite3.Error as error:
            _log.info("When sessions were last seen cannot be noted now: %s", error)

    def _see(self, seen: dict[str, float]) -> None:
        self._database.executemany(
            "insert into seen values (?, ?) on conflict (token_id) do update set "
            "at = max(at, excluded.at)",
            seen.items(),
        )

    def last_seen(self, token_ids: Iterable[str]) -> dict[str, datetime]:
        """Return when sessions were last seen."""
        find = "select at from seen where token_id = ?"
        rows = {i: self._database.execute(find, (i,)).fetchone() for i in token_ids}
        return {token_id: as_moment(row[0]) for token_id, row in rows.items() if row}

    def forget_unseen(self) -> None:
        """Forget sessions that were not there for so long that they have ended."""
        long_ago = time.time() - _SEEN_DAYS * 86_400
        try:
            self._database.execute("delete from seen where at < ?", (long_ago,))
        except sqlite3.Error as error:
            _log.info("Sessions of long ago cannot be forgotten now: %s", error)

    def traffic(self, mapping_id: str) -> Traffic:
        """Return a mapping's counters so far."""
        traffic = Traffic()
        execute = self._database.execute
        for kind, number, count in execute(
            "select kind, number, count from counters where port_id = ?", (mapping_id,)
        ):
            if kind == CLASS:
                traffic.by_class[number] = count
            else:
                traffic.buckets[number] = count
        row = execute(
            "select total, time_ms, last_accessed from usage where port_id = ?", (mapping_id,)
        ).fetchone()
        if row is not None:
            traffic.total, traffic.time_ms, traffic.last_accessed = row
        return traffic

    def forget(self, mapping_id: str) -> None:
        """Drop what was counted of a mapping that is gone; its log entries stay until they age."""
        self._gone.append(mapping_id)  # its last lines may still come
        for table in ("usage", "counters", "visitors"):
            self._database.execute(f"delete from {table} where port_id = ?", (mapping_id,))  # noqa: S608 - our own names

    def entries(  # noqa: PLR0913 - keyword-only, each a filter
        self,
        *,
        port_id: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        status: int | None = None,
        before: int | None = None,
        limit: int = 50,
    ) -> list[AccessLogEntry]:
        """Return log entries, the newest first.

        Args:
            port_id: Only of this mapping.
            since: Only at or after this moment; UTC if it has no zone.
            until: Only before this moment; the same.
            status: Only this status, or with 1–5 this class of statuses.
            before: Only entries older than the one of this id: the next page.
            limit: How many at most.
        """
        low, high = _status_range(status)
        rows = self._database.execute(
            f"select {LOG_COLUMNS} from entries "  # noqa: S608 - our own names
            "where (:port_id is null or port_id = :port_id) "
            "and (:since is null or timestamp >= :since) "
            "and (:until is null or timestamp < :until) "
            "and (:low is null or status between :low and :high) "
            "and (:before is null or id < :before) order by id desc limit :limit",
            {
                "port_id": port_id,
                "since": as_seconds(since),
                "until": as_seconds(until),
                "low": low,
                "high": high,
                "before": before,
                "limit": limit,
            },
        )
        return [log_entry(row) for row in rows]

    def close(self) -> None:
        """Close the database."""
        self._database.close()


def _status_range(status: int | None) -> tuple[int | None, int | None]:
    if status is not None and status < 10:  # noqa: PLR2004 - a class, such as 5 for 5xx
        return status * 100, status * 100 + 99
    return status, status
