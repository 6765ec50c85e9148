# SPDX-License-Identifier: Apache-2.0
"""Receipts of a rollout come in, in order; each decision is made again from stored evidence, and differences go out.

What is folded, judged, decided and drafted is what a tick does, by the same functions.
"""

from __future__ import annotations

from typing import cast

from lockgate import __version__
from lockgate.core.envelope import open_envelope
from lockgate.core.evidence.plan import plan
from lockgate.core.evidence.progress import begin
from lockgate.core.instant import Instant
from lockgate.core.policy.policy import Policy
from lockgate.core.replay.remaking import Folded, Remade, decided, fold_on
from lockgate.core.soundness.flaw import Flaw, Rule, flaw_of
from lockgate.core.soundness.pruning import early
from lockgate.core.soundness.retelling import decision_of
from lockgate.core.statement import Statement, read_statement
from lockgate.core.transition import Transition
from lockgate.core.trial import Chain, Trial, looked
from lockgate.core.vault import Receipt
from lockgate.errors import LockgateError, UnsoundError
from lockgate.operations.replay.trail import Trail, all_circumstances, bucket_count
from lockgate.operations.vault.checking import Check


class Replay:
    """A rollout made again: what it had read, and the digest of that, after the receipts so far."""

    def __init__(self, check: Check, trial: Trial, policy: Policy) -> None:
        self._check = check
        self._trial = trial
        self._plan = plan(policy)
        self._trail = Trail(check.seen, check.org, trial, self._plan)
        self._folded = Folded(begin(self._plan))
        self._state = self._folded.progress.digest()
        self._is_known = self._has_read = self._trail.has_buckets
        if not self._is_known:
            check.leave(f"{trial.rollout.id}: what it decided on buckets that were pruned")
        if not trial.has_looks:
            check.leave(f"{trial.rollout.id}: what its looks said, which were pruned")
        self._ended_at: Instant | None = None

    def turn(self, receipt: Receipt, statement: Statement, transition: Transition) -> None:
        """Make the decision of the next receipt again."""
        if transition.after.is_terminal:
            self._ended_at = receipt.at if self._ended_at is None else min(self._ended_at, receipt.at)
        if not self._is_known:
            return
        circumstances = self._trail.circumstances(receipt, statement, transition.before)
        if circumstances.around.untold is not None and circumstances.act is None:
            self._check.leave(f"{circumstances.rollout.id}: whether its router had been told, where it held for that")
        if not self._read(bucket_count(statement)):
            return
        try:
            tried = [decided(each, self._state, self._folded) for each in all_circumstances(circumstances, statement)]
            signed = open_envelope(receipt.envelope).payload
            made = next((each for each in tried if each.payload == signed), tried[0])
        except LockgateError as error:
            self._flaw(f"the rules make no decision of it: {error.message}", receipt)
            self._folded = Folded(self._folded.progress)
            self._state = self._folded.progress.digest()
            return
        self._folded, self._state = Folded(made.progress), made.state
        self._compare(receipt, statement, made)
        self._check.count("decisions made again")

    def end(self) -> None:
        """Compare what the rollout has read since its last receipt, and what was pruned of it, with what is kept."""
        kept = self._trial
        for what in early(kept, self._check.seen.retention(), self._ended_at, is_read=self._has_read):
            self._flaw(what)
        if not self._is_known:
            return
        if not self._read(None):
            return
        if self._folded.progress != kept.progress:
            self._flaw("the evidence as it is kept is not what its buckets fold to")
        if not kept.has_looks:
            return
        chain = Chain(state="")
        for look in self._trail.looks_left():
            chain = looked(chain, look)
        if (chain.looks, chain.looks_digest) != (kept.chain.looks, kept.chain.looks_digest):
            self._flaw(f"its row counts {kept.chain.looks} looks since the last receipt, kept are {chain.looks}")

    def _flaw(self, what: str, receipt: Receipt | None = None) -> None:
        name = self._trial.rollout.id
        self._check.add([Flaw(Rule.REPLAY, name, what) if receipt is None else flaw_of(receipt, Rule.REPLAY, what)])

    def _read(self, count: int | None) -> bool:
        """Fold the next buckets that the rollout had read, where they are kept; those of no receipt leave no digest."""
        try:
            for buckets in self._trail.read(count):
                folded = fold_on(self._folded, buckets, self._plan)
                self._folded = Folded(folded.progress) if count is None else folded
        except UnsoundError as error:
            self._is_known = False
            self._flaw(error.message)
        return self._is_known

    def _compare(self, receipt: Receipt, statement: Statement, made: Remade) -> None:
        if open_envelope(receipt.envelope).payload == made.payload:
            return
        engine = cast("dict[str, str]", statement.predicate["engine"])["version"]
        if engine != __version__:
            self._check.leave(f"{receipt.rollout_id}: decisions of Lockgate {engine}, made again by {__version__}")
            return
        said, ruled = decision_of(statement), made.transition.decision
        if (ruled.action, ruled.cause, ruled.step, ruled.weight) != (said.action, said.cause, said.step, said.weight):
            rules = f"{ruled.action.value} ({ruled.cause.value})"
            self._flaw(f"it decided {said.action.value} ({said.cause.value}), the rules make {rules} of it", receipt)
            return
        predicate = read_statement(made.payload).predicate
        others = [name for name, value in statement.predicate.items() if predicate.get(name) != value]
        self._flaw(f"made again from stored evidence its {', '.join(others) or 'subject'} differs", receipt)
