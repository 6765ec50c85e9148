# SPDX-License-Identifier: Apache-2.0
"""What a network, an operator and another program do to a database comes in; a message that helps must go out."""

from __future__ import annotations

import multiprocessing
import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from typing import Any, Self

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from lockgate.adapters.stores.postgres.store import PostgresStore
from lockgate.core.app import App
from lockgate.errors import (
    ClosedStoreError,
    DataError,
    InDoubtError,
    LaterStoreError,
    NotPermittedError,
    UnreachableError,
    UnsoundError,
    UsageError,
)
from lockgate.operations.access.issue_key import issue_first_key
from lockgate.server.caller import caller_of
from lockgate.server.problem import LATER, problem_of
from lockgate.testing.store_contract import APP, grow, sample_receipt
from lockgate.testing.world import World
from tests.adapters.stores.postgres_stores import Opened, by_hand, opened, url
from tests.postgresql import Cluster, cluster

__all__ = ["opened", "url"]

pytestmark = pytest.mark.postgres

SECRET = "s3cret-s3cret"  # noqa: S105 -- of no database


@pytest.fixture(scope="module")
def own() -> Iterator[Cluster]:
    """Give a cluster that asks for passwords, and that a test may end and start."""
    with cluster(has_fsync=False, auth="scram-sha-256") as made:
        yield made


def cut(url: str) -> None:
    """End every other connection to the database, as an operator may, and wait until they have ended."""
    by_hand(
        url,
        "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )


@pytest.mark.clause("SV-106")
@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("postgresql://lockgate:{secret}@127.0.0.1:{port}/postgres", "its role or password is wrong"),
        ("postgresql://lockgate@127.0.0.1:{port}/postgres", "none was given"),
        ("postgresql://lockgate:{right}@127.0.0.1:{port}/nowhere", "no such role or database"),
        ("postgresql://lockgate:{secret}@127.0.0.1:1/postgres", "cannot be reached"),
    ],
)
def test_who_is_not_let_in_is_told_why_and_no_password_is_shown(own: Cluster, address: str, said: str) -> None:
    """The message names host and database, and what to do."""
    url = address.format(secret=SECRET, right=own.password, port=own.port)

    with pytest.raises((NotPermittedError, UnreachableError), match=said) as caught:
        PostgresStore(url)

    told = f"{caught.value}{caught.value.__cause__}"
    assert "127.0.0.1" in told
    assert caught.value.advice
    assert SECRET not in told
    assert own.password not in told


@pytest.mark.clause("SV-106")
@pytest.mark.parametrize(
    "address",
    [
        "mysql://x:s3cret-s3cret@h/d",
        "/var/lib/lockgate",
        "postgresql://x:s3cret-s3cret@h/d?nonsense=1",
        "postgresql://[::1",
    ],
)
def test_an_address_that_cannot_be_meant_is_refused(address: str) -> None:
    """With the form of one that can, and without what may be a password."""
    with pytest.raises(UsageError, match="LOCKGATE_STORE") as caught:
        PostgresStore(address)

    assert "postgresql://" in caught.value.advice
    assert SECRET not in f"{caught.value}"


@pytest.mark.clause("SV-106")
def test_a_store_of_a_later_version_is_refused(opened: Opened, url: str) -> None:
    """What this program does not know it would spoil."""
    opened()
    by_hand(url, "INSERT INTO lockgate.versions (number) VALUES (99)")

    with pytest.raises(DataError, match="later version of Lockgate"):
        opened()


@pytest.mark.clause("SV-106", "SV-961")
@pytest.mark.parametrize("is_writing", [True, False])
def test_a_program_does_not_go_on_after_a_later_version_came(opened: Opened, url: str, *, is_writing: bool) -> None:
    """Neither to write nor to read, whatever connections it has: it would not know what it reads."""
    store = opened()
    by_hand(url, "INSERT INTO lockgate.versions (number) VALUES (99)")

    with pytest.raises(LaterStoreError, match="later version"), store.writing() if is_writing else store.reading():
        pass
    with pytest.raises(LaterStoreError, match="later version"):
        store.orgs()
    with pytest.raises(LaterStoreError, match="later version") as caught:
        store.api_key("k")

    assert problem_of(caught.value).kind == LATER


@pytest.mark.clause("SV-106")
def test_a_server_that_its_database_refuses_blames_no_caller(opened: Opened, url: str) -> None:
    """The key may be right; the answer says to try again, and names no host."""
    here = World(opened(), seed=1)
    issued = issue_first_key(here.house)
    assert issued is not None
    by_hand(url, "REVOKE ALL ON lockgate.api_keys FROM CURRENT_USER")

    with pytest.raises(ClosedStoreError, match="lacks a right") as caught:
        caller_of({"authorization": f"Bearer {issued.token}"}, here.house.store, here.clock)

    problem = problem_of(caught.value)
    assert problem.kind.status == 503
    assert "127.0.0.1" not in f"{problem.detail}{problem.advice}"


@pytest.mark.clause("SV-106")
def test_a_schema_of_another_program_is_refused(opened: Opened, url: str) -> None:
    """Its tables stay as they are."""
    by_hand(url, "CREATE SCHEMA lockgate", "CREATE TABLE lockgate.theirs (a int)")

    with pytest.raises(DataError, match="another program"):
        opened()


@pytest.mark.clause("SV-106")
def test_a_database_in_another_encoding_is_refused(postgresql: Cluster) -> None:
    """It could not hold every name."""
    postgresql.run("DROP DATABASE IF EXISTS western")
    postgresql.run("CREATE DATABASE western OWNER lockgate ENCODING 'LATIN1' TEMPLATE template0 LOCALE 'C'")

    with pytest.raises(DataError, match="encoded in LATIN1"):
        PostgresStore(postgresql.url("western", "lockgate"))


@pytest.mark.clause("SV-106")
def test_a_role_that_may_not_make_tables_is_told_who_may(postgresql: Cluster, url: str) -> None:
    """The owner of the tables makes them; the role of a server needs no such right."""
    postgresql.run("DROP ROLE IF EXISTS guest")
    postgresql.run("CREATE ROLE guest LOGIN")

    with pytest.raises(NotPermittedError, match="may not make them"):
        PostgresStore(postgresql.url(url.rpartition("/")[2], "guest"))


@pytest.mark.clause("SV-106")
def test_a_database_that_may_only_be_read_says_so(opened: Opened, url: str) -> None:
    """It answers who reads, and tells who writes where to go."""
    store = opened()
    read_only = opened(url=f"{url}?options=-cdefault_transaction_read_only%3Don")

    with pytest.raises(NotPermittedError, match="standby, or read-only"), read_only.writing() as work:  # noqa: PT012 -- the block raises
        by_hand_in(work, "SET TRANSACTION READ ONLY")
        work.put_app(APP)

    with read_only.reading() as seen:
        assert seen.apps() == ()
    store.close()


def by_hand_in(work: Any, statement: str) -> None:
    """Carry out SQL in a transaction of the store."""
    work._link.execute(statement)


@pytest.mark.clause("SV-106")
def test_a_table_that_is_gone_makes_the_store_unsound(opened: Opened, url: str) -> None:
    """It is no fault of the caller."""
    store = opened()
    by_hand(url, "DROP TABLE lockgate.apps")

    with pytest.raises(UnsoundError, match="not a sound store"), store.reading() as seen:
        seen.apps()


@pytest.mark.clause("SV-106")
def test_what_postgresql_cannot_hold_is_bad_data(opened: Opened) -> None:
    """Text with a NUL, which SQLite would take."""
    with pytest.raises(DataError, match="does not take this"), opened().writing() as work:
        work.put_app(App(name="web\0"))


@pytest.mark.clause("SV-107")
def test_a_connection_that_was_cut_while_idle_is_made_anew(opened: Opened, url: str) -> None:
    """The next call works as if nothing had been."""
    store = opened()
    with store.reading(), store.reading():
        pass
    cut(url)

    with store.writing() as work:
        work.put_app(APP)

    with store.reading() as seen:
        assert seen.apps() == (APP,)


@pytest.mark.clause("SV-107")
def test_a_connection_that_is_cut_in_a_transaction_keeps_nothing_of_it(opened: Opened, url: str) -> None:
    """The caller is told so, no part of it goes on, and the next call works."""
    store = opened()

    with pytest.raises(UnreachableError, match="nothing was stored"), store.writing() as work:  # noqa: PT012 -- the block raises
        work.put_app(APP)
        work.apps()
        cut(url)
        with work.part():
            work.put_app(App(name="api"))

    with store.reading() as seen:
        assert seen.apps() == ()


@pytest.mark.clause("SV-107")
def test_a_database_that_crashes_and_begins_again_is_gone_on_with(own: Cluster) -> None:
    """What was kept is there, and the connections are new."""
    store = PostgresStore(own.new_database())
    with closing(store):
        with store.writing() as work:
            work.put_app(APP)
        own.restart_immediate()

        grow(store, sample_receipt(0))

        with store.reading() as seen:
            assert (seen.apps(), seen.tree().size) == ((APP,), 1)


@pytest.mark.clause("SV-108")
@pytest.mark.parametrize("is_kept", [True, False])
def test_a_commit_whose_answer_is_lost_is_told_to_be_in_doubt(opened: Opened, url: str, *, is_kept: bool) -> None:
    """It may have been kept or not; the same once more is safe."""
    store = opened()
    with _Proxy(url, is_kept=is_kept) as proxy:
        far = opened(url=proxy.url)

        with pytest.raises(InDoubtError, match="may have been"), far.writing() as work:  # noqa: PT012 -- the block raises
            work.put_app(APP)
            work.apps()
            proxy.is_cutting = True

    with store.writing() as work:
        kept = work.apps()
    assert kept == ((APP,) if is_kept else ())


@pytest.mark.clause("SV-108")
def test_a_transaction_that_failed_is_not_committed_by_who_goes_on(opened: Opened) -> None:
    """Whoever catches what a statement raised has lost the whole all the same."""
    store = opened()

    with pytest.raises(UnreachableError, match="middle of a transaction"), store.writing() as work:  # noqa: PT012 -- the block raises
        work.put_app(APP)
        with pytest.raises(psycopg.Error):
            by_hand_in(work, "SELECT nonsense")

    with store.reading() as seen:
        assert seen.apps() == ()


def _child(store: PostgresStore) -> None:
    with store.writing() as work:
        work.put_app(App(name="child"))


@pytest.mark.clause("SV-107")
def test_a_process_that_forks_shares_no_connection(opened: Opened) -> None:
    """The child has connections of its own, and its end cuts none of its parent's."""
    store = opened()
    process = multiprocessing.get_context("fork").Process(target=_child, args=(store,))
    process.start()
    process.join(30)

    with store.writing() as work:
        work.put_app(App(name="parent"))
        names = [app.name for app in work.apps()]

    assert (process.exitcode, names) == (0, ["child", "parent"])


class _Proxy:
    """Stands between a client and a database, and cuts the line when the next thing is sent: before it, or after."""

    def __init__(self, url: str, *, is_kept: bool) -> None:
        given = conninfo_to_dict(url)
        self._target = (str(given["host"]), int(str(given["port"])))
        self._listener = socket.create_server(("127.0.0.1", 0))
        port = self._listener.getsockname()[1]
        self.url = url.replace(f":{self._target[1]}/", f":{port}/") + "?sslmode=disable&gssencmode=disable"
        self.is_cutting, self._is_kept = False, is_kept
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(10)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(self._target)
            for pump in (self._forth, self._back):
                thread = threading.Thread(target=pump, args=(client, server), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _forth(self, client: socket.socket, server: socket.socket) -> None:
        while data := _received(client):
            if self.is_cutting and not self._is_kept:
                break
            server.sendall(data)
        _ended(server)
        if self.is_cutting:
            _ended(client)

    def _back(self, client: socket.socket, server: socket.socket) -> None:
        while data := _received(server):
            if self.is_cutting:
                break
            client.sendall(data)
        _ended(client)
        client.close()
        server.close()


def _received(line: socket.socket) -> bytes:
    try:
        return line.recv(1 << 16)
    except OSError:
        return b""


def _ended(line: socket.socket) -> None:
    try:
        line.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
