# SPDX-License-Identifier: Apache-2.0
"""Bodies of runs come in; decoded by their shape, or row by row, they must give the same batch."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockgate.adapters.decoders import stored_columns
from lockgate.core.batch import RunBatch
from lockgate.errors import DataError
from lockgate.wiring import run_batches

ZONES = ("Z", "+00:00", "+02:00", "z")
TIMES = st.builds(
    lambda moment, fraction, zone: moment.strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0") + fraction + zone,
    st.datetimes(),
    st.sampled_from(["", ".5", ".123", ".000500", ".0015", ".999999", ".1234567"]),
    st.sampled_from(ZONES),
)
AMOUNTS = st.none() | st.floats(0, 1e12) | st.integers(0, 10**12)
TEXTS = st.text(max_size=3)
RECORDS = st.lists(
    st.fixed_dictionaries(
        {"release": st.sampled_from(["v1", "v2", 7, "7"]), "status": st.sampled_from(["ok", "error", "timeout"])},
        optional={
            "app_id": st.sampled_from(["web", "api", "", None]),
            "run_id": st.none() | TEXTS | st.integers(0, 9),
            "started_at": st.none() | TIMES,
            "latency_ms": AMOUNTS,
            "ttft_ms": AMOUNTS,
            "cost": st.none() | st.floats(0, 1e9) | st.decimals(0, 10**9, places=7).map(str),
            "input_tokens": st.none() | st.integers(0, 10**12) | st.integers(0, 9).map(float),
            "scores": st.none()
            | st.dictionaries(
                st.sampled_from(["g", "safe"]),
                st.none() | st.booleans() | st.floats(-9, 9) | st.builds(lambda value: {"value": value}, st.booleans()),
            ),
            "labels": st.none() | st.dictionaries(st.sampled_from(["a", "b"]), st.none() | TEXTS),
            "probe_id": st.none() | TEXTS,
            "error_type": TEXTS,
        },
    ),
    min_size=1,
    max_size=8,
)
# A run with a flag is decoded row by row, and with it its whole body.
FLAGGED = {"release": "v9", "app_id": "last", "status": "ok", "flags": {"dark": "on"}}


def decoded(records: list[dict[str, Any]]) -> RunBatch:
    """Return the batch of records."""
    return run_batches().decode("".join(json.dumps(one) + "\n" for one in records).encode(), "main")


def content(batch: RunBatch, runs: int) -> dict[str, Any]:
    """Return what a batch says of its first runs."""
    columns = batch.columns.take_at(np.arange(runs))
    return {
        "statuses": columns.statuses.tolist(),
        "values": {name: column.tolist() for name, column in columns.values.items()},
        "answers": {name: column.tolist() for name, column in columns.answers.items()},
        "groups": [batch.groups[place] for place in batch.group[:runs].tolist()],
        "started_at": batch.started_at[:runs].tolist(),
        "ids": list(batch.ids[:runs]),
        "probes": list(batch.probes[:runs]) or [None] * runs,
    }


@pytest.mark.clause("LI-60")
@settings(max_examples=300)
@given(RECORDS)
def test_a_shape_says_what_rows_say(records: list[dict[str, Any]]) -> None:
    """Of whatever is sound, in whatever mixture."""
    shaped, by_row = decoded(records), decoded([*records, FLAGGED])

    assert content(shaped, len(records)) == content(by_row, len(records))


@pytest.mark.clause("LI-60")
@settings(max_examples=50)
@given(RECORDS, RECORDS)
def test_the_shape_of_another_body_changes_nothing(records: list[dict[str, Any]], before: list[dict[str, Any]]) -> None:
    """A decoder says the same of a body whatever it decoded before."""
    body = "".join(json.dumps(one) + "\n" for one in records).encode()
    decoder = run_batches()
    decoder.decode("".join(json.dumps(one) + "\n" for one in before).encode(), "main")

    again = decoder.decode(body, "main")

    assert content(again, len(records)) == content(decoded(records), len(records))


@pytest.mark.clause("LI-60")
@settings(max_examples=50)
@given(records=RECORDS, piece=st.integers(1, 400))
def test_where_a_body_is_cut_changes_nothing(records: list[dict[str, Any]], piece: int) -> None:
    """However many lines are decoded at once, the batch is the same."""
    whole = decoded(records)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stored_columns, "PIECE", piece)
        cut = decoded(records)

    assert content(cut, len(records)) == content(whole, len(records))


@pytest.mark.clause("LI-60")
@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"release": "v1"}', "no measurable field"),
        ('{"release": "v1", "status": "ok", "cost": "1.2.3"}', "cost"),
        ('{"release": "v1", "status": "ok", "cost": "1000000000000.0000001"}', "cost"),
        ('{"release": "v1", "status": "ok", "input_tokens": 1.5}', "input_tokens"),
        ('{"release": "v1", "status": "ok", "scores": {"a b": 1}}', "score"),
        ('{"release": "v1", "status": "ok", "labels": {"": "x"}}', "a label has no name"),
        ('{"release": "v1", "status": "ok", "started_at": "2026-02-29T10:00:00Z"}', "started_at"),
        ('{"release": "v1", "status": "ok", "started_at": "2026-02-28T24:00:00Z"}', "started_at"),
        ('{"release": "v1",\n"status": "ok"}', "not JSON"),
        ('{"release": "v1", "status": "ok"} {"release": "v1", "status": "ok"}', "not JSON"),
        ('[{"release": "v1", "status": "ok"}]', "a run is an object"),
    ],
)
def test_a_fault_is_named_after_sound_runs(line: str, message: str) -> None:
    """One run that cannot be meant among others of the shape is refused as it is alone."""
    sound = '{"release": "v1", "status": "ok", "cost": "1", "scores": {"g": 1}}\n' * 3

    with pytest.raises(DataError, match=f"the batch:4: .*{message}"):
        run_batches().decode(f"{sound}{line}\n".encode(), "web")


@pytest.mark.clause("LI-60")
@pytest.mark.parametrize("name", ['a"b', "a\\b", "a\nb", "a\x00b"])
def test_a_label_that_needs_an_escape_is_a_label(name: str) -> None:
    """One run with it blocks no file."""
    runs = [{"app_id": "a", "release": "v1", "status": "ok", "labels": {name: "x", "plain": "y"}}] * 3

    batch = run_batches().decode("\n".join(map(json.dumps, runs)).encode(), None)

    assert [group.labels for group in batch.groups] == [tuple(sorted({name: "x", "plain": "y"}.items()))]
