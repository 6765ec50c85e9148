# SPDX-License-Identifier: Apache-2.0
"""The folder of a store comes in; how calls and readings end for who may only read a copy of it goes out."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

from lockgate.adapters.stores.sqlite.store import CONTROL
from lockgate.cli import main
from lockgate.core.app import App
from lockgate.wiring import sqlite_store
from tests.faults.process import DONE, ended

NOBODY = 65_534
Call = tuple[str, ...]


@contextmanager
def copy_to_read(folder: Path, unreadable: str = "") -> Iterator[Path]:
    """Return a copy of a store without its keys, in which all may be read but the file that is named."""
    opened = Path(tempfile.mkdtemp())
    try:
        shutil.copytree(folder, opened / "home", ignore=shutil.ignore_patterns("*.pem"))
        for path in (opened, *opened.rglob("*")):
            path.chmod(0o555 if path.is_dir() else 0o000 if path.name == unreadable else 0o444)
        yield opened / "home"
    finally:
        for path in (opened, *opened.rglob("*")):
            path.chmod(0o700)
        shutil.rmtree(opened)


def as_a_reader(folder: Path, calls: Sequence[Call], unreadable: str = "") -> dict[str, tuple[int, str]]:
    """Return by which code, and with which words, each call ends for who may only read; HOME in it is their copy."""
    with copy_to_read(folder, unreadable) as copied, tempfile.NamedTemporaryFile() as said:
        assert ended(_call, copied, folder, tuple(calls), Path(said.name)) == DONE
        answers = json.loads(Path(said.name).read_bytes())
    return {call: (code, words) for call, (code, words) in answers.items()}


def torn(folder: Path) -> None:
    """Read as who may only read, while another one writes."""
    path = folder / CONTROL
    path.chmod(0o644)
    handle = os.open(path, os.O_RDWR)
    path.chmod(0o444)
    _become_reader()
    with sqlite_store(folder, is_only_read=True).reading():
        os.pwrite(handle, b"S", 0)


def killed(folder: Path) -> None:
    """End without a word after something was written."""
    store = sqlite_store(folder)
    with store.writing() as work:
        work.put_app(App(name="written"))
    os.kill(os.getpid(), signal.SIGKILL)


def sums(folder: Path) -> dict[str, str]:
    """Return the digest of each file of a store, but of those by which SQLite's readers and writers meet."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.name.endswith("-shm")]
    held = [path for path in files if path.stat().st_size or not path.name.endswith("-wal")]
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in held}


def _call(folder: Path, source: Path, calls: Sequence[Call], said: Path) -> None:
    # What the calls import may lie where that user cannot read.
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["LOCKGATE_HOME"] = str(shutil.copytree(source, Path(scratch) / "copy"))
        for call in calls:
            _ended(call)
    os.environ["LOCKGATE_HOME"] = str(folder)
    with said.open("w", encoding="utf-8") as answer:
        _become_reader()
        named = [tuple(word.replace("HOME", str(folder)) for word in call) for call in calls]
        json.dump({" ".join(call): _ended(own) for call, own in zip(calls, named, strict=True)}, answer)


def _become_reader() -> None:
    """Become who owns nothing, where that is allowed; the owner may not write either, by the modes of the copy."""
    with tempfile.TemporaryDirectory() as scratch:
        # What a store imports may lie where that user cannot read.
        sqlite_store(Path(scratch))
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)


def _ended(call: Call) -> tuple[int, str]:
    said = io.StringIO()
    with redirect_stdout(io.TextIOWrapper(io.BytesIO(), "utf-8")), redirect_stderr(said):
        return main.run(list(call)), said.getvalue()
