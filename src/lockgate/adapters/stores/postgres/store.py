# SPDX-License-Identifier: Apache-2.0
"""The address of a PostgreSQL database comes in; a store in it goes out, for any number of servers.

Transactions of one organisation run one after another, by a lock that each takes first; those that only add runs run
side by side, each with the spines that it names. docs/adr/0014-postgresql.md says why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

import psycopg
from psycopg.errors import LockNotAvailable

from lockgate.adapters.stores.id_window import IdWindows
from lockgate.adapters.stores.postgres.ahead import Ahead, Questions
from lockgate.adapters.stores.postgres.api_keys import api_key
from lockgate.adapters.stores.postgres.connections import Connections, Link, Statement
from lockgate.adapters.stores.postgres.locks import locks
from lockgate.adapters.stores.postgres.reading import PostgresSnapshot
from lockgate.adapters.stores.postgres.refusals import failed_before, in_doubt
from lockgate.adapters.stores.postgres.schema import known, migrate, version
from lockgate.adapters.stores.postgres.trust import orgs
from lockgate.adapters.stores.postgres.writing import PostgresTransaction
from lockgate.adapters.stores.sqlite.file import BUSY_SECONDS
from lockgate.core.api_key import ApiKey
from lockgate.core.app import DEFAULT_ORG
from lockgate.crash_point import reach

CHANNEL = "lockgate_news"
# Whoever waits longer than this for another transaction is told.
PATIENCE_SECONDS = 1.0
# No statement of a transaction that holds a lock takes longer, and none that only reads.
WRITE_SECONDS, READ_SECONDS = 60, 600
_SET = (
    "SELECT set_config('lockgate.org', %s, true), set_config('statement_timeout', %s, true), lockgate.refuse_older(%s)"
)
# Who reads holds nobody up, and a check may think for long about what it read.
_THINKING = "SELECT set_config('idle_in_transaction_session_timeout', %s, true)"
_SET_TO_WRITE = f"{_SET}, set_config('lock_timeout', %s, true)"


class PostgresStore:
    """The store of a team: for many servers."""

    def __init__(
        self, url: str, busy_seconds: float = BUSY_SECONDS, on_wait: Callable[[], None] = lambda: None
    ) -> None:
        self.url = url
        self._busy_seconds = busy_seconds
        self._on_wait = on_wait
        self._links = Connections(url, busy_seconds)
        self._windows = IdWindows()
        with self._links.explained(), self._links.begun([]) as (link, _):
            migrate(link, self._links.place)

    @contextmanager
    def reading(self, org: str = DEFAULT_ORG) -> Iterator[PostgresSnapshot]:
        """Open a snapshot."""
        timeout = f"{READ_SECONDS}s"
        begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
        opening: list[Statement] = [(begin, ()), (_SET, (org, timeout, known())), (_THINKING, (timeout,))]
        with self._links.explained(), self._links.begun(opening) as (link, _):
            yield PostgresSnapshot(link, org)

    @contextmanager
    def writing(self, org: str = DEFAULT_ORG, spines: Sequence[str] | None = None) -> Iterator[PostgresTransaction]:
        """Open a transaction."""
        with self._links.explained(), self._begun(org, spines) as (link, ahead):
            work = PostgresTransaction(link, org, self._links.explained, self._windows, spines)
            work.take_ahead(ahead)
            reach("store.begun")
            yield work
            work.check_cover()
            self._commit(work, link)
            reach("store.kept")

    def api_key(self, key_id: str) -> ApiKey | None:
        """Return a key of any organisation."""
        with self._links.explained():
            return api_key(self._links, key_id)

    def orgs(self) -> tuple[str, ...]:
        """Return every organisation that has an API key."""
        with self._links.explained(), self._links.begun([("BEGIN READ ONLY", ())]) as (link, _):
            return orgs(link)

    def give_back(self) -> None:
        """Do nothing: PostgreSQL gives room back by its own vacuum."""

    def close(self) -> None:
        """Close every connection that is not lent."""
        self._links.close()

    @contextmanager
    def _begun(self, org: str, spines: Sequence[str] | None) -> Iterator[tuple[Link, Ahead]]:
        """Lend a connection that holds its locks, and give what was read of what they guard.

        Who waits for another one for long is told once, and waits on.
        """
        questions = Questions(org, tuple(spines or ()), self._windows)
        patience = min(PATIENCE_SECONDS, self._busy_seconds)
        with ExitStack() as stack:
            try:
                opening = [*_opening(org, spines, patience), *questions.statements]
                link, came = stack.enter_context(self._links.begun(opening))
            except LockNotAvailable:
                if self._busy_seconds <= PATIENCE_SECONDS:
                    raise
                self._on_wait()
                rest = self._busy_seconds - PATIENCE_SECONDS
                opening = [*_opening(org, spines, rest), *questions.statements]
                link, came = stack.enter_context(self._links.begun(opening))
            yield link, questions.ahead(came)

    def _commit(self, work: PostgresTransaction, link: Link) -> None:
        try:
            said = work.commit(CHANNEL)
        except psycopg.OperationalError as error:
            if link.closed:
                raise in_doubt(self._links.place) from error
            raise
        if said != "COMMIT":
            raise failed_before()


def has_store(url: str, busy_seconds: float) -> bool:
    """Say whether a database holds the tables of a store, of whatever version up to ours."""
    links = Connections(url, busy_seconds)
    with links.explained(), links.begun([]) as (link, _):
        found = version(link, links.place) > 0
    links.close()
    return found


def _opening(org: str, spines: Sequence[str] | None, seconds: float) -> list[Statement]:
    # Not a snapshot from before the locks: each statement sees what was kept until it began.
    begin = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
    # Nobody waits for longer in all than for one lock, or a little more; 0 would be for ever.
    timeout = f"{max(1, round(seconds * 1000))}ms"
    statement = f"{WRITE_SECONDS + round(seconds)}s"
    return [(begin, ()), (_SET_TO_WRITE, (org, statement, known(), timeout)), *locks(org, spines)]
