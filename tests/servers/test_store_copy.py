# SPDX-License-Identifier: Apache-2.0
"""Stores come in and are copied, interrupted and begun again; all must be there, and one place be written."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path

import pytest

from lockgate import wiring
from lockgate.adapters.stores.sqlite.file import objects_of
from lockgate.adapters.stores.sqlite.tables import HELD
from lockgate.cli.main import run
from lockgate.errors import HeldError, InDoubtError, NotPermittedError, UsageError
from lockgate.operations.soundness.copy_store import Copied, copy_store
from lockgate.operations.soundness.fsck import fsck
from lockgate.operations.steering.kill import kill
from lockgate.ports.copying import PLACE
from lockgate.ports.house import House
from lockgate.testing.world import World
from tests.faults import steps
from tests.faults.process import KILLED, ended, killed_at
from tests.postgresql import Cluster
from tests.server.served import API, problem, served
from tests.servers.cut import CutProxy, Moment

ROWS = 3
Places = Callable[[], str]


@pytest.fixture(params=["a folder", pytest.param("PostgreSQL", marks=pytest.mark.postgres)])
def places(request: pytest.FixtureRequest, tmp_path: Path) -> Places:
    """Return what names one new place after another for a store."""
    if request.param == "a folder":
        folders = iter(tmp_path / f"target-{number}" for number in range(9))
        return lambda: str(next(folders))
    shared: Cluster = request.getfixturevalue("postgresql")
    return shared.new_database


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return a folder with a store in which much was decided and one rollout is on trial."""
    folder = tmp_path / "home"
    for step in steps.LIFE[:16]:
        steps.do(folder, step.name)
    return folder


def _copy(source: str, target: str, when_open: Callable[[], None] = lambda: None) -> Copied:
    with wiring.copy_target(target) as there, wiring.copy_source(source) as here:
        when_open()
        return copy_store(here, there, lambda _what, _number: None)


def _columns(place: str) -> Mapping[str, tuple[str, ...]]:
    with wiring.copy_source(place) as opened:
        return {table: tuple(names) for table, names in opened.columns().items()}


def _contents(place: str, columns: Mapping[str, tuple[str, ...]]) -> Mapping[str, list[str]]:
    """Return all rows, in an order of their own."""
    with wiring.copy_source(place) as opened:
        return {table: sorted(map(repr, opened.rows(table, names))) for table, names in columns.items()}


def _house(place: str, home: Path) -> House:
    own = steps.house_of(home, 9)
    store = wiring.postgres_store(place) if wiring.is_url(place) else wiring.sqlite_store(Path(place))
    return House(store, own.clock, own.signers)


def _receipts(house: House) -> list[tuple[str, int, bytes]]:
    with house.store.reading(house.org) as seen:
        return [(each.rollout_id, each.seq, each.envelope) for each in seen.entries_after(-1, 100)]


def _filled(folder: Path) -> None:
    """Put rows into every table of a new store, by hand."""
    wiring.sqlite_store(folder)
    for name, file in (("control", "lockgate.db"), ("runs", "runs.db")):
        with closing(sqlite3.connect(folder / file)) as link:
            tables = [each.removeprefix("table ") for each in objects_of(name) if each.startswith("table ")]
            for trigger in [each.removeprefix("trigger ") for each in objects_of(name) if each.startswith("trigger ")]:
                link.execute(f"DROP TRIGGER {trigger}")
            for table in tables:
                columns = link.execute("SELECT name, type FROM pragma_table_info(?)", (table,)).fetchall()
                for number in range(1, ROWS + 1):
                    row = [_value(table, column, kind, number) for column, kind in columns]
                    marks = ", ".join("?" * len(row))
                    link.execute(f"INSERT INTO {table} VALUES ({marks})", row)  # noqa: S608 -- the tables of the schema
            link.commit()


def _value(table: str, column: str, kind: str, number: int) -> object:
    # Raw runs of one batch may rest in both files; here each file has its own.
    if (table, column) == (HELD, "digest"):
        return f"held-{number}"
    named = "id" if (table, column) == ("deliveries", "message") else column
    return {"TEXT": f"{named}{number}", "BLOB": bytes([number]) * 32, "REAL": number / 2}.get(kind, number)


@pytest.mark.tampers
@pytest.mark.clause("SV-140")
def test_no_table_and_no_row_is_forgotten(places: Places, tmp_path: Path) -> None:
    """Of a store with rows in every table that the schema makes, each is in the copy, and no other."""
    source, target = tmp_path / "source", places()
    _filled(source)

    copied = _copy(str(source), target)

    made = {each for name in ("control", "runs") for each in objects_of(name) if each.startswith("table ")}
    assert {f"table {table}" for table in copied.rows} == made - {f"table {HELD}", "table sqlite_sequence"}
    assert dict(copied.rows) == {table: ROWS * (1 + (table == "segments")) for table in copied.rows}
    assert copied.orgs == ("org1", "org2", "org3")
    columns = {
        table: tuple(name for name in names if name in _columns(str(source))[table])
        for table, names in _columns(target).items()
    }
    assert _contents(str(source), columns) == _contents(target, columns)


@pytest.mark.clause("SV-140")
def test_the_copy_goes_on_where_the_store_was(places: Places, home: Path) -> None:
    """Every receipt has its bytes, a check finds nothing, and the next turn continues the chain."""
    before, target = _receipts(_house(str(home), home)), places()

    assert run(["store", "copy", str(home), target]) == 0

    house = _house(target, home)
    assert _receipts(house) == before
    killed = kill(steps.APP, steps.WHO, house)
    assert killed[0].app.is_killed
    assert _receipts(house)[: len(before)] == before
    assert len(_receipts(house)) > len(before)
    assert fsck(house).flaws == ()


@pytest.mark.clause("SV-140")
def test_a_store_comes_back_as_it_went(places: Places, home: Path) -> None:
    """The way back is the same call, and nothing is another after both."""
    there, back = places(), str(home.parent / "back")
    # Only a column that the schema names is the same after both ways; the order of others is the store's own.
    columns = {table: tuple(name for name in names if name != PLACE) for table, names in _columns(str(home)).items()}
    before = _contents(str(home), columns)

    _copy(str(home), there)
    _copy(there, back)

    assert _contents(back, columns) == before
    assert sum(map(len, before.values())) > 50


@pytest.mark.clause("SV-141")
def test_what_was_copied_is_only_read_from_then_on(places: Places, home: Path) -> None:
    """A process that had the store open meets it too; the sentence says where the store goes on."""
    own = _house(str(home), home)
    target = places()
    with wiring.copy_target(target) as opened:
        name = opened.name
    _copy(str(home), target)

    with pytest.raises(NotPermittedError) as refused:
        kill(steps.APP, steps.WHO, own)

    assert name in refused.value.message
    assert _receipts(own) == _receipts(_house(target, home))


@pytest.mark.clause("SV-271")
def test_who_only_reads_a_store_that_was_left_can_tell(places: Places, home: Path, tmp_path: Path) -> None:
    """It says where it goes on, and the one that goes on says nothing."""
    target = places()
    _copy(str(home), target)
    before = _left_for(target, home)
    _copy(target, str(tmp_path / "back"))

    assert before is None
    assert "back" in (_left_for(target, home) or "")
    assert _left_for(str(home), home) is not None


def _left_for(place: str, home: Path) -> str | None:
    with _house(place, home).store.reading() as seen:
        return seen.left_for()


@pytest.mark.clause("SV-141")
def test_a_server_on_a_store_that_was_copied_says_so_to_callers(places: Places, tmp_path: Path) -> None:
    """503, so that a proxy or a client asks another server; it names neither folder nor database, and answers looks."""
    here, target = World(wiring.sqlite_store(tmp_path / "home"), 1), places()
    with served(here) as door:
        admin = door.caller("admin")
        _copy(str(tmp_path / "home"), target)

        refused = admin.post(f"{API}/kill", {"reason": "a drill"})
        seen = admin.get(f"{API}/rollouts")

    assert problem(refused) == (503, "store-left")
    assert str(tmp_path) not in refused.text
    assert target not in refused.text
    assert seen.status_code == 200


@pytest.mark.clause("SV-141")
def test_a_database_that_was_copied_is_only_read_from_then_on(postgresql: Cluster, home: Path) -> None:
    """As a folder is, also for who may do everything to its rows."""
    there = postgresql.new_database()
    _copy(str(home), there)
    own, back = _house(there, home), str(home.parent / "back")
    _copy(there, back)

    with pytest.raises(NotPermittedError) as refused:
        kill(steps.APP, steps.WHO, own)

    assert back in refused.value.message


@pytest.mark.clause("SV-142")
def test_a_target_that_is_not_empty_is_refused(places: Places, home: Path) -> None:
    """Nothing is written over, and the source is not left."""
    target = places()
    _fill_a_little(target)

    assert run(["store", "copy", str(home), target]) == 64

    kill(steps.APP, steps.WHO, _house(str(home), home))


@pytest.mark.clause("SV-142")
def test_a_source_that_somebody_writes_is_refused(places: Places, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who copies waits for the writer as long as any other writer does."""
    monkeypatch.setenv("LOCKGATE_BUSY_SECONDS", "0.1")
    writer = wiring.sqlite_store(home)

    with writer.writing(), pytest.raises(HeldError):
        _copy(str(home), places())

    _copy(str(home), places())


@pytest.mark.clause("SV-142")
def test_a_store_is_copied_to_one_place_only(places: Places, home: Path) -> None:
    """Two copies that both go on would fork the log."""
    _copy(str(home), places())

    with pytest.raises(UsageError, match="already"):
        _copy(str(home), places())


@pytest.mark.clause("SV-142")
def test_what_is_no_store_is_not_copied(places: Places, tmp_path: Path) -> None:
    """Looking makes none."""
    assert run(["store", "copy", str(tmp_path / "nowhere"), places()]) == 64
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.clause("SV-143")
@pytest.mark.parametrize(("point", "nth"), [("copy.put", 1), ("copy.put", 20), ("copy.left", 1)])
def test_a_copy_that_is_killed_is_begun_again(places: Places, home: Path, point: str, nth: int) -> None:
    """Nothing is at the target before all is, and the same call goes on; never may both be written to."""
    target, before = places(), _receipts(_house(str(home), home))

    assert ended(killed_at, point, nth, _copy, str(home), target) == KILLED

    if point == "copy.put":
        kill(steps.APP, steps.WHO, _house(str(home), home))
    else:
        with pytest.raises(NotPermittedError):
            kill(steps.APP, steps.WHO, _house(str(home), home))
    assert run(["store", "copy", str(home), target]) == 0
    assert _receipts(_house(target, home))[: len(before)] == before


@pytest.mark.clause("SV-143")
def test_a_copy_that_is_killed_at_its_end_is_whole(places: Places, home: Path) -> None:
    """Where everything was kept already, a second call is refused and says what to look at."""
    target = places()

    code = ended(killed_at, "copy.kept", 1, _copy, str(home), target)

    assert code == KILLED
    if wiring.is_url(target):
        assert run(["store", "copy", str(home), target]) == 64
        assert fsck(_house(target, home)).flaws == ()
    else:
        # The new folder has its name only after that moment.
        assert run(["store", "copy", str(home), target]) == 0


@pytest.mark.clause("SV-143")
@pytest.mark.postgres
@pytest.mark.parametrize(("moment", "code"), [(Moment.BEFORE, 0), (Moment.AFTER, 64)])
def test_a_copy_whose_last_answer_was_lost_is_in_doubt_and_no_fork(
    postgresql: Cluster, home: Path, moment: Moment, code: int
) -> None:
    """Nobody knows whether it was kept: the source is left, and the same call goes on or finds the copy whole."""
    own, before = postgresql.new_database(), _receipts(_house(str(home), home))
    way = CutProxy(postgresql.port)
    target = own.replace(f":{postgresql.port}/", f":{way.port}/")

    with pytest.raises(InDoubtError):
        _copy(str(home), target, lambda: way.cut_at_commit(moment))

    with pytest.raises(NotPermittedError):
        kill(steps.APP, steps.WHO, _house(str(home), home))
    assert run(["store", "copy", str(home), target]) == code
    assert _receipts(_house(own, home)) == before
    way.close()


def _fill_a_little(target: str) -> None:
    if not wiring.is_url(target):
        Path(target).mkdir()
        (Path(target) / "note.txt").write_text("mine", encoding="utf-8")
        return
    with wiring.postgres_store(target).writing() as work:
        work.add_left_out("web", {"v1": 1})
