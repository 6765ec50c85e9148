# SPDX-License-Identifier: Apache-2.0
"""Bodies of runs that are cut into pieces to be decoded come in; that the pieces show nowhere is held here."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockgate.adapters.decoders import stored_columns
from lockgate.errors import DataError
from lockgate.wiring import run_batches

LINES = st.sampled_from(
    [
        {"release": "v1", "status": "ok", "latency_ms": 3},
        {"release": "v1", "status": "ok", "latency_ms": 3, "flags": {"f": "on"}},
        {"release": "é", "status": "error", "scores": {"quality": 0.5}, "run_id": "1"},
        {"release": "v1"},
        {"release": "v1", "status": "none"},
    ]
)
ENDS = st.sampled_from(["\n", "\n\n", "\r\n", " ", ""])


def _came(body: bytes, piece: int) -> list[Any] | str:
    """Return all that a body comes to, or the message of its faults."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stored_columns, "PIECE", piece)
        try:
            batch = run_batches().decode(body, "main")
        except DataError as error:
            return str(error)
    values = {name: column.tolist() for name, column in batch.columns.values.items()}
    order = [batch.groups[index] for index in batch.group.tolist()]
    also = [(position, batch.groups[index]) for position, index in batch.also]
    return [values, batch.columns.statuses.tolist(), order, also, list(batch.ids), batch.started_at.tolist()]


@pytest.mark.clause("SV-172")
@given(st.lists(st.tuples(LINES, ENDS, st.booleans()), min_size=1, max_size=12), st.integers(1, 200), st.booleans())
def test_where_a_body_is_cut_shows_neither_in_runs_nor_in_faults(
    lines: list[tuple[dict[str, Any], str, bool]], piece: int, is_torn: bool
) -> None:
    """Runs with flags, other alphabets, blank lines, two runs on a line, and bytes that are no text."""
    body = b"".join(
        json.dumps(run, ensure_ascii=is_ascii, indent=None).encode() + end.encode() for run, end, is_ascii in lines
    )
    body = body[:-3] + b"\xff" if is_torn else body

    assert _came(body, piece) == _came(body, 1 << 30)


@pytest.mark.clause("SV-172")
def test_many_runs_of_every_kind_come_to_the_same_in_pieces() -> None:
    """More than one piece of the usual size holds."""
    run = {"release": "v1", "status": "ok", "latency_ms": 1.5, "flags": {"f": "on"}, "labels": {"note": "x" * 200}}
    body = (json.dumps(run) + "\n").encode() * 5_000

    batch = run_batches().decode(body, "main")

    assert len(body) > 2 * stored_columns.PIECE
    assert batch.own == 5_000
    assert len(batch.also) == 5_000
    assert np.all(batch.columns.values["latency_ms"] == 1_500_000)
