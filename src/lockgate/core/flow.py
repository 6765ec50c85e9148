# SPDX-License-Identifier: Apache-2.0
"""How runs come to an app comes in; which part of them a gate reads, and what a bucket of a step has, go out.

A forecast rests on it, and no decision.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from lockgate.core.evidence.state import Tally
from lockgate.core.metric import SHARES
from lockgate.core.policy.gate import Gate
from lockgate.core.policy.policy import Policy
from lockgate.core.policy.step import Step


@dataclass(frozen=True, slots=True)
class Flow:
    """How runs come: how many of both releases a bucket has, and which part of them each gate reads.

    Without the first, buckets are taken to be small; of a gate whose part is unknown nothing is foreseen.
    """

    runs_per_bucket: float | None = None
    parts: Mapping[str, float] = field(default_factory=dict)

    def part(self, gate: Gate, measured: Mapping[str, Tally]) -> float | None:
        """Return the part of an arm's runs that a gate reads; None where nobody can say."""
        is_in_all = not gate.slice and (gate.id in measured or gate.metric.name in SHARES)
        return self.parts.get(gate.id, 1.0 if is_in_all else None)

    def in_bucket(self, policy: Policy, at: Step) -> float:
        """Return the candidate runs that a bucket has at a step; 0 where nobody can say."""
        runs = (self.runs_per_bucket or 0.0) * at.compared_share
        return runs if policy.bucket_runs is None else min(runs, float(policy.bucket_runs))

    def judged_share(self, policy: Policy, at: Step, part: float) -> float:
        """Return the candidate's part of the runs that a gate judges together at a step.

        A bucket without a run of the candidate is not judged, and what its baseline's runs wait with is let go when
        one has both: so a gate that reads few runs judges the candidate's beside fewer of the baseline's.
        """
        share, ours = at.compared_share, part * self.in_bucket(policy, at)
        theirs = ours * (1.0 - share) / share if share else 0.0
        # Where most buckets have no run of the baseline, those without wait for one and are judged with it.
        if theirs < 1.0:
            return share
        together, beside = (runs / -math.expm1(-runs) for runs in (ours, theirs))
        return together / (together + beside)


NO_FLOW = Flow()
