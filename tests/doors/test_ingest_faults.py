# SPDX-License-Identifier: Apache-2.0
"""Files with a fault as somebody ingests them: docs/spec.md, The line, Runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from tests.doors.line import APP, Door

GOOD: dict[str, object] = {"release": "v1", "status": "ok", "run_id": "a"}
HEAD = ("release", "status", "run_id", "started_at", "app_id")


def as_lines(runs: list[dict[str, object]]) -> str:
    """Return runs as JSON lines, a blank one before the last."""
    lines = [json.dumps(run) for run in runs]
    return "\n".join([*lines[:-1], "", lines[-1]]) + "\n"


def as_table(runs: list[dict[str, object]]) -> str:
    """Return runs as a table."""
    rows = [",".join(str(run.get(name, "")) for name in HEAD) for run in runs]
    return "\n".join([",".join(HEAD), *rows]) + "\n"


@pytest.mark.clause("LI-467")
@pytest.mark.parametrize(("name", "write"), [("r.ndjson", as_lines), ("r.csv", as_table)])
@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"started_at": "2100-01-01T00:00:00Z"}, "a run started at 2100-01-01T00:00:00.000Z, which is in the future"),
        ({"started_at": "9999-12-31T23:59:59Z"}, "a run started at 9999-12-31T23:59:59.000Z, which is in the future"),
        ({"started_at": "2001-01-01T00:00:00Z"}, "a run started at 2001-01-01T00:00:00.000Z, which is longer ago"),
        ({"release": "-"}, "'-' is not the name of a release"),
        ({"release": "v2", "run_id": "a"}, "run a of claims-agent is of release v1 and of release v2"),
        ({"started_at": "2026-11-21 15:00"}, "RFC 3339 with zone, such as 2026-11-21T15:00:00Z"),
        ({"started_at": "yesterday"}, 'started_at is "yesterday"; it must be RFC 3339 with zone'),
    ],
)
def test_a_fault_names_file_and_line(
    wrong: dict[str, object],
    said: str,
    name: str,
    write: Callable[[list[dict[str, object]]], str],
    door: Door,
    tmp_path: Path,
) -> None:
    """In words of our own, whatever is wrong and wherever it is found."""
    runs: list[dict[str, object]] = [GOOD, {**GOOD, "run_id": "b", **wrong}]
    path = tmp_path / name
    path.write_text(write(runs), encoding="utf-8")

    code = door("ingest", "--app-id", APP, path)

    assert code == 65
    assert f"{path}:3: " in door.err
    assert said in door.err
    assert "`$" not in door.err


@pytest.mark.clause("LI-467")
def test_the_time_that_never_comes_is_no_time(door: Door, tmp_path: Path) -> None:
    """Parquet can write it; it is not a run without a time."""
    path = tmp_path / "r.parquet"
    duckdb.execute(f"COPY (SELECT 'v1' AS release, 'ok' AS status, 'infinity'::TIMESTAMPTZ AS started_at) TO '{path}'")

    assert door("ingest", "--app-id", APP, path) == 65
    assert 'row 1: started_at is "infinity"' in door.err
