# SPDX-License-Identifier: Apache-2.0
"""A name for a bundle is typed; what is there under it must not be lost: docs/spec.md, the bundle."""

from __future__ import annotations

import io
import os
import stat
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from threading import Thread

import pytest

from lockgate.cli import exit_codes
from tests.doors.line import Door


@pytest.fixture
def rollout(door: Door) -> str:
    """Return a canary of which one thing was decided."""
    return door.create("--mode", "canary")


@pytest.fixture
def bundle(door: Door, rollout: str, tmp_path: Path) -> Path:
    """Return its bundle."""
    file = tmp_path / "bundle.zip"
    assert door("export", "--rollout", rollout, "-o", file) == 0, door.err
    return file


def other_zip(path: Path) -> None:
    """Write a zip of something else that also has a manifest.json."""
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("manifest.json", '{"manifest_version":3}')


def cut(path: Path) -> None:
    """Write the beginning of a zip."""
    path.write_bytes(b"PK\x03\x04 the rest is lost")


def text(path: Path) -> None:
    """Write what may be a key."""
    path.write_text("-----BEGIN PRIVATE KEY-----\n")


@pytest.mark.clause("LI-610")
@pytest.mark.parametrize("make", [other_zip, cut, text])
def test_a_file_that_is_no_bundle_stays_as_it_is(
    door: Door, rollout: str, tmp_path: Path, make: Callable[[Path], None]
) -> None:
    """Somebody's key is not lost to a slip of the hand."""
    file = tmp_path / "mine"
    make(file)
    before = file.read_bytes()

    assert door("export", "--rollout", rollout, "-o", file) == exit_codes.USAGE.code

    assert f"{file} is there and is no bundle; nothing was written" in door.err
    assert file.read_bytes() == before


@pytest.mark.clause("LI-610")
@pytest.mark.parametrize(("held", "words"), [("something", ("--force",)), ("", ())])
def test_an_empty_file_and_one_that_is_to_be_lost_are_replaced(
    door: Door, rollout: str, bundle: Path, tmp_path: Path, held: str, words: tuple[str, ...]
) -> None:
    """What `mktemp` made holds nothing, and --force says that it is meant."""
    file = tmp_path / "mine"
    file.write_text(held)

    assert door("export", "--rollout", rollout, "-o", file, *words) == 0, door.err

    assert file.read_bytes() == bundle.read_bytes()


@pytest.mark.clause("LI-610")
def test_a_pipe_is_written_into_and_stays_one(door: Door, rollout: str, bundle: Path, tmp_path: Path) -> None:
    """Whoever reads it has the whole bundle."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[bytes] = []
    reader = Thread(target=lambda: read.append(pipe.read_bytes()), daemon=True)
    reader.start()

    assert door("export", "--rollout", rollout, "-o", pipe) == 0, door.err

    reader.join(30)
    assert read == [bundle.read_bytes()]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.clause("LI-610")
@pytest.mark.clause("LI-612")
def test_a_device_that_is_full_stays_one(door: Door, rollout: str) -> None:
    """There is no room in it, and nothing takes its place."""
    assert door("export", "--rollout", rollout, "-o", "/dev/full") == exit_codes.TRY_AGAIN.code

    assert "cannot write /dev/full: No space left on device" in door.err
    assert stat.S_ISCHR(Path("/dev/full").stat().st_mode)


@pytest.mark.clause("LI-611")
def test_a_dash_is_standard_output(rollout: str, bundle: Path, tmp_path: Path) -> None:
    """The bytes go there and nothing else does; what was written is told on standard error."""
    call = [sys.executable, "-m", "lockgate", "export", "--rollout", rollout, "-o", "-"]

    said = subprocess.run(call, capture_output=True, check=True, timeout=60, cwd=tmp_path)

    assert said.stdout == bundle.read_bytes()
    assert said.stderr.startswith(b"Wrote the bundle: 1 receipt, ")
    assert not (tmp_path / "-").exists()


class _Terminal(io.TextIOWrapper):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        """Return true."""
        return True


@pytest.mark.clause("LI-611")
def test_a_terminal_takes_no_bundle(door: Door, rollout: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes would command it."""
    screen = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", _Terminal(screen))

    code = door("export", "--rollout", rollout, "-o", "-")

    assert (code, screen.getvalue()) == (exit_codes.USAGE.code, b"")
    assert "a bundle is nothing to read on a terminal" in door.err


@pytest.mark.clause("LI-611")
def test_standard_output_does_not_take_two_things(door: Door, rollout: str) -> None:
    """Neither the bundle nor the JSON could be read."""
    assert door("export", "--rollout", rollout, "-o", "-", "--json") == exit_codes.USAGE.code

    assert (door.out, "standard output takes the bundle or JSON" in door.err) == ("", True)


@pytest.mark.clause("LI-613")
def test_an_export_that_is_interrupted_says_what_it_leaves(
    door: Door, rollout: str, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bundle that was there stays as it was."""
    before = bundle.read_bytes()
    monkeypatch.setattr(os, "fsync", _interrupt)

    assert door("export", "--rollout", rollout, "-o", bundle) == exit_codes.INTERRUPTED.code

    assert door.err.strip() == "error: interrupted before it was done; nothing was written"
    assert bundle.read_bytes() == before


@pytest.mark.clause("LI-613")
def test_another_call_that_is_interrupted_says_so(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """No word is of a verdict where none was asked for."""
    monkeypatch.setattr("lockgate.cli.local.house_to_read", _interrupt)

    assert door("fsck") == exit_codes.INTERRUPTED.code

    assert door.err.strip() == "error: interrupted before it was done"


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt
