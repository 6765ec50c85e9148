# SPDX-License-Identifier: Apache-2.0
"""Rows that no program of ours writes come in; a check must name each, and whoever acts must get a sentence."""

from __future__ import annotations

import resource
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import zstandard

from lockgate.adapters.stores.sqlite.store import CONTROL, SqliteStore
from lockgate.cli.main import run
from lockgate.core.soundness.flaw import Rule
from lockgate.errors import DataError
from lockgate.operations.intake.ingest import ingest
from lockgate.operations.soundness.fsck import fsck
from lockgate.operations.steering.freeze import freeze
from lockgate.operations.steering.rollback import rollback
from lockgate.testing.world import World
from tests.spec.line import APP, EQUAL, batch, created
from tests.spec.test_soundness import WHO, tamper

pytestmark = pytest.mark.tampers


@pytest.fixture
def here(tmp_path: Path) -> Iterator[World]:
    """Return a world on a store in files with a rollout, runs and receipts of an app."""
    store = SqliteStore(tmp_path)
    found = World(store, 1)
    made = created(found)
    found.walk(made.rollout.id, EQUAL, runs=300, minutes=4)
    freeze(APP, WHO, found.house)
    ingest(batch({}), found.house)
    yield found
    store.close()


@pytest.mark.clause("LI-437")
@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE cells SET labels = x'c1' WHERE number = 1", "of cells: "),
        ("UPDATE cells SET labels = x'80' WHERE number = 1", "of cells: "),
        ("UPDATE cells SET body = x'c1' WHERE number = 1", "of cells: "),
        ("UPDATE tallies SET body = x'90'", "of tallies: "),
        ("UPDATE batches SET body = x'c1' WHERE rowid = 2", "of batches: "),
        ("UPDATE rollouts SET trial = x'93010203'", "of rollouts: "),
        ("UPDATE receipts SET body = x'a0' WHERE seq = 1", "of receipts: "),
        ("UPDATE apps SET body = x'00'", "of apps: "),
        ("UPDATE looks SET body = x'c1' WHERE number = (SELECT min(number) FROM looks)", "of looks: "),
    ],
)
def test_a_row_that_cannot_be_read_is_named(here: World, tmp_path: Path, statement: str, said: str) -> None:
    """The check goes on, names the row by its keys, and finds what else is wrong."""
    tamper(tmp_path, statement, "DELETE FROM checkpoints WHERE size = 1", "UPDATE checkpoints SET note = x'00'")

    found = fsck(here.house)

    assert any(said in flaw.what for flaw in found.flaws if flaw.rule is Rule.ROW), found.flaws
    assert Rule.SIGNATURE in {flaw.rule for flaw in found.flaws} or "receipts" in said, found.flaws


@pytest.mark.clause("LI-437")
@pytest.mark.parametrize("table", ["cells", "nodes", "deliveries", "folded", "receipts"])
def test_a_table_that_is_gone_is_a_flaw_and_no_fault_of_ours(
    here: World, tmp_path: Path, table: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The check says which, and every other call ends by 65 or does without."""
    with closing(sqlite3.connect(tmp_path / CONTROL, isolation_level=None)) as file:
        file.execute("PRAGMA foreign_keys = OFF")
        file.execute(f"DROP TABLE {table}")
    monkeypatch.setenv("LOCKGATE_HOME", str(tmp_path))

    found = fsck(here.house)
    codes = {run(["tick", "--all"]), run(["list"]), run(["kill", "--app-id", APP, "--reason", "drill", "--yes"])}

    assert any(f"table {table} is not there" in flaw.what for flaw in found.flaws)
    assert codes <= {0, 65, 77}
    assert "a fault in Lockgate" not in capsys.readouterr().err


@pytest.mark.clause("LI-437")
def test_a_log_without_its_nodes_is_told(here: World, tmp_path: Path) -> None:
    """Whoever would sign is refused by a sentence that says what is missing."""
    tamper(tmp_path, "DELETE FROM nodes")
    with here.house.store.reading() as seen:
        (rollout,) = seen.rollouts(APP)

    with pytest.raises(DataError, match="of the log is not there"):
        rollback(rollout.id, WHO, here.house)


@pytest.mark.clause("LI-437")
def test_raw_runs_that_claim_gigabytes_take_none(here: World, tmp_path: Path) -> None:
    """A frame of a few kilobytes that says 4 GB is named, and nothing of it is held."""
    bomb = zstandard.ZstdCompressor(level=1).compress(bytes(1 << 29))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with closing(sqlite3.connect(tmp_path / CONTROL, isolation_level=None)) as file:
        file.execute("UPDATE held_segments SET body = ?", (bomb,))

    found = fsck(here.house)

    assert any("cannot be read" in flaw.what for flaw in found.flaws)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000


@pytest.mark.clause("LI-438")
@pytest.mark.parametrize("column", ["opened_at", "seals_at", "sealed_at"])
def test_a_seal_binds_when_a_bucket_was_open(here: World, tmp_path: Path, column: str) -> None:
    """Whoever moves a bucket in time changes what was sealed."""
    tamper(tmp_path, f"UPDATE slots SET {column} = {column} + 1 WHERE number = 1")  # noqa: S608 -- a column of the lines above

    found = fsck(here.house)

    assert any("bucket 1 was sealed as" in flaw.what for flaw in found.flaws)
