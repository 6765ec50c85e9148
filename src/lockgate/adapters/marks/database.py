# SPDX-License-Identifier: Apache-2.0
"""The address of a second database comes in; in it, and on this machine, the largest checkpoint of each log goes out.

Servers on several machines share it. While it does not answer, a machine that has a mark of its own goes on by that
one, because a rollback must always work; one that has none signs nothing, because it may be a restored one.
"""

from __future__ import annotations

import logging
import os
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from lockgate.core.checkpoint import Checkpoint, checkpoint_of
from lockgate.core.refusal import VerifyError
from lockgate.errors import UnreachableError, UsageError
from lockgate.ports.high_water import HighWater

T = TypeVar("T")
Link = psycopg.Connection[tuple[Any, ...]]
# A decision waits for it: what does not answer in this time is asked again only when some more has passed.
CONNECT_S, STATEMENT_MS, REST_S = 2, 2_000, 5.0
NAME = "lockgate marks"
# Of which databases this process has said that they are away; one command may open its house several times.
_told: set[str] = set()
# Any number, the same on each machine.
_LOCK = 0x6C6F636B6D61726B
_HAS = "SELECT to_regclass('lockgate_marks.marks') IS NOT NULL"
_SCHEMA = """
CREATE SCHEMA IF NOT EXISTS lockgate_marks;
CREATE TABLE IF NOT EXISTS lockgate_marks.marks (
  origin text COLLATE "C" PRIMARY KEY, size bigint NOT NULL CHECK (size >= 0), note bytea NOT NULL,
  at timestamptz NOT NULL DEFAULT clock_timestamp()
);
"""
_HELD = "SELECT note FROM lockgate_marks.marks WHERE origin = %s"
# Of any number who write at once the largest stays.
_LIFT = """
INSERT INTO lockgate_marks.marks (origin, size, note) VALUES (%s, %s, %s)
ON CONFLICT (origin) DO UPDATE SET size = excluded.size, note = excluded.note, at = clock_timestamp()
WHERE marks.size < excluded.size
"""


class DatabaseMarks:
    """Marks in a database of PostgreSQL, safe among any number of machines; `near` are those of this one."""

    def __init__(self, url: str, near: HighWater, seconds: Callable[[], float] = time.monotonic) -> None:
        self._conninfo, self._place = _read(url)
        self._near, self._seconds = near, seconds
        self._turn = threading.Lock()
        # One at most; in a list, so that who ends this can close it.
        self._links: list[Link] = []
        self._process, self._rests_until = os.getpid(), 0.0
        weakref.finalize(self, _close, self._links, self._process)

    def held(self, origin: str) -> bytes | None:
        """Return the largest signed checkpoint of a log that the database or this machine knows."""
        near = self._near.held(origin)
        try:
            row = self._ask(lambda link: link.execute(_HELD, (origin,)).fetchone())
        except psycopg.Error as error:
            if near is None:
                raise UnreachableError(
                    f"{self._place} does not say how far this log had come, and this machine has never seen it",
                    advice="Nothing is stored until it does, because the store may be an older copy. See to that "
                    f"database, which LOCKGATE_STATE names: {_said(error)}",
                ) from error
            self._tell(error)
            return near
        far = None if row is None else bytes(row[0])
        if far is not None and _size(far, origin) > _size(near, origin):
            # So that this machine knows it too when the database is away.
            self._near.lift(origin, far)
            return far
        return near

    def lift(self, origin: str, note: bytes) -> None:
        """Hold a signed checkpoint, unless a larger one is held."""
        self._near.lift(origin, note)
        size = _size(note, origin)
        try:
            self._ask(lambda link: link.execute(_LIFT, (origin, size, note)))
        except psycopg.Error as error:
            self._tell(error)

    def place(self, origin: str) -> str:
        """Return where the checkpoint of a log is held."""
        return f"{self._place} (in lockgate_marks.marks, origin {origin}) and {self._near.place(origin)}"

    def _ask(self, what: Callable[[Link], T]) -> T:
        with self._turn:
            if self._seconds() < self._rests_until:
                raise psycopg.OperationalError("it did not answer a moment ago")
            try:
                with self._opened() as link:
                    found = what(link)
            except psycopg.Error:
                self._rests_until = self._seconds() + REST_S
                raise
            _told.discard(self._place)
            return found

    @contextmanager
    def _opened(self) -> Iterator[Link]:
        """Lend the connection; one that was ended meanwhile, or is another process's, is made anew."""
        if self._process != os.getpid():
            # What was opened before a fork is the other process's to close.
            self._links, self._process = [], os.getpid()
            weakref.finalize(self, _close, self._links, self._process)
        if not self._links or not _is_alive(self._links[0]):
            _close(self._links, self._process)
            self._links.append(_connected(self._conninfo))
        try:
            yield self._links[0]
        except psycopg.Error:
            _close(self._links, self._process)
            raise

    def _tell(self, error: psycopg.Error) -> None:
        if self._place not in _told:
            _told.add(self._place)
            logging.getLogger("lockgate").warning(
                "%s does not keep how far the logs have come: %s; this machine goes on by what it has seen itself",
                self._place,
                _said(error),
            )


def _connected(conninfo: str) -> Link:
    link = psycopg.connect(conninfo, autocommit=True)
    try:
        row = link.execute(_HAS).fetchone()
        if row is not None and not row[0]:
            with link.transaction():
                link.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
                link.execute(_SCHEMA)
    except psycopg.Error:
        link.close()
        raise
    return link


def _close(links: list[Link], process: int) -> None:
    """Close what this process has opened."""
    while process == os.getpid() and links:
        with suppress(psycopg.Error):
            links.pop().close()


def _is_alive(link: Link) -> bool:
    try:
        link.execute("SELECT 1")
    except psycopg.Error:
        return False
    return True


def _read(url: str) -> tuple[str, str]:
    try:
        known = conninfo_to_dict(url)
    except psycopg.ProgrammingError as error:
        # What libpq says may quote the address, and that may hold a password.
        raise UsageError(
            "LOCKGATE_STATE is no address of a database", advice="Write postgresql://role@host/database."
        ) from error
    place = f"{known.get('host') or 'this machine'}/{known.get('dbname') or known.get('user') or ''}"
    # The last of two settings counts: an address may not lengthen how long a decision waits.
    options = f"{known.get('options') or ''} -c statement_timeout={STATEMENT_MS}".strip()
    bounded = make_conninfo(
        url, connect_timeout=CONNECT_S, tcp_user_timeout=STATEMENT_MS, options=options, fallback_application_name=NAME
    )
    return bounded, place


def _size(note: bytes | None, origin: str) -> int:
    """Return the size of a checkpoint; -1 of none, and of what is none of that log."""
    if note is None:
        return -1
    try:
        checkpoint: Checkpoint = checkpoint_of(note)
    except VerifyError:
        return -1
    return checkpoint.size if checkpoint.origin == origin else -1


def _said(error: psycopg.Error) -> str:
    """Return the first line of what went wrong."""
    return next(iter(str(error).splitlines()), type(error).__name__)
