# SPDX-License-Identifier: Apache-2.0
"""Rollouts, and commands of the command line, come in on PostgreSQL; they end as on SQLite: docs/spec.md."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from lockgate.adapters.marks.state_files import StateFiles
from lockgate.adapters.stores.postgres import connections, rows
from lockgate.adapters.stores.postgres.connections import Came, Link, Statement, carry_out
from lockgate.adapters.stores.postgres.rows import PostgresRowsReading
from lockgate.cli import exit_codes
from lockgate.core.batch import Ingested
from lockgate.core.retention import Retention
from lockgate.core.rollout import Status
from lockgate.operations.intake.ingest import ingest
from lockgate.operations.intake.ingest_together import ingest_together
from lockgate.operations.retention.prune import prune
from lockgate.operations.soundness.fsck import fsck
from lockgate.operations.tick import tick
from lockgate.testing.schedule import run_schedule
from lockgate.testing.world import Law, World
from lockgate.wiring import memory_store
from tests.adapters.stores.postgres_stores import Opened, by_hand, opened, url
from tests.doors.line import ID, Door, write_runs
from tests.postgresql import Cluster
from tests.spec.line import EQUAL, WORSE, created, receipts, verified

__all__ = ["opened", "url"]

pytestmark = pytest.mark.postgres

DAY = 86_400


@pytest.mark.clause("SV-111")
@pytest.mark.parametrize(("laws", "end"), [(EQUAL, Status.PROMOTED), (WORSE, Status.ROLLED_BACK)])
def test_a_rollout_ends_by_the_same_receipts_as_in_memory(opened: Opened, laws: Mapping[str, Law], end: Status) -> None:
    """Byte for byte; all of them verify, the store is sound, and stays so when what is old is let go."""
    ends = []
    for store in (memory_store(), opened()):
        here = World(store, seed=1)
        rollout = created(here).rollout
        here.walk(rollout.id, laws, runs=400, minutes=600)
        found = receipts(here.house, rollout.id)
        with store.reading() as seen:
            trial = seen.trial(rollout.id)
        assert trial is not None
        ends.append((trial.rollout.status, [each.envelope for each in found]))

    assert ends[0][0] == end
    assert ends[1] == ends[0]
    assert all(verified(here.house, receipt) for receipt in found)
    here.clock.advance(400 * DAY)
    prune(here.house, Retention())
    assert fsck(here.house).flaws == ()


@pytest.mark.clause("SV-111")
@pytest.mark.parametrize("seed", range(6))
def test_whoever_acts_at_once_every_rule_holds(opened: Opened, seed: int) -> None:
    """The schedules of the other stores: crashes before and after commits, held stores, clocks that go back."""
    outcome, other = run_schedule(seed, opened(), turns=25), run_schedule(seed, memory_store(), turns=25)

    assert outcome.broken == other.broken
    assert outcome.root == other.root


@pytest.mark.clause("SV-114")
def test_a_batch_goes_a_few_times_to_the_database_however_large_it_is(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each way there and back costs as much as hundreds of runs; a turn has as few."""
    here, ways = World(opened(), seed=1), [0]
    rollout = created(here).rollout
    carry_out = PostgresRowsReading._carry_out

    def counted(self: PostgresRowsReading, statements: Sequence[Statement]) -> object:
        ways[-1] += 1
        return carry_out(self, statements)

    monkeypatch.setattr(PostgresRowsReading, "_carry_out", counted)
    for runs in (100, 1_000, 10_000):
        ways.append(0)
        ingest(here.batch(rollout.app, {"v36": runs, "abc123": runs}, EQUAL, has_ids=True), here.house)
    here.clock.advance(61)
    ways.append(0)
    tick(rollout.id, here.house)

    assert max(ways[1:4]) <= 12
    assert ways[4] <= 16


@pytest.mark.clause("SV-114")
@pytest.mark.parametrize(("batches", "most"), [(1, 3), (2, 4), (16, 4)])
def test_batches_that_are_kept_at_once_go_as_often_as_two(
    opened: Opened, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batches: int, most: int
) -> None:
    """All ways count, those that open a transaction and look at the age of the log too."""
    here, ways = World(opened(), seed=1), [0]
    here.house = replace(here.house, high_water=StateFiles(tmp_path))
    app = created(here).rollout.app
    groups = [[here.batch(app, {"v36": 20}, EQUAL, has_ids=True) for _ in range(batches)] for _ in range(2)]
    ingest_together(groups[0], here.house)

    def counted(link: Link, statements: Sequence[Statement]) -> Came:
        ways[0] += 1
        return carry_out(link, statements)

    for module in (connections, rows):
        monkeypatch.setattr(module, "carry_out", counted)
    found = ingest_together(groups[1], here.house)

    assert [each.runs for each in found if isinstance(each, Ingested)] == [20] * batches
    assert ways[0] <= most


@pytest.fixture
def door(tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Door:
    """Return the command line of a machine whose store is a database."""
    monkeypatch.setenv("LOCKGATE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("LOCKGATE_STORE", url)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return Door(capsys)


@pytest.mark.clause("SV-109")
def test_the_command_line_works_on_the_database_that_is_named(door: Door, tmp_path: Path) -> None:
    """From an empty one to a store that is checked; in LOCKGATE_HOME there are only the keys."""
    runs = write_runs(tmp_path / "runs.ndjson", {"v1": 0.01, "v2": 0.2}, runs=300)

    before = door("list")
    codes = [
        door("create", "--app-id", "claims-agent", "-b", "v1", "-c", "v2"),
        door("ingest", runs),
        door("tick", "--all"),
        door("list"),
        door("receipts", ID.findall(door.out)[0], "--save", tmp_path / "proofs"),
        door("fsck"),
        door("prune"),
    ]

    assert (before, codes) == (0, [0] * 7)
    assert [path.name for path in (tmp_path / "home").iterdir()] == ["keys"]


@pytest.mark.clause("SV-109")
def test_a_copy_of_files_is_refused_where_there_are_none(door: Door, tmp_path: Path) -> None:
    """In one sentence that names what copies a database."""
    door("create", "--app-id", "claims-agent", "-b", "v1", "-c", "v2")

    code = door("backup", tmp_path / "copy")

    assert code == exit_codes.USAGE.code
    assert "pg_dump" in door.err


@pytest.mark.clause("SV-109")
def test_a_database_that_does_not_answer_ends_a_command_by_its_code(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever calls may try again."""
    monkeypatch.setenv("LOCKGATE_STORE", "postgresql://lockgate@127.0.0.1:1/none")

    code = door("create", "--app-id", "claims-agent", "-b", "v1", "-c", "v2")

    assert code == exit_codes.UNREACHABLE.code
    assert "cannot be reached" in door.err


@pytest.mark.clause("SV-110")
def test_a_dump_is_put_back_whole(postgresql: Cluster, opened: Opened, url: str, tmp_path: Path) -> None:
    """Row-level security hides nothing from the role of the how-to, and the barriers come back with the tables."""
    here = World(opened(), seed=1)
    rollout = created(here).rollout
    here.walk(rollout.id, EQUAL, runs=400, minutes=30)
    postgresql.run("DROP ROLE IF EXISTS dumper")
    postgresql.run("CREATE ROLE dumper LOGIN BYPASSRLS IN ROLE pg_read_all_data")
    target, dump = postgresql.new_database(), tmp_path / "dump"
    quiet = {**os.environ, "LC_ALL": "C"}

    source = postgresql.url(url.rpartition("/")[2], "dumper")
    for command in (
        ["pg_dump", "-Fc", "-n", "lockgate", "-f", str(dump), source],
        ["pg_restore", "--no-owner", "--exit-on-error", "-d", target, str(dump)],
    ):
        subprocess.run([str(postgresql.bin / command[0]), *command[1:]], check=True, env=quiet)

    there = World(opened(url=target), seed=1)
    assert fsck(there.house).flaws == ()
    assert receipts(there.house, rollout.id) == receipts(here.house, rollout.id)
    with pytest.raises(psycopg.DatabaseError, match="kept as they are"):
        by_hand(target, "SET LOCAL lockgate.org = 'default'", "DELETE FROM lockgate.receipts")
