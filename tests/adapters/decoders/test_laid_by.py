# SPDX-License-Identifier: Apache-2.0
"""Runs come by a pipe, which can be read once; batches go out as of a file, and nothing is left behind."""

from __future__ import annotations

import gzip
import os
import tempfile
import threading
from pathlib import Path

import pytest

from lockgate.adapters.decoders import file as files
from lockgate.core.batch import RunBatch
from lockgate.errors import DataError
from lockgate.wiring import run_batches

LINES = b"".join(b'{"app_id":"a","release":"v1","status":"ok","run_id":"%d"}\n' % number for number in range(99))


def read(path: Path, checked: list[RunBatch]) -> list[RunBatch]:
    """Return the batches of a file."""
    return list(run_batches().read([str(path)], None, lambda _done, _total: None, checked.append))


@pytest.fixture
def laid_by(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder in which what comes by a pipe is laid by."""
    folder = tmp_path / "laid by"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    """Return a pipe into which somebody writes."""
    path = tmp_path / "runs.ndjson.gz"
    os.mkfifo(path)
    threading.Thread(target=path.write_bytes, args=(gzip.compress(LINES),), daemon=True).start()
    return path


@pytest.mark.clause("BU-223")
def test_a_pipe_is_read_twice_and_leaves_nothing(pipe: Path, laid_by: Path) -> None:
    """Each batch is made anew for the second reading, so that they are not held together."""
    checked: list[RunBatch] = []

    batches = read(pipe, checked)

    assert [batch.columns.runs for batch in batches] == [99]
    assert batches[0] is not checked[0]
    assert batches[0].digest == checked[0].digest
    assert list(laid_by.iterdir()) == []


@pytest.mark.clause("BU-223")
def test_a_pipe_without_end_is_refused(pipe: Path, laid_by: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is stored, and nothing left behind."""
    monkeypatch.setattr(files, "MAX_LAID_BY", 100)

    with pytest.raises(DataError, match="goes on for more than"):
        read(pipe, [])

    assert list(laid_by.iterdir()) == []


@pytest.mark.clause("BU-223")
def test_blank_lines_are_no_batch(tmp_path: Path) -> None:
    """Line breaks that a small file unpacks to are passed over, and counted."""
    path = tmp_path / "runs.ndjson.gz"
    path.write_bytes(gzip.compress(b"\n" * (8 << 20) + LINES + b'{"app_id":"a"}\n'))

    with pytest.raises(DataError) as caught:
        read(path, [])

    assert caught.value.message.startswith(f"{path}:{(8 << 20) + 100}: release is missing")
