# SPDX-License-Identifier: Apache-2.0
"""A rollout comes in; how many of its candidate's runs at this step are never compared goes out.

They came in buckets that opened while the traffic still settled, or while nobody knew what was live.
"""

from __future__ import annotations

from lockgate.core.evidence.sealed import Phase
from lockgate.core.instant import Instant
from lockgate.core.trial import Trial
from lockgate.ports.store import Snapshot

# Of the first buckets of a step; whoever asks only wants to know where runs went that do not count.
AT_MOST = 200


def settling_runs(seen: Snapshot, trial: Trial, now: Instant) -> int:
    """Return how many of the candidate's runs at a step are in sealed buckets that comparisons leave out."""
    rollout, span = trial.rollout, trial.spans[-1]
    slots = [slot.as_of(now) for slot in seen.slots(rollout.app, span.first - 1, AT_MOST)]
    left_out = [
        slot.number for slot in slots if (slot.is_sealed or slot.is_over(now)) and span.phase(slot) is Phase.TRANSITION
    ]
    return sum(seen.run_counts(rollout.app, number).get(rollout.candidate, 0) for number in left_out)
