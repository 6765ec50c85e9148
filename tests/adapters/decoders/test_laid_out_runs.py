# SPDX-License-Identifier: Apache-2.0
"""Lines of one layout come in, some of them changed; read at once, or run by run, they must give the same."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockgate.adapters.decoders.row import ScoreNames
from lockgate.adapters.decoders.stored_decimals import decimals, words_of
from lockgate.adapters.decoders.stored_laid_out import LaidOut, LaidOutRuns
from lockgate.core.batch import RunBatch
from lockgate.core.stats.micro import MICRO, from_text
from lockgate.errors import DataError
from lockgate.wiring import run_batches

PLAIN = re.compile(r"(0|[1-9]\d*)(\.\d{1,6})?")
WORDS = st.text("abc-_. :{}09", max_size=20)
NUMBERS = st.from_regex(re.compile(r"(0|[1-9]\d{0,3})(\.\d{1,4})?", re.ASCII), fullmatch=True)
# Every value as it is written, so that notations differ too.
VALUES: dict[str, st.SearchStrategy[str]] = {
    "app_id": st.sampled_from(["web", "claims-agent", "", "a" * 70]).map(json.dumps),
    "run_id": (st.sampled_from(["run-1", "run-2", "run-3"]) | WORDS).map(json.dumps),
    "started_at": st.integers(0, 999).map(lambda milli: f'"2026-11-02T10:00:07.{milli:03d}Z"'),
    "status": st.sampled_from(["ok", "error", "timeout", "cancelled"]).map(json.dumps),
    "latency_ms": NUMBERS,
    "cost": NUMBERS.map(json.dumps),
    "input_tokens": st.integers(0, 99_999_999).map(str),
    "probe_id": WORDS.map(json.dumps),
    "error_type": WORDS.map(json.dumps),
    "attempt": st.integers(0, 9).map(str),
    "is_cached": st.sampled_from(["true", "false"]),
    "scores": st.builds('{{"g":{},"safe":{}}}'.format, NUMBERS, st.sampled_from(["true", "false"])),
    "labels": st.builds('{{"intent": {}, "region":{}}}'.format, WORDS.map(json.dumps), WORDS.map(json.dumps)),
    "meta": st.builds('{{"host":{}}}'.format, WORDS.map(json.dumps)),
}
RELEASE = st.sampled_from(["v1", "v2", "abc1234567"]).map(json.dumps)
# What a line is changed by, at any place of it.
ODD = [
    "",
    "0",
    "00",
    ".",
    "-",
    "e9",
    "1" * 20,
    "null",
    '"',
    "\\",
    ",",
    "{",
    "}",
    "\n",
    "\r",
    " ",
    "\0",
    "é",
    "true",
    '"x":1,',
]


@st.composite
def laid_out(draw: st.DrawFn) -> list[str]:
    """Return lines that have one layout, whatever it is."""
    names = draw(st.permutations(["release", *draw(st.sets(st.sampled_from(sorted(VALUES)), min_size=1))]))
    comma, colon = draw(st.sampled_from([(",", ":"), (", ", ": ")]))
    values = {"release": RELEASE, **VALUES}

    def line() -> str:
        return "{" + comma.join(f'"{name}"{colon}{draw(values[name])}' for name in names) + "}"

    return [line() for _ in range(draw(st.integers(1, 6)))]


@st.composite
def changed(draw: st.DrawFn) -> str:
    """Return lines of one layout after some changes, which nearly always leave none or make them malformed."""
    body = "\n".join(draw(laid_out())) + draw(st.sampled_from(["\n", ""]))
    for _ in range(draw(st.integers(0, 2))):
        at, gone = draw(st.integers(0, len(body))), draw(st.integers(0, 3))
        body = body[:at] + draw(st.sampled_from(ODD)) + body[at + gone :]
    return body


def told(body: bytes, *, is_at_once: bool) -> object:
    """Return what is said of a body, of which faults are a part."""
    read = LaidOutRuns.read if is_at_once else _nothing
    with patch.object(LaidOutRuns, "read", read):
        try:
            return content(run_batches().decode(body, "main"))
        except DataError as error:
            return error.message, error.advice


def _nothing(*_given: object) -> None:
    return None


def content(batch: RunBatch) -> dict[str, Any]:
    """Return what a batch says."""
    columns = batch.columns
    return {
        "statuses": columns.statuses.tolist(),
        "values": {name: column.tolist() for name, column in columns.values.items()},
        "answers": {name: column.tolist() for name, column in columns.answers.items()},
        "groups": batch.groups,
        "group": batch.group.tolist(),
        "started_at": batch.started_at.tolist(),
        "ids": list(batch.ids),
        "probes": list(batch.probes),
    }


def read_at_once(body: bytes) -> LaidOut | None:
    """Return what is read of a body at once."""
    return LaidOutRuns().read(body, 0, len(body), ScoreNames())


@pytest.mark.clause("BU-260")
@settings(max_examples=400)
@given(changed())
def test_lines_read_at_once_say_what_runs_say(body: str) -> None:
    """Whatever a line was changed by: the same runs, or the same fault at the same line."""
    data = body.encode()

    found = told(data, is_at_once=True)

    assert found == told(data, is_at_once=False)


@pytest.mark.clause("BU-260")
@settings(max_examples=200)
@given(st.lists(laid_out(), min_size=2, max_size=6))
def test_what_a_decoder_read_before_changes_nothing(bodies: list[list[str]]) -> None:
    """A layout that was learned says nothing of other lines."""
    decoder = run_batches()
    said: list[object] = []

    for lines in bodies:
        try:
            said.append(content(decoder.decode("\n".join(lines).encode(), "main")))
        except DataError as error:
            said.append((error.message, error.advice))

    assert said == [told("\n".join(lines).encode(), is_at_once=False) for lines in bodies]


@pytest.mark.clause("BU-260")
def test_lines_as_programs_write_them_are_read_at_once() -> None:
    """The properties of this file are of lines that have one layout, as a program's mostly have."""
    runs = [
        {
            "run_id": f"run-{number}",
            "app_id": "web",
            "release": ("v1", "v2")[number % 2],
            "started_at": f"2026-11-02T10:00:00.{number:03d}Z",
            "latency_ms": number / 8,
            "status": ("ok", "error", "cancelled")[number % 3],
            "cost": f"{number / 1000:.6f}",
            "scores": {"g": 0.5, "safe": number % 5 > 0},
            "labels": {"region": ("eu", "us")[number // 8 % 2]},
        }
        for number in range(100)
    ]

    found = read_at_once("\n".join(map(json.dumps, runs)).encode())

    assert found is not None
    assert found.columns.values["latency_ms"].tolist() == [number * MICRO // 8 for number in range(100)]
    assert found.which[:9].tolist() == [0, 1, 0, 1, 0, 1, 0, 1, 2]


@pytest.mark.clause("BU-260")
@pytest.mark.parametrize("end", ["\n", ""])
def test_the_last_value_may_end_where_the_bytes_end(end: str) -> None:
    """Nothing is read beyond them, however long the same value was on other lines."""
    lines = [f'{{"release":"v1","latency_ms":{number}}}' for number in ("1234.5678", "12", "1")]

    found = read_at_once(("\n".join(lines) + end).encode())

    assert found is not None
    assert found.columns.values["latency_ms"].tolist() == [1_234_567_800, 12_000_000, 1_000_000]


@pytest.mark.clause("BU-260")
@pytest.mark.parametrize(
    ("second", "is_whole"),
    [
        ('{"release":"v2","status":"ok","latency_ms":12}', True),
        ('{"release":"v2","status":"ok","latency_ms":1e1}', False),
        ('{"release":"v2","status":"ok","latency_ms":01}', False),
        ('{"release":"v2","status":"ok","latency_ms":null}', False),
        ('{"release":"v2","status":"ok","latency_ms":12,"status":"ok"}', False),
        ('{"status":"ok","release":"v2","latency_ms":12}', False),
        ('{"release":"v,2","status":"ok","latency_ms":12}', False),
        ('{"release":"v\\u0032","status":"ok","latency_ms":12}', False),
        ('{"release":"v2","status":"oK","latency_ms":12}', False),
        ('{"release":"vé","status":"ok","latency_ms":12}', False),
        ('{"release":"v2","status":"ok","latency_ms":12}}', False),
        ('{"release":"","status":"ok","latency_ms":12}', False),
        ("{,,", False),
        # As many marks as the layout has, and its values, but not where they belong.
        ('""""""""""{,,', False),
        ('{"release":"v2"\n"status":"ok","latency_ms":12},{"release":"v2","status":"ok","latency_ms":12}', False),
    ],
)
def test_one_line_of_another_layout_leaves_all_to_a_closer_look(second: str, is_whole: bool) -> None:
    """Nothing is guessed of a line by the others."""
    first = '{"release":"v1","status":"ok","latency_ms":1.5}\n'

    found = read_at_once(f"{first}{second}\n".encode())

    assert (found is not None) is is_whole


@pytest.mark.clause("BU-261")
@settings(max_examples=300)
@given(
    st.lists(
        st.from_regex(re.compile(r"\d{1,8}(\.\d{0,7})?", re.ASCII), fullmatch=True)
        | st.from_regex(re.compile(r"(0|[1-9]\d{0,2})\.\d{1,5}", re.ASCII), fullmatch=True)
        | st.text("0123456789./:-+e ", min_size=1, max_size=10),
        min_size=1,
        max_size=5,
    )
)
def test_decimals_read_at_once_are_those_of_json(texts: list[str]) -> None:
    """Each gives the micro-units of the decimal and of the double that is nearest to it; others give none."""
    body = (" " * 8 + ",".join(texts)).encode()
    ends = 8 + np.cumsum([len(text) + 1 for text in texts]) - 1
    starts = ends - [len(text) for text in texts]

    found = decimals(words_of(body + b" " * 8, 0, len(body) + 8), starts, ends)

    is_plain = all(PLAIN.fullmatch(text) and len(text.replace(".", "")) <= 8 for text in texts)
    assert (found is not None) is is_plain
    if found is not None:
        assert found[0].tolist() == [from_text(text) for text in texts]
        assert found[0].tolist() == [int(np.rint(json.loads(text) * float(MICRO))) for text in texts]
        assert found[1].tolist() == ["." in text for text in texts]
        assert found[0].tolist() == [int(Decimal(text) * MICRO) for text in texts]
