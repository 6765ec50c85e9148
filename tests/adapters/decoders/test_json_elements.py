# SPDX-License-Identifier: Apache-2.0
"""JSON files come in through blocks of any size and through pipes; the same runs go out, in bounded memory."""

from __future__ import annotations

import gzip
import io
import json
import os
import threading
from pathlib import Path
from typing import Any, BinaryIO, cast
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockgate.adapters.decoders import json_elements
from lockgate.adapters.decoders.json_elements import ArrayError, elements
from lockgate.adapters.decoders.ndjson import are_on_their_own
from lockgate.errors import DataError
from tests.adapters.decoders.reading_files import GOOD, read, read_text, refusal, write

TEXTS = st.text(st.sampled_from('a",[]{}\\\n é'), max_size=6)
VALUES = st.recursive(
    st.none() | st.integers(-9, 9) | TEXTS, lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner), max_leaves=8
)
RUN = '{"release":"v36","latency_ms":1}'


@pytest.mark.clause("BU-06")
@given(st.lists(VALUES), st.integers(1, 9), st.sampled_from([None, 1]), st.booleans())
def test_elements_are_those_of_the_array(values: list[Any], block: int, indent: int | None, plain: bool) -> None:
    """Wherever blocks end, in texts, escapes and brackets, the elements are what a JSON reader finds."""
    data = json.dumps(values, indent=indent, ensure_ascii=plain).encode()
    stream = io.BytesIO(data)

    with patch.object(json_elements, "BLOCK", block):
        found = [one for array in elements(stream, stream.read(block)) for one in json.loads(array)]

    assert found == values


@pytest.mark.clause("BU-05")
@pytest.mark.parametrize("text", ["[", "[1", "[1,", "[1,]", "[,1]", "[,]", "[1,,2]", "[1] 2", '["a]', "[1]]"])
@pytest.mark.parametrize("block", [1, 2, 100])
def test_what_is_no_array_is_refused(text: str, block: int) -> None:
    """An end that is missing, a comma too many and text after the end are no array."""
    stream = io.BytesIO(text.encode())

    with patch.object(json_elements, "BLOCK", block), pytest.raises((ArrayError, json.JSONDecodeError)):
        [json.loads(array) for array in elements(stream, stream.read(block))]


@pytest.mark.clause("BU-03")
def test_an_array_of_nothing_but_numbers_is_held_a_part_at_a_time() -> None:
    """A small compressed file of millions of elements does not unfold into memory."""
    packed = cast("BinaryIO", gzip.GzipFile(fileobj=io.BytesIO(gzip.compress(b"[" + b"0," * 4_000_000 + b"0]"))))

    sizes = [len(array) for array in elements(packed, packed.read(1))]

    assert sum(sizes) > 8_000_000
    assert max(sizes) <= (1 << 18) + 2


@pytest.mark.clause("BU-03")
def test_a_run_without_end_is_given_up(tmp_path: Path) -> None:
    """An element is held to the bound of a line."""
    path = write(tmp_path, gzip.compress(b'[{"x":"' + b"y" * (3 << 20) + b'"}]'), ".json.gz")

    assert "a run is longer than 1 MiB" in refusal(path).message


@pytest.mark.clause("BU-06")
@pytest.mark.parametrize("text", [f"{GOOD}\n" * 5_000, "[" + ",".join([RUN] * 5_000) + "]"], ids=["lines", "array"])
@pytest.mark.parametrize("blanks", ["", " \n" * 200_000])
def test_a_pipe_of_json_loses_nothing(text: str, blanks: str, tmp_path: Path) -> None:
    """What a pipe gives once is read once, array or lines, behind any blanks."""
    pipe = tmp_path / "runs.json"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_text(blanks + text))
    writer.start()

    intake = read(pipe)

    writer.join()
    assert intake.bucket("v36").runs == 5_000


@pytest.mark.clause("BU-05")
def test_a_line_of_a_json_file_is_counted_from_the_top(tmp_path: Path) -> None:
    """Blank lines before the first run count."""
    path = write(tmp_path, "\n" * 300_000 + f"{GOOD}\n{{}}\n", ".json")

    assert refusal(path).message.startswith(f"{path}:300002: ")


@pytest.mark.clause("BU-05")
@pytest.mark.parametrize(
    "lines",
    [
        [f"{RUN}{RUN}", '{"release":"v36",', '"latency_ms":1}'],
        ['{"release":"v36"', ',"latency_ms":1}', f"{RUN} {RUN}"],
        [f"{RUN} {RUN}", '{"release":"v36","x":[{}', ',{}],"latency_ms":1}'],
    ],
)
@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_lines_that_balance_are_still_refused(lines: list[str], end: str, tmp_path: Path) -> None:
    """Two runs on one line do not make up for one run on two."""
    path = write(tmp_path, (end or "\n").join(lines) + end)

    assert isinstance(refusal(path), DataError)


@given(st.lists(st.sampled_from([RUN, f" {RUN}\r", "", " "]), max_size=6))
def test_runs_on_lines_of_their_own_are_known(lines: list[str]) -> None:
    """Blanks around a run and blank lines change nothing."""
    runs = sum("release" in line for line in lines)

    assert are_on_their_own("\n".join(lines).encode(), runs)


@pytest.mark.clause("BU-06")
def test_an_array_of_any_size_is_read(tmp_path: Path) -> None:
    """Runs are counted over all parts."""
    assert read_text(tmp_path, "[" + ",\n".join([RUN] * 30_000) + "]", ".json").runs == 30_000


@pytest.mark.clause("BU-06")
def test_a_file_that_changes_beside_a_pipe_is_refused(tmp_path: Path) -> None:
    """One input that is read once does not excuse another that was written to meanwhile."""
    path, pipe = write(tmp_path, f"{GOOD}\n"), tmp_path / "pipe"
    os.mkfifo(pipe)

    def change() -> None:
        with pipe.open("w") as stream:
            path.write_text(f"{GOOD}\n{GOOD}\n")
            stream.write(f"{GOOD}\n")

    writer = threading.Thread(target=change)
    writer.start()

    error = refusal(path, pipe)

    writer.join()
    assert error.message == f"{path} changed while it was read"
