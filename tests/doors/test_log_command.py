# SPDX-License-Identifier: Apache-2.0
"""A log with receipts of two rollouts comes in; `lockgate log` must print what verifies, wherever it is asked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lockgate.cli import exit_codes, log_file
from lockgate.core.checkpoint import checkpoint_of, read_log_growth
from lockgate.core.log_export import read_portions
from lockgate.operations.vault import exported_log
from lockgate.verify import (
    Keys,
    read_note_key,
    read_public_key,
    verify_checkpoint,
    verify_newer_checkpoint,
    verify_receipt,
)
from tests.doors.both import Both, Made


def keys_of(both: Both, made: Made, folder: Path) -> Keys:
    """Return the keys that a rollout's files name."""
    assert both.local("receipts", made.names["good"], "--save", folder).code == 0
    log = read_note_key((folder / "log-key.txt").read_text())
    return Keys((read_public_key((folder / "receipt-key.pem").read_bytes()),), (log,))


def printed(both: Both, *words: object) -> bytes:
    """Return what a command prints, the same at both doors."""
    here, there = both.local("log", *words), both.remote("log", *words)
    assert (here.code, here.err) == (0, "")
    assert here == there
    return here.out.encode()


@pytest.mark.clause("LG-25")
def test_a_log_is_printed_as_it_is(both: Both, made: Made, tmp_path: Path) -> None:
    """Checkpoint, entries, proofs and growth verify; at this machine and over HTTP they are the same bytes."""
    keys = keys_of(both, made, tmp_path)

    note = printed(both, "checkpoint")
    checkpoint = verify_checkpoint(note, keys.log)
    last = checkpoint.size - 1
    verified = verify_receipt(printed(both, "entry", last), keys, printed(both, "proof", last))
    growth = read_log_growth(printed(both, "consistency", "--old", 1))

    assert verified.entry is not None
    assert (verified.entry.index, verified.entry.checkpoint) == (last, checkpoint)
    assert growth.checkpoint == note
    first = read_log_growth(printed(both, "consistency", "--old", 1, "--new", _first_size(both))).checkpoint
    assert verify_newer_checkpoint(note, keys, first, _growth(both, first)).checkpoint == checkpoint


def _growth(both: Both, kept: bytes) -> bytes:
    return printed(both, "consistency", "--old", checkpoint_of(kept).size)


def _first_size(both: Both) -> int:
    """Return the size of a checkpoint that is not the latest."""
    return next(size for size in range(1, 50) if both.local("log", "consistency", "--old", 1, "--new", size).code == 0)


@pytest.mark.clause("LG-25")
def test_an_export_goes_on_from_a_size(both: Both, made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Portion by portion up to the latest checkpoint; what came later begins where the last one ended."""
    monkeypatch.setattr(exported_log, "MAX_SIZE", 1)
    keys = keys_of(both, made, tmp_path)

    lines = printed(both, "export").splitlines(keepends=True)
    rest = printed(both, "export", "--since", 2).splitlines(keepends=True)

    portions = list(read_portions(lines))
    size = verify_checkpoint(portions[-1].end.checkpoint, keys.log).size
    assert [each.end.size for each in portions] == list(range(1, size + 1))
    assert [each.check(verify_checkpoint(each.end.checkpoint, keys.log)).size for each in portions] == [
        *range(1, size + 1)
    ]
    assert rest == lines[4:]
    assert json.loads(lines[-1])["size"] == size


@pytest.mark.clause("LG-25")
def test_what_a_log_has_not_is_refused(both: Both) -> None:
    """No entry, no size, by the same words at both doors."""
    for words in (("entry", 999), ("proof", 999), ("export", "--since", 999), ("consistency", "--old", 999)):
        here, there = both.local("log", *words), both.remote("log", *words)
        assert (here.code, there.code) == (64, 64)
        assert here.err.splitlines()[0] == there.err.splitlines()[0]


@pytest.mark.clause("LG-25")
def test_an_export_that_nobody_reads_ends(made: Made) -> None:
    """Whoever went away is sent no further portion, and the exit code says that the answer was cut off."""
    reading, writing = os.pipe()
    os.close(reading)
    shown = {"PATH": os.environ["PATH"], "LOCKGATE_HOME": str(made.folder / "home"), "XDG_STATE_HOME": str(made.folder)}

    ran = subprocess.run(
        [sys.executable, "-m", "lockgate", "log", "export"],
        stdout=writing,
        stderr=subprocess.PIPE,
        env=shown,
        timeout=60,
        check=False,
    )

    os.close(writing)
    assert (ran.returncode, ran.stderr) == (exit_codes.PIPE_CLOSED.code, b"")


@pytest.mark.clause("LG-26")
def test_a_file_is_added_to_from_where_it_ends(both: Both, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Made by the first call, left alone where nothing is new, and the same as one export of all."""
    monkeypatch.setattr(exported_log, "MAX_SIZE", 1)
    file = tmp_path / "log.ndjson"
    whole = printed(both, "export")
    first, *_ = printed(both, "export").split(b'{"index":1')
    file.write_bytes(first)

    added = both.local("log", "export", "--append", file)
    again = both.remote("log", "export", "--append", file)

    size = json.loads(whole.splitlines()[-1])["size"]
    assert file.read_bytes() == whole
    assert added.out == f"{file} ends at {size} entries of the log; {size - 1} are new.\n"
    assert again.out == f"{file} ends at {size} entries of the log; 0 are new.\n"


@pytest.mark.clause("LG-26")
def test_what_was_begun_and_not_finished_is_written_anew(
    both: Both, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever a process was killed behind a whole portion, the next one goes on from that."""
    monkeypatch.setattr(exported_log, "MAX_SIZE", 1)
    file = tmp_path / "log.ndjson"
    whole = printed(both, "export")
    first = len(b"".join(whole.splitlines(keepends=True)[:2]))

    for place in (first, first + 1, first + 12, len(whole) - 1, len(whole)):
        file.write_bytes(whole[:place])
        assert both.local("log", "export", "--append", file).code == 0
        assert file.read_bytes() == whole


@pytest.mark.clause("LG-26")
@pytest.mark.parametrize("data", [b"x", b"{}\n", b'{"index":0}\n', b'{"since":0}\n', b'{"since":1,"size":2'])
def test_another_file_is_left_as_it_is(both: Both, tmp_path: Path, data: bytes) -> None:
    """Neither cut off nor added to."""
    file = tmp_path / "notes.txt"
    file.write_bytes(data)

    assert both.local("log", "export", "--append", file).code == 65
    assert file.read_bytes() == data


@pytest.mark.clause("LG-26")
def test_a_file_is_added_to_by_one_process(both: Both, tmp_path: Path) -> None:
    """Another one is told to wait; and where a file ends is not said twice, nor in a folder that is not there."""
    file = tmp_path / "log.ndjson"
    with log_file.opened(file):
        second = both.local("log", "export", "--append", file)

    twice = both.local("log", "export", "--append", file, "--since", 1)
    nowhere = both.local("log", "export", "--append", tmp_path / "none" / "log.ndjson")
    assert (second.code, twice.code, nowhere.code) == (75, 64, 64)


@pytest.mark.clause("LG-10")
def test_a_turn_prints_the_receipt_that_it_wrote(both: Both, made: Made, tmp_path: Path) -> None:
    """One turn has the bytes and the proof, a turn of all digests and proofs; a look has neither."""
    keys = keys_of(both, made, tmp_path)
    rollout = both.local("create", "--app-id", "billing", "-b", "1", "-c", "2", "--quiet").out.strip()

    one = json.loads(both.local("tick", "--id", rollout, "--json").out)["signed"]
    all_of = json.loads(both.local("tick", "--all", "--json").out)["rollouts"]

    verified = verify_receipt(one["envelope"].encode(), keys, one["proof"].encode())
    signed = {each["id"]: each["signed"] for each in all_of}
    assert (verified.statement.rollout_id, verified.statement.seq, verified.sha256) == (rollout, 2, one["sha256"])
    assert (signed[rollout]["seq"], "envelope" in signed[rollout]) == (3, False)
    assert signed[made.names["good"]] is None
