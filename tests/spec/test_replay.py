# SPDX-License-Identifier: Apache-2.0
"""Receipts and the cases that they were decided on come in; making them again must give the same bytes, or say why."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockgate.core.canonical import canonicalize
from lockgate.core.refusal import Reason, VerifyError
from lockgate.core.replay import case_size
from lockgate.core.replay.case import Case
from lockgate.core.replay.case_reading import read_case
from lockgate.core.replay.difference import first_difference
from lockgate.core.replay.outcome import Past, Result, Why, compared
from lockgate.core.replay.remaking import replay
from lockgate.testing.world import World
from tests.spec.line import world
from tests.spec.replayed import Pair, lived, pairs, pasts

# Taken as given: what no receipt of the rollout binds unless it changed what was decided.
ON_TRUST = ({"around", "freeze"}, {"around", "untold"})


@pytest.fixture(scope="module")
def here() -> World:
    """Return a world in which everything happened."""
    found = world()
    lived(found)
    return found


@pytest.fixture(scope="module")
def every(here: World) -> list[tuple[Pair, Past | None]]:
    """Return every receipt of every rollout with its case, and what the receipts before it lead to."""
    found: list[tuple[Pair, Past | None]] = []
    with here.house.store.reading() as seen:
        names = [rollout.id for rollout in seen.rollouts()]
    for name in names:
        each = pairs(here.house, name)
        found += zip(each, pasts(each), strict=True)
    return found


@pytest.mark.clause("RP-01")
def test_every_decision_is_made_again_from_its_case_alone(every: list[tuple[Pair, Past | None]]) -> None:
    """Promotions, rollbacks, looks, pauses, approvals, freezes, kills: a case's bytes give those of the receipt."""
    remade = [replay(read_case(case.encode())) for (_, case), _ in every]

    assert remade == [record.payload for (record, _), _ in every]
    asked = {case.circumstances.act.action.value for (_, case), _ in every if case.circumstances.act is not None}
    assert asked == {"pause", "resume", "approve", "rollback"}
    assert any(case.circumstances.around.freeze for (_, case), _ in every)
    assert any(case.circumstances.looks.count for (_, case), _ in every)


@pytest.mark.clause("RP-02")
def test_a_case_has_one_form(every: list[tuple[Pair, Past | None]]) -> None:
    """What is read is written as it was; state and buckets have the digests that the receipt binds."""
    for (record, case), _ in every:
        again = read_case(case.encode())

        bound: Any = record.statement.predicate["evidence"]
        assert (again.before, again.buckets) == (case.before, case.buckets)
        assert again.before.digest() == f"sha256:{bound['stateBefore']['sha256']}"
        assert len(again.buckets) == bound["buckets"]["count"]


def _leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the paths to everything in a document that is no list and no object."""
    if isinstance(value, dict | list):
        for name, part in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _leaves(part, (*path, name))
    else:
        yield path


def _changed(value: Any) -> Any:
    """Return another value of a kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    return f"{value}0" if isinstance(value, str) else 1


def _is_equal(record: Any, data: bytes, past: Past | None) -> bool:
    try:
        return compared(record, read_case(data), past)[0].result is Result.EQUAL
    except VerifyError:
        return False


@pytest.mark.clause("RP-03")
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@given(data=st.data())
def test_any_changed_value_of_a_case_is_found(every: list[tuple[Pair, Past | None]], data: st.DataObject) -> None:
    """One other number, text or truth anywhere in it: refused, or another payload; but for what is taken on trust."""
    (record, case), past = data.draw(st.sampled_from(every))
    document = json.loads(case.encode())
    path = data.draw(st.sampled_from([each for each in _leaves(document) if {*each} not in ON_TRUST]))
    changed = deepcopy(document)
    part = changed
    for name in path[:-1]:
        part = part[name]
    part[path[-1]] = _changed(part[path[-1]])

    assert not _is_equal(record, canonicalize(changed), past), path


@pytest.mark.clause("RP-03")
@given(data=st.data())
def test_a_case_without_a_part_is_refused(every: list[tuple[Pair, Past | None]], data: st.DataObject) -> None:
    """A member or an item left out, or one twice, is found."""
    (record, case), past = data.draw(st.sampled_from(every))
    document = json.loads(case.encode())
    paths = [path for path in _leaves(document) if len(path) > 1 and {*path} not in ON_TRUST]
    part = document
    path = data.draw(st.sampled_from(paths))
    for name in path[:-1]:
        part = part[name]
    if isinstance(part, list):
        part.append(deepcopy(part[path[-1]]))
    else:
        del part[path[-1]]

    assert not _is_equal(record, canonicalize(document), past), path


@pytest.mark.clause("RP-04")
def test_a_freeze_that_held_a_rollout_is_bound_by_its_receipt(every: list[tuple[Pair, Past | None]]) -> None:
    """A case that leaves it out comes to another decision."""
    frozen = [
        (each, past)
        for each, past in every
        if each[1].circumstances.around.freeze and each[1].circumstances.act is None
    ]
    around = [replace(case.circumstances.around, freeze=None) for (_, case), _ in frozen]
    changed = [
        replace(case, circumstances=replace(case.circumstances, around=free))
        for ((_, case), _), free in zip(frozen, around, strict=True)
    ]

    results = [compared(record, case, past)[0] for ((record, _), past), case in zip(frozen, changed, strict=True)]

    assert results
    assert {outcome.why for outcome in results} == {Why.PAYLOAD}


@pytest.mark.clause("RP-05")
def test_the_first_difference_is_named(every: list[tuple[Pair, Past | None]]) -> None:
    """Its path, what was recorded there and what was recomputed."""
    (record, case), past = next(each for each in every if each[0][1].buckets)
    one_more = replace(case, buckets=case.buckets[:-1])

    outcome, made = compared(record, one_more, past)

    assert (outcome.result, outcome.why, made) == (Result.DIFFERENT, Why.PAYLOAD, None)
    assert outcome.difference is not None
    bound: Any = record.statement.predicate
    value = bound
    for name in outcome.difference.path.split(".")[2:]:
        value = value[name]
    assert json.loads(outcome.difference.recorded or "") == value
    assert outcome.difference.recomputed != outcome.difference.recorded


@pytest.mark.clause("RP-05")
@pytest.mark.parametrize(
    ("recorded", "recomputed", "path", "values"),
    [
        ({"a": 1, "b": [1, 2]}, {"a": 1, "b": [1, 3]}, "$.b[1]", ("2", "3")),
        ({"a": [1]}, {"a": [1, 2]}, "$.a[1]", (None, "2")),
        ({"a": 1}, {}, "$.a", ("1", None)),
        ({"a": 1}, {"a": 1.5}, "$.a", ("1", "1.5")),
        ({"a": True}, {"a": 1}, "$.a", ("true", "1")),
        ({"a": None}, {}, "$.a", ("null", None)),
        ({"a": "x" * 400}, {"a": {}}, "$.a", (f'"{"x" * 299}…', "{}")),
    ],
)
def test_differences_are_found_in_any_document(
    recorded: Any, recomputed: Any, path: str, values: tuple[str | None, str | None]
) -> None:
    """Members that are missing differ from those that are null, and a truth is no number."""
    found = first_difference(recorded, recomputed)

    assert found is not None
    assert (found.path, (found.recorded, found.recomputed)) == (path, values)
    assert first_difference(recorded, recorded) is None


@pytest.mark.clause("RP-06")
def test_a_case_begins_where_the_receipts_before_it_end(every: list[tuple[Pair, Past | None]]) -> None:
    """Since when a step is stood at is in no receipt of it; from the first receipt on it is known."""
    (record, case), past = next(each for each in every if each[0][1].circumstances.seq > 2)
    rollout = replace(case.circumstances.rollout, step_entered_at=case.circumstances.rollout.step_entered_at - 1)
    earlier = Case(replace(case.circumstances, rollout=rollout), case.before, case.buckets)

    alone, _ = compared(record, earlier)
    behind, _ = compared(record, earlier, past)

    assert alone.result is Result.EQUAL
    assert (behind.result, behind.why) == (Result.DIFFERENT, Why.SUCCESSION)
    assert behind.difference is not None
    assert behind.difference.path == "$.rollout.step_entered_at"


def _other_policy(document: dict[str, Any]) -> None:
    document["policy"]["alpha"] = 0.06


def _other_looks(document: dict[str, Any]) -> None:
    document["looks"]["count"] += 1


def _other_way_back(document: dict[str, Any]) -> None:
    act = {"action": "pause", "cause": "operator", "reason": "drill"}
    document["act"] = {**act, "target": "former_champion", "release": "v1"}


def _asked_for_nothing(document: dict[str, Any]) -> None:
    document["act"] = {"action": "resume", "cause": "operator", "reason": "", "target": None, "release": None}


@pytest.mark.clause("RP-07")
@pytest.mark.parametrize("change", [_other_policy, _other_looks, _other_way_back, _asked_for_nothing])
def test_a_case_that_contradicts_itself_is_refused(every: list[tuple[Pair, Past | None]], change: Any) -> None:
    """Its policy is the rollout's, its looks are as many as it counts, and what is asked for changes something."""
    (_, case), _ = next(each for each in every if each[0][1].circumstances.seq == 2)
    document = json.loads(case.encode())
    change(document)

    with pytest.raises(VerifyError) as refused:
        replay(read_case(canonicalize(document)))

    assert refused.value.reason is Reason.CASE_UNDECIDED


@pytest.mark.clause("RP-07")
@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"{", Reason.CASE_NOT_JSON),
        (b'{"a":1,"a":2}', Reason.CASE_DUPLICATE_KEY),
        (b'{ "format": "lockgate-replay-case/v1"}', Reason.CASE_NOT_CANONICAL),
        (b'{"format":"lockgate-replay-case/v2"}', Reason.CASE_FORMAT),
        (b"[]", Reason.CASE_FORMAT),
        (b'{"format":"lockgate-replay-case/v1"}', Reason.CASE_SHAPE),
    ],
)
def test_what_is_no_case_is_refused(data: bytes, reason: Reason) -> None:
    """Each with a reason of its own."""
    with pytest.raises(VerifyError) as refused:
        read_case(data)

    assert refused.value.reason is reason


@pytest.mark.clause("RP-07")
def test_a_case_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is larger is not read at all."""
    monkeypatch.setattr(case_size, "MAX_CASE_SIZE", 10)

    with pytest.raises(VerifyError) as refused:
        read_case(b"[[[[[[[[[[[")

    assert refused.value.reason is Reason.CASE_SIZE


@pytest.mark.clause("RP-07")
def test_the_values_of_a_case_are_bounded() -> None:
    """Of short text that would fill memory nothing is made."""
    with pytest.raises(VerifyError, match="more than 5,000,000 values") as refused:
        read_case(b"[" + b"{}," * 2_500_000 + b"{}]")

    assert refused.value.reason is Reason.CASE_SIZE


@pytest.mark.clause("RP-07")
def test_further_members_are_refused(every: list[tuple[Pair, Past | None]]) -> None:
    """What nothing reads would be bound by nothing."""
    document = json.loads(every[0][0][1].encode())
    document["rollout"]["more"] = 1

    with pytest.raises(VerifyError) as refused:
        read_case(canonicalize(document))

    assert refused.value.reason is Reason.CASE_SHAPE
