# SPDX-License-Identifier: Apache-2.0
"""A store that was copied, grew, and was put back comes in; it must sign nothing at a place of the log that is used."""

from __future__ import annotations

import fcntl
import logging
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from lockgate.adapters.marks.state_files import StateFiles
from lockgate.core.receipt import operator
from lockgate.errors import DataError
from lockgate.operations.bundle.saved_receipts import saved_receipts
from lockgate.operations.create import create
from lockgate.operations.soundness.fsck import fsck
from lockgate.operations.steering.pause import pause
from lockgate.operations.steering.rollback import rollback
from lockgate.ports.house import House
from lockgate.testing.world import World
from lockgate.wiring import sqlite_store
from tests.spec.line import order, receipts

pytestmark = pytest.mark.clause("LI-133")
ADA = operator("ada", "drill")


def house(folder: Path, state: Path, seed: int = 1) -> House:
    """Return a house on a store in files, with a mark beside it."""
    here = World(sqlite_store(folder), seed)
    return replace(here.house, high_water=StateFiles(state))


def test_a_copy_that_was_put_back_signs_nothing_and_can_be_read(tmp_path: Path) -> None:
    """Copy, go on, put the copy back: operators and ticks are refused, and nothing is stored."""
    home, state, copy = tmp_path / "home", tmp_path / "state", tmp_path / "copy"
    lived = house(home, state)
    made = create(order(), lived).rollout
    shutil.copytree(home, copy)
    pause(made.id, ADA, lived)
    older = house(copy, state)

    with pytest.raises(DataError, match="of size 1, and was of size 2 already") as refused:
        rollback(made.id, ADA, older)

    assert str(state) in refused.value.advice
    assert len(receipts(older, made.id)) == 1
    assert saved_receipts(made.id, older)
    assert fsck(older).is_sound


def test_the_latest_store_goes_on(tmp_path: Path) -> None:
    """Where nothing was lost the mark is in nobody's way, also of a copy that is as far."""
    home, state, copy = tmp_path / "home", tmp_path / "state", tmp_path / "copy"
    lived = house(home, state)
    made = create(order(), lived).rollout
    pause(made.id, ADA, lived)
    shutil.copytree(home, copy)

    rollback(made.id, ADA, house(copy, state))

    assert len(receipts(house(copy, state), made.id)) == 3


def test_a_log_that_went_another_way_is_refused(tmp_path: Path) -> None:
    """A copy that grew on another machine is as long, and has other entries."""
    home, state, copy = tmp_path / "home", tmp_path / "state", tmp_path / "copy"
    lived = house(home, state)
    made = create(order(), lived).rollout
    shutil.copytree(home, copy)
    pause(made.id, ADA, lived)
    elsewhere = house(copy, tmp_path / "elsewhere")
    rollback(made.id, ADA, elsewhere)

    with pytest.raises(DataError, match="another one"):
        create(order(candidate="next"), house(copy, state))


def test_a_store_that_was_deleted_does_not_begin_again_with_the_same_keys(tmp_path: Path) -> None:
    """An empty store whose keys have signed entries already is an older copy too."""
    state = tmp_path / "state"
    create(order(), house(tmp_path / "home", state))

    with pytest.raises(DataError, match="of size 0, and was of size 1 already"):
        create(order(), house(tmp_path / "new", state))


def test_another_key_begins_a_log_of_its_own(tmp_path: Path) -> None:
    """A new home has nothing to do with the marks of others."""
    state = tmp_path / "state"
    create(order(), house(tmp_path / "home", state))

    made = create(order(), house(tmp_path / "new", state, seed=2))

    assert not made.is_existing


@pytest.mark.parametrize("what", ["a file in the folder's place", "garbage"])
def test_a_mark_that_cannot_be_kept_is_told_once_and_stops_nothing(
    tmp_path: Path, what: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A rollback must always work; who loses the mark loses the warning of an older copy, not the line."""
    state = tmp_path / "state"
    lived = house(tmp_path / "home", state)
    made = create(order(), lived).rollout
    if what == "garbage":
        next(state.glob("*.checkpoint")).write_bytes(b"\x00\xff")
    else:
        shutil.rmtree(state)
        state.write_text("", encoding="utf-8")

    with caplog.at_level(logging.WARNING):
        pause(made.id, ADA, lived)
        rollback(made.id, ADA, lived)

    assert len(receipts(lived, made.id)) == 3
    assert ["will not be noticed" in record.message for record in caplog.records] == [True]


@pytest.mark.clause("LI-133")
def test_a_lock_that_a_stopped_process_holds_stops_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A kill waits a second for it at most."""
    state = tmp_path / "state"
    lived = house(tmp_path / "home", state)
    made = create(order(), lived).rollout
    with (state / "lock").open("ab") as held:
        fcntl.flock(held, fcntl.LOCK_EX)

        with caplog.at_level(logging.WARNING):
            rollback(made.id, ADA, lived)

    assert len(receipts(lived, made.id)) == 2
    assert ["cannot be kept" in record.message for record in caplog.records] == [True]


@pytest.mark.clause("LI-574")
def test_a_mark_that_cannot_be_kept_is_told_once_by_a_process(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A command that opens its house several times says so once; of another log it says so too."""
    home, state = tmp_path / "home", tmp_path / "state"
    made = create(order(), house(home, state)).rollout
    with (state / "lock").open("ab") as held:
        fcntl.flock(held, fcntl.LOCK_EX)

        with caplog.at_level(logging.WARNING):
            pause(made.id, ADA, house(home, state))
            rollback(made.id, ADA, house(home, state))
            create(order(), house(tmp_path / "other", state, seed=2))

    told = [record.getMessage().split(" cannot be kept")[0] for record in caplog.records]
    assert len(told) == len(set(told)) == 2
