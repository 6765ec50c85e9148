# SPDX-License-Identifier: Apache-2.0
"""Files of runs to be kept come in; batches must come out whole and alike, or one error and none of them."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from lockgate.adapters.decoders import stored_runs
from lockgate.core.batch import RunBatch
from lockgate.core.summary import ABSENT
from lockgate.errors import DataError
from lockgate.wiring import run_batches


def write(path: Path, count: int, last: str = "") -> Path:
    """Write so many runs of an app, and one line more."""
    runs = (
        json.dumps({"app_id": "web", "release": f"v{number % 2}", "run_id": number, "status": "ok"})
        for number in range(count)
    )
    path.write_text("\n".join(runs) + f"\n{last}", encoding="utf-8")
    return path


def read(*paths: Path, app: str | None = None) -> list[RunBatch]:
    """Return all batches of some files."""
    return list(run_batches().read([str(path) for path in paths], app, lambda _done, _of: None))


@pytest.mark.clause("LI-02")
def test_the_same_file_gives_the_same_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So a file that is ingested again is known batch by batch."""
    monkeypatch.setattr(stored_runs, "BATCH", 1)
    path = write(tmp_path / "a.ndjson", 9_000)

    first, again = read(path), read(path)

    assert len(first) > 1
    assert sum(batch.columns.runs for batch in first) == 9_000
    assert [batch.digest for batch in first] == [batch.digest for batch in again]


@pytest.mark.clause("LI-07")
def test_a_fault_at_the_end_stops_the_first_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file is looked through whole before anything of it comes out."""
    monkeypatch.setattr(stored_runs, "BATCH", 1)
    path = write(tmp_path / "a.ndjson", 9_000, '{"app_id": "web", "release": "v1"}\n{"release": 3}\n')

    with pytest.raises(DataError, match=r"a\.ndjson:9001: no measurable field") as caught:
        next(run_batches().read([str(path)], None, lambda _done, _of: None))

    assert "a.ndjson:9002" in caught.value.message
    assert "nothing was stored" in caught.value.advice


@pytest.mark.clause("LI-07")
def test_a_run_without_an_app_takes_the_one_that_is_named() -> None:
    """A file of one app need not repeat it."""
    body = b'{"release": "v1", "status": "ok"}\n'

    batch = run_batches().decode(body, "web")

    assert [group.app for group in batch.groups] == ["web"]
    with pytest.raises(DataError, match="the batch:1: app_id is missing"):
        run_batches().decode(body, None)


@pytest.mark.clause("LI-05")
def test_start_times_are_instants_in_any_zone() -> None:
    """A run that began at one moment begins at one number."""
    times = ['"2026-11-02T10:00:00.5Z"', '"2026-11-02T12:00:00.5+02:00"', "null"]
    body = "".join(f'{{"release": "v1", "status": "ok", "started_at": {time}}}\n' for time in times)

    batch = run_batches().decode(body.encode(), "web")

    assert batch.started_at.tolist() == [1793613600500, 1793613600500, ABSENT]


@pytest.mark.clause("LI-07")
@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"release": "v1", "status": "ok"} {"release": "v1", "status": "ok"}\n', "not JSON"),
        (b'{"release": "v1", "error_type": "\xff", "status": "ok"}\n', "not UTF-8"),
        (b'{"release": "v1", "latency_ms": NaN}\n', "NaN and Infinity"),
        (b'{"release": "v1", "status": "ok", "started_at": "yesterday"}\n', "started_at"),
    ],
)
def test_a_malformed_line_is_named(body: bytes, message: str) -> None:
    """By its number, and with what is wrong there."""
    with pytest.raises(DataError, match=f"the batch:1: .*{message}"):
        run_batches().decode(body, "web")


@pytest.mark.clause("LI-05")
def test_compressed_files_are_read(tmp_path: Path) -> None:
    """Their batches are those of the plain file."""
    path = write(tmp_path / "a.ndjson", 10)
    packed = tmp_path / "b.ndjson.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))

    assert [batch.digest for batch in read(packed)] == [batch.digest for batch in read(path)]
