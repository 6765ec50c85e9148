# SPDX-License-Identifier: Apache-2.0
"""A store that was grown by the real operations and then changed behind their back comes in; fsck must say where."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from lockgate.adapters.stores.packing import pack, unpack
from lockgate.adapters.stores.sqlite.store import CONTROL, RUNS, SqliteStore
from lockgate.cli.main import run
from lockgate.core.receipt import operator
from lockgate.core.soundness.flaw import Rule
from lockgate.core.vault import Receipt
from lockgate.operations.intake.ingest import ingest
from lockgate.operations.soundness.fsck import Soundness, fsck
from lockgate.operations.steering.acknowledge import Observation, acknowledge
from lockgate.operations.steering.actuator import Program, set_actuator
from lockgate.operations.steering.freeze import freeze, unfreeze
from lockgate.operations.steering.kill import kill
from lockgate.testing.world import World
from lockgate.verify import Keys, read_public_key
from tests.spec.line import APP, BAD, EQUAL, GOOD, WORSE, batch, created, world

pytestmark = pytest.mark.tampers
WHO = operator("ada", "drill")


def live(here: World) -> str:
    """Let a candidate be promoted, one be rolled back, one be frozen and killed, and one only advise."""
    made = created(here)
    here.walk(made.rollout.id, EQUAL, runs=2000, minutes=60)
    worse = created(here, candidate="abd", baseline="abc123")
    here.walk(worse.rollout.id, {"abc123": GOOD, "abd": BAD}, runs=2000, minutes=60)
    shadow = created(here, candidate="abe", policy={"mode": "shadow"})
    here.walk(shadow.rollout.id, {**WORSE, "abe": GOOD}, runs=300, minutes=5)
    held = created(here, candidate="abf")
    here.walk(held.rollout.id, {**EQUAL, "abf": GOOD}, runs=300, minutes=3)
    freeze(APP, WHO, here.house)
    here.walk(held.rollout.id, {**EQUAL, "abf": GOOD}, runs=300, minutes=70)
    unfreeze(APP, WHO, here.house)
    kill(APP, WHO, here.house)
    return made.rollout.id


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a store that has lived."""
    folder = tmp_path_factory.mktemp("template")
    store = SqliteStore(folder)
    live(World(store, 1))
    store.close()
    return folder


@pytest.fixture
def grown(template: Path, tmp_path: Path) -> Iterator[World]:
    """Return a world whose store in files has lived."""
    shutil.copytree(template, tmp_path, dirs_exist_ok=True)
    store = SqliteStore(tmp_path)
    yield World(store, 1)
    store.close()


def tamper(folder: Path, *statements: str, name: str = CONTROL) -> None:
    """Change rows as no program of ours does: past the triggers, which are there again afterwards."""
    with closing(sqlite3.connect(folder / name, isolation_level=None)) as connection:
        triggers = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for trigger, _ in triggers:
            connection.execute(f"DROP TRIGGER {trigger}")
        for statement in statements:
            connection.execute(statement)
        for _, sql in triggers:
            connection.execute(sql)


def rules(found: Soundness) -> set[Rule]:
    """Return which rules are broken."""
    return {flaw.rule for flaw in found.flaws}


@pytest.mark.clause("LI-125")
def test_what_the_line_leaves_behind_is_sound() -> None:
    """Promotion, rollback, advice, freeze and kill: everything agrees, and every decision is made again."""
    here = world()
    live(here)

    found = fsck(here.house)

    assert (found.flaws, found.unknown) == ((), ())
    counted = found.counted
    assert counted["decisions made again"] == counted["receipts"] - 3
    assert counted["log entries"] == counted["receipts"]
    assert {"rollouts", "app series", "batches", "buckets", "checkpoints", "messages"} <= set(counted)


@pytest.mark.clause("LI-125")
def test_decisions_that_waited_for_an_actuator_are_made_again() -> None:
    """What was known of the live weight is in the receipts."""
    here = world()
    program = Program(argv=("/bin/true",), folder="/", is_acknowledging=True)
    set_actuator(APP, program, WHO, here.house)
    rollout = created(here).rollout
    for _ in range(3):
        turns = here.walk(rollout.id, EQUAL, runs=2000, minutes=4)
        latest = turns[-1].rollout
        told = Observation(rollout_id=rollout.id, revision=latest.revision, weight=latest.exposed_weight)
        acknowledge(told, WHO, here.house)
    here.walk(rollout.id, EQUAL, runs=2000, minutes=60)

    found = fsck(here.house)

    assert (found.flaws, found.unknown) == ((), ())
    assert found.counted["decisions made again"] > 1


@pytest.mark.clause("LI-126")
@pytest.mark.parametrize(
    ("statement", "rule"),
    [
        ("DELETE FROM receipts WHERE rowid = 3", Rule.CHAIN),
        ("DELETE FROM receipts WHERE log_index = (SELECT max(log_index) FROM receipts)", Rule.STANDING),
        ("UPDATE nodes SET hash = zeroblob(32) WHERE level = 1 AND position = 1", Rule.NODE),
        ("DELETE FROM nodes WHERE level = 2 AND position = 0", Rule.NODE),
        ("INSERT INTO nodes VALUES ('default', 0, 5000, zeroblob(32))", Rule.NODE),
        ("DELETE FROM checkpoints WHERE size = (SELECT max(size) FROM checkpoints)", Rule.LOG),
        ("UPDATE checkpoints SET size = size + 1000 WHERE size = 1", Rule.LOG),
        ("UPDATE checkpoints SET note = (SELECT note FROM checkpoints WHERE size = 1) WHERE size = 2", Rule.LOG),
        (
            "UPDATE checkpoints SET note = CAST(replace(CAST(note AS TEXT), 'lock', 'pad') AS BLOB)",
            Rule.SIGNATURE,
        ),
        ("DELETE FROM messages WHERE place = 2", Rule.OUTBOX),
        ("UPDATE messages SET body = (SELECT body FROM messages WHERE place = 1) WHERE place = 2", Rule.OUTBOX),
        ("UPDATE slots SET digest = 'sha256:' || hex(zeroblob(32)) WHERE number = 4", Rule.EVIDENCE),
        ("DELETE FROM cells WHERE number = 3", Rule.EVIDENCE),
        ("DELETE FROM slots WHERE number = 2", Rule.EVIDENCE),
        ("DELETE FROM slots WHERE number = 2", Rule.ROW),
        ("DELETE FROM slot_batches WHERE number = 1", Rule.EVIDENCE),
        ("DELETE FROM batches WHERE rowid = 2", Rule.EVIDENCE),
        ("UPDATE slots SET opened_at = opened_at - 9999999 WHERE number = 4", Rule.REPLAY),
        ("DELETE FROM looks WHERE number = (SELECT min(number) FROM looks)", Rule.REPLAY),
        ("DELETE FROM policies WHERE rowid = 1", Rule.STANDING),
    ],
)
def test_a_change_behind_the_programs_back_is_named(grown: World, tmp_path: Path, statement: str, rule: Rule) -> None:
    """Whatever is taken away, added or exchanged breaks a rule, and the flaw says which."""
    tamper(tmp_path, statement)

    found = fsck(grown.house)

    assert rule in rules(found)
    assert all(flaw.sentence and flaw.where for flaw in found.flaws)


@pytest.mark.clause("LI-126")
def test_a_receipt_that_was_signed_by_another_is_named_by_its_place(grown: World, tmp_path: Path) -> None:
    """One bit of an envelope: the flaw names rollout, seq and log index."""
    with closing(sqlite3.connect(tmp_path / CONTROL)) as connection:
        (body,) = connection.execute("SELECT body FROM receipts WHERE log_index = 2").fetchone()
        receipt = unpack(Receipt, body)
        changed = bytearray(receipt.envelope)
        changed[-20] ^= 1
        kept = {name: getattr(receipt, name) for name in Receipt.__dataclass_fields__}
        (trigger,) = connection.execute("SELECT sql FROM sqlite_master WHERE name = 'kept_receipt'").fetchone()
        connection.execute("DROP TRIGGER kept_receipt")
        forged = pack(Receipt(**{**kept, "envelope": bytes(changed)}))
        connection.execute("UPDATE receipts SET body = ? WHERE log_index = 2", (forged,))
        connection.execute(trigger)
        connection.commit()

    found = fsck(grown.house)

    flaw = next(flaw for flaw in found.flaws if flaw.rule is Rule.SIGNATURE)
    assert (flaw.where, flaw.seq, flaw.index) == (receipt.rollout_id, receipt.seq, receipt.index)
    assert Rule.LOG in rules(found)


@pytest.mark.clause("LI-126")
@pytest.mark.parametrize("statement", ["UPDATE {} SET body = zeroblob(40)", "DELETE FROM {}"])
@pytest.mark.parametrize(("name", "table"), [(RUNS, "segments"), (CONTROL, "held_segments")])
def test_raw_runs_that_are_gone_or_others_are_named(
    grown: World, tmp_path: Path, name: str, table: str, statement: str
) -> None:
    """The digest that a bucket names is that of the runs' own bytes."""
    ingest(batch({}), grown.house)
    tamper(tmp_path, f"{statement.format(table)} WHERE rowid IN (SELECT min(rowid) FROM {table})", name=name)  # noqa: S608 -- the tables of the lines above

    found = fsck(grown.house)

    assert rules(found) == {Rule.EVIDENCE}
    assert found.flaws[0].where.startswith("batch sha256:")


@pytest.mark.clause("LI-127")
def test_another_key_is_asked_for_and_taken() -> None:
    """Receipts of a key that was changed since verify by the older public key."""
    here = world(1)
    live(here)
    older = read_public_key(here.house.signers.receipt.public_key_pem)
    moved = World(here.house.store, 2).house
    without = fsck(moved)

    found = fsck(moved, Keys((older,), ()))

    assert Rule.SIGNATURE in rules(without)
    assert not any(flaw.seq for flaw in found.flaws)


@pytest.mark.clause("LI-128")
def test_the_command_leaves_by_what_it_found(
    grown: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    """0 and a sentence, 65 and every flaw, 64 where no store is, which is not made."""
    monkeypatch.setenv("LOCKGATE_HOME", str(tmp_path / "none"))
    missing = run(["fsck"])
    monkeypatch.setenv("LOCKGATE_HOME", str(tmp_path))
    (tmp_path / "key.pem").write_bytes(grown.house.signers.receipt.public_key_pem)
    capsysbinary.readouterr()

    code = run(["fsck", "--json", "--key", str(tmp_path / "key.pem")])

    found = json.loads(capsysbinary.readouterr().out)
    assert (missing, code, (tmp_path / "none").exists()) == (64, 65, False)
    # The raw runs of a world are no runs that anybody could send.
    assert {flaw["rule"] for flaw in found["flaws"]} == {"signature", "evidence"}
    assert all(flaw["what"] and flaw["advice"] for flaw in found["flaws"])


@pytest.mark.clause("LI-436")
@pytest.mark.parametrize(
    ("statement", "name", "rule", "said"),
    [
        ("DROP TRIGGER sealed_slot", CONTROL, Rule.INDEX, "trigger sealed_slot is not there"),
        ("DROP INDEX one_canary_of_app", CONTROL, Rule.INDEX, "index one_canary_of_app is not there"),
        (
            "CREATE TRIGGER quiet AFTER INSERT ON looks BEGIN DELETE FROM looks; END",
            CONTROL,
            Rule.INDEX,
            "trigger quiet is not one",
        ),
        ("CREATE TABLE more (a)", RUNS, Rule.FILE, "table more is not one"),
    ],
)
def test_a_file_without_what_guards_it_is_named(
    grown: World, tmp_path: Path, statement: str, name: str, rule: Rule, said: str
) -> None:
    """Triggers and keys refuse what no program of ours writes: one that is gone, or one more, is a flaw by itself."""
    with closing(sqlite3.connect(tmp_path / name, isolation_level=None)) as connection:
        connection.execute(statement)

    found = fsck(grown.house)

    assert [flaw.rule for flaw in found.flaws] == [rule]
    assert said in found.flaws[0].what
