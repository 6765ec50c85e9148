# SPDX-License-Identifier: Apache-2.0
"""Runs as columns come in; their buckets must be what counting the runs one by one gives."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from functools import reduce
from operator import add
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockgate.core.bucket import STATUSES, Bucket, Events, Pairs
from lockgate.core.intake import WHOLE, Question
from lockgate.core.run import Run, Score, summarize_runs
from lockgate.core.stats.bins import histogram
from lockgate.core.summary import ABSENT, NO, NONE, YES, Answers, Columns, badness, concatenate, pair, summarize
from lockgate.wiring import run_files
from tests.contracts.run_writers import record

MICRO = 1_000_000
SLICE = (("intent", "medical"),)
AMOUNTS = st.none() | st.floats(0, 1e12) | st.sampled_from([0.0, 5e-324, 1e-6, 0.1, 1e12])
COSTS = st.none() | st.decimals(0, 10**12, allow_nan=False, allow_infinity=False, places=9)
COUNTS = st.none() | st.integers(0, 10**12)
SCORES = st.dictionaries(
    st.sampled_from(["g", "h", "safe"]),
    st.builds(lambda value: Score(value=value), st.booleans() | st.floats(-1e12, 1e12)),
)
RUNS = st.lists(
    st.builds(
        Run,
        release=st.just("v36"),
        status=st.none() | st.sampled_from(STATUSES),
        latency_ms=AMOUNTS,
        ttft_ms=AMOUNTS,
        cost=COSTS,
        input_tokens=COUNTS,
        output_tokens=st.integers(0, 10**12),
        scores=SCORES,
    ),
    max_size=12,
)


def columns(latencies: Sequence[float | None], statuses: Sequence[int] | None = None) -> Columns:
    """Return runs with a latency each, or none."""
    micro = [ABSENT if value is None else round(value * MICRO) for value in latencies]
    codes = [NONE] * len(latencies) if statuses is None else statuses
    return Columns(
        runs=len(latencies),
        statuses=np.array(codes, np.int8),
        values={"latency_ms": np.array(micro, np.int64)},
        parts={SLICE: np.array([number % 2 == 0 for number in range(len(latencies))])},
    )


def fast(runs: Sequence[Run]) -> Bucket:
    """Return the bucket of runs by way of a file, its columns and `summarize`."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "runs.ndjson"
        path.write_text("".join(json.dumps(record(run)) + "\n" for run in runs), encoding="utf-8")
        question = Question(baseline="v36", candidate="abc123")
        return run_files().read([str(path)], question, lambda _done, _total: None).bucket("v36")


@pytest.mark.clause("BU-01")
@given(RUNS)
def test_columns_say_what_counting_one_by_one_says(runs: list[Run]) -> None:
    """Whatever the runs, both ways give the same counts, sums, squares and bins."""
    assert fast(runs) == summarize_runs(runs)


@pytest.mark.clause("BU-01")
@given(RUNS, st.randoms())
def test_the_order_of_runs_does_not_matter(runs: list[Run], random: Random) -> None:
    """A shuffled file is the same evidence."""
    shuffled = random.sample(runs, len(runs))

    assert fast(shuffled) == fast(runs)


@pytest.mark.clause("BU-01")
@settings(max_examples=30)
@given(st.lists(RUNS, max_size=4))
def test_buckets_add_like_their_runs(parts: list[list[Run]]) -> None:
    """The bucket of all runs is the sum of the buckets of any parts of them, to the last byte."""
    whole = summarize_runs([run for part in parts for run in part])

    added = reduce(add, (fast(part) for part in parts), Bucket())

    assert added == whole
    assert added.digest() == whole.digest()


@pytest.mark.clause("BU-01")
@given(st.lists(st.integers(-(10**18), 10**18), min_size=1, max_size=50))
def test_sums_are_those_of_whole_numbers(micro: list[int]) -> None:
    """Neither the sum nor the sum of squares wraps or rounds at the largest magnitudes."""
    values = np.array(micro, np.int64)
    runs = Columns(runs=values.size, statuses=np.full(values.size, NONE, np.int8), values={"scores.g": values})

    tally = summarize(runs)[WHOLE].values["scores.g"]

    bins = histogram(values)
    assert (tally.n, tally.total, tally.squares) == (len(micro), sum(micro), sum(value * value for value in micro))
    assert tally.bins == tuple(zip(bins.indices.tolist(), bins.counts.tolist(), strict=True))


@pytest.mark.clause("BU-01")
def test_a_slice_holds_its_runs_only() -> None:
    """Each slice has a bucket of its own; one without runs has none."""
    other = (("intent", "dental"),)
    runs = columns([1.0, 2.0, 3.0, None])
    runs = Columns(
        **{name: getattr(runs, name) for name in ("runs", "statuses", "values")}
        | {"parts": {**runs.parts, other: np.zeros(4, np.bool_)}}
    )

    buckets = summarize(runs, (WHOLE, SLICE, other))

    assert {part: bucket.runs for part, bucket in buckets.items()} == {WHOLE: 4, SLICE: 2}
    assert buckets[SLICE].values["latency_ms"].total == 4 * MICRO


@pytest.mark.clause("BU-01")
def test_which_runs_an_event_counts() -> None:
    """Cancelled runs and runs without a status are in no error rate; they are runs all the same."""
    ok, error, timeout, cancelled = range(4)

    bucket = summarize(columns([None] * 6, [ok, error, timeout, cancelled, NONE, ok]))[WHOLE]

    assert bucket.runs == 6
    assert bucket.statuses == {"ok": 2, "error": 1, "timeout": 1, "cancelled": 1}
    assert bucket.events == {"error_rate": Events(4, 2), "timeout_rate": Events(4, 1)}
    assert bucket.values == {}


@pytest.mark.clause("BU-01")
def test_a_run_passes_when_all_its_answers_do() -> None:
    """One `false` among a run's yes/no scores is a failure; a run without one is not counted."""
    answers = {"scores.a": [YES, YES, NO, NONE, NONE], "scores.b": [YES, NO, NONE, YES, NONE]}
    runs = Columns(
        runs=5,
        statuses=np.full(5, NONE, np.int8),
        answers={name: np.array(codes, np.int8) for name, codes in answers.items()},
    )

    events = summarize(runs)[WHOLE].events

    assert events == {"pass_rate": Events(4, 2), "scores.a": Events(3, 1), "scores.b": Events(3, 1)}


@pytest.mark.clause("BU-01")
def test_batches_may_lack_each_others_fields() -> None:
    """A field that only one batch has is absent in the runs of the other."""
    bare = Columns(runs=2, statuses=np.array([0, 1], np.int8), parts={SLICE: np.ones(2, np.bool_)})

    joined = concatenate([columns([5.0]), bare, columns([None, 7.0])])

    assert joined.runs == 5
    assert joined.values["latency_ms"].tolist() == [5 * MICRO, ABSENT, ABSENT, ABSENT, 7 * MICRO]
    assert summarize(joined)[WHOLE].values["latency_ms"].n == 2


BAD = {"error_rate": [0, MICRO, MICRO, ABSENT, ABSENT], "timeout_rate": [0, 0, MICRO, ABSENT, ABSENT]}


@pytest.mark.clause("BU-07")
@pytest.mark.parametrize("name", BAD)
def test_a_failed_probe_is_worse_than_one_that_did_not_fail(name: str) -> None:
    """The event of a share is the worse answer; a cancelled run answers nothing."""
    assert badness(columns([None] * 5, [0, 1, 2, 3, NONE]), name).tolist() == BAD[name]


@pytest.mark.clause("BU-07")
def test_the_worse_direction_is_the_catalogues() -> None:
    """More time is worse; a lower score is worse; a `false` is worse than a `true`."""
    runs = Columns(
        runs=3,
        statuses=np.full(3, NONE, np.int8),
        values={"latency_ms": np.array([5, 7, ABSENT]), "scores.g": np.array([5, ABSENT, 7])},
        answers={"scores.g": np.array([YES, NO, NONE], np.int8)},
    )

    bad = {name: badness(runs, name).tolist() for name in ("latency_ms", "scores.g", "pass_rate", "cost")}

    assert bad == {
        "latency_ms": [5, 7, ABSENT],
        "scores.g": [-5, ABSENT, -7],
        "pass_rate": [0, MICRO, ABSENT],
        "cost": [ABSENT] * 3,
    }


@pytest.mark.clause("BU-07")
@given(
    st.dictionaries(st.text(max_size=2), st.integers(-3, 3)), st.dictionaries(st.text(max_size=2), st.integers(-3, 3))
)
def test_pairs_are_the_probes_that_both_answered(before: dict[str, int], after: dict[str, int]) -> None:
    """Losses, ties and wins are what comparing probe by probe gives; swapped arms swap losses and wins."""
    common = [(before[probe], after[probe]) for probe in before.keys() & after.keys()]

    pairs = pair(_answers(before), _answers(after), ("x",), (WHOLE,))["x", WHOLE]
    swapped = pair(_answers(after), _answers(before), ("x",), (WHOLE,))["x", WHOLE]

    assert pairs == Pairs(sum(b < a for b, a in common), sum(b == a for b, a in common), sum(b > a for b, a in common))
    assert swapped == Pairs(pairs.wins, pairs.ties, pairs.losses)


def _answers(values: dict[str, int]) -> Answers:
    return Answers(probes=tuple(values), badness={"x": np.array(list(values.values()), np.int64)})


def test_a_run_record_has_the_fields_of_its_files() -> None:
    """A run is a plain frozen value."""
    run = Run(release="v36", cost=Decimal("0.1"), scores={"g": Score(value=0.5, evaluator="e", version="2")})

    assert summarize_runs([run]).values["cost"].total == 100_000
