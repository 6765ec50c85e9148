# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: S608 -- names and paths are the test's own
"""Runs come in; a file of each format that holds them goes out."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import duckdb

from lockgate.core.run import Run

TEXTS = ("run_id", "app_id", "started_at", "status", "error_type", "currency", "unit_id", "probe_id", "environment")
NUMBERS = ("latency_ms", "ttft_ms", "input_tokens", "output_tokens")
FIELDS = ("release", *TEXTS, *NUMBERS, "cost")
Writer = Callable[[Sequence[Run], Path], Path]


def record(run: Run) -> dict[str, object]:
    """Return the JSON form of a run without what it does not say."""
    fields: dict[str, object] = {name: getattr(run, name) for name in ("release", *TEXTS, *NUMBERS)}
    fields["cost"] = None if run.cost is None else str(run.cost)
    fields["scores"] = {name: score.value for name, score in run.scores.items()}
    fields["labels"] = dict(run.labels)
    return {name: value for name, value in fields.items() if value not in (None, {})}


def write_ndjson(runs: Sequence[Run], path: Path) -> Path:
    """Write one object on each line."""
    return _write(path, ".ndjson", "".join(json.dumps(record(run)) + "\n" for run in runs))


def write_crlf(runs: Sequence[Run], path: Path) -> Path:
    """Write as Windows tools do: byte order mark, CR LF, blank lines, no newline at the end."""
    text = "\r\n\r\n".join(json.dumps(record(run), ensure_ascii=False) for run in runs)
    return _write(path, ".jsonl", f"\ufeff{text}")


def write_gzip(runs: Sequence[Run], path: Path) -> Path:
    """Write compressed lines, scores as objects and costs as numbers."""
    lines = [record(run) | {"nothing": None} for run in runs]
    for line, run in zip(lines, runs, strict=True):
        line |= {"scores": {name: {"value": score.value, "evaluator": "e"} for name, score in run.scores.items()}}
        line |= {"cost": None if run.cost is None else float(run.cost)}
    target = path.with_suffix(".ndjson.gz")
    target.write_bytes(gzip.compress("".join(json.dumps(line) + "\n" for line in lines).encode()))
    return target


def write_array(runs: Sequence[Run], path: Path) -> Path:
    """Write an indented JSON array."""
    return _write(path, ".json", json.dumps([record(run) for run in runs], indent=2))


def write_csv(runs: Sequence[Run], path: Path) -> Path:
    """Write a table with a column for each score and label."""
    return _write_table(runs, path.with_suffix(".csv"), ",")


def write_tsv(runs: Sequence[Run], path: Path) -> Path:
    """Write the table with tabs."""
    return _write_table(runs, path.with_suffix(".tsv"), "\t")


def write_parquet(runs: Sequence[Run], path: Path) -> Path:
    """Write Parquet with scores as a struct and labels as a map."""
    scores = sorted({name for run in runs for name in run.scores})
    kinds = {name: _score_type(runs, name) for name in scores}
    struct = "STRUCT(" + ", ".join(f'"{name}" {kind}' for name, kind in kinds.items()) + ")"
    return _to_parquet(runs, path, {"scores": struct} if scores else {}, {"labels": "MAP(VARCHAR, VARCHAR)"}, "*")


def write_flat_parquet(runs: Sequence[Run], path: Path) -> Path:
    """Write Parquet with a column for each score and label, costs as decimals, small row groups."""
    scores = sorted({name for run in runs for name in run.scores})
    kinds = {name: _score_type(runs, name) for name in scores}
    struct = "STRUCT(" + ", ".join(f'"{name}" {kind}' for name, kind in kinds.items()) + ")"
    labels = sorted({name for run in runs for name in run.labels})
    columns = [f'scores."{name}" AS "scores.{name}"' for name in scores]
    columns += [f"labels['{name}'] AS \"labels.{name}\"" for name in labels]
    select = ", ".join([*FIELDS[:-1], "CAST(cost AS DECIMAL(38, 10)) AS cost", *columns])
    return _to_parquet(runs, path, {"scores": struct} if scores else {}, {"labels": "MAP(VARCHAR, VARCHAR)"}, select)


def _score_type(runs: Sequence[Run], name: str) -> str:
    values = [run.scores[name].value for run in runs if name in run.scores]
    return "BOOLEAN" if all(isinstance(value, bool) for value in values) else "DOUBLE"


def _to_parquet(runs: Sequence[Run], path: Path, scores: dict[str, str], labels: dict[str, str], select: str) -> Path:
    target = path.with_suffix(".parquet")
    source = write_ndjson(runs, path.with_name(f"{path.name}-source"))
    types = dict.fromkeys(("release", *TEXTS, "cost"), "VARCHAR")
    types |= {"latency_ms": "DOUBLE", "ttft_ms": "DOUBLE", "input_tokens": "BIGINT", "output_tokens": "INTEGER"}
    columns = ", ".join(f"{name}: '{kind}'" for name, kind in (types | scores | labels).items())
    with duckdb.connect() as connection:
        connection.execute(
            f"COPY (SELECT {select} FROM read_json('{source}', format = 'newline_delimited', columns = {{{columns}}}))"
            f" TO '{target}' (FORMAT parquet, ROW_GROUP_SIZE 2048)"
        )
    source.unlink()
    return target


def _write(path: Path, suffix: str, text: str) -> Path:
    target = path.with_suffix(suffix)
    target.write_bytes(text.encode())
    return target


def _write_table(runs: Sequence[Run], target: Path, mark: str) -> Path:
    scores = sorted({name for run in runs for name in run.scores})
    labels = sorted({name for run in runs for name in run.labels})
    with target.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, delimiter=mark)
        table.writerow([*FIELDS, *(f"scores.{name}" for name in scores), *(f"labels.{name}" for name in labels)])
        for run in runs:
            plain = [getattr(run, name) for name in FIELDS]
            table.writerow(
                [*plain, *(_value(run, name) for name in scores), *(run.labels.get(name) for name in labels)]
            )
    return target


def _value(run: Run, name: str) -> float | bool | None:
    return run.scores[name].value if name in run.scores else None
