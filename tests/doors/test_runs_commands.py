# SPDX-License-Identifier: Apache-2.0
"""`lockgate ingest`, `runs` and `prune` as somebody calls them: docs/spec.md, The line, Runs and Retention."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from tests.doors.line import APP, Door, write_runs

DAMAGED = {
    "app.ndjson": (b'{"app_id": "two words", "release": "v1", "status": "ok"}\n', "not the name of an app"),
    "release.ndjson": (b'{"release": "-", "status": "ok"}\n', "not the name of a release"),
    "future.ndjson": (b'{"release": "v1", "status": "ok", "started_at": "2100-01-01T00:00:00Z"}\n', "in the future"),
    "past.ndjson": (b'{"release": "v1", "status": "ok", "started_at": "2001-01-01T00:00:00Z"}\n', "longer ago"),
    "two.ndjson": (
        b'{"release": "v1", "status": "ok", "run_id": "a"}\n{"release": "v2", "status": "ok", "run_id": "a"}\n',
        "of release v1 and of release v2",
    ),
    "latin.ndjson": (b'{"release": "v1", "status": "ok", "error_type": "\xe9"}\n', "not UTF-8"),
    "empty.ndjson": (b"", "there are no runs"),
    "head.csv": (b"release,status\n", "there are no runs"),
    "nan.ndjson": (b'{"release": "v1", "latency_ms": NaN}\n', "NaN and Infinity are no JSON"),
    "type.ndjson": (b'{"release": "v1", "latency_ms": "fast"}\n', 'latency_ms is "fast"; it must be a number'),
    "when.ndjson": (b'{"release": "v1", "status": "ok", "started_at": 17}\n', "started_at"),
    "cut.ndjson.gz": (gzip.compress(b'{"release": "v1", "status": "ok"}\n' * 9)[:-9], "cannot read"),
    "a.parquet": (b"PAR1", "cannot read"),
    "wide.csv": (b"release,status\nv1,ok,17\n", "3 cells, but the header has 2"),
    "long.ndjson": (b'{"release": "v1", "status": "ok", "x": "' + b"x" * (1 << 20) + b'"}\n', "longer than 1 MiB"),
}


@pytest.mark.clause("LI-75")
@pytest.mark.parametrize("name", DAMAGED)
def test_bad_input_is_refused_by_name_and_nothing_is_stored(door: Door, tmp_path: Path, name: str) -> None:
    """Each with its own message, and one exit code for all of them."""
    text, message = DAMAGED[name]
    (tmp_path / name).write_bytes(text)

    code = door("ingest", "--app-id", APP, tmp_path / name)

    assert (code, message in door.err) == (65, True), door.err
    assert door("runs", "--app-id", APP) == 64
    assert "No app is known yet" in door.err


@pytest.mark.clause("LI-75")
def test_a_run_that_cannot_be_meant_stops_the_batches_before_it(
    door: Door, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A long file is kept batch by batch, and nothing of it before all of it was looked at."""
    monkeypatch.setattr("lockgate.adapters.decoders.stored_runs.BATCH", 1)
    path = tmp_path / "runs.ndjson"
    run = '{"release": "v1", "status": "ok"}\n'
    path.write_text(run * 20_000 + run.replace("}", ', "started_at": "2100-01-01T00:00:00Z"}'), encoding="utf-8")

    code = door("ingest", "--app-id", APP, path)

    assert (code, "in the future" in door.err) == (65, True)
    assert door("runs", "--app-id", APP) == 64


@pytest.mark.clause("LI-76")
def test_an_import_opens_a_bounded_number_of_buckets(
    door: Door, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is spread over more is refused whole, with what to do."""
    monkeypatch.setattr("lockgate.operations.intake.import_check.MAX_SLOTS", 30)
    thirty = write_runs(tmp_path / "a.ndjson", {"v36": 0.01}, runs=300, minutes=28)
    more = write_runs(tmp_path / "b.ndjson", {"v36": 0.01}, runs=300, minutes=40)

    codes = [door("ingest", path) for path in (more, thirty)]

    assert codes == [65, 0]


@pytest.mark.clause("LI-75")
def test_of_a_field_that_is_there_twice_the_last_counts(door: Door, tmp_path: Path) -> None:
    """As most readers of JSON have it."""
    path = tmp_path / "twice.ndjson"
    path.write_text('{"release": "v1", "status": "ok", "status": "error"}\n', encoding="utf-8")

    door("ingest", "--app-id", APP, path)

    assert [each["run"]["status"] for each in door.read("runs", "--app-id", APP, "--json")["runs"]] == ["error"]


@pytest.mark.clause("LI-75")
def test_a_format_that_is_unknown_is_a_slip_of_the_caller(door: Door, tmp_path: Path) -> None:
    """Like a file that is not there, or a folder."""
    (tmp_path / "a.xml").write_text("<runs/>", encoding="utf-8")

    codes = [door("ingest", tmp_path / name) for name in ("a.xml", "none.csv", "")]

    assert codes == [64, 64, 64]


@pytest.mark.clause("LI-06")
def test_runs_without_room_for_their_labels_are_told(door: Door, tmp_path: Path) -> None:
    """In words and as a number."""
    path = tmp_path / "runs.ndjson"
    lines = (json.dumps({"release": "v1", "status": "ok", "labels": {"user": str(number)}}) for number in range(70))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")

    door("ingest", "--app-id", APP, path)

    assert "6 runs tallied in the whole and in no slice" in door.out
    path.write_text(path.read_text(encoding="utf-8").replace("v1", "v2"), encoding="utf-8")
    assert door.read("ingest", "--app-id", APP, path, "--json")["other"] == 6


@pytest.mark.clause("LI-68")
def test_the_rule_of_ids_is_set_by_a_call(door: Door, tmp_path: Path) -> None:
    """And what cannot be meant is refused."""
    path = write_runs(tmp_path / "runs.ndjson", {"v36": 0.01}, runs=20)
    more = write_runs(tmp_path / "more.ndjson", {"v36": 0.01, "abc123": 0.01}, runs=20)

    first = door("ingest", path, "--dedupe", "strict")
    again = door.read("ingest", more, "--json")

    assert (first, again["runs"], again["duplicates"]) == (0, 20, 20)
    assert door("ingest", write_runs(tmp_path / "x.ndjson", {"x": 0.1}, runs=2), "--dedupe-window", "5m") == 64
    assert "cannot be taken back" in door.err
    for words in (("--dedupe", "strict", "--dedupe-window", "5m"), ("--dedupe-window", "2d"), ("--dedupe", "always")):
        assert door("ingest", path, *words) == 64


@pytest.mark.clause("LI-70")
def test_examples_are_shown_one_a_line(door: Door, tmp_path: Path) -> None:
    """With what they say, made printable."""
    path = tmp_path / "runs.ndjson"
    run = {"release": "v36", "status": "error", "run_id": "r1", "error_type": "\x1b[31mred", "labels": {"intent": "x"}}
    path.write_text(json.dumps(run) + '\n{"release": "v36", "status": "ok", "run_id": "r2"}\n', encoding="utf-8")
    door("ingest", "--app-id", APP, path)

    code = door("runs", "--app-id", APP, "--release", "v36", "--status", "error", "--since", "1h", "--limit", 5)

    lines = door.out.splitlines()
    assert (code, len(lines)) == (0, 1)
    assert "r1" in lines[0]
    assert "labels.intent=x" in lines[0]
    assert "\x1b" not in lines[0]
    door("runs", "--app-id", APP, "--release", "v37")
    assert door.out == "No such run is kept.\n"


@pytest.mark.clause("LI-71")
def test_prune_says_what_it_dropped(door: Door, tmp_path: Path) -> None:
    """In words and as JSON; what is young stays."""
    door("ingest", write_runs(tmp_path / "runs.ndjson", {"v36": 0.01}, runs=20))

    code = door("prune", "--keep-raw", "36h", "--keep-buckets", "400d", "--save")
    words = door.out
    found = door.read("prune", "--dry-run", "--json")

    assert code == 0
    assert "Dropped 0 segments of raw runs older than 36h." in words
    assert (found["keep_raw_s"], found["raw"], found["dry_run"], found["pins"]) == (36 * 3_600, 0, True, [])
    assert door("prune", "--keep-raw", "soon") == 64
    assert door("prune", "--release-pins", "rol_none") == 64
