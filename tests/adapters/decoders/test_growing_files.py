# SPDX-License-Identifier: Apache-2.0
"""Files that somebody writes to while they are read come in; what was there at first goes out, or an honest error."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from lockgate.core.batch import RunBatch
from lockgate.errors import DataError
from lockgate.wiring import run_batches

LINES = b"".join(b'{"app_id":"a","release":"v1","status":"ok","run_id":"%d"}\n' % number for number in range(9))
TABLE = b"app_id,release,status\n" + b"a,v1,ok\n" * 9
WHOLE = b'{"app_id":"a","release":"v1","status":"ok"}\n'


def read_while(paths: list[Path], change: Callable[[], object]) -> list[RunBatch]:
    """Return what is read of files that a call changes after they were looked through."""

    def check(_batch: RunBatch) -> None:
        change()

    return list(run_batches().read([str(path) for path in paths], None, lambda _done, _total: None, check))


@pytest.mark.clause("BU-222")
@pytest.mark.parametrize(
    ("name", "body", "more"),
    [
        ("runs.ndjson", LINES, WHOLE),
        ("runs.ndjson", LINES, b'{"app_id":"a","release":"v1","sta'),
        ("runs.csv", TABLE, b'a,v1,"o'),
        ("runs.ndjson.gz", gzip.compress(LINES), gzip.compress(WHOLE)[:-9]),
    ],
)
def test_a_file_that_grows_is_read_as_far_as_it_was_there(tmp_path: Path, name: str, body: bytes, more: bytes) -> None:
    """A log that is still written to is kept whole as of when it was first seen."""
    path = tmp_path / name
    path.write_bytes(body)

    def grow() -> None:
        with path.open("ab") as file:
            file.write(more)

    assert sum(batch.columns.runs for batch in read_while([path], grow)) == 9


@pytest.mark.clause("BU-222")
@pytest.mark.parametrize(("name", "body"), [("runs.ndjson", LINES), ("runs.csv", TABLE)])
def test_a_file_that_is_another_before_it_is_kept_is_refused(tmp_path: Path, name: str, body: bytes) -> None:
    """Nothing of it was stored, which is what is said."""
    path = tmp_path / name
    path.write_bytes(body)

    with pytest.raises(DataError, match=r"was changed while it was read") as caught:
        read_while([path], lambda: path.write_bytes(body[:40]))

    assert "nothing was stored" in caught.value.advice


@pytest.mark.clause("BU-222")
@pytest.mark.parametrize(("name", "body"), [("b.ndjson", LINES), ("b.csv", TABLE)])
def test_a_file_that_is_another_after_some_was_kept_says_so(tmp_path: Path, name: str, body: bytes) -> None:
    """Nobody is told that nothing was stored when something may be."""
    (tmp_path / "a.ndjson").write_bytes(LINES)
    path = tmp_path / name
    path.write_bytes(body)
    batches = run_batches().read(
        [str(tmp_path / "a.ndjson"), str(path)], None, lambda _done, _total: None, lambda _batch: None
    )
    next(batches)
    path.write_bytes(body.replace(b"ok", b"\xff\xff"))

    with pytest.raises(DataError) as caught:
        list(batches)

    assert "may be kept" in caught.value.advice


@pytest.mark.clause("BU-224")
def test_a_log_that_has_grown_is_kept_again_in_its_last_part_only(tmp_path: Path) -> None:
    """Batches that end before its last chunk are the same bytes, which are known."""
    path = tmp_path / "runs.ndjson"
    run = '{"app_id":"a","release":"v1","status":"ok","run_id":"%06d","x":"' + "x" * 900 + '"}\n'
    runs = [run % number for number in range(1_000)]
    found = []
    for size in (900, 1_000):
        path.write_text("".join(runs[:size]), encoding="ascii")
        found.append([batch.digest for batch in run_batches().read([str(path)], None, lambda _done, _total: None)])

    before, after = found
    assert len(before) >= 3
    assert after[: len(before) - 1] == before[:-1]
