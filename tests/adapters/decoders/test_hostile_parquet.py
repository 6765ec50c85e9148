# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: S608 -- queries and paths are the test's own
"""Parquet files made to mislead or to harm come in; they are read as their rows say, or refused."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from lockgate.errors import DataError, UsageError
from tests.adapters.decoders.reading_files import QUESTION, read, refusal

ROOM = 2 << 30


def _parquet(path: Path | str, query: str, options: str = "") -> str:
    """Write what a query gives."""
    duckdb.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet{options})")
    return str(path)


@pytest.mark.clause("BU-06")
def test_a_folder_names_no_column(tmp_path: Path) -> None:
    """What a folder is called says nothing of the runs in it, whatever other tools make of it."""
    folder = tmp_path / "status=ok" / "release=abc123" / "latency_ms=1"
    folder.mkdir(parents=True)
    path = _parquet(folder / "runs.parquet", "SELECT 'v36' AS release, 'error' AS status FROM range(3)")

    intake = read(path)

    assert dict(intake.releases) == {"v36": 3}
    assert intake.bucket("v36").statuses == {"error": 3}
    assert not intake.bucket("v36").values


@pytest.mark.clause("BU-06")
def test_a_release_that_only_a_folder_names_is_refused(tmp_path: Path) -> None:
    """A partition by release leaves the runs themselves without one."""
    folder = tmp_path / "release=v36"
    folder.mkdir()
    path = _parquet(folder / "runs.parquet", "SELECT 'ok' AS status")

    assert refusal(path).message == f"{path}: there is no column release"


@pytest.mark.clause("BU-06")
@pytest.mark.parametrize("name", ["~/runs.parquet", "file:/runs.parquet", "http:/runs.parquet"])
def test_a_name_is_no_address(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path is the file at that path, not one at home and not one elsewhere."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    _parquet(tmp_path / "home" / "runs.parquet", "SELECT 'v36' AS release, 'ok' AS status FROM range(9)")
    Path(name).parent.mkdir()
    _parquet(tmp_path / name, "SELECT 'v36' AS release, 'ok' AS status")

    assert read(name).releases == {"v36": 1}


@pytest.mark.clause("BU-06")
@pytest.mark.parametrize("name", [b"caf\xe9.parquet", rb"r\*.parquet"])
def test_a_name_that_cannot_be_handed_on_is_refused(name: bytes, tmp_path: Path) -> None:
    """A file whose name DuckDB cannot take is a mistake of the call."""
    path = os.fsdecode(os.fsencode(tmp_path) + b"/" + name)
    Path(path).write_bytes(b"PAR1")

    assert isinstance(refusal(path), UsageError)


@pytest.mark.clause("BU-05")
@pytest.mark.parametrize("field", ["run_id", "probe_id", "cost", "release"])
def test_a_long_text_is_refused_in_bounded_memory(field: str, tmp_path: Path) -> None:
    """A dictionary of one long text, repeated for each of many rows, does not unfold into memory."""
    columns = {"release": "'v36'", "status": "'ok'", field: "repeat('x', 40000)"}
    selected = ", ".join(f"{sql} AS {name}" for name, sql in columns.items())
    path = _parquet(tmp_path / "runs.parquet", f"SELECT {selected} FROM range(65536)")
    script = (
        "import sys; from lockgate.core.intake import Question; from lockgate.wiring import run_files; "
        "question = Question(baseline='v36', candidate='b', paired_fields=('latency_ms',)); "
        "run_files().read([sys.argv[1]], question, print)"
    )

    ran = subprocess.run(
        [sys.executable, "-c", script, path],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (ROOM, ROOM)),
    )

    assert Path(path).stat().st_size < 100_000
    assert f":row 1: {field} is 'xxx" in ran.stderr
    assert "lockgate.errors.DataError: 65,536 runs cannot be read" in ran.stderr


@pytest.mark.clause("BU-05")
def test_a_text_is_long_by_its_characters(tmp_path: Path) -> None:
    """The bound is the same number of characters in every script."""
    path = _parquet(tmp_path / "a.parquet", "SELECT 'v36' AS release, 'ok' AS status, repeat('é', 1000) AS run_id")
    longer = _parquet(tmp_path / "b.parquet", "SELECT 'v36' AS release, 'ok' AS status, repeat('é', 1001) AS run_id")

    assert read(path).releases == {"v36": 1}
    assert "at most 1,000 characters" in refusal(longer).message


@pytest.mark.clause("BU-03")
def test_a_thousand_names_of_scores_are_enough(tmp_path: Path) -> None:
    """A table with a column too many is refused before its rows are read."""
    columns = ", ".join(f'1 AS "scores.s{number}"' for number in range(1_001))
    path = _parquet(tmp_path / "runs.parquet", f"SELECT 'v36' AS release, {columns}")

    assert refusal(path).message == f"{path}: more than 1,000 names of scores; at most so many are tallied"


@pytest.mark.clause("BU-05")
def test_a_name_that_is_no_text_is_refused(tmp_path: Path) -> None:
    """A column's name in broken UTF-8 is bad data, not a fault of Lockgate's."""
    path = Path(_parquet(tmp_path / "runs.parquet", "SELECT 'v36' AS release, 'ok' AS status, 1 AS qqqqq"))
    path.write_bytes(path.read_bytes().replace(b"qqqqq", b"qq\xff\xfeq"))

    error = refusal(path)

    assert isinstance(error, DataError)
    assert str(path) in error.message


@pytest.mark.clause("BU-05")
def test_a_column_that_stands_for_the_place_of_a_row_is_refused(tmp_path: Path) -> None:
    """The message says which column to rename."""
    path = _parquet(tmp_path / "runs.parquet", "SELECT 'v36' AS release, 'ok' AS status, 1 AS FILE_row_number")

    assert "a column is named file_row_number" in refusal(path).message


@pytest.mark.clause("BU-01")
def test_statistics_in_the_footer_hide_no_run(tmp_path: Path) -> None:
    """The rows are counted as they are, not as their summary says."""
    query = "SELECT CASE WHEN i % 2 = 0 THEN 'v36' ELSE 'v37' END AS release, 'error' AS status FROM range(10) t(i)"
    path = Path(_parquet(tmp_path / "runs.parquet", query, ", COMPRESSION uncompressed, DICTIONARY_SIZE_LIMIT 1"))
    data = path.read_bytes()
    footer = data.rfind(b"v37") - 400
    path.write_bytes(data[:footer] + data[footer:].replace(b"v36", b"zzz").replace(b"v37", b"zzz"))

    intake = read(path, question=QUESTION)

    assert intake.releases == {"v36": 5, "v37": 5}
    assert intake.bucket("v36").runs == 5
