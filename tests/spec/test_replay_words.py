# SPDX-License-Identifier: Apache-2.0
"""Each member of a receipt and of a case comes in with another value; the first difference must be that one."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from lockgate.core.canonical import canonicalize
from lockgate.core.refusal import VerifyError
from lockgate.core.replay.case_reading import read_case
from lockgate.core.replay.outcome import Past, Record, Result, Why, compared, record_of, unlinked
from lockgate.operations.steering.pause import pause
from lockgate.operations.steering.resume import resume
from tests.spec.line import created, world
from tests.spec.replayed import WHO, Pair, lived, pairs, pasts

Place = tuple[Any, ...]
# What is taken on trust: it changes nothing where it held nothing.
ON_TRUST = (("around", "freeze"), ("around", "untold"))
# Of each rollout its begin and its end.
MOST = 4


@pytest.fixture(scope="module")
def every() -> list[tuple[Pair, Past | None]]:
    """Return receipts of all kinds with their cases, and what those before them lead to."""
    here = world()
    found = [pairs(here.house, name) for name in lived(here)]
    both = [list(zip(each, pasts(each), strict=True)) for each in found]
    return [pair for each in both for pair in (*each[:2], *each[-MOST + 2 :])]


def places(value: Any, path: Place = ()) -> Iterator[Place]:
    """Yield the paths to everything in a document that is no list and no object, or is an empty one."""
    if isinstance(value, dict | list) and value:
        for name, part in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(part, (*path, name))
    else:
        yield path


def part_at(document: Any, path: Place) -> Any:
    """Return what stands at a path."""
    for name in path:
        document = document[name]
    return document


def otherwise(value: Any) -> Any:
    """Return another value of a kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    if isinstance(value, str):
        return f"{value[:-1]}{'1' if value.endswith('0') else '0'}" if value else "0"
    return [7] if isinstance(value, list) else {"x": 7} if isinstance(value, dict) else 7


def put(document: Any, path: Place, value: Any) -> Any:
    """Return a document with another value at a path."""
    changed = deepcopy(document)
    part_at(changed, path[:-1])[path[-1]] = value
    return changed


def written(path: Place) -> str:
    """Return a path as replay writes it."""
    return "$" + "".join(f"[{name}]" if isinstance(name, int) else f".{name}" for name in path)


def recorded(record: Record, statement: Any) -> Record:
    """Return a receipt that states something else; nobody's signature is looked at."""
    envelope = json.loads(record.envelope)
    payload = b64encode(canonicalize(statement)).decode()
    return record_of(canonicalize({**envelope, "payload": payload}))


@pytest.mark.parametrize("value", [True, 0, 1.5, "a", "0", "", None, [], {}])
@pytest.mark.clause("RP-82")
def test_values_that_are_changed_are_others(value: Any) -> None:
    """Else nothing below is tried."""
    assert otherwise(value) != value


@pytest.mark.clause("RP-82")
def test_each_value_of_a_receipt_that_is_another_is_the_difference_that_is_named(
    every: list[tuple[Pair, Past | None]],
) -> None:
    """By its path, what the receipt holds there and what was recomputed; or the receipt is none."""
    named = refused = 0
    for (record, case), past in every:
        statement = json.loads(record.payload)
        for path in places(statement):
            changed = put(statement, path, otherwise(part_at(statement, path)))
            try:
                other = recorded(record, changed)
            except VerifyError:
                refused += 1
                continue
            outcome, made = compared(other, case, past)
            found = outcome.difference
            assert found is not None, path
            assert (outcome.result, outcome.why, made) == (Result.DIFFERENT, Why.PAYLOAD, None), path
            # Lists and objects that are empty are other ones by a member that is more.
            assert found.path.startswith(written(path)), path
            named += 1
            if part_at(statement, path) not in ([], {}):
                assert found.path == written(path)
                assert json.loads(found.recorded or "") == part_at(changed, path)
                assert json.loads(found.recomputed or "") == part_at(statement, path)

    assert named > 60 * len(every)
    assert refused > 10 * len(every)


@pytest.mark.clause("RP-82")
def test_each_member_that_a_receipt_lacks_or_has_more_is_named(every: list[tuple[Pair, Past | None]]) -> None:
    """With nothing on the one side."""
    named = 0
    for (record, case), past in every[::4]:
        statement = json.loads(record.payload)
        for path in {path[:-1] for path in places(statement) if isinstance(path[-1], str)}:
            changed = put(statement, (*path, "~more"), 7)
            try:
                found = compared(recorded(record, changed), case, past)[0].difference
            except VerifyError:
                continue
            assert found is not None
            assert (found.path, found.recorded, found.recomputed) == (written((*path, "~more")), "7", None)
            named += 1

    assert named > 10


@pytest.mark.clause("RP-83")
def test_each_value_of_a_case_that_is_another_is_refused_or_a_difference_with_both_values(
    every: list[tuple[Pair, Past | None]],
) -> None:
    """No answer is a sentence alone, but for a case that is none."""
    differing = 0
    for (record, case), past in every[::4]:
        document = json.loads(case.encode())
        for path in places(document):
            if path[:2] in ON_TRUST:
                continue
            changed = canonicalize(put(document, path, otherwise(part_at(document, path))))
            try:
                outcome, made = compared(record, read_case(changed), past)
            except VerifyError:
                continue
            assert (outcome.result, made) == (Result.DIFFERENT, None), path
            assert outcome.sentence
            if outcome.why is Why.REFUSED:
                continue
            assert outcome.difference is not None, (path, outcome)
            assert outcome.difference.recorded != outcome.difference.recomputed
            differing += 1

    assert differing > 20


@pytest.mark.clause("RP-81")
def test_a_case_of_another_receipt_is_called_so(every: list[tuple[Pair, Past | None]]) -> None:
    """Whatever else differs: the organisation, the rollout or the number comes first."""
    for (record, _), _ in every:
        for (other, case), _ in every:
            outcome, made = compared(record, case, None)
            same = record.statement.receipt_id == other.statement.receipt_id
            assert (outcome.sentence == "the case is of another receipt") is not same
            assert (made is None) is not same
            if not same:
                assert outcome.difference is not None
                name = outcome.difference.path.removeprefix("$.predicate.")
                assert json.loads(outcome.difference.recorded or "") == record.statement.predicate[name]
                assert json.loads(outcome.difference.recomputed or "") == other.statement.predicate[name]


@pytest.mark.clause("RP-81")
def test_a_case_of_another_organisation_is_of_another_receipt() -> None:
    """Two organisations may have a rollout of one name."""
    here = world()
    [(record, case), *_] = pairs(here.house, created(here).rollout.id)
    moved = replace(
        case, circumstances=replace(case.circumstances, rollout=replace(case.circumstances.rollout, org="other"))
    )

    found = compared(record, moved)[0].difference

    assert found is not None
    assert (found.path, found.recomputed) == ("$.predicate.org", '"other"')


@pytest.mark.clause("RP-81")
def test_another_receipt_in_the_place_of_the_one_before_is_named_by_its_digest() -> None:
    """The digest that the receipt names, and that of what was given; or the number that it would be."""
    here = world()
    rollout = created(here).rollout
    pause(rollout.id, WHO, here.house)
    resume(rollout.id, WHO, here.house)
    first, second, third = (record for record, _ in pairs(here.house, rollout.id))

    said = unlinked(third, first)

    assert said is not None
    assert said.difference is not None
    assert said.difference.path == "$.predicate.prevReceipt.sha256"
    assert json.loads(said.difference.recorded or "") == third.statement.previous
    assert f"sha256:{json.loads(said.difference.recomputed or '')}" == first.digest
    assert unlinked(third, second) is None
