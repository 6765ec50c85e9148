# SPDX-License-Identifier: Apache-2.0
"""The files of a bundle come in; what the replay of each decision came to goes out, without a store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from lockgate.core.app import series_name
from lockgate.core.bundle_layout import (
    numbers,
    proof_file,
    receipt_file,
    related_file,
    related_proof_file,
    replay_file,
    verdict_file,
)
from lockgate.core.checkpoint import read_log_proof
from lockgate.core.refusal import VerifyError
from lockgate.core.replay.case import Case
from lockgate.core.replay.case_reading import read_case
from lockgate.core.replay.freezes import Freezes, freezes_of
from lockgate.core.replay.outcome import Past, Record, ReplayOutcome, Result, Why, differs, record_of, unlinked
from lockgate.core.statement import Statement
from lockgate.errors import DataError
from lockgate.operations.replay.replay import Beside, Replayed, replayed
from lockgate.ports.tell import Tell
from lockgate.verify.rollout import named

NO_CASE = "the bundle has no case of it"


@dataclass(frozen=True, slots=True)
class _OfApp:
    """What the receipts of an app that stand beside a rollout's say: of which series they are, and when it froze."""

    series: frozenset[str]
    freezes: Freezes


def replay_bundle(files: Mapping[str, bytes], tell: Tell) -> Replayed:
    """Replay every decision of a bundle, from its first receipt on."""
    receipts = numbers(files, receipt_file(1))
    if not receipts:
        raise DataError("there is no receipt in the bundle", advice="`lockgate export --rollout ID` writes bundles.")
    found, past = Replayed(is_whole=receipts == list(range(1, len(receipts) + 1))), None
    of_app, first, last = _of_app(files), _record(files, receipt_file(receipts[0])), 0
    before: Record | None = None
    for number in receipts:
        record = _record(files, receipt_file(number))
        if number != last + 1:
            past = before = None
        outcome, led, case = _one(record, files, past)
        if outcome.result is Result.EQUAL and case is not None:
            # Behind a receipt that was not replayed, what that itself states is all that leads here.
            unfollowed = unlinked(record, before) if past is None and before is not None else None
            outcome = unfollowed or _freeze_flaw(record, case, of_app, files) or outcome
        before = record
        if (message := _misplaced(record, number, first)) is not None:
            outcome, led, before = differs(record, Why.SUCCESSION, message), None, None
        past, last = led, number
        found.add(record, outcome, case)
        tell("decisions", len(found.outcomes))
    return found


def _record(files: Mapping[str, bytes], name: str) -> Record:
    """Return what a receipt of the bundle records; a refusal says which file it is about."""
    return named(name, partial(record_of, files[name]))


def _misplaced(record: Record, number: int, first: Record) -> str | None:
    """Return, in words, what a receipt is in place of the one that its file is named for."""
    said = record.statement
    if said.seq != number:
        return f"it stands in the bundle as receipt {number}"
    if (said.org, said.rollout_id) != (first.statement.org, first.statement.rollout_id):
        return "it is of another rollout than the first receipt of the bundle"
    return None


def _one(
    record: Record, files: Mapping[str, bytes], past: Past | None
) -> tuple[ReplayOutcome, Past | None, Case | None]:
    """Return what the replay of one receipt came to, to what it leads, and its case where there is one."""
    data = files.get(replay_file(record.statement.seq))
    try:
        case = None if data is None else read_case(data)
    except VerifyError as error:
        return differs(record, Why.REFUSED, error.message), None, None
    beside = Beside(lambda digest: files.get(verdict_file(digest.removeprefix("sha256:"))), NO_CASE)
    return *replayed(record, case, past, beside), case


def replay_case(envelope: bytes, data: bytes, previous: bytes | None) -> Replayed:
    """Replay one decision from its case, and hold its receipt against the one before where that is given."""
    record = record_of(envelope)
    found = Replayed()
    case = read_case(data)
    outcome, _ = replayed(record, case, None, Beside(lambda _: None))
    unfollowed = None if previous is None else unlinked(record, record_of(previous))
    found.add(record, unfollowed or outcome, case)
    return found


def _of_app(files: Mapping[str, bytes]) -> _OfApp:
    said = list(_placed(files))
    return _OfApp(frozenset(statement.rollout_id for _, statement in said), freezes_of(said))


def _placed(files: Mapping[str, bytes]) -> Iterator[tuple[int, Statement]]:
    """Yield the app's own receipts in a bundle, each with its place in the log."""
    for number in numbers(files, related_file("app", 1)):
        name = related_file("app", number)
        proof = files.get(related_proof_file("app", number))
        if proof is None:
            raise DataError(f"the bundle has {name} without its proof, which says when it was")
        yield read_log_proof(proof).index, _record(files, name).statement


def _freeze_flaw(record: Record, case: Case, of_app: _OfApp, files: Mapping[str, bytes]) -> ReplayOutcome | None:
    if not of_app.series <= {series_name(record.statement.org, case.circumstances.rollout.app)}:
        return differs(record, Why.FREEZE, "the bundle has receipts of another app in place of those of its own")
    proof = files.get(proof_file(record.statement.seq))
    if proof is None:
        return None
    stated = of_app.freezes.at(read_log_proof(proof).index)
    if stated == case.circumstances.around.freeze:
        return None
    return differs(record, Why.FREEZE, "its case and the receipts of the app say otherwise whether the app was frozen")
