# SPDX-License-Identifier: Apache-2.0
"""What happens to files comes in: gone, cut, garbage, locked, not writable, full; each is told and none is healed."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from lockgate.adapters.stores.sqlite.store import CONTROL, RUNS
from lockgate.cli import exit_codes
from lockgate.errors import LockgateError
from lockgate.wiring import signers
from tests.faults import hostile, steps
from tests.faults.process import DONE, ended, started
from tests.faults.traced import is_stopped

pytestmark = pytest.mark.faults
STEP = "promote"
DATA, UNREACHABLE, TRY_AGAIN = exit_codes.DATA.code, exit_codes.UNREACHABLE.code, exit_codes.TRY_AGAIN.code
NOT_PERMITTED = exit_codes.NOT_PERMITTED.code


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a store that has lived until the step."""
    home = tmp_path_factory.mktemp("template")
    for each in steps.LIFE:
        if each.name == STEP:
            break
        assert ended(steps.do, home, each.name) == DONE
    for name in (CONTROL, RUNS):
        # Who closes a file as its last user takes the write-ahead log into it.
        with closing(sqlite3.connect(home / name)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return home


@pytest.fixture
def home(template: Path) -> Iterator[Path]:
    """Return a copy of it that everybody may look into."""
    folder = Path(tempfile.mkdtemp(prefix="lockgate-faults-"))
    shutil.copytree(template, folder, dirs_exist_ok=True)
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def _files(home: Path) -> dict[str, bytes]:
    """Return every byte of a store's two files and keys."""
    names = [home / CONTROL, home / RUNS, *sorted((home / "keys").rglob("*"))]
    return {str(path): path.read_bytes() for path in names if path.is_file()}


def _gone(path: Path) -> None:
    path.unlink()


def _emptied(path: Path) -> None:
    path.write_bytes(b"")


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2 + 100])


def _overwritten(path: Path) -> None:
    path.write_bytes(b"\x5a" * path.stat().st_size)


@pytest.mark.clause("LI-134")
@pytest.mark.parametrize("name", [CONTROL, RUNS])
@pytest.mark.parametrize("harm", [_gone, _emptied, _overwritten])
def test_a_file_that_is_gone_or_garbage_is_refused_and_not_made_again(
    home: Path, name: str, harm: Callable[[Path], None]
) -> None:
    """Neither a tick nor a check puts an empty file in the place of what was lost."""
    for end in ("-wal", "-shm"):
        (home / f"{name}{end}").unlink(missing_ok=True)
    harm(home / name)
    left = _files(home)

    codes = {ended(steps.do, home, STEP), ended(steps.do, home, "ingest bad")}

    assert codes == {DATA}
    assert _files(home) == left


@pytest.mark.clause("LI-134")
def test_a_file_that_was_cut_is_found(home: Path) -> None:
    """A half-copied control file opens and is not whole; nothing is decided on it without a fault, or fsck says so."""
    _cut(home / CONTROL)

    with pytest.raises(LockgateError) as refused:
        assert steps.flaws(home) == []

    assert exit_codes.of_error(refused.value) == DATA


@pytest.mark.tampers
@pytest.mark.clause("LI-134")
def test_commits_that_went_with_a_deleted_write_ahead_log_are_missed(home: Path) -> None:
    """SQLite opens what is left without a word; the mark knows that the log was longer."""
    with steps.house_of(home).store.reading():
        # A reader in the way of a checkpoint keeps the commit in the write-ahead log.
        assert ended(steps.do, home, STEP) == DONE
        kept = {name: (home / name).read_bytes() for name in (CONTROL, RUNS)}
    for name, data in kept.items():
        (home / name).write_bytes(data)
        for end in ("-wal", "-shm"):
            (home / f"{name}{end}").unlink(missing_ok=True)

    code = ended(steps.do, home, "freeze")

    assert code == DATA


@pytest.mark.clause("LI-134")
def test_a_folder_that_may_not_be_written_is_told(home: Path) -> None:
    """By 77, and nothing is stored."""
    (home / "keys").chmod(0o755)
    left = _files(home)

    code = ended(hostile.as_nobody, home, STEP)

    assert code == NOT_PERMITTED
    assert _files(home) == left


@pytest.mark.clause("LI-134")
def test_a_full_disk_is_told_and_what_was_there_stays(home: Path) -> None:
    """By 69; on a disk with room the same call goes on."""
    before = steps.standing(home)

    code = ended(hostile.on_a_full_disk, home, STEP, 4_096)

    assert code == UNREACHABLE
    assert (steps.flaws(home), steps.standing(home)) == ([], before)
    assert ended(steps.do, home, STEP) == DONE


@pytest.mark.clause("LI-134")
def test_a_store_that_a_stopped_process_holds_is_told(home: Path) -> None:
    """By 75 and in bounded time; when that process is ended, the same call goes on."""
    holder = started(hostile.holding, home)
    assert holder.pid is not None
    until = time.monotonic() + 60
    while not is_stopped(holder.pid):
        assert time.monotonic() < until
        time.sleep(0.01)

    held = ended(hostile.impatient, home)
    os.kill(holder.pid, signal.SIGKILL)
    holder.join()

    assert held == TRY_AGAIN
    assert ended(hostile.impatient, home) == DONE
    assert steps.flaws(home) == []


@pytest.mark.clause("LI-135")
@pytest.mark.parametrize(
    ("harm", "code"),
    [
        (lambda key: key.chmod(0o644), NOT_PERMITTED),
        (lambda key: key.write_bytes(b"garbage"), DATA),
        (lambda key: shutil.copy(key.with_name("log.pem"), key), NOT_PERMITTED),
    ],
    ids=["others may read it", "garbage", "the other key"],
)
def test_a_key_that_is_not_right_signs_nothing(home: Path, harm: Callable[[Path], object], code: int) -> None:
    """Each fault has its message and code, and the store stays as it was."""
    before = steps.standing(home)
    spare = (home / "keys" / "receipt.pem").read_bytes()
    harm(home / "keys" / "receipt.pem")

    ends = ended(steps.do, home, STEP)

    (home / "keys" / "receipt.pem").write_bytes(spare)
    (home / "keys" / "receipt.pem").chmod(0o600)
    assert ends == code
    assert (steps.flaws(home), steps.standing(home)) == ([], before)


@pytest.mark.clause("LI-135")
def test_keys_that_were_lost_are_noticed_by_the_check(home: Path) -> None:
    """Another key signs nothing in the old log, whose receipts verify by the public half of the lost one only."""
    public = signers(home / "keys").receipt.public_key_pem
    (home / "keys" / "receipt.pem").unlink()

    code = ended(steps.do, home, STEP)

    assert code == exit_codes.NOT_PERMITTED.code
    assert steps.flaws(home) == []
    shutil.rmtree(home / "keys" / "public")
    assert any("names key" in flaw for flaw in steps.flaws(home))
    assert public != signers(home / "keys").receipt.public_key_pem
