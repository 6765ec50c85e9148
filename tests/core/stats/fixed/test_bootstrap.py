# SPDX-License-Identifier: Apache-2.0
"""The binned Poisson bootstrap: the same bytes everywhere, and the spread of a plain bootstrap."""

from __future__ import annotations

import os
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest
import scipy.stats
from numpy.typing import NDArray

from lockgate.core.stats.bins import Histogram, from_pairs, histogram, index_of, merge, spread
from lockgate.core.stats.fixed.bootstrap import MEAN, Arm, Resampling, bootstrap_difference, enough_replicates
from lockgate.core.stats.micro import MICRO
from tests.environments import FEATURES

P95 = Fraction(95, 100)
PINNED = ["0x1.3387c95351d40p-18", "0x1.731dfd61a6720p-19", "0x1.b9d755145cdc0p-18"]
SCRIPT = """
from fractions import Fraction
from lockgate.core.stats.bins import from_pairs
from lockgate.core.stats.fixed.bootstrap import Arm, Resampling, bootstrap_difference
a = Arm(from_pairs([(i, 1 + i * 7919 % 500) for i in range(700, 900)]))
b = Arm(from_pairs([(i, 1 + i * 104729 % 40) for i in range(720, 890)]))
for statistic in ("mean", Fraction(95, 100)):
    print([float(x).hex() for x in bootstrap_difference(a, b, statistic, 0.95, 1.1, Resampling(200, 7))])
"""


def lognormal(seed: int, n: int, spread_: float = 0.6) -> NDArray[np.int64]:
    """Return latencies in micro-units."""
    return np.rint(np.random.default_rng(seed).lognormal(5, spread_, n) * MICRO).astype(np.int64)


@pytest.mark.clause("ST-18")
def test_the_same_bytes_on_another_processor_and_with_another_hash_seed() -> None:
    """Without the processor's wider instructions, and with another hash seed, no bit of the interval changes."""
    outputs = [
        subprocess.run(
            [sys.executable, "-c", SCRIPT], env=os.environ | settings, capture_output=True, check=True
        ).stdout
        for settings in (
            {"PYTHONHASHSEED": "1"},
            {"PYTHONHASHSEED": "2", "NPY_DISABLE_CPU_FEATURES": " ".join(FEATURES)},
        )
    ]

    assert outputs[0] == outputs[1]
    assert outputs[0].count(b"0x") == 6


@pytest.mark.clause("ST-18")
def test_an_interval_is_fixed_for_ever() -> None:
    """The interval of a small case is pinned, so that no release of numpy or of ours moves it unseen."""
    a, b = Arm(from_pairs([(100, 40), (110, 9)])), Arm(from_pairs([(90, 5), (100, 50)]))

    actual = bootstrap_difference(a, b, MEAN, 0.9, plan=Resampling(1000, 42))

    assert [float(x).hex() for x in actual] == PINNED


def plain_spread(a: NDArray[np.int64], b: NDArray[np.int64], statistic: str | Fraction) -> float:
    """Return the standard error of the difference by an ordinary bootstrap of the raw values, in units."""
    rng = np.random.default_rng(99)
    drawn = []
    for _ in range(600):
        resampled = [arm[rng.integers(0, arm.size, arm.size)] for arm in (a, b)]
        values = [np.mean(arm) if statistic == MEAN else np.quantile(arm, float(P95)) for arm in resampled]
        drawn.append((values[0] - values[1]) / MICRO)
    return float(np.std(drawn))


@pytest.mark.clause("ST-18")
@pytest.mark.parametrize("statistic", [MEAN, P95], ids=str)
@pytest.mark.parametrize("n", [400, 4000])
def test_the_spread_is_that_of_a_plain_bootstrap(statistic: str | Fraction, n: int) -> None:
    """The width of the 95 % interval is 3.92 plain standard errors, within 12 % (the noise of both is 4 %)."""
    a, b = lognormal(1, n), lognormal(2, 2 * n)

    estimate, low, high = bootstrap_difference(
        Arm(histogram(a)), Arm(histogram(b)), statistic, 0.95, plan=Resampling(2000, 3)
    )

    assert (high - low) / 3.92 == pytest.approx(plain_spread(a, b, statistic), rel=0.12)
    assert low < estimate < high


def test_sums_make_the_mean_exact() -> None:
    """With the sums by bin the estimate is the exact difference of means."""
    a, b = lognormal(4, 999), lognormal(5, 777)
    arms = []
    for values in (a, b):
        bins = histogram(values)
        order = np.searchsorted(bins.indices, index_of(values))
        arms.append(Arm(bins, [int(values[order == i].sum()) for i in range(bins.indices.size)]))

    estimate, low, high = bootstrap_difference(arms[0], arms[1], MEAN, 0.95, 1.5)

    assert estimate == pytest.approx((a.mean() - 1.5 * b.mean()) / MICRO, rel=1e-12)
    assert low < estimate < high


def test_draws_of_a_bin_do_not_depend_on_other_bins() -> None:
    """An empty bin between, or a leading axis of counts, changes nothing."""
    first, second = from_pairs([(5, 3), (90, 60), (91, 4)]), from_pairs([(80, 30), (95, 7)])
    indices = merge(first, second).indices
    plan = Resampling(50, 1)
    rows = Histogram(indices, np.stack([spread(first, indices), spread(second, indices)]))

    for statistic in (MEAN, P95):
        together = np.stack(bootstrap_difference(Arm(rows), Arm(second), statistic, 0.9, plan=plan))
        alone = [bootstrap_difference(Arm(part), Arm(second), statistic, 0.9, plan=plan) for part in (first, second)]

        assert pytest.approx(np.array(alone), rel=1e-12) == together.T


def test_seeds_and_arms_draw_apart() -> None:
    """Another seed gives other limits, and two equal arms do not draw alike."""
    arm = Arm(from_pairs([(90, 60), (91, 40), (95, 7)]))

    one, two = (bootstrap_difference(arm, arm, MEAN, 0.95, plan=Resampling(200, seed)) for seed in (1, 2))

    assert one != two
    assert one[1] < 0 < one[2]


def test_a_level_beyond_the_replicates_is_refused() -> None:
    """Limits that too few replicates cannot hold are refused, with the number that can; that number works."""
    arm = Arm(from_pairs([(90, 60)]))

    with pytest.raises(ValueError, match="200001 do"):
        bootstrap_difference(arm, arm, MEAN, 0.9999, plan=Resampling(1000, 1))
    assert bootstrap_difference(arm, arm, MEAN, 0.999, plan=Resampling(enough_replicates(0.999), 1))[0] == 0.0


def test_an_empty_arm_gives_no_numbers() -> None:
    """Without runs there is no estimate and no limit."""
    arm, nobody = Arm(from_pairs([(90, 60)])), Arm(from_pairs([]))

    actual = [bootstrap_difference(arm, nobody, statistic, 0.95) for statistic in (MEAN, P95)]

    assert np.isnan(actual).all()


@pytest.mark.slow
@pytest.mark.clause("ST-18")
@pytest.mark.parametrize(("n", "least"), [(200, 0.92), (2000, 0.935)])
def test_the_p95_is_covered(n: int, least: float) -> None:
    """In 1,000 seeded pairs of samples the 95 % interval of a p95 difference covers the truth as often as it should."""
    true = float(scipy.stats.lognorm.ppf(0.95, 0.6, scale=np.exp(5)))
    covered = 0
    for seed in range(1000):
        a, b = Arm(histogram(lognormal(2 * seed, n))), Arm(histogram(lognormal(2 * seed + 1, 2 * n)))
        _, low, high = bootstrap_difference(a, b, P95, 0.95, 1.1, Resampling(600, seed))
        covered += bool(low <= true - 1.1 * true <= high)

    assert least < covered / 1000 < 0.975
