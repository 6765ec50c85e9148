# SPDX-License-Identifier: Apache-2.0
"""Files of runs to be kept come in, in every format; the same batches come out, or one error and none of them."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import duckdb
import pytest

from lockgate.adapters.decoders import stored_files
from lockgate.adapters.decoders.file import RunFile, Stream
from lockgate.core.batch import RunBatch
from lockgate.errors import DataError, UsageError
from lockgate.wiring import run_batches

RUNS: list[dict[str, Any]] = [
    {
        "app_id": "web",
        "release": f"v{number % 2}",
        "run_id": f"r{number}",
        "started_at": f"2026-11-02T10:00:{number:02d}.250Z",
        "status": "ok" if number % 3 else "error",
        "latency_ms": 100.5 + number,
        "input_tokens": number,
        "cost": "0.0021",
        "scores": {"safe": number % 2 == 0, "groundedness": 0.25},
        "labels": {"intent": "medical"} if number % 2 else {"intent": "billing", "region": "eu"},
        "error_type": "Timeout",
        "unit_id": f"u{number}",
        "probe_id": f"p{number}",
    }
    for number in range(12)
]


def as_lines(runs: list[dict[str, Any]]) -> bytes:
    """Return runs as JSON lines."""
    return "".join(json.dumps(run) + "\n" for run in runs).encode()


def as_table(runs: list[dict[str, Any]], mark: str = ",") -> bytes:
    """Return runs as a CSV with every field."""
    flat = [
        {
            **{name: value for name, value in run.items() if not isinstance(value, dict)},
            **{f"{group}.{name}": member for group in ("scores", "labels") for name, member in run[group].items()},
        }
        for run in runs
    ]
    names = list(dict.fromkeys(name for run in flat for name in run))
    rows = [mark.join(names), *(mark.join(str(run.get(name, "")) for name in names) for run in flat)]
    return ("\n".join(rows) + "\n").encode()


def as_parquet(path: Path, lines: Path, select: str = "*") -> Path:
    """Return runs as Parquet, with the types that DuckDB finds."""
    duckdb.sql(f"COPY (SELECT {select} FROM read_json('{lines}', format='newline_delimited')) TO '{path}'")  # noqa: S608 -- paths and columns of the test
    return path


def write_all(folder: Path) -> dict[str, Path]:
    """Write the same runs in every format."""
    texts = {
        "a.ndjson": as_lines(RUNS),
        "a.json": json.dumps(RUNS, indent=2).encode(),
        "lines.json": as_lines(RUNS),
        "a.csv": as_table(RUNS),
        "a.tsv": as_table(RUNS, "\t"),
        "a.json.gz": gzip.compress(json.dumps(RUNS).encode()),
        "a.csv.gz": gzip.compress(as_table(RUNS)),
    }
    for name, text in texts.items():
        (folder / name).write_bytes(text)
    paths = {name: folder / name for name in texts}
    struct = as_parquet(folder / "struct.parquet", paths["a.ndjson"])
    maps = "* REPLACE (CAST(labels AS MAP(VARCHAR, VARCHAR)) AS labels, CAST(cost AS DECIMAL(18, 6)) AS cost)"
    flat = as_parquet(folder / "map.parquet", paths["a.ndjson"], maps.replace("CAST(labels", "CAST(labels"))
    return {**paths, "struct.parquet": struct, "map.parquet": flat}


def read(*paths: Path, app: str | None = None) -> list[RunBatch]:
    """Return all batches of some files."""
    return list(run_batches().read([str(path) for path in paths], app, lambda _done, _of: None))


def meaning(batch: RunBatch) -> list[tuple[object, ...]]:
    """Return what a batch says of each run."""
    columns = batch.columns
    return [
        (
            batch.groups[batch.group[place]],
            int(batch.started_at[place]),
            batch.ids[place],
            int(columns.statuses[place]),
            sorted((name, int(column[place])) for name, column in columns.values.items()),
            sorted((name, int(column[place])) for name, column in columns.answers.items()),
        )
        for place in range(columns.runs)
    ]


@pytest.mark.clause("LI-65")
def test_every_format_says_the_same(tmp_path: Path) -> None:
    """What is tallied does not depend on how it was written."""
    found = {name: read(path) for name, path in write_all(tmp_path).items()}

    expected = meaning(found["a.ndjson"][0])
    assert len(expected) == len(RUNS)
    for batches in found.values():
        assert [meaning(batch) for batch in batches] == [expected]


@pytest.mark.clause("LI-65")
def test_a_body_holds_the_whole_record_on_lines(tmp_path: Path) -> None:
    """Whatever the format, raw runs are kept as JSON lines, with the fields that nothing measures."""
    for name, path in write_all(tmp_path).items():
        lines = [json.loads(line) for line in read(path)[0].body.splitlines()]

        assert [(line["error_type"], line["unit_id"], line["probe_id"]) for line in lines] == [
            ("Timeout", f"u{number}", f"p{number}") for number in range(len(RUNS))
        ], name


@pytest.mark.clause("LI-65")
def test_the_same_file_gives_the_same_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So a table that is ingested again is known batch by batch."""
    monkeypatch.setattr(stored_files, "BATCH", 1)
    path = tmp_path / "a.csv"
    path.write_text("release,status\n" + "v1,ok\n" * 2_500, encoding="utf-8")

    first, again = read(path, app="web"), read(path, app="web")

    assert [batch.columns.runs for batch in first] == [1_000, 1_000, 500]
    assert [batch.digest for batch in first] == [batch.digest for batch in again]


@pytest.mark.clause("LI-65")
def test_formats_may_be_mixed(tmp_path: Path) -> None:
    """One call takes what there is, in the order in which it is named."""
    paths = write_all(tmp_path)

    batches = read(paths["a.csv"], paths["a.ndjson"], paths["struct.parquet"])

    assert [batch.columns.runs for batch in batches] == [len(RUNS)] * 3


@pytest.mark.clause("BU-201")
def test_a_file_is_read_twice_whatever_is_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once for its faults, and once for its batches."""
    paths = [write_all(tmp_path)[name] for name in ("a.csv", "a.ndjson", "a.json")]
    opened: Counter[str] = Counter()
    real = RunFile.open

    def counted(file: RunFile) -> AbstractContextManager[Stream]:
        opened[file.path] += 1
        return real(file)

    monkeypatch.setattr(RunFile, "open", counted)

    read(*paths)

    assert opened == {str(path): 2 for path in paths}


@pytest.mark.clause("LI-65")
def test_unmeasured_columns_of_a_table_are_kept(tmp_path: Path) -> None:
    """Flags and columns of other names stay with the raw run."""
    path = tmp_path / "a.csv"
    path.write_text("release;status;flags.checkout;shard\nv1;ok;on;7\nv1;ok;;8\n", encoding="utf-8")

    body = read(path, app="web")[0].body

    assert [json.loads(line) for line in body.splitlines()] == [
        {"release": "v1", "status": "ok", "shard": "7", "flags": {"checkout": "on"}},
        {"release": "v1", "status": "ok", "shard": "8"},
    ]


@pytest.mark.clause("LI-66")
@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.csv", "release,status\nv1,ok\nv1,fine\n", r"a\.csv:3: status is \"fine\""),
        ("a.csv", "release,status\nv1,ok\nv1\n", r"a\.csv:3: 1 cell, but the header has 2"),
        ("a.csv", "release,latency_ms\nv1,nan\n", r"a\.csv:2: latency_ms is \"nan\""),
        ("a.csv", "release,status,status\nv1,ok,ok\n", r"a\.csv:1: two columns are named status"),
        ("a.csv", "version,status\nv1,ok\n", r"a\.csv:1: there is no column release"),
        ("a.csv", "release,status,started_at\nv1,ok,yesterday\n", r"a\.csv:2: .*started_at"),
        ("a.tsv", "release\tstatus\nv1\tok\nv1\tfine\n", r"a\.tsv:3: status"),
        (
            "a.json",
            '[{"release": "v1", "status": "ok"}, {"release": "v1", "status": 3}]',
            r"a\.json:run 2: status is 3",
        ),
        ("a.json", '[{"release": "v1", "status": "ok"}', r"a\.json: not an array of runs"),
        ("a.json", '[{"release": "v1", "latency_ms": NaN}]', r"a\.json: not an array of runs"),
        ("a.json", '{"release": "v1", "status": "ok"}\n{"status": "ok"}\n', r"a\.json:2: release is missing"),
    ],
)
def test_a_fault_is_named_by_its_place(tmp_path: Path, name: str, text: str, message: str) -> None:
    """And nothing comes out, not even of the sound file before it."""
    (tmp_path / "sound.csv").write_text("release,status\nv1,ok\n", encoding="utf-8")
    (tmp_path / name).write_text(text, encoding="utf-8")

    with pytest.raises(DataError, match=message) as caught:
        next(run_batches().read([str(tmp_path / "sound.csv"), str(tmp_path / name)], "web", lambda _done, _of: None))

    assert "nothing was stored" in caught.value.advice


@pytest.mark.clause("LI-66")
@pytest.mark.parametrize(
    ("select", "message"),
    [
        ("'v1' AS release, 'slow' AS latency_ms", "column latency_ms is of type VARCHAR"),
        ("'v1' AS version, 'ok' AS status", "there is no column release"),
        ("'v1' AS release, 'ok' AS status, 7 AS app_id", "column app_id is of type INTEGER"),
        ("'v1' AS release, 'ok' AS status, 7 AS started_at", "column started_at is of type INTEGER"),
        ("'v1' AS release, 'nan'::DOUBLE AS latency_ms", 'row 1: latency_ms is "nan"'),
        ("unnest(['v1', '']) AS release, 'ok' AS status", 'row 2: release is ""'),
    ],
)
def test_a_column_of_parquet_is_of_its_type(tmp_path: Path, select: str, message: str) -> None:
    """A table of something else is refused by the name of its column."""
    path = tmp_path / "a.parquet"
    duckdb.sql(f"COPY (SELECT {select}) TO '{path}'")

    with pytest.raises(DataError, match=message):
        read(path, app="web")


@pytest.mark.clause("LI-66")
def test_a_time_without_a_zone_is_in_utc_in_parquet(tmp_path: Path) -> None:
    """Tables seldom name a zone; text has to."""
    moments = "unnest([TIMESTAMP '2026-11-02 10:00:00.5', NULL]) AS started_at"
    zoned = "TIMESTAMPTZ '2026-11-02 12:00:00.5+02:00' AS started_at"
    for name, moment in (("a", moments), ("b", zoned)):
        duckdb.sql(f"COPY (SELECT 'v1' AS release, 'ok' AS status, {moment}) TO '{tmp_path / name}.parquet'")

    found = [read(tmp_path / f"{name}.parquet", app="web")[0].started_at.tolist()[0] for name in ("a", "b")]

    assert found == [1793613600500, 1793613600500]


@pytest.mark.clause("LI-66")
def test_what_is_no_file_of_runs_is_refused(tmp_path: Path) -> None:
    """Nothing is guessed from the content, and a file that was cut short is none."""
    (tmp_path / "a.xml").write_text("<runs/>", encoding="utf-8")
    (tmp_path / "cut.csv.gz").write_bytes(gzip.compress(as_table(RUNS))[:-9])
    (tmp_path / "a.parquet").write_bytes(b"PAR1 nothing")
    (tmp_path / "latin.csv").write_bytes("release,status,shard\nv1,ok,é\n".encode("latin-1"))

    with pytest.raises(UsageError, match="has no known format"):
        read(tmp_path / "a.xml")
    for name, message in (("cut.csv.gz", "cannot read"), ("a.parquet", "cannot read"), ("latin.csv", "not UTF-8")):
        with pytest.raises(DataError, match=message):
            read(tmp_path / name, app="web")


@pytest.mark.clause("LI-66")
def test_faults_beyond_ten_are_counted(tmp_path: Path) -> None:
    """A file that is wrong throughout does not fill the screen."""
    path = tmp_path / "a.csv"
    path.write_text("release,status\n" + "v1,fine\n" * 30, encoding="utf-8")

    with pytest.raises(DataError, match="30 runs cannot be read") as caught:
        read(path, app="web")

    assert "and 20 more" in caught.value.message
