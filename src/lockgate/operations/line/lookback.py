# SPDX-License-Identifier: Apache-2.0
"""A trial that begins comes in; which earlier buckets it reads, and how many attempts had read them, go out."""

from __future__ import annotations

from lockgate.core.evidence.window import Lookback, lookback_of
from lockgate.core.rollout import Rollout
from lockgate.core.trial import Trial
from lockgate.core.wording import count_text
from lockgate.ports.store import Snapshot


def lookback(seen: Snapshot, trial: Trial) -> Lookback | None:
    """Return which buckets from before it a trial reads; None where that is nothing."""
    rollout, found = trial.rollout, lookback_of(trial.spans)
    if found is None:
        return None
    tried = [each.id for each in seen.rollouts(rollout.app) if each.candidate == rollout.candidate]
    others = [name for name in tried if name != rollout.id]
    return lookback_of(trial.spans, sum(bool(seen.folded_after(name, found.first - 1, 1)) for name in others))


def read_before(rollout: Rollout, found: Lookback | None) -> tuple[str, ...]:
    """Return, in words, what whoever tries a candidate again on the same runs should know."""
    if found is None or found.attempts == 0:
        return ()
    read = f"{count_text(found.attempts, 'earlier attempt')} of {rollout.candidate} read some of these runs already"
    return (f"{read}; the error rates are promised of each attempt by itself, not of all together",)
