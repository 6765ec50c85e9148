# SPDX-License-Identifier: Apache-2.0
"""Files that cannot be meant come in; each is refused by name, line and reason."""

from __future__ import annotations

import os
from pathlib import Path

import duckdb
import pytest

from lockgate.adapters.decoders import csv_runs, ndjson
from lockgate.adapters.decoders.row import explain
from lockgate.errors import DataError
from lockgate.wiring import run_batches
from tests.adapters.decoders.reading_files import GOOD, read_text, refusal, write

NUMBER = "it must be a number from 0 to 1e+12"
COST = "it must be a decimal from 0 to 1e+12, as a number or as text"
WHOLE = "it must be a whole number from 0 to 1e+12"
STATUS = "it must be ok, error, timeout or cancelled"
A_SCORE = "a number within 1e+12, true or false, or an object that holds one as value"
SCORE, SCORES = f"it must be {A_SCORE}", f"it must be names, each with {A_SCORE}"
UNMEASURED = "no measurable field; give at least one of status, latency_ms, ttft_ms, cost"

# What follows `{"release":"v36",` on the second line, and what is said of it.
FIELDS = {
    "no number": ('"latency_ms":NaN}', "NaN and Infinity are no JSON; leave the field out"),
    "an infinity": ('"latency_ms":-Infinity}', "NaN and Infinity are no JSON; leave the field out"),
    "a number that no float holds": ('"latency_ms":1e999}', "a number is too large to be read"),
    "a negative duration": ('"latency_ms":-1}', f"latency_ms is -1; {NUMBER}"),
    "a duration of ages": ('"ttft_ms":1e13}', f"ttft_ms is 10000000000000.0; {NUMBER}"),
    "a duration in words": ('"latency_ms":"fast"}', f'latency_ms is "fast"; {NUMBER}'),
    "a duration that is true": ('"latency_ms":true}', f"latency_ms is true; {NUMBER}"),
    "an unknown status": ('"status":"failed"}', f'status is "failed"; {STATUS}'),
    "half a token": ('"input_tokens":1.5}', f"input_tokens is 1.5; {WHOLE}"),
    "negative tokens": ('"output_tokens":-4}', f"output_tokens is -4; {WHOLE}"),
    "a negative cost": ('"cost":-1}', f"cost is -1; {COST}"),
    "a negative cost in text": ('"cost":"-0.1"}', f'cost is "-0.1"; {COST}'),
    "a cost in words": ('"cost":"much"}', f'cost is "much"; {COST}'),
    "a cost that is no number": ('"cost":"NaN"}', f'cost is "NaN"; {COST}'),
    "a cost with underscores": ('"cost":"1_000"}', f'cost is "1_000"; {COST}'),
    "a score in words": ('"scores":{"f":1,"g":"good"}}', f'scores.g is "good"; {SCORE}'),
    "a score without a value": ('"scores":{"g":{}}}', f"scores.g is {{}}; {SCORE}"),
    "a list of scores": ('"scores":[1]}', f"scores is [1]; {SCORES}"),
    "a score that no metric can name": ('"scores":{"g h":1}}', 'a score is named "g h"; names are made of letters'),
    "a label that is a number": ('"labels":{"a":1}}', 'labels is {"a":1}; it must be an object of names with text'),
    "a truth as id": ('"run_id":true}', "run_id is true; it must be text or a whole number"),
    "nothing measurable": ('"run_id":"r"}', UNMEASURED),
    "an empty score": ('"scores":{"g":null}}', UNMEASURED),
    "a near miss": ('"latency":3}', 'scores; is "latency" meant to be latency_ms?'),
    "another tool's name": ('"completion_tokens":3}', 'is "completion_tokens" meant to be output_tokens?'),
    "a depth that nobody needs": ('"x":' + "[" * 5_000 + "]" * 5_000 + "}", "nested too deeply"),
    "two runs on one line": ('"status":"ok"} {"release":"v36"}', "not JSON"),
    "half a run": ('"status":"ok"', "not JSON: Input data was truncated"),
    "half a surrogate": ('"run_id":"\\ud800","status":"ok"}', "not JSON"),
}
LINES = {
    "no release": ('{"status":"ok"}', "release is missing"),
    "a release under another name": ('{"version":"v36"}', 'release is missing; is "version" meant to be release?'),
    "an empty release": ('{"release":"","status":"ok"}', 'release is ""; it must be text that is not empty'),
    "a release that is a number": (
        '{"release":3.6}',
        "release is 3.6; it must be text that is not empty, or a whole number",
    ),
    "a list": ("[1]", "a run is an object with fields"),
    "nothing": ("null", "a run is an object with fields"),
    "no JSON": ("release=v36", "not JSON: no object in braces; standard input and .ndjson have one on each line"),
    "broken UTF-8": (b'{"release":"v36","status":"ok","app_id":"\xff"}', "not UTF-8 text; write the file as UTF-8"),
}
CASES = {name: (f'{{"release":"v36",{rest}', what) for name, (rest, what) in FIELDS.items()} | LINES


@pytest.mark.clause("BU-05")
@pytest.mark.parametrize(("line", "what"), CASES.values(), ids=CASES.keys())
def test_a_malformed_line_is_named(line: str | bytes, what: str, tmp_path: Path) -> None:
    """File, line and reason are said, whatever stands around the line."""
    data = line if isinstance(line, bytes) else line.encode()
    path = write(tmp_path, b"\n".join([GOOD.encode(), data, GOOD.encode(), b""]))

    error = refusal(path)

    assert isinstance(error, DataError)
    assert error.message.startswith(f"{path}:2: ")
    assert what in error.message
    assert "nothing was judged" in error.advice


@pytest.mark.clause("BU-05")
def test_a_run_over_two_lines_is_refused(tmp_path: Path) -> None:
    """Each line is a run of its own, even where both together are JSON."""
    path = write(tmp_path, f'{GOOD}\n{{"release":"v36",\n"status":"ok"}}\n')

    error = refusal(path)

    assert f"{path}:2: not JSON" in error.message
    assert f"{path}:3: not JSON" in error.message


@pytest.mark.clause("BU-05")
def test_ten_faults_are_shown_and_the_rest_is_counted(tmp_path: Path) -> None:
    """A wholly wrong file does not fill the screen, over many chunks and releases."""
    path = write(tmp_path, '{"release":"v35","latency_ms":-1}\n' * 30_000)

    lines = refusal(path).message.split("\n")

    assert lines[0] == "30,000 runs cannot be read"
    assert [line.partition(": ")[0] for line in lines[1:11]] == [f"{path}:{number}" for number in range(1, 11)]
    assert lines[11:] == ["and 29,990 more"]


@pytest.mark.clause("BU-05")
def test_faults_are_gathered_over_files(tmp_path: Path) -> None:
    """One call tells what is wrong in all files."""
    first = write(tmp_path, '{"release":"v36","latency_ms":-1}\n')
    second = write(tmp_path, "release,latency_ms\nv36,-2\n", ".csv")

    message = refusal(first, second).message

    assert message == (
        f"2 runs cannot be read\n{first}:1: latency_ms is -1; {NUMBER}\n{second}:2: latency_ms is -2.0; {NUMBER}"
    )


@pytest.mark.clause("BU-05")
def test_a_line_number_counts_blank_lines(tmp_path: Path) -> None:
    """The number is the one that an editor shows."""
    path = write(tmp_path, f'{GOOD}\r\n\r\n  \n{GOOD}\n\n{{"release":"v36","input_tokens":0.5}}')

    assert refusal(path).message.startswith(f"{path}:6: input_tokens is 0.5")


@pytest.mark.clause("BU-05")
@pytest.mark.parametrize("suffix", [".ndjson", ".csv"])
def test_a_line_of_two_gigabytes_is_refused(suffix: str, tmp_path: Path) -> None:
    """A file without line breaks is given up after a megabyte; the file is sparse, the reading would not be."""
    path = write(tmp_path, "release,latency_ms\n" if suffix == ".csv" else f"{GOOD}\n", suffix)
    os.truncate(path, 2 << 30)

    error = refusal(path)

    assert error.message == f"{path}:2: the line is longer than 1 MiB; write one run on each line"


@pytest.mark.clause("BU-05")
def test_utf_16_is_refused(tmp_path: Path) -> None:
    """What a spreadsheet calls Unicode is named for what it is not."""
    path = write(tmp_path, f"{GOOD}\n".encode("utf-16"))

    assert refusal(path).message == f"{path}:1: not UTF-8 text; write the file as UTF-8"


TABLES = {
    "words for a number": ("release,latency_ms\nv36,fast\n", 2, f'latency_ms is "fast"; {NUMBER}'),
    "no number": ("release,latency_ms\nv36,nan\n", 2, f'latency_ms is "nan"; {NUMBER}'),
    "an infinity": ("release,ttft_ms\nv36,1\nv36,inf\n", 3, f'ttft_ms is "inf"; {NUMBER}'),
    "a negative duration": ("release,latency_ms\nv36,-1\n", 2, f"latency_ms is -1.0; {NUMBER}"),
    "half a token": ("release,input_tokens\nv36,1.5\n", 2, f"input_tokens is 1.5; {WHOLE}"),
    "an unknown status": ("release,status\nv36,OK\n", 2, f'status is "OK"; {STATUS}'),
    "a score in words": ("release,scores.g\nv36,good\n", 2, f'scores.g is "good"; {SCORE}'),
    "a cell too many": ("release,status\nv36,ok,x\n", 2, "3 cells, but the header has 2"),
    "a row over two lines before": ('release,status,x\nv36,ok,"a\nb"\nv36,ok\n', 4, "2 cells, but the header has 3"),
    "an empty release": ("release,status\n,ok\n", 2, "release is missing"),
    "an empty run": ("release,status,latency_ms\nv36,,\n", 2, UNMEASURED),
    "no column for the release": ("Release,status\nv36,ok\n", 1, 'there is no column release; is "Release" meant'),
    "no measurable column": (
        "release,latency\nv36,1\n",
        1,
        'no measurable column; is "latency" meant to be latency_ms?',
    ),
    "a column twice": ("release,status,status\nv36,ok,ok\n", 1, "two columns are named status"),
    "scores in one column": ("release,scores\nv36,{}\n", 1, "scores cannot be one column; write a column scores.NAME"),
    "an open quote": ('release,status\nv36,"ok\n', 2, "not CSV: unexpected end of data"),
    "a quote inside": ('release,status\nv36,"o"k\n', 2, "not CSV: ',' expected after '\"'"),
    "a huge cell": (f"release,status,x\nv36,ok,{'x' * 200_000}\n", 2, "not CSV: field larger than field limit"),
    "broken UTF-8": (b"release,status\nv36,ok\nv36,\xff\n", 3, "not UTF-8 text; write the file as UTF-8"),
}


@pytest.mark.clause("BU-05")
@pytest.mark.parametrize(("text", "line", "what"), TABLES.values(), ids=TABLES.keys())
def test_a_malformed_row_of_csv_is_named(text: str | bytes, line: int, what: str, tmp_path: Path) -> None:
    """File, line and reason are said of a table too."""
    path = write(tmp_path, text, ".csv")

    error = refusal(path)

    assert isinstance(error, DataError)
    assert error.message.startswith(f"{path}:{line}: {what}")


ARRAYS = {
    "half an array": ('[{"release":"v36"}', ": not an array of runs: Input data was truncated"),
    "a flaw in the second run": (
        '[{"release":"v36","status":"ok"},{"release":"v36","status":"bad"}]',
        ":run 2: status",
    ),
    "a number among runs": ('[{"release":"v36","status":"ok"},\n1]', ":run 2: a run is an object with fields"),
    "one run over two lines": ('{"release":"v36",\n"status":"ok"}', ":1: not JSON"),
}


@pytest.mark.clause("BU-05")
@pytest.mark.parametrize(("text", "what"), ARRAYS.values(), ids=ARRAYS.keys())
def test_a_malformed_array_is_named(text: str, what: str, tmp_path: Path) -> None:
    """A run of an array is named by its number."""
    path = write(tmp_path, text, ".json")

    assert f"{path}{what}" in refusal(path).message


COLUMNS = {
    "no release": ("SELECT 'ok' AS status", ": there is no column release"),
    "a release that is a number": (
        "SELECT 3.6::DOUBLE AS release, 'ok' AS status",
        ": column release is of type DOUBLE",
    ),
    "an empty release": ("SELECT NULL::VARCHAR AS release, 'ok' AS status", ":row 1: release is missing"),
    "a near miss": ("SELECT 'v36' AS release, 1.0 AS latency", ': no measurable column; is "latency" meant'),
    "a duration in text": ("SELECT 'v36' AS release, '1' AS latency_ms", ": column latency_ms is of type VARCHAR"),
    "a negative duration": ("SELECT 'v36' AS release, -1 AS latency_ms", ":row 1: latency_ms is '-1.0'; it must be a"),
    "no number": ("SELECT 'v36' AS release, 'nan'::DOUBLE AS latency_ms", ":row 1: latency_ms is 'nan'; it must be a"),
    "an infinity": ("SELECT 'v36' AS release, 'inf'::FLOAT AS ttft_ms", ":row 1: ttft_ms is 'inf'; it must be a"),
    "half a token": (
        "SELECT 'v36' AS release, 1.5 AS input_tokens",
        ":row 1: input_tokens is '1.5'; it must be a whole",
    ),
    "a cost in words": ("SELECT 'v36' AS release, 'much' AS cost", ":row 1: cost is 'much'; it must be a decimal"),
    "an unknown status": ("SELECT 'v36' AS release, 'bad' AS status", ":row 1: status is 'bad'; it must be ok, error"),
    "an empty run": ("SELECT 'v36' AS release, NULL::VARCHAR AS status", ":row 1: no measurable field"),
    "scores in text": (
        "SELECT 'v36' AS release, '{}' AS scores",
        ": column scores is of type VARCHAR; it must be names",
    ),
    "a score in text": ("SELECT 'v36' AS release, {'g': 'x'} AS scores", ": column scores is of type VARCHAR"),
    "a score that no metric can name": ("SELECT 'v36' AS release, {'g h': 1} AS scores", ": a score is named 'g h'"),
    "a score twice": ("SELECT 'v36' AS release, {'g': 1} AS scores, 2 AS \"scores.g\"", ": scores.g is given twice"),
    "an infinite score": ("SELECT 'v36' AS release, {'g': 'inf'::DOUBLE} AS scores", ":row 1: scores.g is 'inf'"),
    "a label that is a number": (
        "SELECT 'v36' AS release, 'ok' AS status, {'a': 1} AS labels",
        ": column labels is of",
    ),
    "an id that is a list": ("SELECT 'v36' AS release, 'ok' AS status, [1] AS run_id", ": column run_id is of type"),
}


@pytest.mark.clause("BU-05")
@pytest.mark.parametrize(("query", "what"), COLUMNS.values(), ids=COLUMNS.keys())
def test_a_malformed_parquet_file_is_named(query: str, what: str, tmp_path: Path) -> None:
    """A column of another type is refused whole, a flawed value by its row."""
    path = tmp_path / "runs.parquet"
    duckdb.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet)")

    error = refusal(path)

    assert isinstance(error, DataError)
    assert error.message.startswith(f"{path}{what}")


@pytest.mark.clause("BU-05")
def test_ten_faults_of_parquet_are_shown_in_the_order_of_rows(tmp_path: Path) -> None:
    """Rows are numbered through all row groups, and other releases are looked at too."""
    path = tmp_path / "runs.parquet"
    query = "SELECT 'v35' AS release, CASE WHEN i % 30000 = 7 THEN -1 ELSE 1 END AS latency_ms FROM range(600000) t(i)"
    duckdb.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet)")

    lines = refusal(path).message.split("\n")

    assert lines[0] == "20 runs cannot be read"
    assert [line.partition(": ")[0] for line in lines[1:11]] == [f"{path}:row {n * 30_000 + 8}" for n in range(10)]
    assert lines[11:] == ["and 10 more"]


@pytest.mark.clause("BU-05")
@pytest.mark.parametrize("suffix", [".parquet", ".ndjson.gz", ".csv.gz"])
def test_what_is_not_of_its_format_is_refused(suffix: str, tmp_path: Path) -> None:
    """A file that only has the name of a format cannot be read."""
    path = write(tmp_path, "no such thing", suffix)

    error = refusal(path)

    assert isinstance(error, DataError)
    assert error.message.startswith(f"cannot read {path}: ")


@pytest.mark.clause("BU-05")
def test_an_empty_file_has_no_runs(tmp_path: Path) -> None:
    """No run is no fault of the file; that a release has none is said by whoever asks for it."""
    assert read_text(tmp_path, "").runs == 0


@pytest.mark.clause("LI-606")
def test_a_run_with_two_faults_is_one_run() -> None:
    """Both faults are shown, and what cannot be read is counted once."""
    with pytest.raises(DataError) as caught:
        run_batches().decode(b'{"release":"v36"}\n', None)

    first, *shown = caught.value.message.split("\n")

    assert (first, len(shown)) == ("1 run cannot be read", 2)


def looked_up(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that grows by each run whose fault is looked into."""
    asked: list[str] = []

    def noted(record: object, error: str) -> str:
        asked.append(error)
        return explain(record, error)

    monkeypatch.setattr(ndjson, "explain", noted)
    monkeypatch.setattr(csv_runs, "explain", noted)
    return asked


@pytest.mark.clause("BU-300")
@pytest.mark.parametrize("suffix", [".ndjson", ".json", ".csv"])
def test_of_many_faults_only_those_that_are_shown_are_looked_into(
    suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a name was meant to be takes a thousand times what it takes to see that a run is wrong."""
    asked = looked_up(monkeypatch)
    wrong = '{"1release":"v36"}'
    texts = {".ndjson": f"{wrong}\n" * 300, ".json": f"[{', '.join([wrong] * 300)}]"}
    texts[".csv"] = "release,latency_ms,status\n" + "v36,fast,ok\n" * 300

    error = refusal(write(tmp_path, texts[suffix], suffix))

    assert error.message.startswith("300 runs cannot be read")
    assert 0 < len(asked) <= 10


@pytest.mark.clause("BU-300")
def test_of_a_batch_that_is_all_wrong_only_what_is_shown_is_looked_into(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever sends it, by whatever key, holds up nobody else."""
    asked = looked_up(monkeypatch)

    with pytest.raises(DataError, match="300 runs cannot be read"):
        run_batches().decode(b'{"1release":"v36"}\n' * 300, "web")

    assert len(asked) == 10
