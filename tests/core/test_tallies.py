# SPDX-License-Identifier: Apache-2.0
"""Runs of many cells are tallied in one pass; each bucket must be what counting its runs one by one gives."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockgate.adapters.stores.tallies_packing import pack_tallies, unpack_tallies
from lockgate.core.bucket import Bucket
from lockgate.core.run import Run, summarize_runs
from lockgate.core.summary import Columns, tally
from lockgate.core.tallies import CellName, Tallies, add_up
from lockgate.errors import UnsoundError
from lockgate.wiring import run_batches
from tests.contracts.run_writers import record
from tests.core.test_summary import RUNS

RELEASES = ("v1", "v2", "v3")
# Each run of a cell of its own release; one that says nothing measurable is not sent.
SENT = st.tuples(RUNS, st.randoms()).map(
    lambda drawn: [
        replace(run, release=drawn[1].choice(RELEASES), status=run.status or "ok", labels={}) for run in drawn[0]
    ]
)


def tallied(runs: Sequence[Run]) -> Tallies:
    """Return the tallies of runs by way of a body and its columns, a cell for each release."""
    body = "".join(json.dumps(record(run)) + "\n" for run in runs).encode()
    batch = run_batches().decode(body, "web")
    cells: tuple[CellName, ...] = tuple((group.release, group.labels) for group in batch.groups)
    return tally(batch.columns, batch.group, cells)


def buckets(tallies: Tallies) -> dict[str, Bucket]:
    """Return all buckets by release."""
    return {release: bucket for (release, _), bucket in zip(tallies.cells, tallies.buckets(), strict=True)}


def counted(runs: Sequence[Run]) -> dict[str, Bucket]:
    """Return the buckets of runs that are counted one by one."""
    return {
        name: summarize_runs([run for run in runs if run.release == name]) for name in {run.release for run in runs}
    }


@pytest.mark.clause("BU-60")
@given(SENT.filter(bool))
def test_one_pass_says_of_each_cell_what_counting_says(runs: list[Run]) -> None:
    """Whatever the runs and however they are spread over cells."""
    assert buckets(tallied(runs)) == counted(runs)


@pytest.mark.clause("BU-61")
@settings(max_examples=50)
@given(SENT.filter(bool), st.integers(1, 5))
def test_any_split_adds_up_to_the_whole(runs: list[Run], size: int) -> None:
    """Tallies add exactly, whatever the batches, cells and fields that they have in common."""
    parts = [tallied(runs[start : start + size]) for start in range(0, len(runs), size)]

    whole = add_up(parts)

    assert buckets(whole) == counted(runs)
    assert buckets(add_up([whole])) == counted(runs)


@pytest.mark.clause("BU-61")
@settings(max_examples=50)
@given(SENT.filter(bool), st.integers(0, 3), st.integers(0, 3))
def test_a_cut_keeps_its_cells(runs: list[Run], first: int, last: int) -> None:
    """The buckets of some cells are what they are among all."""
    whole = tallied(runs)

    cut = whole.cut(first, last)

    assert buckets(cut) == {name: whole.bucket(whole.cells.index((name, ()))) for name, _ in whole.cells[first:last]}


@pytest.mark.clause("BU-61")
@settings(max_examples=50)
@given(SENT.filter(bool))
def test_tallies_that_were_packed_are_the_same(runs: list[Run]) -> None:
    """Nothing is lost at rest."""
    assert buckets(unpack_tallies(pack_tallies(tallied(runs)))) == counted(runs)


@pytest.mark.clause("BU-60")
def test_sums_beyond_64_bits_are_exact() -> None:
    """Many of the largest values neither wrap nor round, added up or packed."""
    count, top = 3_000, 10**18
    values = {"scores.g": np.full(count, top, np.int64)}
    runs = Columns(runs=count, statuses=np.zeros(count, np.int8), values=values)
    cell, cells = np.arange(count) % 2, (("v1", ()), ("v2", ()))

    once = tally(runs, cell, cells)
    twice = unpack_tallies(pack_tallies(add_up([once, once])))

    for tallies, times in ((once, 1), (twice, 2)):
        value = tallies.bucket(1).values["scores.g"]
        n = times * count // 2
        assert (value.n, value.total, value.squares) == (n, n * top, n * top * top)


@pytest.mark.clause("BU-282")
@pytest.mark.parametrize(
    ("place", "spoiled"),
    [(5, ("Q", (2**63 + 9).to_bytes(8, "little"))), (5, ("B", b"\0")), (6, ("B", b"")), (7, ("B", b"\1"))],
)
def test_tallies_whose_parts_do_not_fit_are_told(place: int, spoiled: tuple[str, bytes]) -> None:
    """Bins that fall or stand twice, and counts or sums of other bins, are of no store of ours."""
    rows = [{"release": "v1", "status": "ok", "scores": {"g": value}} for value in (0.25, 0.5)]
    batch = run_batches().decode("\n".join(map(json.dumps, rows)).encode(), "web")
    parts = msgspec.msgpack.decode(pack_tallies(tally(batch.columns, batch.group, (("v1", ()),))))
    width, data = spoiled
    # Of two bins the first stays as it is, where the spoiled part is about bins.
    first = np.frombuffer(parts[5][1], f"<{parts[5][0]}")[:1].astype(f"<{width}").tobytes() if place == 5 else b""
    parts[place] = (width, first + data)

    with pytest.raises(UnsoundError, match="tallies in the store cannot be read"):
        unpack_tallies(msgspec.msgpack.encode(parts))


@pytest.mark.clause("BU-225")
def test_a_field_of_one_cell_costs_the_others_nothing() -> None:
    """One run with many scores beside runs of many releases fills neither memory nor the store."""
    wide = {"release": "wide", "status": "ok", "scores": {f"s{number}": 0.5 for number in range(500)}}
    plain = [{"release": f"r{number}", "status": "ok"} for number in range(400)]
    batch = run_batches().decode("\n".join(map(json.dumps, [wide, *plain])).encode(), "web")
    tallies = tally(batch.columns, batch.group, tuple((group.release, group.labels) for group in batch.groups))

    whole = add_up([tallies, tallies])

    assert (len(tallies.squares), len(whole.squares)) == (500, 500)
    assert len(pack_tallies(whole)) < 100 * (500 + 400)
    place = next(place for place, (release, _) in enumerate(whole.cells) if release == "wide")
    assert len(whole.bucket(place).values) == 500
    assert sum(whole.bucket(other).runs for other in range(len(whole.cells))) == 2 * 401
