# SPDX-License-Identifier: Apache-2.0
"""Public results of released models and an A/B test come in; their published intervals and verdicts must go out.

Sources: the Aider polyglot leaderboard (225 exercises), AlpacaEval 2 (805 instructions) and the Cookie Cats experiment.
"""

from __future__ import annotations

import pytest

from lockgate.core.bucket import Bucket, Pairs
from lockgate.core.finding import Outcome
from lockgate.core.policy.gate import Gate, Margin
from lockgate.core.stats.fixed.pairs import sign_test
from tests.core.verdict.arms import gate, look, shares

PASSED = gate("pass_rate", margin=Margin(0.0, 0.03))
MALFORMED = gate("error_rate", tolerance=Margin(0.0, 0.01))
RETAINED = gate("pass_rate")

PUBLISHED = {
    "claude-3-7 solves more than claude-3-5, not yet surely": (PASSED, (116, 225), (136, 225), (8.9, -0.3, 17.8)),
    "but more of its output is malformed": (MALFORMED, (1, 225), (15, 225), (6.2, 2.9, 10.3)),
    "32k tokens of thinking solve more, not surely": (PASSED, (136, 225), (146, 225), (4.4, -4.5, 13.3)),
    "gpt-4o of November solves fewer, not surely": (PASSED, (52, 225), (41, 225), (-4.9, -12.3, 2.6)),
    "players kept for a day": (RETAINED, (20034, 44700), (20119, 45489), (-0.59, -1.24, 0.06)),
    "players kept for seven days": (RETAINED, (8502, 44700), (8279, 45489), (-0.82, -1.33, -0.31)),
}
REGRESSED = {"but more of its output is malformed", "players kept for seven days"}


def _arm(of: Gate, count: int, n: int) -> Bucket:
    return shares(of.metric.field, n, n - count if of.metric.name == "pass_rate" else count)


@pytest.mark.parametrize("words", PUBLISHED)
def test_published_differences_come_out(words: str) -> None:
    """Difference and Newcombe's 95 % limits are the published ones, to their printed digits."""
    of, baseline, candidate, expected = PUBLISHED[words]
    digits = 2 if abs(expected[0]) < 1 else 1

    finding = look(of, _arm(of, *baseline), _arm(of, *candidate))

    assert finding.difference is not None
    found = (finding.difference.estimate, finding.difference.low, finding.difference.high)
    assert tuple(round(100 * value, digits) for value in found) == expected
    assert (finding.outcome is Outcome.REGRESSED) == (words in REGRESSED)


def test_paired_preferences_hold() -> None:
    """claude-2.1 lost 48 and won 32 of 805 pairs against claude-2: McNemar's p is .093, so nothing is called worse."""
    finding = look(gate("scores.preferred:paired"), Bucket(), Bucket(), Pairs(48, 725, 32))

    assert round(float(sign_test(48, 32)[1]), 3) == 0.093
    assert finding.outcome is not Outcome.REGRESSED
    assert finding.difference is not None
    assert finding.difference.low < 0.0 < finding.difference.high
