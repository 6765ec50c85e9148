# SPDX-License-Identifier: Apache-2.0
"""The id of a rollout is typed; its bundle must be written, whole or not at all."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from lockgate.cli import exit_codes
from tests.doors.line import BAD, GOOD, Door, write_runs

pytestmark = pytest.mark.clause("EX-30")


@pytest.fixture
def rollout(door: Door, tmp_path: Path) -> str:
    """Return a canary that was rolled back."""
    runs = write_runs(tmp_path / "runs.ndjson", {"v36": GOOD, "abc123": BAD})
    made = door.create("--mode", "canary", "--since", "1h")
    assert door("ingest", runs) == 0, door.err
    door("tick", made)
    return made


def test_a_bundle_is_written(door: Door, rollout: str, tmp_path: Path) -> None:
    """Everything that an auditor needs is in one file."""
    file = tmp_path / "out.zip"

    assert door("export", "--rollout", rollout, "-o", file) == 0, door.err

    with zipfile.ZipFile(file) as made:
        names = set(made.namelist())
        record = json.loads(made.read("release-record.json"))
    assert {"receipts/1.json", "proofs/1.tlog-proof", "sshsig/1.sig", "audit.sh", "timeline.html"} <= names
    assert record["rolloutId"] == rollout
    assert f"Wrote {file}: " in door.out
    assert f"lockgate verify {file} --key KEY.pem --log-key LOG-KEY.txt" in door.out


def test_what_was_written_is_told_as_json(door: Door, rollout: str, tmp_path: Path) -> None:
    """A job reads how many receipts there are, and what is missing."""
    file = tmp_path / "out.zip"

    told = door.read("export", "--rollout", rollout, "-o", file)

    assert (told["rolloutId"], told["file"], told["bytes"]) == (rollout, str(file), file.stat().st_size)
    assert told["receipts"] == record_count(file)
    assert told["missing"] == {}


def record_count(file: Path) -> int:
    """Return how many receipts a bundle has."""
    with zipfile.ZipFile(file) as made:
        return sum(name.startswith("receipts/") for name in made.namelist())


def test_twice_the_same_bytes_are_written(door: Door, rollout: str, tmp_path: Path) -> None:
    """The same state makes the same bundle, in place of the one before."""
    file = tmp_path / "out.zip"
    door("export", "--rollout", rollout, "-o", file)
    first = file.read_bytes()

    door("export", "--rollout", rollout, "-o", file)

    assert file.read_bytes() == first


def test_without_a_name_it_is_named_by_the_rollout(
    door: Door, rollout: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is where one is."""
    monkeypatch.chdir(tmp_path)

    assert door("export", "--rollout", rollout) == 0, door.err

    assert (tmp_path / f"{rollout}.zip").exists()


def test_growth_since_a_kept_checkpoint_is_in_it(door: Door, rollout: str, tmp_path: Path) -> None:
    """Who kept one asks for the proof."""
    door("receipts", rollout, "--save", tmp_path / "kept")
    file = tmp_path / "out.zip"
    kept = tmp_path / "kept" / "checkpoint.txt"

    assert door("export", "--rollout", rollout, "-o", file, "--since-checkpoint", kept) == 0, door.err

    with zipfile.ZipFile(file) as made:
        assert "log.consistency" in made.namelist()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--rollout", "rol_nobody"], "there is no rollout rol_nobody"),
        (["--rollout", "", "-o", "x.zip"], "the id of the rollout is empty"),
        (["--rollout", "ID", "--since-checkpoint", "nothing.txt"], "cannot read nothing.txt"),
        (["--rollout", "ID", "-o", "no/such/folder/x.zip"], "cannot write no/such/folder/x.zip"),
    ],
)
def test_what_cannot_be_meant_writes_nothing(
    door: Door,
    rollout: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    said: str,
) -> None:
    """Each has its own sentence, and no half of a file is left."""
    folder = tmp_path / "empty"
    folder.mkdir()
    monkeypatch.chdir(folder)

    assert door("export", *(rollout if word == "ID" else word for word in words)) == exit_codes.USAGE.code

    assert said in door.err
    assert list(folder.iterdir()) == []


@pytest.mark.clause("EX-33")
def test_every_case_is_of_this_machine_alone(
    door: Door, rollout: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes long, and no server is held up by it."""
    file = tmp_path / "out.zip"
    code = door("export", "--rollout", rollout, "-o", file, "--every-case")
    monkeypatch.setenv("LOCKGATE_URL", "http://127.0.0.1:9")

    refused = door("export", "--rollout", rollout, "-o", tmp_path / "other.zip", "--every-case")

    assert (code, refused) == (0, exit_codes.USAGE.code)
    assert "this works on the store of the machine that it is called on" in door.err
