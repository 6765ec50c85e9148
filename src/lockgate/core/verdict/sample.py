# SPDX-License-Identifier: Apache-2.0
"""A gate and both arms' tallies come in; what the gate reads of them, oriented so that more is worse, goes out."""

from __future__ import annotations

from dataclasses import dataclass

from lockgate.core.bucket import Bucket, Events, Pairs, Values
from lockgate.core.evidence.plan import worse_limit
from lockgate.core.evidence.tally import tally
from lockgate.core.metric import Kind, Worse
from lockgate.core.policy.gate import Gate

NO_PAIRS = Pairs()


@dataclass(frozen=True, slots=True)
class Sample:
    """One gate with the tallies of both releases in its slice, and its paired probes."""

    gate: Gate
    baseline: Bucket
    candidate: Bucket
    pairs: Pairs = NO_PAIRS

    @property
    def kind(self) -> Kind:
        """Return how the metric's runs become a number."""
        return self.gate.metric.kind

    @property
    def is_turned(self) -> bool:
        """Say whether the metric's own direction is the opposite of the one that is judged."""
        return self.gate.metric.worse is Worse.LOWER and self.kind is not Kind.PAIRED

    @property
    def limit(self) -> float | None:
        """Return an objective's limit in the judged direction."""
        if self.gate.limit is None:
            return None
        limit = worse_limit(self.gate)
        return -limit if self.is_turned and self.kind is not Kind.BINARY else limit

    @property
    def counts(self) -> tuple[int, int]:
        """Return how many runs (or pairs) of baseline and candidate carry the metric."""
        if self.kind is Kind.PAIRED:
            return self.pairs.n, self.pairs.n
        both = (tally(self.gate.metric, bucket) for bucket in (self.baseline, self.candidate))
        baseline, candidate = (0 if part is None else part.n for part in both)
        return baseline, candidate

    @property
    def is_complete(self) -> bool:
        """Say whether every arm that the gate compares carries the metric."""
        baseline, candidate = self.counts
        return candidate > 0 and (baseline > 0 or self.gate.is_objective)

    def events(self) -> tuple[Events, Events]:
        """Return both arms' tallies of a share, an event being worse; none is empty."""
        both = (tally(self.gate.metric, bucket) for bucket in (self.baseline, self.candidate))
        baseline, candidate = (part if isinstance(part, Events) else Events() for part in both)
        return baseline, candidate

    def values(self) -> tuple[Values, Values]:
        """Return both arms' numbers, as named; none is empty."""
        both = (tally(self.gate.metric, bucket) for bucket in (self.baseline, self.candidate))
        baseline, candidate = (part if isinstance(part, Values) else Values() for part in both)
        return baseline, candidate

    def judged_values(self) -> tuple[Values, Values]:
        """Return both arms' numbers in the direction in which more is worse."""
        baseline, candidate = self.values()
        return (_negative(baseline), _negative(candidate)) if self.is_turned else (baseline, candidate)


def _negative(values: Values) -> Values:
    bins = tuple((-index, count) for index, count in reversed(values.bins))
    return Values(values.n, -values.total, values.squares, bins)
