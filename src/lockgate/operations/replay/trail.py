# SPDX-License-Identifier: Apache-2.0
"""A rollout comes in; what it read, its looks and the freezes of its app go out in the order of its receipts.

All of it is read in bounded portions, once, and compared with the digests that were kept of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Any, cast

from lockgate.core.app import series_name
from lockgate.core.envelope import open_envelope
from lockgate.core.evidence.plan import Plan
from lockgate.core.evidence.progress import see
from lockgate.core.evidence.sealed import SealedBucket
from lockgate.core.evidence.window import Lookback, Sides, lookback_of, span_at
from lockgate.core.receipt import Actor
from lockgate.core.replay.case import Act, Circumstances, Looks
from lockgate.core.replay.freezes import Freezes, freezes_of
from lockgate.core.rollout import Rollout, Status
from lockgate.core.soundness.retelling import actor_of, decision_of
from lockgate.core.statement import Statement, read_statement
from lockgate.core.surroundings import Surroundings
from lockgate.core.trial import Look, Trial
from lockgate.core.vault import Receipt
from lockgate.errors import UnsoundError
from lockgate.operations.line.untold import untold_in
from lockgate.operations.vault.portions import PORTION, portions
from lockgate.ports.store import Snapshot

LOOP = Actor().kind
LEFT_OUT = "why is not in the receipt, which had no room for it"
Rows = list[tuple[int, str]]


class Trail:
    """What is stored of a rollout's past, read on from receipt to receipt."""

    def __init__(self, seen: Snapshot, org: str, trial: Trial, plan: Plan) -> None:
        self._seen = seen
        self._org = org
        self._trial = trial
        self._plan = plan
        name, rollout = trial.rollout.id, trial.rollout
        app = seen.app(rollout.app)
        # Of buckets that were pruned nothing can be made again.
        self.has_buckets = app is None or app.kept_from <= trial.spans[0].first
        self._sides = Sides.of(rollout.baseline, rollout.candidate, plan.policy)
        self._rows = portions(lambda after: seen.folded_after(name, after, PORTION), lambda row: row[0], after=-1)
        self._looks = portions(lambda after: seen.looks_after(name, after, PORTION), lambda row: row.number)
        self._freezes: Freezes | None = None

    def read(self, count: int | None) -> Iterator[tuple[SealedBucket, ...]]:
        """Yield the next buckets that the rollout had read, in portions; all that are left where no count is given."""
        left = count
        while rows := list(islice(self._rows, PORTION if left is None else min(PORTION, left))):
            left = None if left is None else left - len(rows)
            yield tuple(self._buckets(rows))

    def looks_left(self) -> Iterator[Look]:
        """Yield the looks since the last receipt."""
        return self._looks

    def circumstances(self, receipt: Receipt, statement: Statement, before: Rollout) -> Circumstances:
        """Return in what the decision of the next receipt was made, of a rollout as it stood before."""
        said, actor = decision_of(statement), actor_of(statement)
        is_asked = statement.seq > 1 and actor.kind != LOOP
        act = Act(action=said.action, cause=said.cause, reason=said.reason)
        if said.way_back is not None and before.status is Status.PROMOTED:
            back = said.way_back
            act = Act(
                action=said.action, cause=said.cause, reason=said.reason, target=back.target, release=back.release
            )
        around = Surroundings(now=receipt.at, freeze=self._frozen_at(receipt.index), untold=untold_in(said))
        return Circumstances(
            plan=self._plan,
            rollout=before,
            seq=statement.seq,
            previous=None if statement.previous is None else f"sha256:{statement.previous}",
            engine=cast("dict[str, str]", statement.predicate["engine"])["version"],
            actor=actor,
            around=around,
            act=act if is_asked else None,
            lookback=self._lookback(statement),
            looks=self._bound_looks(statement),
        )

    def _bound_looks(self, statement: Statement) -> Looks:
        """Return the next looks; where they were pruned, what the receipt says of them."""
        bound = _evidence(statement)["looks"]
        count, digest = bound["count"], None if bound["sha256"] is None else f"sha256:{bound['sha256']}"
        rows = tuple(islice(self._looks, count)) if self._trial.has_looks else None
        return Looks(count, digest, rows)

    def _lookback(self, statement: Statement) -> Lookback | None:
        """Return what the first receipt says that is read from before; what others had read then only it knows."""
        attempts = _evidence(statement).get("earlier", {}).get("readByAttempts", 0)
        return lookback_of(self._trial.spans, attempts) if statement.seq == 1 else None

    def _buckets(self, rows: Rows) -> Iterator[SealedBucket]:
        seen, app = self._seen, self._trial.rollout.app
        first, last = rows[0][0], rows[-1][0]
        slots = {slot.number: slot for slot in seen.slots(app, first - 1, last - first + 1)}
        cells, pairs = seen.cells(app, first, last), seen.pairs(app, first, last)
        for number, digest in rows:
            slot, span = slots.get(number), span_at(self._trial.spans, number)
            if slot is None or span is None:
                raise UnsoundError(f"it has read bucket {number} of {app}, which is not kept")
            within = [cell for cell in cells if cell.number == number]
            paired = [cell for cell in pairs if cell.number == number]
            sealed = see(slot, span, within, self._sides, paired)
            if sealed.digest() != digest:
                raise UnsoundError(f"bucket {number} of {app} is not what the rollout has read: {digest}")
            yield sealed

    def _frozen_at(self, index: int) -> str | None:
        """Return why the app was frozen when the log had so many entries."""
        if self._freezes is None:
            series = series_name(self._org, self._trial.rollout.app)
            read = portions(lambda after: self._seen.receipts_after(series, after, PORTION), lambda row: row.seq, 0)
            self._freezes = freezes_of((each.index, _stated(each)) for each in read)
        return self._freezes.at(index)


def all_circumstances(likely: Circumstances, statement: Statement) -> tuple[Circumstances, ...]:
    """Return in what circumstances a decision may have been made, the likely one first.

    Where reasons beside its own had no room in the receipt, one of them may have been that no router was told.
    """
    is_cut = bool(cast("dict[str, Any]", statement.predicate["decision"]).get("alsoOmitted"))
    if not is_cut or likely.around.untold is not None:
        return (likely,)
    return (likely, replace(likely, around=replace(likely.around, untold=LEFT_OUT)))


def bucket_count(statement: Statement) -> int:
    """Return how many buckets a receipt binds."""
    return cast("int", _evidence(statement)["buckets"]["count"])


def _evidence(statement: Statement) -> dict[str, Any]:
    return cast("dict[str, Any]", statement.predicate["evidence"])


def _stated(receipt: Receipt) -> Statement:
    return read_statement(open_envelope(receipt.envelope).payload)
