# SPDX-License-Identifier: Apache-2.0
"""What the runs of both arms look like comes in; how fast a gate's evidence is expected to grow goes out.

Log e-values of a bucket are sums over its runs, so those of exactly the expected tallies are the expected ones.
"""

from __future__ import annotations

import math

from lockgate.core.bucket import Events, Values
from lockgate.core.evidence import bets
from lockgate.core.evidence.nuisance import learn
from lockgate.core.evidence.plan import GatePlan
from lockgate.core.evidence.state import Nuisance, Tally
from lockgate.core.metric import Kind
from lockgate.core.stats.elementary import Floats, log, log_sum_exp
from lockgate.core.stats.sequential.mean import WARM_UP_BUCKETS

# More than this is no plan.
MOST_RUNS = 10_000_000
# Splits of traffic are counted in thousandths.
PARTS = 1_000
# Evidence wanders about its expected path and half of the time meets a level before that does. Where its variance is
# twice its growth, as of a log likelihood ratio, and the level 4 to 5, the median of the inverse Gaussian is this part.
MEDIAN = 0.8
_BISECTIONS = 60


def growth(gate: GatePlan, baseline: Tally, candidate: Tally, share: float) -> Floats:
    """Return the expected log e-value of each process and alternative, for each run of a candidate with this share."""
    ours = max(1, min(PARTS - 1, round(PARTS * share)))
    nuisance = Nuisance()
    for _ in range(WARM_UP_BUCKETS):
        nuisance = learn(gate.gate, nuisance, baseline)
    more, fewer = _times(baseline, PARTS - ours), _times(candidate, ours)
    gained = _gains(gate, nuisance, more, fewer)
    return gained / float(fewer.n)


def _times(tally: Tally, times: int) -> Tally:
    if isinstance(tally, Events):
        return Events(tally.n * times, tally.events * times)
    return Values(
        tally.n * times,
        tally.total * times,
        tally.squares * times,
        tuple((index, count * times) for index, count in tally.bins),
        tuple(more * times for more in tally.excess),
    )


def _gains(gate: GatePlan, nuisance: Nuisance, baseline: Tally, candidate: Tally) -> Floats:
    if isinstance(baseline, Events) and isinstance(candidate, Events):
        return bets.judged(bets.share_counts(gate, nuisance, baseline, candidate))
    assert isinstance(baseline, Values)
    assert isinstance(candidate, Values)
    if gate.gate.metric.kind is Kind.QUANTILE:
        return bets.judged(bets.quantile_counts(gate, nuisance, baseline, candidate))
    if gate.gate.metric.kind is Kind.RATE:
        return bets.rate_increments(gate, nuisance, baseline, candidate)
    return bets.mean_increments(gate, nuisance, baseline, candidate)


def runs_to(level: float, gathered: Floats, growth: Floats) -> float:
    """Return after about how many more candidate runs a mixture meets a level, the median; infinity if never."""
    wanted = level + float(log(float(len(growth))))

    def is_met(runs: float) -> bool:
        return float(log_sum_exp(gathered + runs * growth)) >= wanted

    low, high = 0.0, float(MOST_RUNS)
    if is_met(low):
        return 0.0
    if not is_met(high):
        return math.inf
    for _ in range(_BISECTIONS):
        middle = 0.5 * (low + high)
        low, high = (low, middle) if is_met(middle) else (middle, high)
    return MEDIAN * high
