# SPDX-License-Identifier: Apache-2.0
"""Receipts of a rollout come in, in order; each decision is made again from stored evidence, and differences go out.

What is folded, judged, decided and drafted is what a tick does, by the same functions.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import Any, cast

from lockgate import __version__
from lockgate.core.app import App, series_name
from lockgate.core.decision.chain import decide
from lockgate.core.decision.decision import Action
from lockgate.core.envelope import open_envelope
from lockgate.core.evidence.plan import plan
from lockgate.core.evidence.progress import advance, begin, see
from lockgate.core.evidence.state import clear_ratio_alarm
from lockgate.core.evidence.window import Lookback, Sides, lookback_of, span_at
from lockgate.core.instant import Instant
from lockgate.core.policy.policy import Policy
from lockgate.core.receipt import Bindings, draft
from lockgate.core.soundness.flaw import Flaw, Rule, flaw_of
from lockgate.core.soundness.pruning import early
from lockgate.core.soundness.retelling import actor_of, decision_of
from lockgate.core.statement import Statement, read_statement
from lockgate.core.transition import Transition
from lockgate.core.trial import Chain, Trial, looked
from lockgate.core.vault import Receipt
from lockgate.core.verdict.judge import judge
from lockgate.core.verdict.verdict import Verdict
from lockgate.operations.checking import PORTION, Check, portions
from lockgate.operations.surroundings import situation
from lockgate.operations.untold import untold_in

LOOP = "tick"


class Replay:
    """A rollout made again: what it had read, and the end of its chain, after the receipts so far."""

    def __init__(self, check: Check, trial: Trial, policy: Policy) -> None:
        self._check = check
        self._trial = trial
        self._plan = plan(policy)
        self._progress = begin(self._plan)
        self._chain = Chain(state=self._progress.state.digest())
        app = check.seen.app(trial.rollout.app)
        # Of buckets that were pruned nothing can be made again.
        self._is_known = app is None or app.kept_from <= trial.spans[0].first
        if not self._is_known:
            check.leave(f"{trial.rollout.id}: what it decided on buckets that were pruned")
        if not trial.has_looks:
            check.leave(f"{trial.rollout.id}: what its looks said, which were pruned")
        self._has_read = self._is_known
        self._ended_at: Instant | None = None
        self._freezes: list[tuple[int, str | None]] | None = None
        name = trial.rollout.id
        self._sides = Sides.of(trial.rollout.baseline, trial.rollout.candidate, policy)
        self._folded = portions(
            lambda after: check.seen.folded_after(name, after, PORTION), lambda row: row[0], after=-1
        )
        self._looks = portions(lambda after: check.seen.looks_after(name, after, PORTION), lambda row: row.number)

    def turn(self, receipt: Receipt, statement: Statement, transition: Transition) -> None:
        """Make the decision of the next receipt again."""
        if transition.after.is_terminal:
            self._ended_at = receipt.at if self._ended_at is None else min(self._ended_at, receipt.at)
        if not self._is_known:
            return
        evidence = cast("dict[str, Any]", statement.predicate["evidence"])
        digests = self._read(evidence["buckets"]["count"])
        self._look(evidence["looks"])
        before = self._chain.state
        verdict = self._verdict(statement, transition)
        if transition.decision.action is Action.CLEAR:
            cleared = clear_ratio_alarm(self._progress.state)
            self._progress = replace(self._progress, state=cleared)
        bindings = Bindings(
            seq=receipt.seq,
            previous=self._chain.receipt,
            state_before=before,
            state_after=self._progress.state.digest(),
            buckets=digests,
            lookback=self._lookback(statement),
            looks=self._chain.looks,
            looks_digest=self._chain.looks_digest,
            engine=cast("dict[str, str]", statement.predicate["engine"])["version"],
        )
        self._chain = Chain(state=bindings.state_after, receipt=receipt.digest)
        if self._is_known:
            stated = self._decide(receipt, statement, transition, verdict)
            drafted = draft(stated, verdict, self._plan.policy, bindings, actor_of(statement))
            self._compare(receipt, statement, drafted.payload)
            self._check.count("decisions made again")

    def _look(self, bound: dict[str, Any]) -> None:
        """Bind the next looks; where they were pruned, those that the receipt states."""
        if not self._trial.has_looks:
            stated = None if bound["sha256"] is None else f"sha256:{bound['sha256']}"
            self._chain = replace(self._chain, looks=bound["count"], looks_digest=stated)
            return
        for look in islice(self._looks, bound["count"]):
            self._chain = looked(self._chain, look)

    def _lookback(self, statement: Statement) -> Lookback | None:
        """Return what the first receipt says that is read from before; what others had read then only it knows."""
        evidence = cast("dict[str, Any]", statement.predicate["evidence"])
        attempts = evidence.get("earlier", {}).get("readByAttempts", 0)
        return lookback_of(self._trial.spans, attempts) if statement.seq == 1 else None

    def end(self) -> None:
        """Compare what the rollout has read since its last receipt, and what was pruned of it, with what is kept."""
        kept = self._trial
        for what in early(kept, self._check.seen.retention(), self._ended_at, is_read=self._has_read):
            self._flaw(what)
        self._read(None)
        if not self._is_known:
            return
        if self._progress != kept.progress:
            self._flaw("the evidence as it is kept is not what its buckets fold to")
        if not kept.has_looks:
            return
        for look in self._looks:
            self._chain = looked(self._chain, look)
        if (self._chain.looks, self._chain.looks_digest) != (kept.chain.looks, kept.chain.looks_digest):
            self._flaw(f"its row counts {kept.chain.looks} looks since the last receipt, kept are {self._chain.looks}")

    def _flaw(self, what: str, receipt: Receipt | None = None) -> None:
        name = self._trial.rollout.id
        self._check.add([Flaw(Rule.REPLAY, name, what) if receipt is None else flaw_of(receipt, Rule.REPLAY, what)])

    def _read(self, count: int | None) -> tuple[str, ...]:
        """Fold the next buckets that the rollout had read, and return their digests."""
        digests: list[str] = []
        while rows := list(islice(self._folded, PORTION if count is None else min(PORTION, count - len(digests)))):
            digests += [digest for _, digest in rows]
            if self._is_known:
                self._fold(rows)
            if count is None:
                digests.clear()
        return tuple(digests)

    def _fold(self, rows: list[tuple[int, str]]) -> None:
        seen, app = self._check.seen, self._trial.rollout.app
        first, last = rows[0][0], rows[-1][0]
        slots = {slot.number: slot for slot in seen.slots(app, first - 1, last - first + 1)}
        cells, pairs = seen.cells(app, first, last), seen.pairs(app, first, last)
        for number, digest in rows:
            slot, span = slots.get(number), span_at(self._trial.spans, number)
            if slot is None or span is None:
                self._is_known = False
                self._flaw(f"it has read bucket {number} of {app}, which is not kept")
                return
            within = [cell for cell in cells if cell.number == number]
            paired = [cell for cell in pairs if cell.number == number]
            sealed = see(slot, span, within, self._sides, paired)
            if sealed.digest() != digest:
                self._is_known = False
                self._flaw(f"bucket {number} of {app} is not what the rollout has read: {digest}")
                return
            self._progress = advance(self._progress, sealed, self._plan)

    def _verdict(self, statement: Statement, transition: Transition) -> Verdict:
        if statement.seq == 1:
            return Verdict((), self._plan.policy.inference)
        progress = self._progress
        return judge(progress.state, progress.totals, self._plan, transition.before.step)

    def _decide(self, receipt: Receipt, statement: Statement, transition: Transition, verdict: Verdict) -> Transition:
        """Decide again what the loop decided, and return its transition with the reasons that did not fit."""
        before, policy, said = transition.before, self._plan.policy, decision_of(statement)
        if receipt.seq == 1 or actor_of(statement).kind != LOOP:
            return transition
        # With the freeze that stood when the receipt was written.
        app = App(name=before.app, frozen=self._frozen_at(receipt.index))
        trial = replace(self._trial, rollout=before, progress=self._progress)
        untold = untold_in(said)
        if untold is not None:
            self._check.leave(f"{before.id}: whether its router had been told, where it held for that")
        made = decide(before, policy, verdict, situation(trial, policy, app, receipt.at, untold))
        if (made.action, made.cause, made.step, made.weight) != (said.action, said.cause, said.step, said.weight):
            ruled = f"{made.action.value} ({made.cause.value})"
            self._flaw(f"it decided {said.action.value} ({said.cause.value}), the rules make {ruled} of it", receipt)
        is_cut = cast("dict[str, int]", statement.predicate["decision"])["alsoOmitted"] > 0
        return replace(transition, decision=replace(transition.decision, also=made.also)) if is_cut else transition

    def _frozen_at(self, index: int) -> str | None:
        """Return why the app was frozen when the log had so many entries."""
        if self._freezes is None:
            series = series_name(self._check.org, self._trial.rollout.app)
            read = portions(
                lambda after: self._check.seen.receipts_after(series, after, PORTION), lambda row: row.seq, 0
            )
            self._freezes = [(each.index, _frozen(each)) for each in read]
        return next((frozen for at, frozen in reversed(self._freezes) if at < index), None)

    def _compare(self, receipt: Receipt, statement: Statement, payload: bytes) -> None:
        if open_envelope(receipt.envelope).payload != payload:
            engine = cast("dict[str, str]", statement.predicate["engine"])["version"]
            if engine != __version__:
                self._check.leave(f"{receipt.rollout_id}: decisions of Lockgate {engine}, made again by {__version__}")
                return
            made = read_statement(payload).predicate
            others = [name for name, value in statement.predicate.items() if made.get(name) != value]
            self._flaw(f"made again from stored evidence its {', '.join(others) or 'subject'} differs", receipt)


def _frozen(receipt: Receipt) -> str | None:
    to = cast("dict[str, Any]", read_statement(open_envelope(receipt.envelope).payload).predicate["to"])
    return cast("str | None", to["frozen"])
