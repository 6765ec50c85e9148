# SPDX-License-Identifier: Apache-2.0
"""One unit of work as its record comes in as a value; the tallies of a few of them, counted one by one, go out.

`summarize_runs` says what `summary.summarize` must say of any number of runs, without its columns:
tests compare the two, and whoever doubts a tally can read it here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from lockgate.core.bucket import STATUSES, Bucket, Events, Values
from lockgate.core.metric import SCORE_PREFIX
from lockgate.core.stats.bins import index_of, lower_edge
from lockgate.core.stats.micro import MICRO, from_float, from_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """What an evaluator said of a run, and which evaluator."""

    value: float | bool
    evaluator: str | None = None
    version: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The record of one unit of work; its fields are those of files and of the API."""

    release: str
    run_id: str | None = None
    app_id: str | None = None
    started_at: str | None = None
    status: str | None = None
    error_type: str | None = None
    latency_ms: float | None = None
    ttft_ms: float | None = None
    cost: Decimal | None = None
    currency: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    scores: Mapping[str, Score] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    unit_id: str | None = None
    probe_id: str | None = None
    environment: str | None = None
    flags: Mapping[str, str] = field(default_factory=dict)


def summarize_runs(runs: Iterable[Run]) -> Bucket:
    """Return the bucket of a few runs, each counted by itself."""
    buckets = (_summarize_one(run) for run in runs)
    return sum(buckets, start=Bucket())


def _summarize_one(run: Run) -> Bucket:
    return Bucket(
        runs=1,
        statuses=dict(Counter([run.status] if run.status in STATUSES else [])),
        events=dict(_events(run)),
        values={name: _value(micro) for name, micro in _numbers(run)},
    )


def _events(run: Run) -> Iterator[tuple[str, Events]]:
    if run.status in ("ok", "error", "timeout"):
        yield "error_rate", Events(1, int(run.status != "ok"))
        yield "timeout_rate", Events(1, int(run.status == "timeout"))
    answers = {name: score.value for name, score in run.scores.items() if isinstance(score.value, bool)}
    if answers:
        yield "pass_rate", Events(1, int(not all(answers.values())))
    for name, answer in answers.items():
        yield f"{SCORE_PREFIX}{name}", Events(1, int(not answer))


def _numbers(run: Run) -> Iterator[tuple[str, int]]:
    for name, number in (("latency_ms", run.latency_ms), ("ttft_ms", run.ttft_ms)):
        if number is not None:
            yield name, int(from_float(number))
    if run.cost is not None:
        yield "cost", from_text(str(run.cost))
    for name, count in (("input_tokens", run.input_tokens), ("output_tokens", run.output_tokens)):
        if count is not None:
            yield name, count * MICRO
    for name, score in run.scores.items():
        yield f"{SCORE_PREFIX}{name}", int(from_float(float(score.value)))


def _value(micro: int) -> Values:
    index = int(index_of(micro))
    return Values(1, micro, micro * micro, ((index, 1),), (micro - int(lower_edge(index)),))
