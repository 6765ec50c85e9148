# SPDX-License-Identifier: Apache-2.0
"""Stores with old runs, with young ones and with pinned ones come in; what is dropped must be signed, nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lockgate.operations.intake.ingest import ingest
from lockgate.testing.world import World
from lockgate.wiring import local_house, sqlite_store
from tests.doors.line import Door, write_runs
from tests.spec.line import batch, predicate, receipts

WHO = ("--by", "ann", "--reason", "asked to forget")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the home of a store."""
    monkeypatch.setenv("LOCKGATE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def door(capsys: pytest.CaptureFixture[str]) -> Door:
    """Return the command line."""
    return Door(capsys)


def grown(home: Path) -> None:
    """Ingest runs that came long ago, and then some more."""
    here = World(sqlite_store(home), 1)
    for number in range(4):
        ingest(batch({"run_id": f"run {number}"}), here.house)
        here.clock.advance(3_600)


def stated(home: Path, named: dict[str, Any]) -> dict[str, Any]:
    """Return what a receipt that an answer names states."""
    return predicate(receipts(local_house(home), named["id"])[named["seq"] - 1])


@pytest.mark.clause("LI-534")
def test_nothing_is_signed_where_nothing_goes(home: Path, door: Door, tmp_path: Path) -> None:
    """However often it is called; other spans that are kept are signed once."""
    door("ingest", write_runs(tmp_path / "runs.ndjson", {"v36": 0.01}, runs=20))

    said = [door.read("prune", *words)["receipts"] for words in ((), (), ("--save", "--keep-raw", "36h"), ("--save",))]

    assert [len(each) for each in said] == [0, 0, 1, 0]
    assert door("fsck") == 0, door.out


@pytest.mark.clause("LI-535")
def test_what_goes_is_signed_by_whom_and_why(home: Path, door: Door) -> None:
    """Of raw runs in the organisation's series, of buckets in the app's; the answer names both, and each is listed."""
    grown(home)

    assert door("prune", "--keep-buckets", "14d", *WHO) == 0

    lines = [line for line in door.out.splitlines() if line.startswith("Signed by receipt 1 of ")]
    series = [line.removeprefix("Signed by receipt 1 of ").rstrip(".") for line in lines]
    assert [name[:4] for name in series] == ["org_", "app_"]
    for name in series:
        said = stated(home, {"id": name, "seq": 1})
        assert (said["actor"]["name"], said["actor"]["reason"]) == ("ann", "asked to forget")
        assert door("receipts", name) == 0
    assert door.read("prune", "--keep-buckets", "14d")["receipts"] == []


@pytest.mark.clause("LI-536")
def test_letting_go_of_pinned_runs_is_signed(home: Path, door: Door, tmp_path: Path) -> None:
    """The receipt names the rollout; a second call lets nothing go and signs nothing."""
    door("ingest", write_runs(tmp_path / "runs.ndjson", {"v36": 0.01, "abc123": 0.2}, runs=200))
    made = door.create("--since", "300d")
    door("tick", "--id", made)
    door("rollback", "--id", made, "--reason", "drill", "--yes")

    first = door.read("prune", "--release-pins", made, *WHO)
    again = door.read("prune", "--release-pins", made)

    (named,) = first["receipts"]
    said = stated(home, named)
    assert said["decision"]["reason"] == f"raw runs that {made} pinned are let go: asked to forget"
    assert (said["actor"]["name"], first["released"]) == ("ann", True)
    assert (again["released"], again["receipts"]) == (False, [])
    assert door("fsck") == 0, door.out
