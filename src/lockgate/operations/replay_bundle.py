# SPDX-License-Identifier: Apache-2.0
"""The files of a bundle come in; what the replay of each decision came to goes out, without a store."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from lockgate.core.bundle_layout import (
    proof_file,
    receipt_file,
    related_proof_file,
    replay_file,
    verdict_file,
)
from lockgate.core.canonical import Json
from lockgate.core.checkpoint import read_log_proof
from lockgate.core.refusal import VerifyError
from lockgate.core.replay.case import Case
from lockgate.core.replay.case_reading import read_case
from lockgate.core.replay.outcome import Outcome, Past, Record, Result, Why, differs, record_of, unlinked
from lockgate.errors import DataError
from lockgate.operations.replay import Beside, Progress, Replayed, replayed

_RECEIPT = re.compile(r"receipts/([1-9][0-9]{0,15})\.json")
_RELATED = re.compile(r"related/app/([1-9][0-9]{0,15})\.json")
NO_CASE = "the bundle has no case of it"


@dataclass(frozen=True, slots=True)
class Freezes:
    """At which places of the log an app was frozen or unfrozen, rising, and why it was frozen from there on."""

    places: tuple[int, ...]
    reasons: tuple[str | None, ...]

    def at(self, index: int) -> str | None:
        """Return why the app was frozen when the log had so many entries."""
        place = bisect_left(self.places, index)
        return self.reasons[place - 1] if place else None


def replay_bundle(files: Mapping[str, bytes], tell: Progress) -> Replayed:
    """Replay every decision of a bundle, from its first receipt on."""
    numbers = sorted(int(match[1]) for name in files if (match := _RECEIPT.fullmatch(name)))
    if not numbers:
        raise DataError("there is no receipt in the bundle", advice="`lockgate export --rollout ID` writes bundles.")
    found, past = Replayed(is_whole=numbers == list(range(1, len(numbers) + 1))), None
    freezes, last = freezes_of(files), 0
    for number in numbers:
        record = record_of(files[receipt_file(number)])
        outcome, led, case = _one(record, files, past if number == last + 1 else None)
        if outcome.result is Result.EQUAL and case is not None:
            outcome = _freeze_flaw(record, case, freezes, files) or outcome
        past, last = led, number
        found.add(record, outcome, case)
        tell("decisions", len(found.outcomes))
    return found


def _one(record: Record, files: Mapping[str, bytes], past: Past | None) -> tuple[Outcome, Past | None, Case | None]:
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


def freezes_of(files: Mapping[str, bytes]) -> Freezes:
    """Return when the app was frozen, as its own receipts in a bundle say; when a rollout begins it is not."""
    found: list[tuple[int, str | None]] = []
    for name in files:
        if (match := _RELATED.fullmatch(name)) is not None:
            to = cast("Mapping[str, Json]", record_of(files[name]).statement.predicate["to"])
            proof = files.get(related_proof_file("app", int(match[1])))
            if proof is None:
                raise DataError(f"the bundle has {name} without its proof, which says when it was")
            found.append((read_log_proof(proof).index, cast("str | None", to["frozen"])))
    found.sort(key=lambda each: each[0])
    return Freezes(tuple(place for place, _ in found), tuple(reason for _, reason in found))


def _freeze_flaw(record: Record, case: Case, freezes: Freezes, files: Mapping[str, bytes]) -> Outcome | None:
    proof = files.get(proof_file(record.statement.seq))
    if proof is None:
        return None
    stated = freezes.at(read_log_proof(proof).index)
    if stated == case.setting.around.freeze:
        return None
    return differs(record, Why.FREEZE, "its case and the receipts of the app say otherwise whether the app was frozen")
