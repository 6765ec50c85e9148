# SPDX-License-Identifier: Apache-2.0
"""A store that others write to comes in; its copy must be whole, and be refused where it would sign twice."""

from __future__ import annotations

import json
import shutil
import stat
import threading
from pathlib import Path

import pytest

from lockgate.cli.main import run
from lockgate.operations.intake.ingest import ingest
from lockgate.operations.soundness.fsck import fsck
from lockgate.wiring import local_house
from tests.spec.line import APP, batch

CREATE = ["create", "--app-id", APP, "--baseline", "v36", "--candidate", "abc123", "--mode", "canary", "--json"]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]) -> Path:
    """Return the home of a store with a rollout and runs."""
    folder = tmp_path / "home"
    monkeypatch.setenv("LOCKGATE_HOME", str(folder))
    assert run(CREATE) == 0
    ingest(batch({}, {"release": "abc123"}), local_house())
    capsysbinary.readouterr()
    return folder


@pytest.mark.clause("LI-136")
def test_a_backup_that_is_put_back_goes_on(
    home: Path, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    """Whole, with keys, and readable by nobody else; the home that is put back ticks on."""
    made = run(["backup", str(tmp_path / "copy"), "--with-keys"])
    shutil.rmtree(home)
    shutil.copytree(tmp_path / "copy", home)
    capsysbinary.readouterr()

    checked = run(["fsck", "--json"])

    found = json.loads(capsysbinary.readouterr().out)
    assert (made, checked, found["flaws"]) == (0, 0, [])
    assert found["checked"]["receipts"] == found["checked"]["batches"] == 1
    assert run(["kill", "--app-id", APP, "--reason", "drill", "--yes"]) == 0
    modes = {stat.S_IMODE(path.stat().st_mode) & 0o077 for path in (tmp_path / "copy").rglob("*")}
    assert modes == {0}


@pytest.mark.clause("LI-136")
def test_a_backup_from_before_the_last_decision_signs_nothing(
    home: Path, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    """What was decided since is missed, by 65, and reading works."""
    run(["backup", str(tmp_path / "copy"), "--with-keys"])
    run(["freeze", "--app-id", APP, "--reason", "drill"])
    shutil.rmtree(home)
    shutil.copytree(tmp_path / "copy", home)

    code = run(["kill", "--app-id", APP, "--reason", "drill", "--yes"])

    assert code == 65
    assert b"older copy" in capsysbinary.readouterr().err
    assert run(["list"]) == 0


@pytest.mark.clause("LI-136")
def test_a_backup_is_whole_while_runs_flow(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every batch that the copied control file names has its raw runs."""
    house, is_over = local_house(), threading.Event()

    def flow() -> None:
        number = 0
        while not is_over.is_set():
            number += 1
            ingest(batch({"run_id": str(number)}), house)

    flowing = threading.Thread(target=flow)
    flowing.start()
    codes = [run(["backup", str(tmp_path / str(number))]) for number in range(5)]
    is_over.set()
    flowing.join()

    assert set(codes) == {0}
    assert all(fsck(local_house(tmp_path / str(number))).counted["batches"] for number in range(5))
    assert all(fsck(local_house(tmp_path / str(number))).is_sound for number in range(5))


@pytest.mark.clause("LI-136")
def test_no_backup_is_written_over(home: Path, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    """A folder with anything in it is refused, and so is a home without a store."""
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "mine").write_text("", encoding="utf-8")

    refused = run(["backup", str(tmp_path / "copy")])
    shutil.rmtree(home)
    empty = run(["backup", str(tmp_path / "other")])

    assert (refused, empty) == (64, 64)
    assert not (tmp_path / "other").exists()
    assert [path.name for path in (tmp_path / "copy").iterdir()] == ["mine"]
