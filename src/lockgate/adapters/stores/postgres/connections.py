# SPDX-License-Identifier: Apache-2.0
"""The address of a PostgreSQL database comes in; connections to it go out, each to one thread at a time.

They are kept open for whoever comes next. One that PostgreSQL has ended meanwhile, as a restart does, is made anew
when it is taken, before anything was done with it. The password is libpq's business and stands in no message.
"""

from __future__ import annotations

import logging
import os
import threading
import time
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import TransactionStatus
from psycopg.types.numeric import Int8BinaryDumper

from lockgate.adapters.stores.postgres.arrays import Longs, LongsDumper
from lockgate.adapters.stores.postgres.refusals import explain, explain_connecting, is_not_yet
from lockgate.adapters.stores.sqlite.file import BUSY_SECONDS
from lockgate.errors import ClosedStoreError, DataError, HeldError, UsageError

Link = psycopg.Connection[tuple[Any, ...]]
# A statement and its values.
Statement = tuple[str, Sequence[object]]
# What came of statements.
Came = list[psycopg.Cursor[tuple[Any, ...]]]

OLDEST = 15
SCHEMA = "lockgate"
# So many transactions of one process are open at once; a server of PostgreSQL lets in a hundred connections.
MAX_LINKS = 20
_ALIVE: dict[str, int | str] = {
    "connect_timeout": 10,
    "keepalives": 1,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    # What was sent and not taken for so long is lost: in milliseconds.
    "tcp_user_timeout": 30_000,
    "fallback_application_name": "lockgate",
}
# A machine that is gone holds no lock for longer than this, and a commit never returns before it is on disk.
_SETTINGS = (
    "SELECT set_config('search_path', 'lockgate', false),"
    " set_config('idle_in_transaction_session_timeout', '60s', false),"
    " set_config('tcp_keepalives_idle', '10', false), set_config('tcp_keepalives_interval', '5', false),"
    " set_config('tcp_keepalives_count', '3', false), set_config('synchronous_commit',"
    " CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END,"
    " false)"
)
_ROLE = "SELECT current_user, rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"
_RETRY_SECONDS = 0.1
# What it warns of is told by our errors.
logging.getLogger("psycopg").addHandler(logging.NullHandler())


class Connections:
    """Connections to one database; none is shared across a fork."""

    def __init__(self, url: str, busy_seconds: float = BUSY_SECONDS) -> None:
        self._conninfo, self.place = _read(url)
        self._busy_seconds = busy_seconds
        self._lock = threading.Lock()
        self._room = threading.BoundedSemaphore(MAX_LINKS)
        self._idle: list[Link] = []
        self._inherited: list[Link] = []
        self._process = os.getpid()
        weakref.finalize(self, _close_all, self._idle, self._process)

    @contextmanager
    def begun(self, opening: Sequence[Statement]) -> Iterator[tuple[Link, Came]]:
        """Lend a connection on which some statements were carried out in one go, and give what came of each.

        What is not committed in the end is rolled back.
        """
        if not self._room.acquire(timeout=self._busy_seconds):
            raise HeldError(
                f"all {MAX_LINKS} connections of this process to {self.place} are in use", advice="Try again."
            )
        try:
            link, came = self._opened(opening)
            try:
                yield link, came
            finally:
                self._put_back(link)
        finally:
            self._room.release()

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Turn what PostgreSQL says into what a person can act on."""
        try:
            yield
        except psycopg.Error as error:
            raise explain(error, self.place) from error

    def close(self) -> None:
        """Close every connection that is not lent."""
        with self._lock:
            _close_all(self._idle, self._process)

    def _opened(self, opening: Sequence[Statement]) -> tuple[Link, Came]:
        link = self._taken()
        if link is not None:
            try:
                return link, carry_out(link, opening)
            except psycopg.OperationalError:
                if not link.closed:
                    self._put_back(link)
                    raise
                # It was cut while nobody used it, and so were the others.
                self.close()
            except BaseException:
                self._put_back(link)
                raise
        link = self._connected()
        try:
            return link, carry_out(link, opening)
        except BaseException:
            self._put_back(link)
            raise

    def _taken(self) -> Link | None:
        with self._lock:
            if self._process != os.getpid():
                # A connection belongs to the process that opened it; closing it here would end it there.
                self._inherited = list(self._idle)
                self._idle.clear()
                self._process = os.getpid()
                weakref.finalize(self, _close_all, self._idle, self._process)
            return self._idle.pop() if self._idle else None

    def _put_back(self, link: Link) -> None:
        with suppress(psycopg.Error):
            if link.info.transaction_status in (TransactionStatus.INTRANS, TransactionStatus.INERROR):
                link.execute("ROLLBACK")
        if link.info.transaction_status != TransactionStatus.IDLE:
            link.close()
            return
        with self._lock:
            self._idle.append(link)

    def _connected(self) -> Link:
        ends = time.monotonic() + self._busy_seconds
        while True:
            try:
                link: Link = psycopg.connect(self._conninfo, autocommit=True)
                break
            except psycopg.OperationalError as error:
                if not is_not_yet(error) or time.monotonic() > ends:
                    raise explain_connecting(error, self.place) from error
            time.sleep(_RETRY_SECONDS)
        try:
            self._prepare(link)
        except BaseException:
            link.close()
            raise
        return link

    def _prepare(self, link: Link) -> None:
        if link.info.server_version < OLDEST * 10_000:
            raise DataError(
                f"{self.place} is PostgreSQL {link.info.server_version // 10_000}",
                advice=f"Lockgate needs PostgreSQL {OLDEST} or later.",
            )
        encoding = link.info.parameter_status("server_encoding")
        if encoding != "UTF8":
            raise DataError(f"{self.place} is encoded in {encoding}", advice="Make it with ENCODING 'UTF8'.")
        # One width for all whole numbers, so that a statement is prepared once.
        link.adapters.register_dumper(int, Int8BinaryDumper)
        link.adapters.register_dumper(Longs, LongsDumper)
        with link.pipeline():
            link.execute(_SETTINGS)
            role = link.execute(_ROLE).fetchone()
        if role is not None and role[1]:
            raise ClosedStoreError(
                f"the role {role[0]} of {self.place} is a superuser or passes by row-level security",
                advice="Let Lockgate log in as an ordinary role: see docs/howto/postgresql.md.",
            )


def carry_out(link: Link, statements: Sequence[Statement]) -> Came:
    """Send some statements in one go, and return what came of each."""
    if len(statements) == 1:
        return [link.execute(statements[0][0].encode(), statements[0][1], binary=True)]
    with link.pipeline():
        return [link.execute(sql.encode(), values, binary=True) for sql, values in statements]


def _read(url: str) -> tuple[str, str]:
    """Return what libpq is told, and how a person is told which database it is."""
    if not url.startswith(("postgresql://", "postgres://")):
        raise UsageError(
            "LOCKGATE_STORE is not the address of a PostgreSQL database",
            advice="It is like postgresql://role@host:5432/database; leave it out for the store in LOCKGATE_HOME.",
        )
    try:
        given = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        # What the library says of it may hold the password.
        raise UsageError(
            "LOCKGATE_STORE cannot be read as an address",
            advice="It is like postgresql://role@host:5432/database; write odd characters of a password as %XX.",
        ) from None
    alive: dict[str, int | str] = {name: value for name, value in _ALIVE.items() if name not in given}
    conninfo = make_conninfo(url, client_encoding="UTF8", **alive)
    host = given.get("host") or given.get("hostaddr") or os.environ.get("PGHOST") or "this machine"
    port = given.get("port") or os.environ.get("PGPORT")
    name = given.get("dbname") or os.environ.get("PGDATABASE") or given.get("user") or "its default"
    return conninfo, f"PostgreSQL at {host}{f':{port}' if port else ''}, database {name}"


def _close_all(links: list[Link], process: int) -> None:
    if process != os.getpid():
        return
    while links:
        with suppress(psycopg.Error):
            links.pop().close()
