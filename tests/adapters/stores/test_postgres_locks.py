# SPDX-License-Identifier: Apache-2.0
"""Transactions of several servers come in; they wait for each other where they must, and only there: docs/spec.md."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from lockgate.adapters.stores.postgres import store as postgres
from lockgate.adapters.stores.postgres.locks import locks
from lockgate.adapters.stores.postgres.schema import scripts
from lockgate.adapters.stores.postgres.store import CHANNEL, PostgresStore
from lockgate.core.app import App
from lockgate.errors import HeldError
from lockgate.operations.intake.ingest import ingest
from lockgate.ports.store import Store
from lockgate.testing.access_contract import REPLY
from lockgate.testing.outbox_contract import sample_message
from lockgate.testing.store_contract import INGESTED
from lockgate.testing.world import Law, World
from tests.adapters.stores.postgres_stores import Opened, by_hand, opened, url
from tests.postgresql import Cluster

__all__ = ["opened", "url"]

pytestmark = pytest.mark.postgres


@pytest.mark.clause("SV-103")
def test_ingests_of_other_apps_run_beside_each_other(opened: Opened) -> None:
    """On one server and on another: neither waits, and both are kept."""
    here, there = opened(busy_seconds=0.05), opened(busy_seconds=0.05)

    with here.writing(spines=["a"]) as one, there.writing(spines=["b"]) as other:
        one.put_app(App(name="a"))
        other.put_app(App(name="b"))

    with here.reading() as seen:
        assert [app.name for app in seen.apps()] == ["a", "b"]


@pytest.mark.clause("SV-103")
@pytest.mark.parametrize(("first", "then"), [(["a"], None), (None, ["a"]), (None, None), (["a", "b"], ["b", "c"])])
def test_a_decision_is_alone_and_a_spine_has_one_writer(
    opened: Opened, first: Sequence[str] | None, then: Sequence[str] | None
) -> None:
    """A decision waits for ingests in flight, they wait for it, and batches of one app wait for each other."""
    here, there = opened(), opened(busy_seconds=0.05)

    with here.writing(spines=first), pytest.raises(HeldError, match="held by another"), there.writing(spines=then):
        pass


@pytest.mark.clause("SV-103")
def test_other_organisations_do_not_wait(opened: Opened) -> None:
    """Their logs are others, and so are their locks."""
    here, there = opened(busy_seconds=0.05), opened(busy_seconds=0.05)

    with here.writing("acme") as one, there.writing("other") as other:
        one.put_app(App(name="a"))
        other.put_app(App(name="a"))

    with here.reading("other") as seen:
        assert seen.app("a") == App(name="a")


@pytest.mark.clause("SV-103")
def test_locks_are_taken_in_one_order() -> None:
    """However the apps are named, so that no two transactions wait for each other."""
    assert locks("default", ["b", "a", "c", "a"]) == locks("default", ["c", "b", "a"])
    assert len(locks("default", ["a", "b"])) == 3


@pytest.mark.clause("SV-103")
def test_batches_of_several_apps_from_several_servers_all_count(opened: Opened) -> None:
    """In whatever order they name their apps; first runs of new apps too."""
    stores, laws = [opened(), opened()], {"v1": Law()}
    worlds = [World(store, seed) for seed, store in enumerate(stores * 2)]

    def serve(world: World) -> int:
        return sum(ingest(world.batch(f"app{number % 3}", {"v1": 20}, laws), world.house).runs for number in range(9))

    with ThreadPoolExecutor(4) as pool:
        taken = sum(pool.map(serve, worlds))

    with stores[0].reading() as seen:
        counted = sum(sum(seen.runs_by_release(app.name).values()) for app in seen.apps())
    assert (taken, counted) == (720, 720)


@pytest.mark.clause("SV-103")
def test_the_same_bytes_are_taken_once_wherever_they_come(opened: Opened) -> None:
    """Two servers that get one batch at once keep it once, and both say what became of it."""
    stores = [opened(), opened()]

    def send(store: Store) -> bool:
        here = World(store, 3)
        return ingest(here.batch("web", {"v1": 50}, {"v1": Law()}), here.house).is_repeated

    with ThreadPoolExecutor(2) as pool:
        repeated = sorted(pool.map(send, stores))

    with stores[0].reading() as seen:
        assert (repeated, dict(seen.runs_by_release("web"))) == ([False, True], {"v1": 50})


@pytest.mark.clause("SV-103")
def test_the_same_bytes_for_other_apps_wait_for_each_other(opened: Opened) -> None:
    """Whoever is second sees what became of them, and not a row in its way."""
    here, there = opened(), opened(busy_seconds=0.05)

    with here.writing(spines=["a"]) as one:
        one.ingested("sha256:b1")
        with pytest.raises(HeldError), there.writing(spines=["b"]) as other:
            other.ingested("sha256:b1")
        one.add_batch(INGESTED, b"raw", [])

    with there.writing(spines=["b"]) as other:
        assert other.ingested("sha256:b1") == INGESTED


@pytest.mark.clause("SV-103")
def test_so_do_several_that_are_asked_for_at_once(opened: Opened) -> None:
    """One in common is enough; however they are named, they are locked in one order."""
    here, there = opened(), opened(busy_seconds=0.05)

    with here.writing(spines=["a"]) as one:
        one.ingested_of(["sha256:b0", "sha256:b1"])
        with pytest.raises(HeldError), there.writing(spines=["b"]) as other:
            other.ingested_of(["sha256:b1", "sha256:b2"])
        one.add_batch(INGESTED, b"raw", [])

    with there.writing(spines=["b"]) as other:
        assert other.ingested_of(["sha256:b2", "sha256:b1"]) == {"sha256:b1": INGESTED}


@pytest.mark.clause("SV-103")
def test_groups_that_share_batches_in_other_orders_never_wait_for_each_other_in_a_circle(opened: Opened) -> None:
    """Whoever is first has all of them; nobody is told that the store was held."""
    names, stores = [f"sha256:{number}" for number in range(40)], [opened(), opened()]

    def ask(number: int) -> int:
        ordered = names[::-1] if number else names
        for _ in range(20):
            with stores[number].writing(spines=[f"app{number}"]) as work:
                work.ingested_of(ordered)
        return number

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(ask, range(2))) == [0, 1]


@pytest.mark.clause("SV-103")
@pytest.mark.parametrize("spines", [None, ["a"]])
def test_who_asks_for_a_reply_keeps_others_waiting(opened: Opened, spines: Sequence[str] | None) -> None:
    """So that of two calls with one idempotency key one acts."""
    here, there = opened(), opened(busy_seconds=0.05)

    with here.writing(spines=spines) as one:
        one.reply("key")
        with pytest.raises(HeldError), there.writing(spines=["b"]) as other:
            other.reply("key")
        one.put_reply(REPLY)

    with there.writing(spines=["b"]) as other:
        assert other.reply(REPLY.key) == REPLY


@pytest.mark.clause("SV-104")
def test_who_waits_is_told_once_and_then_writes(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    """As soon as the other transaction ends, the writer has its turn."""
    monkeypatch.setattr(postgres, "PATIENCE_SECONDS", 0.01)
    is_held, is_told, told = threading.Event(), threading.Event(), []
    other = opened()

    def hold() -> None:
        with other.writing() as work:
            work.put_app(App(name="first"))
            is_held.set()
            is_told.wait(10)

    def tell() -> None:
        told.append("waits")
        is_told.set()

    store, holder = opened(on_wait=tell), threading.Thread(target=hold)
    holder.start()
    is_held.wait(10)

    with store.writing() as work:
        work.put_app(App(name="second"))
        names = [app.name for app in work.apps()]

    holder.join()
    assert (told, names) == (["waits"], ["first", "second"])


@pytest.mark.clause("SV-104")
def test_a_process_lends_a_bounded_number_of_connections(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever comes when all are in use waits as long as for a lock."""
    monkeypatch.setattr("lockgate.adapters.stores.postgres.connections.MAX_LINKS", 1)
    store = opened(busy_seconds=0.05)

    with store.reading(), pytest.raises(HeldError, match="are in use"), store.reading():
        pass


@pytest.mark.clause("SV-105")
def test_servers_that_start_at_once_make_the_tables_once(url: str) -> None:
    """On an empty database, each finds or makes the same schema."""
    with ThreadPoolExecutor(4) as pool:
        stores = list(pool.map(lambda _: PostgresStore(url), range(4)))

    for number, store in enumerate(stores):
        with store.writing() as work:
            work.put_app(App(name=f"app{number}"))
    with stores[0].reading() as seen:
        assert len(seen.apps()) == 4
    for store in stores:
        store.close()


@pytest.mark.clause("SV-105")
def test_an_earlier_version_is_brought_up_and_keeps_what_it_has(opened: Opened, url: str) -> None:
    """Only what is missing is carried out, and every barrier is there then."""
    first = scripts()[0]
    path = "SET LOCAL search_path = lockgate"
    by_hand(url, "CREATE SCHEMA lockgate", path, "CREATE TABLE versions (number bigint PRIMARY KEY)", first)
    by_hand(url, path, "INSERT INTO versions VALUES (1)", "INSERT INTO releases VALUES ('default', 'web', 'v1', 5)")

    with opened().reading() as seen:
        assert seen.contradictions() == ()
        assert [release.name for release in seen.releases("web")] == ["v1"]


@pytest.mark.clause("SV-115")
def test_a_commit_waits_for_the_disk_whatever_the_database_was_told(
    postgresql: Cluster, opened: Opened, url: str
) -> None:
    """And who does nothing in a transaction, or is gone, does not hold its locks for long."""
    postgresql.run(f"ALTER DATABASE {url.rpartition('/')[2]} SET synchronous_commit = off")
    names = ("synchronous_commit", "idle_in_transaction_session_timeout", "statement_timeout", "lock_timeout")

    with opened(busy_seconds=0.5).writing() as work:
        found = [work._link.execute(f"SHOW {name}".encode()).fetchone() for name in names]

    assert found == [("on",), ("1min",), ("1min",), ("500ms",)]


@pytest.mark.clause("SV-112")
def test_a_message_is_news_as_soon_as_it_is_kept(opened: Opened, url: str) -> None:
    """Whoever listens hears the organisation's name; of a transaction that is not kept, and of runs, nobody hears."""
    store = opened()
    with psycopg.connect(url, autocommit=True) as listener:
        listener.execute(f"LISTEN {CHANNEL}")
        with pytest.raises(ZeroDivisionError), store.writing("lost") as work:  # noqa: PT012 -- the block is what raises
            work.add_message(sample_message(1))
            raise ZeroDivisionError
        with store.writing("runs", spines=["web"]) as work:
            work.put_app(App(name="web"))
        with store.writing("acme") as work:
            work.add_message(sample_message(1))

        heard = [each.payload for each in listener.notifies(timeout=30, stop_after=1)]

    assert heard == ["acme"]
