# SPDX-License-Identifier: Apache-2.0
"""The id of a rollout or of a receipt comes in; what the replay of each decision from the store came to goes out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from lockgate import __version__
from lockgate.core.canonical import byte_digest
from lockgate.core.named_contents import named_contents
from lockgate.core.number_spans import spans_of
from lockgate.core.replay.case import Case
from lockgate.core.replay.outcome import (
    Past,
    Record,
    ReplayOutcome,
    Result,
    Why,
    compared,
    differs,
    no_decision,
    other_engine,
    past_of,
    record_of,
    unreplayed,
)
from lockgate.core.replay.remaking import Remade
from lockgate.operations.line.reading import RECEIPT, kept_receipt
from lockgate.operations.replay.cases import cases
from lockgate.ports.house import House
from lockgate.ports.store import Snapshot
from lockgate.ports.tell import Tell

# What is kept under a digest; None where nothing is.
Contents = Callable[[str], bytes | None]


@dataclass(frozen=True, slots=True)
class Beside:
    """What stands beside a receipt and its case: contents by their digests, and why there is no case where none is."""

    contents: Contents
    why_no_case: str = ""


@dataclass(slots=True)
class Replayed:
    """What replays came to so far, each in the order of the receipts."""

    outcomes: list[ReplayOutcome] = field(default_factory=list)
    is_asked: bool = False
    is_whole: bool = False
    has_looks: bool = True

    def add(self, record: Record, outcome: ReplayOutcome, case: Case | None) -> None:
        """Keep what the replay of a receipt came to."""
        self.outcomes.append(outcome)
        self.has_looks = self.has_looks and (case is None or case.circumstances.looks.rows is not None)
        self.is_asked = self.is_asked or (record.is_asked and record.statement.seq > 1)

    def left(self) -> list[tuple[int, int]]:
        """Return, in spans, which receipts were not replayed."""
        return spans_of(outcome.seq for outcome in self.outcomes if outcome.result is Result.UNREPLAYED)

    def count(self, result: Result) -> int:
        """Return how many replays came to a result."""
        return sum(outcome.result is result for outcome in self.outcomes)


def replay_stored(name: str, house: House, tell: Tell) -> Replayed:
    """Replay the decision of a receipt, or all of a rollout from the first on, from what the store holds."""
    with house.store.reading(house.org) as seen:
        if not name.startswith(RECEIPT):
            return _rollout(seen, name, None, tell)
        receipt = kept_receipt(seen, name)
        record = record_of(receipt.envelope)
        if (outcome := no_decision(record)) is not None:
            return Replayed([outcome])
        return _rollout(seen, receipt.rollout_id, receipt.seq, tell)


def _rollout(seen: Snapshot, rollout_id: str, only: int | None, tell: Tell) -> Replayed:
    """Replay from the first receipt on, because only that shows where each begins."""
    found, past = Replayed(is_whole=only is None), None
    for each in cases(seen, rollout_id):
        if only is not None and each.receipt.seq < only - 1:
            continue
        record = record_of(each.receipt.envelope)
        outcome, past = replayed(record, each.case, past, Beside(seen.content, each.why_not))
        tell("decisions", each.receipt.seq)
        if only in (None, each.receipt.seq):
            found.add(record, outcome, each.case)
        if each.receipt.seq == only:
            break
    return found


def replayed(record: Record, case: Case | None, past: Past | None, beside: Beside) -> tuple[ReplayOutcome, Past | None]:
    """Return what the replay of a receipt came to, and to what it leads, where that is known then."""
    refused = other_engine(record, __version__)
    if refused is not None:
        return refused, None
    if case is None:
        return unreplayed(record, Why.GONE, beside.why_no_case), None
    outcome, made = compared(record, case, past)
    if made is None:
        return outcome, None
    said = next(_verdict_flaws(record, made, beside.contents), None)
    return said or outcome, past_of(record, made)


def _verdict_flaws(record: Record, made: Remade, contents: Contents) -> Iterator[ReplayOutcome]:
    """Yield where the whole verdict is not kept as it was recomputed."""
    remade = {byte_digest(each): each for each in made.contents}
    for digest in named_contents(record.statement.predicate):
        kept = contents(digest)
        if kept is None:
            yield unreplayed(record, Why.VERDICT, f"its whole verdict, {digest}, is not kept; it was recomputed")
        elif kept != remade.get(digest):
            yield differs(record, Why.VERDICT, f"its whole verdict, {digest}, is kept otherwise than it is recomputed")
