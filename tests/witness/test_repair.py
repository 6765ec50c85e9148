# SPDX-License-Identifier: Apache-2.0
"""Stores that somebody changed come in; fsck names the first wrong entry, and makes again only what was not signed."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from lockgate.adapters.stores.packing import pack, unpack
from lockgate.adapters.stores.sqlite.file import objects_of
from lockgate.core.note import read_note
from lockgate.core.receipt import operator
from lockgate.core.soundness.flaw import Flaw, Rule
from lockgate.core.vault import Receipt
from lockgate.errors import UnsoundError
from lockgate.operations.soundness.fsck import fsck
from lockgate.operations.soundness.repairing import Repair, repair
from lockgate.operations.steering.pause import pause
from lockgate.operations.steering.resume import resume
from lockgate.operations.steering.rollback import rollback
from lockgate.operations.witness.witnessing import ask_witnesses
from lockgate.testing.world import World
from lockgate.verify import Keys
from lockgate.wiring import house_to_read, memory_store, mendings, postgres_store, sqlite_store
from tests.postgresql import Cluster
from tests.spec.line import created
from tests.witness.machine import Machine
from tests.witness.test_witnessing import key_of
from tests.witness.witnessed import Beside, witness

pytestmark = pytest.mark.tampers
ADA = operator("ada", "drill")


def lived(here: World) -> World:
    """Let a log have five entries, each under a checkpoint of its own."""
    rollout = created(here).rollout.id
    for act in (pause, resume, pause, rollback):
        act(rollout, ADA, here.house)
    return here


def change(home: Path, *statements: str) -> None:
    """Write to the file behind the program's back."""
    with closing(sqlite3.connect(home / "lockgate.db", isolation_level=None)) as file:
        triggers = file.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in triggers:
            file.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            file.execute(statement)
        for _, sql in triggers:
            file.execute(sql)


def flaws(here: World, *rules: Rule) -> list[Flaw]:
    """Return the flaws of some rules."""
    return [flaw for flaw in fsck(here.house).flaws if flaw.rule in rules]


@pytest.mark.clause("WT-40")
def test_a_sound_log_with_cosignatures_is_found_sound(tmp_path: Path) -> None:
    """In memory and in files; what witnesses signed is counted."""
    for store in (memory_store(), sqlite_store(tmp_path / "home")):
        here = lived(World(store, 1))
        folder = tmp_path / type(store).__name__
        ask_witnesses(here.house, Beside(witness(folder, key_of(here.house))))

        found = fsck(here.house)

        assert found.is_sound, found.flaws
        assert [found.counted[what] for what in ("log entries", "checkpoints", "cosignatures")] == [5, 5, 1]


def edited(home: Path, index: int) -> None:
    """Let an entry of the log say what the first one says."""
    with closing(sqlite3.connect(home / "lockgate.db", isolation_level=None)) as file:
        first, body = (
            file.execute("SELECT body FROM receipts WHERE log_index = ?", (place,)).fetchone()[0]
            for place in (0, index)
        )
        file.execute("DROP TRIGGER kept_receipt")
        other = replace(unpack(Receipt, body), envelope=unpack(Receipt, first).envelope)
        file.execute("UPDATE receipts SET body = ? WHERE log_index = ?", (pack(other), index))
        file.execute(objects_of("control")["trigger kept_receipt"])


@pytest.mark.clause("WT-40")
def test_an_entry_that_was_edited_is_named_and_so_is_the_next_one(tmp_path: Path) -> None:
    """By the leaves that were kept when they were appended; the entries between them are not accused."""
    here = lived(World(sqlite_store(tmp_path / "home"), 1))
    edited(tmp_path / "home", 2)
    edited(tmp_path / "home", 4)

    found = flaws(here, Rule.LOG, Rule.NODE)

    assert [each.index for each in found] == [2, 4]
    assert "entry 2 of the log is another one than the checkpoint of 3 covers" in found[0].what


@pytest.mark.clause("WT-40")
@pytest.mark.parametrize(
    ("statements", "first"),
    [
        (
            [
                "UPDATE receipts SET log_index = log_index + 100 WHERE log_index IN (2, 3)",
                "UPDATE receipts SET log_index = 105 - log_index WHERE log_index IN (102, 103)",
            ],
            2,
        ),
        (["DELETE FROM receipts WHERE log_index = 3"], 3),
    ],
    ids=["reordered", "deleted"],
)
def test_the_index_of_the_first_entry_that_is_elsewhere_is_named(
    tmp_path: Path, statements: list[str], first: int
) -> None:
    """Two that changed places, and one that is gone."""
    here = lived(World(sqlite_store(tmp_path / "home"), 1))
    change(tmp_path / "home", *statements)

    found = flaws(here, Rule.LOG)

    assert f"entry {first} of the log is missing" in found[0].what


@pytest.mark.clause("WT-40")
def test_a_log_that_was_rewritten_with_its_nodes_is_exposed_by_its_checkpoints(tmp_path: Path) -> None:
    """Whoever changes an entry and all of its nodes cannot sign the checkpoints anew."""
    here = lived(World(sqlite_store(tmp_path / "home"), 1))
    edited(tmp_path / "home", 2)
    leaf = "SELECT hash FROM nodes WHERE level = 0 AND position = 0"
    change(tmp_path / "home", f"UPDATE nodes SET hash = ({leaf}) WHERE level = 0 AND position = 2")  # noqa: S608 -- ours

    (found, *_) = flaws(here, Rule.LOG)

    assert (found.index, "entries 2 to 2 one is another" in found.what) == (2, True)


@pytest.mark.clause("WT-40")
def test_a_cosignature_that_is_of_another_checkpoint_is_named(tmp_path: Path) -> None:
    """And one over a checkpoint that is not kept."""
    here = lived(World(sqlite_store(tmp_path / "home"), 1))
    ask_witnesses(here.house, Beside(witness(tmp_path / "w", key_of(here.house))))
    change(tmp_path / "home", "UPDATE vouchers SET size = 4")

    found = flaws(here, Rule.SIGNATURE)

    assert ["of a checkpoint that is not kept" in each.what for each in found] == [True]


@pytest.fixture(scope="module")
def lived_machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """Return a machine whose log has three entries, of which each test takes a copy."""
    here = Machine(tmp_path_factory.mktemp("lived") / "home")
    here.act(here.create("v2"), "pause", "resume")
    return here


@pytest.fixture
def machine(lived_machine: Machine, tmp_path: Path) -> Machine:
    """Return a copy of that machine, with what it remembers outside of its home."""
    for each in ("home", "home-state"):
        shutil.copytree(lived_machine.home.parent / each, tmp_path / each)
    return Machine(tmp_path / "home")


def _repaired(here: Machine) -> tuple[list[int], list[str]]:
    """Return the exit codes of a check, a rehearsal, the repair and a check after it, and what was made again."""
    calls = (("fsck",), ("fsck", "--repair"), ("fsck", "--repair", "--yes", "--json"), ("fsck",))
    done = [here.call(*words) for words in calls]
    assert "nothing was changed; add --yes" in done[1].stderr
    assert done[2].stdout, done[2].stderr
    return [each.returncode for each in done], json.loads(done[2].stdout)["repaired"]


NODES = [
    "UPDATE nodes SET hash = zeroblob(32) WHERE level = 0 AND position = 1",
    "INSERT INTO nodes VALUES ('default', 0, 5000, zeroblob(32))",
    "DELETE FROM nodes",
]


@pytest.mark.clause("WT-41")
@pytest.mark.parametrize("statement", NODES)
def test_nodes_are_made_again_from_the_entries_and_the_line_goes_on(machine: Machine, statement: str) -> None:
    """Only with --yes; afterwards the store is sound, and the next receipt is appended."""
    change(machine.home, statement)

    codes, made = _repaired(machine)
    went_on = machine.create("v3")

    assert codes == [65, 65, 0, 0]
    assert ["nodes of the log" in each for each in made] == [True]
    assert went_on
    assert machine.call("fsck").returncode == 0


@pytest.mark.clause("WT-41")
def test_indexes_and_triggers_are_made_again(machine: Machine) -> None:
    """One that lost an entry, one that is gone, and a barrier that was dropped."""
    with closing(sqlite3.connect(machine.home / "lockgate.db", isolation_level=None)) as file:
        file.execute("DROP TRIGGER kept_checkpoint_gone")
        file.execute("DROP INDEX rollouts_of_app")
        file.execute("PRAGMA writable_schema = ON")
        file.execute(
            "UPDATE sqlite_master SET sql = 'CREATE INDEX messages_of_app ON messages (org, app, place)"
            " WHERE app > ''z''' WHERE name = 'messages_of_app'"
        )
    with closing(sqlite3.connect(machine.home / "lockgate.db", isolation_level=None)) as file:
        file.execute("REINDEX messages_of_app")
        file.execute("PRAGMA writable_schema = ON")
        file.execute(
            "UPDATE sqlite_master SET sql = 'CREATE INDEX messages_of_app ON messages (org, app, place)'"
            " WHERE name = 'messages_of_app'"
        )

    codes, made = _repaired(machine)

    assert codes == [65, 65, 0, 0]
    assert ["index" in each for each in made] == [True]


@pytest.mark.clause("WT-41")
def test_what_was_signed_is_never_made_again(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry that was changed is nothing to repair; who insists is refused, and every row stays as it was."""
    edited(machine.home, 1)
    before = _rows(machine.home)
    monkeypatch.setenv("LOCKGATE_HOME", str(machine.home))

    done = machine.call("fsck", "--repair", "--yes")
    with pytest.raises(UnsoundError, match="the checkpoint of 2 entries is not of those that are there"):
        repair(house_to_read(), mendings(), Repair(has_indexes=True, has_nodes=True), Keys(()), lambda *_: None)

    assert (done.returncode, "nothing of what was found can be made again" in done.stderr) == (65, True)
    assert _rows(machine.home) == before


@pytest.mark.clause("WT-41")
def test_a_sound_store_needs_no_repair_and_yes_says_nothing_alone(machine: Machine) -> None:
    """Nothing is written where nothing is wrong."""
    before = _rows(machine.home)

    done, alone = machine.call("fsck", "--repair", "--yes"), machine.call("fsck", "--yes")

    assert (done.returncode, alone.returncode) == (0, 64)
    assert _rows(machine.home) == before


def _rows(home: Path) -> dict[str, list[object]]:
    with closing(sqlite3.connect(home / "lockgate.db")) as file:
        tables = ("receipts", "nodes", "checkpoints")
        return {table: file.execute(f"SELECT * FROM {table} ORDER BY 1, 2, 3").fetchall() for table in tables}  # noqa: S608 -- our own names


@pytest.mark.postgres
@pytest.mark.clause("WT-40", "WT-41")
def test_a_database_is_checked_and_mended_as_files_are(tmp_path: Path, postgresql: Cluster) -> None:
    """Nodes by the role that owns the tables; an entry that was changed is named, and stays."""
    url = postgresql.new_database()
    here = Machine(tmp_path / "home", LOCKGATE_STORE=url)
    here.act(here.create("v2"), "pause", "resume")
    tamper = _tampering(postgresql, url)
    tamper("UPDATE nodes SET hash = decode(repeat('00', 32), 'hex') WHERE level = 0")

    codes, made = _repaired(here)
    tamper("UPDATE receipts SET body = (SELECT body FROM receipts WHERE log_index = 0) WHERE log_index = 1")
    wrong = here.call("fsck", "--repair", "--yes", "--json")

    assert (codes, len(made)) == ([65, 65, 0, 0], 1)
    assert (wrong.returncode, "entry 1 of the log is missing" in wrong.stdout) == (65, True)
    with postgres_store(url).reading() as seen:
        assert [size for size, _ in seen.checkpoints_after(-1, 9)] == [1, 2, 3]


def _tampering(postgresql: Cluster, url: str) -> Callable[[str], None]:
    name = url.rpartition("/")[2]

    def tamper(statement: str) -> None:
        with psycopg.connect(postgresql.url(name), autocommit=True) as link:
            link.execute("SET session_replication_role = replica")
            link.execute("SET search_path = lockgate")
            link.execute(statement.encode())

    return tamper


@pytest.mark.clause("WT-40")
def test_a_checkpoint_that_was_signed_by_another_key_is_named(tmp_path: Path) -> None:
    """And the size at which it is kept."""
    here = lived(World(sqlite_store(tmp_path / "home"), 1))
    with here.house.store.reading() as seen:
        note = seen.checkpoint(3)
    assert note is not None
    forged = read_note(note).body.encode() + b"\n" + note.split(b"\n\n", 1)[1].replace(b"A", b"B")
    with closing(sqlite3.connect(tmp_path / "home" / "lockgate.db", isolation_level=None)) as file:
        file.execute("DROP TRIGGER kept_checkpoint")
        file.execute("UPDATE checkpoints SET note = ? WHERE size = 3", (forged,))

    found = flaws(here, Rule.SIGNATURE)

    assert [("the checkpoint of size 3" in each.what) for each in found] == [True]
