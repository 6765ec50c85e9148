# SPDX-License-Identifier: Apache-2.0
"""Other processes leave stores behind; what a test replays when it ends must hold them too, and change none."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lockgate.adapters.stores.postgres.store import PostgresStore
from lockgate.adapters.stores.sqlite.store import CONTROL
from lockgate.core.app import DEFAULT_ORG
from lockgate.operations.tick import tick
from lockgate.testing.world import World
from lockgate.wiring import memory_store, sqlite_store
from tests.found_stores import database_stores, place_of, sqlite_stores
from tests.postgresql import Cluster
from tests.replays import collected
from tests.spec.line import created, receipts
from tools.corpus import accounts, plan, read_chain

pytestmark = pytest.mark.clause("RP-74")
ROOT = Path(__file__).resolve().parents[2]
# Each process has keys and a rollout of its own.
TESTS = '''
import subprocess, sys, tempfile
import pytest

MAKE = """
import sys
from pathlib import Path
from lockgate.testing.world import World
from lockgate.wiring import sqlite_store
from tests.spec.line import created

created(World(sqlite_store(Path(sys.argv[1])), seed=int(sys.argv[2])))
"""

def make(folder, seed):
    subprocess.run([sys.executable, "-c", MAKE, str(folder), str(seed)], check=True)

def test_leaves(tmp_path):
    make(tmp_path / "left", 1)

def test_removes():
    with tempfile.TemporaryDirectory() as folder:
        make(folder, 2)

@pytest.mark.tampers
def test_tampers(tmp_path):
    make(tmp_path, 3)
'''


def contents(folder: Path) -> dict[str, str]:
    """Return what stands in a folder, by digests."""
    files = [each for each in folder.rglob("*") if each.is_file() and not each.name.endswith("-shm")]
    return {str(each): hashlib.sha256(each.read_bytes()).hexdigest() for each in files}


def test_a_store_that_another_process_left_is_found(tmp_path: Path) -> None:
    """Wherever below the folder it is, with each organisation that has receipts; one that is known is not."""
    for place, org in (("known", DEFAULT_ORG), ("a/b", DEFAULT_ORG), ("c", "other")):
        created(World(sqlite_store(tmp_path / place), org=org))
    before = contents(tmp_path)

    found = [None if each is None else each.org for each in sqlite_stores(tmp_path, [tmp_path / "known"])]

    assert found == [DEFAULT_ORG, "other"]
    assert contents(tmp_path) == before


def test_what_a_test_fills_by_hand_is_no_decision(tmp_path: Path) -> None:
    """It is not found; whatever comes through operations is replayed from where it came."""
    created(World(sqlite_store(tmp_path)))
    before = list(sqlite_stores(tmp_path, []))

    with sqlite_store(tmp_path).writing():
        pass

    assert len(before) == 1
    assert list(sqlite_stores(tmp_path, [])) == []


@pytest.mark.postgres
def test_a_database_that_another_process_filled_is_found(postgresql: Cluster) -> None:
    """With each organisation that has receipts; one that is known is not."""
    known, left = (PostgresStore(postgresql.new_database()) for _ in range(2))
    for store, org in ((known, DEFAULT_ORG), (left, "other")):
        created(World(store, org=org))
    postgresql.new_database()

    found = [None if each is None else each.org for each in database_stores([place_of(known)])]

    assert found == ["other"]


@pytest.mark.tampers
def test_a_store_that_cannot_be_read_is_counted(tmp_path: Path) -> None:
    """It is no reason to fail, and it is said."""
    (tmp_path / CONTROL).write_bytes(b"no database" * 99)

    assert list(sqlite_stores(tmp_path, [])) == [None]


@pytest.mark.clause("RP-20")
def test_the_end_of_a_test_replays_what_other_processes_wrote(tmp_path: Path) -> None:
    """What is left in its folder, and what was in one that it removed; but for a test that changes what was stored."""
    (tmp_path / "test_some.py").write_text(TESTS, encoding="utf-8")
    corpus = tmp_path / "corpus"
    paths = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    settings = {"PYTHONPATH": paths, "REPLAY_CORPUS": str(corpus), "REPLAY_LANE": "some"}
    command = [sys.executable, "-m", "pytest", "-p", "tests.replays", "-p", "no:cacheprovider", "--basetemp=under"]

    ran = subprocess.run(
        [*command, "test_some.py"], cwd=tmp_path, env=os.environ | settings, capture_output=True, text=True, check=False
    )

    assert ran.returncode == 0, ran.stdout
    assert {read_chain(file).test.rpartition("::")[2] for file in plan(corpus).files} == {"test_leaves", "test_removes"}
    assert accounts(corpus)["some"].left == {"tests that change a store behind its back": 1}
    assert "replayed 2 receipts of 2 rollouts in " in ran.stdout


def test_what_is_of_a_store_in_memory_is_collected(tmp_path: Path) -> None:
    """Every receipt of it, with no bound to how many."""
    here = World(memory_store())
    rollout = created(here, policy={"mode": "shadow"}).rollout
    for _ in range(60):
        here.clock.advance(60)
        tick(rollout.id, here.house)

    count = collected(here.house.store, here.house.org, tmp_path)

    assert count == len(receipts(here.house, rollout.id)) == plan(tmp_path).decisions == 61
