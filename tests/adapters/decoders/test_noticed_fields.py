# SPDX-License-Identifier: Apache-2.0
"""Runs with fields and names that nobody asked for come in; what reading notices of them must go out."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from lockgate.core.bucket import Events
from lockgate.core.intake import WHOLE, Question
from tests.adapters.decoders.reading_files import QUESTION, read, write

MEDICAL = (("intent", "medical"),)
LINES = (
    '{"release": "v36", "status": "ok", "latency_ms": 5, "labels": {"intent": "medical"}}\n'
    '{"release": "abc123", "status": "ok", "latency": 5, "answer": "yes", "labels": {"region": "eu"}}\n'
)
TABLE = (
    "release,status,latency_ms,latency,answer,labels.intent,labels.region\nv36,ok,5,,,medical,\nabc123,ok,,5,yes,,eu\n"
)


def parquet(folder: Path, select: str) -> Path:
    """Write the rows of a query."""
    path = folder / "runs.parquet"
    with duckdb.connect() as connection:
        connection.execute(f"COPY ({select}) TO '{path}' (FORMAT parquet)")
    return path


def table_file(folder: Path, suffix: str) -> Path:
    """Write the same two runs in a format."""
    if suffix == ".parquet":
        return parquet(folder, f"FROM read_csv('{write(folder, TABLE, '.csv')}')")
    return write(folder, LINES if suffix == ".ndjson" else TABLE, suffix)


@pytest.mark.clause("BU-08")
@pytest.mark.parametrize("suffix", [".ndjson", ".csv", ".parquet"])
def test_a_field_that_is_nearly_read_is_noticed(tmp_path: Path, suffix: str) -> None:
    """A slip in a field's name is told with what it may be meant to be; other fields are let through."""
    path = table_file(tmp_path, suffix)

    intake = read(path)

    assert intake.strangers == {"latency": "latency_ms"}


@pytest.mark.clause("BU-08")
@pytest.mark.parametrize("suffix", [".ndjson", ".csv", ".parquet"])
def test_names_of_labels_are_noticed_where_slices_are_asked_for(tmp_path: Path, suffix: str) -> None:
    """So that a slice that nobody can be in is told from one that nobody happens to be in."""
    path = table_file(tmp_path, suffix)

    intake = read(path, question=Question(baseline="v36", candidate="abc123", slices=(WHOLE, MEDICAL)))

    assert intake.labels == {"intent", "region"}
    assert read(path).labels == frozenset()


@pytest.mark.clause("BU-08")
def test_labels_in_a_map_are_noticed(tmp_path: Path) -> None:
    """A map names its labels in each row."""
    path = parquet(tmp_path, "SELECT 'v36' AS release, 'ok' AS status, map {'intent': 'medical'} AS labels")

    intake = read(path, question=Question(baseline="v36", candidate="abc123", slices=(WHOLE, MEDICAL)))

    assert intake.labels == {"intent"}


@pytest.mark.clause("BU-09")
@pytest.mark.parametrize("suffix", [".ndjson", ".json", ".csv", ".parquet"])
def test_a_release_may_be_a_whole_number(tmp_path: Path, suffix: str) -> None:
    """The number of a build is a name in every format."""
    texts = {
        ".ndjson": '{"release": 36, "status": "ok"}\n{"release": "37", "status": "error"}\n',
        ".json": '[{"release": 36, "status": "ok"}, {"release": "37", "status": "error"}]',
        ".csv": "release,status\n36,ok\n37,error\n",
    }
    rows = "SELECT 36 AS release, 'ok' AS status UNION ALL SELECT 37, 'error'"
    path = parquet(tmp_path, rows) if suffix == ".parquet" else write(tmp_path, texts[suffix], suffix)

    intake = read(path, question=Question(baseline="36", candidate="37"))

    assert intake.releases == {"36": 1, "37": 1}
    assert [intake.bucket(name).events["error_rate"] for name in ("36", "37")] == [Events(1, 0), Events(1, 1)]


@pytest.mark.clause("BU-08")
def test_only_the_first_runs_of_a_release_are_looked_at(tmp_path: Path) -> None:
    """What a log adds to every run shows at once; reading stays as fast as it is."""
    usual = '{"release": "v36", "status": "ok"}\n'
    path = write(tmp_path, usual * 100 + '{"release": "v36", "status": "ok", "latency": 5}\n')

    intake = read(path, question=QUESTION)

    assert intake.strangers == {}
