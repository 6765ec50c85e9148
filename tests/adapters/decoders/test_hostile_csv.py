# SPDX-License-Identifier: Apache-2.0
"""Tables as other tools quote them come in and are read; tables made to fill memory come in and are refused."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from lockgate.adapters.decoders.csv_table import Table
from tests.adapters.decoders.reading_files import read_text, refusal, write

QUOTED = '"release","status","x"\n"v36","ok","a"\n"v36","error","b"\n'
WIDE = f'"release";"status";"{"y" * 100_000}";"{"z" * 100_000}"\n"v36";"ok";"";""\n"v36";"error";"";""\n'
HEADERS = {
    "commas": QUOTED,
    "semicolons": QUOTED.replace(",", ";"),
    "tabs": QUOTED.replace(",", "\t"),
    "a byte order mark": f"\ufeff{QUOTED}",
    "a byte order mark and semicolons": f"\ufeff{QUOTED.replace(',', ';')}",
    "CR LF": QUOTED.replace("\n", "\r\n"),
    "a line break in a name": QUOTED.replace('"x"', '"x\ny"'),
    "a line break in the first name": '"a\nb";release;status\nc;v36;ok\nc;v36;error\n',
    "blank lines before": f"\n\r\n{QUOTED}",
    "a comma in a name": QUOTED.replace(",", ";").replace('"x"', '"x,y"'),
    "a header beyond a cell's bound": WIDE,
}


@pytest.mark.clause("BU-06")
@pytest.mark.parametrize("text", HEADERS.values(), ids=HEADERS.keys())
def test_a_quoted_header_is_read(text: str, tmp_path: Path) -> None:
    """What spreadsheets and databases write, quoted throughout, names the same fields."""
    bucket = read_text(tmp_path, text, ".csv")

    assert (bucket.runs, bucket.statuses["error"]) == (2, 1)


@pytest.mark.clause("BU-05")
def test_lines_are_counted_from_the_top_after_any_header(tmp_path: Path) -> None:
    """A row's number is the one that an editor shows, whichever separators were tried before."""
    path = write(tmp_path, '\n"release";"a\nb";"status"\nv36;x;ok\nv36;x;bad\n', ".csv")

    assert refusal(path).message.startswith(f'{path}:5: status is "bad"')


@pytest.mark.clause("BU-05")
def test_a_header_that_no_separator_fits_is_named(tmp_path: Path) -> None:
    """What is no table is refused at its first line."""
    path = write(tmp_path, '"release"x,"status"\nv36,ok\n', ".csv")

    assert refusal(path).message == f"{path}:1: not CSV: ',' expected after '\"'"


@pytest.mark.clause("BU-03")
@pytest.mark.parametrize(
    "text",
    ["release,status\n" + '"x\n",' * 800_000, "release," + '"x\n",' * 800_000],
    ids=["in a row", "in the header"],
)
def test_a_row_without_end_is_given_up(text: str, tmp_path: Path) -> None:
    """A row that goes over lines is held to the bound of a line."""
    path = write(tmp_path, gzip.compress(text.encode()), ".csv.gz")

    assert "the line is longer than 1 MiB" in refusal(path).message


@pytest.mark.clause("BU-03")
def test_wide_rows_are_held_a_few_at_a_time(tmp_path: Path) -> None:
    """Rows of a million cells are never together in memory."""
    row = b"v36" + b"," * 500_000 + b"\n"
    path = write(tmp_path, b"release,status\n" + row * 20, ".csv")

    with path.open("rb") as stream:
        table = Table(stream)
        table.header()
        sizes = [len(some) for some in table.batches()]

    assert sum(sizes) == 20
    assert max(sizes) <= 3


@pytest.mark.clause("BU-03")
def test_columns_are_bounded(tmp_path: Path) -> None:
    """A table with a column for everything is refused by its header, and at once."""
    names = ",".join(f"c{number}" for number in range(100_000))
    path = write(tmp_path, f"release,status,{names}\n", ".csv")

    assert refusal(path).message == f"{path}:1: more than 10,000 columns; at most so many are read"


@pytest.mark.clause("BU-05")
@pytest.mark.parametrize(
    ("text", "suffix"), [("release,cost\nv36,{}\n", ".csv"), ('{{"release":"v36","cost":"{}"}}', ".ndjson")]
)
def test_a_cost_a_trifle_beyond_the_bound_is_named(text: str, suffix: str, tmp_path: Path) -> None:
    """A decimal whose float is the bound itself is still beyond it."""
    path = write(tmp_path, text.format("1000000000000.0000001"), suffix)

    assert 'cost is "1000000000000.0000001"; it must be a decimal' in refusal(path).message
