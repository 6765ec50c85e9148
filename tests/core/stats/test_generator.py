# SPDX-License-Identifier: Apache-2.0
"""Words and Poisson counts by seed, replicate and counter: fixed by vectors, and distributed as they say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.stats

from lockgate.core.stats.generator import TABLE_MEAN, _alias_table, poisson, stream, words

VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[2] / "vectors" / "generator.json").read_text("utf-8"))


@pytest.mark.clause("ST-05")
def test_words_are_those_of_splitmix64() -> None:
    """The published outputs of SplitMix64 for the seed 1234567 come out in order."""
    published = VECTORS["published"]

    actual = words(np.uint64(int(published["key"])), np.arange(5))

    assert [str(word) for word in actual] == published["words"]


@pytest.mark.clause("ST-05")
@pytest.mark.parametrize("case", VECTORS["streams"], ids=lambda case: f"{case['seed']}-{case['replicate']}")
def test_streams_are_fixed(case: dict[str, Any]) -> None:
    """Each seed and replicate has its key, and each counter its word, made alone or together."""
    key = stream(int(case["seed"]), case["replicate"])

    assert str(key) == case["key"]
    assert [str(word) for word in words(key, np.array(case["counters"]))] == case["words"]
    assert [str(words(key, counter)) for counter in case["counters"]] == case["words"]


@pytest.mark.clause("ST-06")
@pytest.mark.parametrize("case", VECTORS["poisson"]["cases"], ids=lambda case: f"mean-{case['mean']}")
def test_counts_are_fixed(case: dict[str, Any]) -> None:
    """The same words give the same counts for ever, from tables and from the expansion."""
    drawn = words(stream(2026, 0), np.arange(12))

    assert poisson(drawn, case["mean"]).tolist() == case["counts"]


def test_counts_do_not_depend_on_their_neighbours() -> None:
    """Small and large means together, with a replicate axis on either side, give what each gives alone."""
    means = np.array([3, 10_000, 0, 32, 33, 7])
    drawn = words(stream(1, np.arange(5))[:, None], np.arange(6))

    together = poisson(drawn, means)

    alone = np.stack([poisson(drawn[:, i], int(means[i])) for i in range(6)], axis=1)
    assert together.tolist() == alone.tolist()
    assert poisson(drawn, np.stack([means, means[::-1]])[:, None, :])[0].tolist() == alone.tolist()


def column_shares(mean: int) -> list[float]:
    """Return each count's probability, read off the heights and aliases of a table."""
    shares = [0] * 128
    for own, (height, alias) in enumerate(_alias_table(mean)):
        shares[own] += height
        shares[alias] += (1 << 57) - height
    return [share / (1 << 64) for share in shares]


@pytest.mark.clause("ST-06")
@pytest.mark.parametrize("mean", range(TABLE_MEAN + 1))
def test_tables_hold_the_poisson_distribution(mean: int) -> None:
    """Summed over its columns, a table gives each count its probability."""
    expected = scipy.stats.poisson.pmf(np.arange(128), mean)

    assert column_shares(mean) == pytest.approx(expected, rel=1e-11, abs=1e-18)


@pytest.mark.parametrize("mean", [1, 9, TABLE_MEAN])
def test_words_use_the_whole_table(mean: int) -> None:
    """Evenly spaced words, 4096 a column, draw each count as often as its probability says."""
    drawn = poisson(np.arange(1 << 19, dtype=np.uint64) << np.uint64(45), mean)

    shares = np.bincount(drawn, minlength=128) / drawn.size

    assert np.abs(shares - scipy.stats.poisson.pmf(np.arange(128), mean)).max() < 1e-4


@pytest.mark.clause("ST-06")
@pytest.mark.parametrize("mean", [TABLE_MEAN + 1, 50, 200, 10_000])
def test_the_expansion_is_close_to_poisson(mean: int) -> None:
    """Over a million evenly spaced words the distribution function is within 5e-5, mean and variance within 1e-4."""
    drawn = poisson(np.arange(1 << 20, dtype=np.uint64) << np.uint64(44), mean)
    reach = np.arange(drawn.min(), drawn.max() + 1)
    cumulative = np.cumsum(np.bincount(drawn - drawn.min())) / drawn.size

    assert np.abs(cumulative - scipy.stats.poisson.cdf(reach, mean)).max() < 5e-5
    assert drawn.mean() == pytest.approx(mean, rel=1e-4)
    assert drawn.var() == pytest.approx(mean, rel=1e-4)


def test_counts_pass_a_chi_square_test() -> None:
    """Drawn from consecutive counters and replicates, counts of mean 1 show no sign of not being Poisson."""
    drawn = poisson(words(stream(3, np.arange(400))[:, None], np.arange(500)), 1)
    seen = np.bincount(np.minimum(drawn, 6).reshape(-1))
    expected = scipy.stats.poisson.pmf(np.arange(7), 1)
    expected[6] = 1 - expected[:6].sum()

    assert scipy.stats.chisquare(seen, expected * drawn.size).pvalue > 0.001
    # Neighbouring counters and neighbouring replicates do not go together: four standard errors.
    for first, second in ((drawn[:, :-1], drawn[:, 1:]), (drawn[:-1], drawn[1:])):
        assert abs(np.corrcoef(first.reshape(-1), second.reshape(-1))[0, 1]) < 4 / np.sqrt(first.size)
