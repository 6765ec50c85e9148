# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: S608 -- the paths are the test's own
"""Paths come in; which files are read, which runs count, and what is refused is held here."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import duckdb
import pytest

from lockgate.adapters.decoders.lines import LongLineError, chunks
from lockgate.core.bucket import Values
from lockgate.core.intake import Question
from lockgate.errors import DataError, UsageError
from lockgate.wiring import run_files
from tests.adapters.decoders.reading_files import GOOD, QUESTION, read, read_text, refusal, write

RUNS = '{"release":"v36","latency_ms":1}\n{"release":"abc123","latency_ms":2}\n'


@pytest.mark.clause("BU-06")
def test_a_glob_names_its_files(tmp_path: Path) -> None:
    """A pattern stands for the files that match, in the order of their names, and for no folder."""
    (tmp_path / "b.ndjson").write_text(RUNS)
    (tmp_path / "a.ndjson").write_text(RUNS)
    (tmp_path / "c.ndjson").mkdir()

    intake = read(tmp_path / "*.ndjson")

    assert intake.files == (str(tmp_path / "a.ndjson"), str(tmp_path / "b.ndjson"))
    assert intake.bucket("v36").runs == 2


@pytest.mark.clause("BU-06")
def test_a_file_named_twice_is_read_once(tmp_path: Path) -> None:
    """Overlapping patterns and links do not count runs without an id twice."""
    path = write(tmp_path, RUNS)
    link = tmp_path / "link.ndjson"
    link.symlink_to(path)

    intake = read(path, tmp_path / "*.ndjson", link)

    assert (intake.bucket("v36").runs, len(intake.files)) == (1, 1)


@pytest.mark.clause("BU-06")
def test_a_name_that_looks_like_a_pattern_or_sql_is_a_name(tmp_path: Path) -> None:
    """Quotes, brackets and stars in the name of a file that is there mean themselves."""
    names = ["it's [1].parquet", "a*b?.parquet", 'x"; DROP.parquet']
    for name in names:
        duckdb.execute(
            "COPY (SELECT 'v36' AS release, 1 AS latency_ms) TO 'x.parquet'".replace("x.p", f"{tmp_path}/x.p")
        )
        (tmp_path / "x.parquet").rename(tmp_path / name)
    (tmp_path / "it's 1.parquet").write_text("not to be read")

    intake = read(*(tmp_path / name for name in names))

    assert intake.bucket("v36").runs == 3


@pytest.mark.clause("BU-03")
def test_names_of_releases_and_labels_are_values_not_sql(tmp_path: Path) -> None:
    """Quotes in what is asked for reach no statement."""
    path = tmp_path / "runs.parquet"
    duckdb.execute(f"COPY (SELECT 'it''s' AS release, 1 AS latency_ms, MAP {{'a''b': 'c''d'}} AS labels) TO '{path}'")
    part = (("a'b", "c'd"),)

    intake = read(path, question=Question(baseline="it's", candidate="' OR true --", slices=((), part)))

    assert (intake.bucket("it's", part).runs, intake.bucket("' OR true --").runs) == (1, 0)


@pytest.mark.clause("BU-06")
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("*.nothing", "no file matches "),
        ("none.ndjson", "cannot read "),
        (".", " is a folder"),
        ("runs.txt", " has no known format"),
        ("a\0b", "cannot read "),
    ],
)
def test_a_path_that_cannot_be_meant_is_a_mistake_of_the_call(name: str, message: str, tmp_path: Path) -> None:
    """The error says what the path is and what to write instead."""
    write(tmp_path, "", ".txt")

    error = refusal(f"{tmp_path}/{name}")

    assert isinstance(error, UsageError)
    assert message in error.message


@pytest.mark.clause("BU-06")
def test_no_path_is_a_mistake_of_the_call() -> None:
    """Nothing to read is not an empty answer."""
    assert isinstance(refusal(), UsageError)


@pytest.mark.clause("BU-06")
def test_an_unreadable_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the system refuses is bad data with the system's reason."""
    path = write(tmp_path, RUNS)

    def refuse(*_: object, **__: object) -> io.BytesIO:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", refuse)
    error = refusal(path)

    assert isinstance(error, DataError)
    assert error.message == f"cannot read {path}: Permission denied"


@pytest.mark.clause("BU-06")
@pytest.mark.parametrize("text", [RUNS, "", f"\ufeff{RUNS}", RUNS.rstrip("\n"), RUNS.replace("\n", "\r\n\r\n")])
def test_standard_input_is_lines_of_json(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """`-` reads what is piped in."""
    stdin = io.TextIOWrapper(io.BytesIO(text.encode()))
    monkeypatch.setattr(sys, "stdin", stdin)

    intake = read("-")

    assert intake.files == ("standard input",)
    assert intake.bucket("v36").runs == len(text.split("v36")) - 1


@pytest.mark.clause("BU-06")
def test_a_pipe_is_read_as_standard_input_is(tmp_path: Path) -> None:
    """What a shell hands over as `<(command)` has no suffix and no size; its ids are compared too."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    line = '{"release":"v36","run_id":"a","status":"ok"}\n'
    writer = threading.Thread(target=lambda: pipe.write_text(line * 3))
    writer.start()

    intake = read(pipe)

    writer.join()
    assert (intake.bucket("v36").runs, intake.duplicates) == (1, 2)


@pytest.mark.clause("BU-04")
def test_ids_are_compared_by_their_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two ids that share a mark are two ids: the second reading compares what is written."""
    monkeypatch.setattr("lockgate.adapters.decoders.row_columns.hash", lambda _: 7, raising=False)
    ids = ["a", "b", "a", "c", "b", None, None, "", 1, "1"]
    path = write(
        tmp_path,
        "".join(json.dumps({"release": "v36", "run_id": one, "latency_ms": n}) + "\n" for n, one in enumerate(ids)),
    )

    intake = read(path)

    assert intake.duplicates == 3
    assert intake.bucket("v36").values["latency_ms"].total == (0 + 1 + 3 + 5 + 6 + 7 + 8) * 1_000_000


@pytest.mark.clause("BU-04")
def test_a_file_that_grows_while_it_is_read_is_refused(tmp_path: Path) -> None:
    """Ids of what is added between two readings would not be compared."""
    path = write(tmp_path, RUNS)
    told: list[int] = []

    def grow(done: int, _total: int | None) -> None:
        if not told:
            told.append(done)
            with path.open("a") as file:
                file.write(RUNS)

    with pytest.raises(DataError, match="changed while it was read"):
        run_files().read([str(path)], QUESTION, grow)


@pytest.mark.clause("BU-02")
@pytest.mark.parametrize(
    ("cost", "micro"),
    [
        ('"0.1"', 100_000),
        ("0.1", 100_000),
        ('"0.0000005"', 0),
        ("0.0000005", 0),
        ("0.0000015", 2),
        ('"1.0000005"', 1_000_000),
        ("1.0000005", 1_000_000),
        ("1.0000015", 1_000_002),
        ('"123456789012.345675"', 123_456_789_012_345_675),
        ("4194304.1234565", 4_194_304_123_456),
        ('"1e3"', 1_000_000_000),
        ("1000000000000", 10**18),
    ],
)
def test_a_cost_is_the_decimal_that_is_written(cost: str, micro: int, tmp_path: Path) -> None:
    """To the millionth, ties to even, as text and as a number that a float can tell from its neighbours."""
    bucket = read_text(tmp_path, f'{{"release":"v36","cost":{cost}}}\n')

    assert bucket.values["cost"].total == micro


@pytest.mark.clause("BU-02")
def test_whole_numbers_may_have_gone_through_a_table(tmp_path: Path) -> None:
    """12.0 tokens are 12 tokens."""
    bucket = read_text(tmp_path, '{"release":"v36","input_tokens":12.0}\n{"release":"v36","input_tokens":12}\n')

    assert bucket.values["input_tokens"].total == 24_000_000


@pytest.mark.clause("BU-02")
def test_a_score_may_be_true_in_one_run_and_a_number_in_another(tmp_path: Path) -> None:
    """True and false count as events and as 1 and 0; a number only as a value."""
    lines = [
        f'{{"release":"v36","scores":{{"g":{value}}}}}' for value in ("true", "false", "0.5", '{"value":true}', "null")
    ]
    lines[-1] = lines[-1].replace("}}", '},"status":"ok"}')

    bucket = read_text(tmp_path, "\n".join(lines))

    assert bucket.events["scores.g"].document() == [3, 1]
    assert bucket.events["pass_rate"].document() == [3, 1]
    assert (bucket.values["scores.g"].n, bucket.values["scores.g"].total) == (4, 2_500_000)


@pytest.mark.clause("BU-03")
def test_releases_past_a_thousand_are_one_number(tmp_path: Path) -> None:
    """A file with a release for each run does not fill memory; those asked for keep their names."""
    lines = [f'{{"release":"r{number}","status":"ok"}}' for number in range(1_500)]
    rows = "".join(f"r{number},ok\n" for number in range(1_500))
    table = tmp_path / "runs.parquet"
    duckdb.execute(f"COPY (SELECT 'r' || i AS release, 'ok' AS status FROM range(1500) t(i)) TO '{table}'")
    question = Question(baseline="r1400", candidate="r1401")

    counts = [
        read(path, question=question).releases
        for path in (write(tmp_path, "\n".join(lines)), write(tmp_path, f"release,status\n{rows}", ".csv"), table)
    ]

    assert [count["r1400"] for count in counts] == [1, 1, 1]
    assert [sum(count.values()) for count in counts] == [1_500] * 3
    assert all(count["and more"] >= 490 for count in counts)


@pytest.mark.clause("BU-03")
def test_a_thousand_names_of_scores_are_enough(tmp_path: Path) -> None:
    """Names that are made up for each run are refused before they fill memory."""
    lines = [f'{{"release":"v36","scores":{{"s{number}":1}}}}' for number in range(1_001)]

    error = refusal(write(tmp_path, "\n".join(lines)))

    assert ':1001: "s1000" is one name of a score too many' in error.message


@pytest.mark.clause("BU-03")
def test_parquet_reads_one_file_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine that reads tables may open the file named, load nothing, and change no setting."""
    from lockgate.adapters.decoders.parquet import connect

    path = tmp_path / "runs.parquet"
    duckdb.execute(f"COPY (SELECT 1 AS x) TO '{path}'")
    other = write(tmp_path, "x\n1\n", ".csv")

    connection = connect(str(path))

    assert connection.execute(f"SELECT x FROM read_parquet('{path}')").fetchall() == [(1,)]
    for statement in (f"SELECT * FROM '{other}'", f"COPY (SELECT 1) TO '{other}'", "INSTALL httpfs", "SET threads = 1"):
        with pytest.raises(duckdb.Error):
            connection.execute(statement)


def test_a_line_is_not_read_beyond_a_megabyte() -> None:
    """What is not needed to refuse a line stays unread."""

    class Endless(io.BytesIO):
        given = 0

        def read(self, size: int | None = -1, /) -> bytes:
            assert size is not None
            self.given += size
            return b"x" * size

    stream = Endless()

    with pytest.raises(LongLineError):
        list(chunks(stream))

    assert stream.given < 2 << 20


@pytest.mark.parametrize("size", [1, 1 << 18, (1 << 20) - 40])
def test_chunks_lose_no_line(size: int) -> None:
    """Lines come out whole and in order, however they fall on blocks."""
    data = b"".join(b"%d" % number * (size // 40 or 1) + b"\n" for number in range(60))

    parts = list(chunks(io.BytesIO(data)))

    assert b"".join(part.data for part in parts) == data
    assert [part.first for part in parts] == [1 + data[: data.index(part.data)].count(b"\n") for part in parts]


@pytest.mark.clause("BU-03")
def test_reading_lines_loads_no_engine_for_tables(tmp_path: Path) -> None:
    """A format's library is imported for a file of that format only."""
    path = write(tmp_path, f"{GOOD}\n")
    script = (
        "import sys; from lockgate.core.intake import Question; from lockgate.wiring import run_files; "
        f"run_files().read([{str(path)!r}], Question(baseline='v36', candidate='b'), lambda *_: None); "
        "print('duckdb' in sys.modules)"
    )

    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert ran.stdout == "False\n"


def test_a_bucket_of_many_chunks_is_exact(tmp_path: Path) -> None:
    """Sums over many groups of runs are those of whole numbers."""
    count = 80_000
    text = "".join(f'{{"release":"v36","latency_ms":{number}.5}}\n' for number in range(count))

    values = read_text(tmp_path, text).values["latency_ms"]

    micros = [number * 1_000_000 + 500_000 for number in range(count)]
    assert (values.n, values.total, values.squares) == (count, sum(micros), sum(micro * micro for micro in micros))
    assert isinstance(values, Values)
