# SPDX-License-Identifier: Apache-2.0
"""Every outcome of a small bucket comes in; the expected e-value under any law of the null must be at most 1."""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import special, stats

from lockgate.core.stats.bins import Histogram, index_of, upper_edge
from lockgate.core.stats.elementary import Floats
from lockgate.core.stats.sequential import binary, ceiling, exceedance, mean, pairs, rate
from lockgate.core.stats.sequential.null import Null

VECTORS = Path(__file__).parents[3] / "vectors"
ENGINE = json.loads((VECTORS / "engine_eprocess.json").read_text(encoding="utf-8"))
AT_MOST_ONE = 1.0 + 1e-12
RATES = np.concatenate([[0.0, 1e-6, 1e-3, 0.01], np.linspace(0.0, 1.0, 41)[1:-1], [0.99, 0.999, 1.0 - 1e-6, 1.0]])
SIZES = [(1, 1), (3, 17), (10, 10), (12, 2)]
PLUG_INS = np.array([0.001, 0.05, 0.5, 0.95, 0.999])[:, None, None]
HARM_NULLS = {
    "no margin": Null(1.0, 0.0),
    "an absolute margin": Null(1.0, 0.03),
    "a relative margin": Null(1.3, 0.0),
    "both": Null(1.75, 0.01),
    "a ratio below 1": Null(0.8, 0.05),
    "a margin that asks for less": Null(1.0, -0.05),
    "a margin beyond 1 for half of the rates": Null(1.0, 0.5),
    "a ratio beyond 1 for most rates": Null(3.0, 0.2),
    "a null of nearly everything": Null(1.0, 0.98),
    "a null of nearly nothing": Null(1.0, -0.98),
    "a ratio and a margin that cross both edges": Null(4.0, -1.5),
}


def binomial(n: int, rates: Floats) -> Floats:
    """Return the probabilities [rate, s]."""
    return np.asarray(stats.binom.pmf(np.arange(n + 1), n, rates[:, None]))


def expected_binary(n_a: int, n_b: int, gains: Floats, rates_a: Floats, rates_b: Floats) -> Floats:
    """Return E[E] of each alternative for each pair of rates, from gains [..., s_a, s_b, alternative]."""
    chances_a, chances_b = binomial(n_a, rates_a), binomial(n_b, rates_b)
    return np.asarray(np.einsum("ka,kb,...abj->...kj", chances_a, chances_b, np.exp(gains), optimize=True))


def _outcomes(n_a: int, n_b: int) -> tuple[Floats, Floats]:
    s_a, s_b = np.meshgrid(np.arange(n_a + 1.0), np.arange(n_b + 1.0), indexing="ij")
    return s_a, s_b


def pairs_of_rates(null: Null, side: int) -> tuple[Floats, Floats]:
    """Return rates on the null's boundary and inside it, for the harm null (side -1) or the mirrored one (+1)."""
    rates_b = np.repeat(RATES, len(RATES) + 1)
    bound = null.ratio * rates_b + null.offset
    rates_a = np.where(np.arange(len(rates_b)) % (len(RATES) + 1) == 0, bound, np.tile([*RATES, 0.0], len(RATES)))
    inside = (side * (rates_a - bound) >= 0.0) & (rates_a >= 0.0) & (rates_a <= 1.0)
    return rates_a[inside], rates_b[inside]


@pytest.mark.clause("ST-44", "ST-45")
@pytest.mark.parametrize("null", HARM_NULLS.values(), ids=HARM_NULLS.keys())
@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_binary_evidence_of_harm_is_an_e_value(null: Null, sizes: tuple[int, int]) -> None:
    """At every rate of the null, boundary and interior, and for every plug-in, each alternative expects at most 1."""
    s_a, s_b = _outcomes(*sizes)
    gains = binary.increments(sizes[0], s_a, sizes[1], s_b, PLUG_INS, null)

    expected = expected_binary(*sizes, gains, *pairs_of_rates(null, -1))

    assert expected.max() <= AT_MOST_ONE


@pytest.mark.clause("ST-44", "ST-46")
@pytest.mark.parametrize("null", HARM_NULLS.values(), ids=HARM_NULLS.keys())
@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_binary_evidence_of_safety_is_an_e_value(null: Null, sizes: tuple[int, int]) -> None:
    """At every rate that is worse by the margin or more, each alternative by itself expects at most 1."""
    s_a, s_b = _outcomes(*sizes)
    gains = binary.mirrored_increments(sizes[0], s_a, sizes[1], s_b, PLUG_INS, null)

    expected = expected_binary(*sizes, gains, *pairs_of_rates(null, +1))

    assert expected.max() <= AT_MOST_ONE


def _binary_expectation(case: str, at: tuple[float, float]) -> float:
    text = re.fullmatch(r"hist=\(\d+, \d+, (\d+), (\d+)\),na=(\d+),nb=(\d+),r=(.+),m=(.+)", case)
    assert text is not None
    runs, events, n_a, n_b = (int(part) for part in text.groups()[:4])
    s_a, s_b = _outcomes(n_a, n_b)
    null = Null(float(text[5]), float(text[6]))
    gains = binary.increments(n_a, s_a, n_b, s_b, binary.plug_in(runs, events), null)
    return float(expected_binary(n_a, n_b, gains, np.array(at[:1]), np.array(at[1:])).mean())


@pytest.mark.clause("ST-44")
@pytest.mark.parametrize(("case", "found"), ENGINE["exactness_property_binary"].items())
def test_binary_expectations_are_the_enumerated_ones(case: str, found: dict[str, Any]) -> None:
    """An independent enumeration found the same expectation at the same rates."""
    assert _binary_expectation(case, found["at"]) == pytest.approx(found["max_expected_e_on_null_boundary"], rel=1e-9)


@pytest.mark.clause("ST-50")
@pytest.mark.parametrize("ratio", [0.8, 1.0, 1.5])
@pytest.mark.parametrize("exposures", [(5.0, 95.0), (1.0, 1.0), (75.0, 25.0)], ids=str)
@pytest.mark.parametrize("total", [0, 1, 7, 30])
def test_rate_evidence_is_an_e_value(ratio: float, exposures: tuple[float, float], total: int) -> None:
    """Given any total of Poisson events, at every rate ratio up to the null's."""
    time_a, time_b = exposures
    events = np.arange(total + 1)
    gains = rate.increments(time_a, events, time_b, total - events, ratio)
    rate_ratio = ratio * np.linspace(0.0, 1.0, 21)

    expected = binomial(total, rate_ratio * time_a / (rate_ratio * time_a + time_b)) @ np.exp(gains)

    assert expected.max() <= AT_MOST_ONE
    assert expected[-1] == pytest.approx(1.0, abs=1e-12)


@pytest.mark.clause("ST-50")
@pytest.mark.parametrize(("case", "found"), ENGINE["exactness_property_share_on_bernoulli"].items())
def test_rate_evidence_on_single_runs_expects_what_was_enumerated(case: str, found: list[float]) -> None:
    """Runs with and without the event instead of Poisson counts: valid, and a little weaker."""
    n_a, n_b, ratio = (float(part) for part in re.findall(r"[\d.]+", case))
    s_a, s_b = _outcomes(int(n_a), int(n_b))
    gains = rate.increments(n_a, s_a, n_b, s_b, ratio)
    rates_b = np.linspace(0.0, 1.0 / ratio, 41)

    expected = expected_binary(int(n_a), int(n_b), gains, ratio * rates_b, rates_b)
    at = expected_binary(int(n_a), int(n_b), gains, np.array([ratio * found[1]]), np.array([found[1]]))

    assert expected.max() <= AT_MOST_ONE
    assert float(at.mean()) == pytest.approx(found[0], rel=1e-9)


@pytest.mark.clause("ST-51")
@pytest.mark.parametrize("limit", [0.0, 0.001, 0.01, 0.3, 0.95, 0.999, 1.0])
@pytest.mark.parametrize("n", [1, 7, 40])
def test_ceiling_evidence_is_an_e_value_on_both_sides(limit: float, n: int) -> None:
    """Rates up to the limit for the ceiling, rates from it on for the floor."""
    s = np.arange(n + 1)
    below, above = np.minimum(RATES, limit), np.maximum(RATES, limit)

    too_high = binomial(n, below) @ np.exp(ceiling.increments(n, s, limit))
    too_low = binomial(n, above) @ np.exp(ceiling.mirrored_increments(n, s, limit))

    assert max(too_high.max(), too_low.max()) <= AT_MOST_ONE


def simplex(parts: int, whole: int) -> Floats:
    """Return all ways to divide `whole` over `parts`."""
    return np.array([x for x in itertools.product(range(whole + 1), repeat=parts) if sum(x) == whole], dtype=float)


def multinomial(counts: Floats, laws: Floats) -> Floats:
    """Return the probabilities [law, outcome]."""
    orders = special.factorial(counts.sum(axis=1)) / special.factorial(counts).prod(axis=1)
    shares = laws / laws.sum(axis=1, keepdims=True)
    return np.asarray(orders * (shares[:, None] ** counts).prod(axis=-1))


TERNARY = simplex(3, 20)


@pytest.mark.clause("ST-52")
@pytest.mark.parametrize("margin", [-1.0, -0.9, -0.1, 0.0, 0.1, 0.9, 1.0])
def test_paired_evidence_is_an_e_value_on_both_sides(margin: float) -> None:
    """Every law of losses, ties and wins on a grid, for three pairs."""
    counts, laws = simplex(3, 3), TERNARY
    losses, ties, wins = counts.T
    net = (laws[:, 0] - laws[:, 2]) / 20.0
    chances = multinomial(counts, laws)

    harm = chances @ np.exp(pairs.increments(losses, ties, wins, margin))
    safety = chances @ np.exp(pairs.mirrored_increments(losses, ties, wins, margin))

    assert harm[net <= margin + 1e-12].max() <= AT_MOST_ONE
    assert safety[net >= margin - 1e-12].max() <= AT_MOST_ONE


VALUES = np.array([0.0, 1.0, 4.0])
MEAN_NULLS = {"equal means": (1.0, 0.0), "a ratio": (1.25, 0.0), "an offset": (1.0, 0.4), "both": (0.8, -0.2)}
SEEN = {
    "as expected": mean.Moments(2, 50.0, 1.5, 120.0),
    "a baseline near zero": mean.Moments(2, 50.0, 0.01, 1.0),
    "a baseline at the cap": mean.Moments(2, 50.0, 4.0, 0.0),
    "a baseline at the bottom": mean.Moments(2, 50.0, 0.0, 0.0),
}


@pytest.mark.clause("ST-53", "ST-54")
@pytest.mark.parametrize("sizes", [(1, 3), (2, 2)], ids=str)
@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("null", MEAN_NULLS.values(), ids=MEAN_NULLS.keys())
@pytest.mark.parametrize("seen", SEEN.values(), ids=SEEN.keys())
def test_mean_evidence_is_an_e_value(
    sizes: tuple[int, int], sign: float, null: tuple[float, float], seen: mean.Moments
) -> None:
    """Every pair of laws on three values whose means lie in the null, for both signs."""
    counts_a, counts_b, laws = simplex(3, sizes[0]), simplex(3, sizes[1]), simplex(3, 10)
    bet = mean.bet_on(seen, mean.Span(0.0, 4.0, sign), Null(*null))
    e_values = np.exp(mean.increments(VALUES, counts_a[:, None], VALUES, counts_b[None], bet))
    means = laws @ VALUES / 10.0
    inside = sign * (means[:, None] - null[0] * means - null[1]) <= 1e-12

    expected = np.einsum(
        "pa,qb,abj->pqj", multinomial(counts_a, laws), multinomial(counts_b, laws), e_values, optimize=True
    )

    assert expected[inside].max() <= AT_MOST_ONE


@pytest.mark.clause("ST-56")
@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("limit", [0.0, 0.5, 1.5, 4.0])
@pytest.mark.parametrize("seen", SEEN.values(), ids=SEEN.keys())
def test_mean_evidence_against_a_limit_is_an_e_value(sign: float, limit: float, seen: mean.Moments) -> None:
    """Every law on three values whose mean respects the limit, for both signs."""
    counts, laws = simplex(3, 3), simplex(3, 20)
    gains = mean.one_sample_increments(VALUES, counts, limit, seen, mean.Span(0.0, 4.0, sign))
    inside = sign * (laws @ VALUES / 20.0 - limit) <= 1e-12

    expected = multinomial(counts, laws) @ np.exp(gains)

    assert expected[inside].max(initial=0.0) <= AT_MOST_ONE


@pytest.mark.clause("ST-59")
def test_a_candidate_slowed_by_the_margin_gives_an_e_value() -> None:
    """The counts beyond both thresholds, from a law on bins that the margin moves exactly, feed method B."""
    p, law = 0.9, np.array([0.5, 0.3, 0.1, 0.06, 0.04])
    bins = 300 + np.arange(5)
    index = exceedance.threshold(Histogram(bins, (law * 1000).astype(np.int64)), p)
    moved = exceedance.harm_threshold(index, 1.5)
    slowed = index_of(np.ceil(1.5 * upper_edge(bins)).astype(np.int64) - 1)
    s_a, s_b = _outcomes(4, 12)
    gains = binary.increments(4, s_a, 12, s_b, 1.0 - p, Null())

    beyond_a, beyond_b = law[slowed > moved].sum(), law[bins > index].sum()
    expected = expected_binary(4, 12, gains, np.array([beyond_a]), np.array([beyond_b]))

    assert 0.0 < beyond_a <= beyond_b
    assert expected.max() <= AT_MOST_ONE
