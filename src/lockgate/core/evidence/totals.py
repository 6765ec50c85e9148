# SPDX-License-Identifier: Apache-2.0
"""Sealed buckets come in; the tallies of the step and of the whole rollout, for display and fixed judgement, go out.

No sequential decision reads them: pooled over changing weights they would mislead.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lockgate.core.bucket import Pairs
from lockgate.core.canonical import Json
from lockgate.core.evidence.sealed import NO_ARMS, NO_PAIRS, Arms, SealedBucket, arms_document, pairs_document
from lockgate.core.intake import WHOLE, Slice
from lockgate.core.policy.policy import Policy
from lockgate.core.policy.step import StepKind

PairKey = tuple[str, Slice]


@dataclass(frozen=True, slots=True)
class Cohorts:
    """Both arms of some buckets together, by slice, and their paired probes."""

    arms: Mapping[Slice, Arms] = field(default_factory=dict)
    pairs: Mapping[PairKey, Pairs] = field(default_factory=dict)

    def arm(self, part: Slice = WHOLE) -> Arms:
        """Return both arms of a slice; none is empty."""
        return self.arms.get(part, NO_ARMS)

    def is_complete(self, policy: Policy, step: int) -> bool:
        """Say whether the arms that a step's gates read have the runs that it asks for."""
        least, both = policy.steps[step].min_runs, self.arm()
        is_compared = not all(gate.is_objective for gate in policy.gates_at(step))
        return both.candidate.runs >= least and (both.baseline.runs >= least or not is_compared)

    def with_bucket(self, sealed: SealedBucket) -> Cohorts:
        """Return the cohorts with one more bucket in them."""
        return self + Cohorts(sealed.arms, sealed.pairs)

    def __add__(self, other: Cohorts) -> Cohorts:
        arms = {**self.arms, **{part: self.arm(part) + new for part, new in other.arms.items()}}
        pairs = {**self.pairs, **{key: self.pairs.get(key, NO_PAIRS) + new for key, new in other.pairs.items()}}
        return Cohorts(arms, pairs)

    def document(self) -> dict[str, Json]:
        """Return the JSON form."""
        return {"arms": arms_document(self.arms), "pairs": pairs_document(self.pairs)}


NO_COHORTS = Cohorts()


@dataclass(frozen=True, slots=True)
class Totals:
    """The cohorts of the step that the rollout stands at, and of everything else, so that no bucket is in both."""

    step: int = 0
    at_step: Cohorts = NO_COHORTS
    beside: Cohorts = NO_COHORTS
    last_bucket: int = -1

    @property
    def whole(self) -> Cohorts:
        """Return the cohorts of all steps."""
        return self.beside + self.at_step if self.beside.arms or self.beside.pairs else self.at_step

    def has_baseline(self) -> bool:
        """Say whether any run of the baseline is in."""
        return any(cohorts.arm().baseline.runs for cohorts in (self.at_step, self.beside))

    def document(self) -> dict[str, Json]:
        """Return the JSON form."""
        cohorts = {"at_step": self.at_step.document(), "beside": self.beside.document()}
        return {"step": self.step, **cohorts, "last_bucket": self.last_bucket}


def add(totals: Totals, sealed: SealedBucket, policy: Policy) -> Totals:
    """Return the totals with one more sealed bucket; one added before, or spanning two weights, adds nothing.

    The cohort of an offline step is complete, and stays as it is, once both arms have the runs that the step asks for:
    so its one look stays one. What ran before a canary is no part of a step that users meet.
    """
    sealed = sealed.compared(policy.steps[sealed.step].settle_s)
    if sealed.number <= totals.last_bucket or not (sealed.arms or sealed.pairs):
        return totals
    at_step, beside = totals.at_step, totals.beside
    if sealed.step != totals.step:
        at_step, beside = NO_COHORTS, totals.whole
    is_looked = policy.steps[sealed.step].kind is StepKind.OFFLINE and at_step.is_complete(policy, sealed.step)
    if is_looked or (sealed.is_earlier and policy.is_met(sealed.step)):
        beside = beside.with_bucket(sealed)
    else:
        at_step = at_step.with_bucket(sealed)
    return Totals(sealed.step, at_step, beside, sealed.number)
