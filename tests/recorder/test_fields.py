# SPDX-License-Identifier: Apache-2.0
"""Anything that a program may say of a run comes in; that it raises nothing and is taken by the server is held here."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockgate.adapters.decoders.row import MAX_FLAGS, MAX_TEXT, is_decimal, is_score_name
from lockgate.adapters.decoders.stored_shape import MAX_NAMES
from lockgate.core.app import check_name
from lockgate.core.stats.micro import MAX_ABS
from lockgate.errors import UsageError
from lockgate.operations.intake.ingest import check_batch
from lockgate.recorder import field as recorder_field
from lockgate.recorder.backlog import RunBacklog
from lockgate.recorder.line import line_of
from lockgate.recorder.run import Run
from lockgate.wiring import run_batches, system_clock
from tests.recorder.conftest import Filed

ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.decimals(),
    st.fractions(),
    st.text(max_size=20),
    st.text(st.characters(), min_size=1_100, max_size=1_200),
    st.binary(max_size=5),
    st.lists(st.integers(), max_size=2),
    st.sampled_from(
        [np.float32(0.5), np.bool_(1), np.int64(3), np.float64("nan"), np.array([1.0, 2.0]), object(), "0.25"]
    ),
)
NAMES = st.one_of(st.sampled_from(["quality", "safe", "v1", "a.b-c", "", "-x", "x y", "\ud800", "\n"]), ANYTHING)
SAYING: list[Callable[[Run, Any, Any], None]] = [
    lambda run, a, b: run.score(a, b),
    lambda run, a, b: run.score("quality", a, evaluator=b, version=b),
    lambda run, a, b: run.label(a, b),
    lambda run, a, b: run.flag(a, b),
    lambda run, a, b: run.cost(a, b),
    lambda run, a, b: run.tokens(input=a, output=b),
    lambda run, a, _: run.ttft(a),
    lambda run, a, b: run.fail(a, status=b),
    lambda run, a, _: run.fail(a),
    lambda run, a, _: run.probe(a),
    lambda run, a, _: run.unit(a),
]


class _Home:
    def __init__(self) -> None:
        self.backlog = RunBacklog(10, 1 << 30, 10, lambda: None)

    def release(self) -> str:
        return "v1"


@pytest.mark.clause("RC-06")
@given(
    app=NAMES,
    release=NAMES,
    begun=st.dictionaries(
        st.sampled_from(["run_id", "probe_id", "unit_id", "environment", "labels", "other"]), ANYTHING
    ),
    said=st.lists(st.tuples(st.sampled_from(SAYING), NAMES, ANYTHING), max_size=8),
)
def test_whatever_is_said_raises_nothing_and_what_is_sent_is_taken(
    app: Any, release: Any, begun: dict[str, Any], said: list[tuple[Callable[[Run, Any, Any], None], Any, Any]]
) -> None:
    """A run is counted as lost, or its line is one that the server keeps."""
    home = _Home()
    with Run(app, release, begun or None, lambda: home) as run:
        for say, name, value in said:
            say(run, name, value)

    taken = home.backlog.take(10, 1 << 30)

    assert len(taken) + home.backlog.counts().lost == 1
    for each in taken:
        batch = run_batches().decode(line_of(each, "an-id"), None)
        check_batch(batch, system_clock().now())
        assert batch.own == 1


@pytest.mark.clause("RC-06")
@given(st.one_of(st.text(max_size=300), st.from_regex(r"[\w][!-~é]{0,260}", fullmatch=True)))
def test_names_are_those_that_the_server_takes(name: str) -> None:
    """What is left out here is what it would refuse, and nothing else."""

    def takes(text: str) -> bool:
        try:
            return check_name("an app", text) == text
        except UsageError:
            return False

    assert (recorder_field.name_of(name) is not None) is takes(name)
    assert (recorder_field.score_name_of(name) is not None) is is_score_name(name)


@pytest.mark.clause("RC-06")
def test_bounds_are_those_of_the_server() -> None:
    """A change there is a change here."""
    own = recorder_field.MAX_TEXT, recorder_field.MAX_FLAGS, recorder_field.MAX_NAMES, recorder_field.MAX_ABS

    assert own == (MAX_TEXT, MAX_FLAGS, MAX_NAMES, MAX_ABS)


@pytest.mark.clause("RC-06")
@given(st.one_of(st.decimals(), st.floats(), st.integers(), st.text(max_size=20), st.fractions()))
def test_a_cost_that_is_taken_is_a_decimal_of_the_server(amount: Decimal | float | str | Fraction) -> None:
    """As it is written."""
    found = recorder_field.cost_of(amount)

    assert found is None or is_decimal(f"{found:f}")


@pytest.mark.clause("RC-06")
def test_what_cannot_be_kept_is_left_out_and_counted(filed: Filed) -> None:
    """Each field by itself: the others stay."""
    with filed.recorder.record("a") as run:
        run.score("quality", 0.5)
        run.score("not a name", 0.5)
        run.score("nan", float("nan"))
        run.label("huge", "x" * 10_000_000)
        run.flag("a", "its own app")
        run.cost(-1)
        run.tokens(input=-1, output=3)

    found = filed.run()

    assert found["scores"] == {"quality": 0.5}
    assert found["output_tokens"] == 3
    assert found.keys().isdisjoint({"labels", "flags", "cost", "input_tokens"})
    assert sum(filed.recorder.counts().left_out.values()) == 6


@pytest.mark.clause("RC-06")
def test_names_beyond_what_is_taken_are_left_out(filed: Filed) -> None:
    """So that no run grows without end."""
    with filed.recorder.record("a") as run:
        for number in range(100):
            run.score(f"s{number}", number)
            run.label(f"l{number}", "x")
            run.flag(f"f{number}", "x")

    found = filed.run()

    assert [len(found[part]) for part in ("scores", "labels", "flags")] == [64, 64, 32]
    assert list(found["scores"]) == [f"s{number}" for number in range(64)]


@pytest.mark.clause("RC-06")
def test_what_is_said_after_the_end_is_left_out(filed: Filed) -> None:
    """A run is what it was when it ended, and a block that is entered again is no second one."""
    with filed.recorder.record("a") as run:
        run.score("quality", 0.5)
    run.score("late", 1.0)
    run.label("late", "x")
    with run:
        pass

    assert filed.run()["scores"] == {"quality": 0.5}
    assert sum(filed.recorder.counts().left_out.values()) == 2
    assert filed.recorder.counts().dropped == {"a run was entered twice": 1}


@pytest.mark.clause("RC-12")
def test_a_file_of_runs_is_one_that_ingest_takes(filed: Filed, tmp_path: Path) -> None:
    """What was recorded without a server is kept later."""
    for number in range(10):
        with filed.recorder.record("a") as run:
            run.score("quality", number / 10)
    filed.runs()

    (batch,) = run_batches().read([str(filed.path)], None, lambda _done, _total: None)

    assert batch.own == 10
    assert [json.loads(line)["scores"]["quality"] for line in batch.body.splitlines()] == [n / 10 for n in range(10)]
