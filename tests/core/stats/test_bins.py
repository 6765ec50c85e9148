# SPDX-License-Identifier: Apache-2.0
"""The published edge table, and histograms that any integer engine can reproduce."""

from __future__ import annotations

import hashlib
from bisect import bisect_right

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from lockgate.core.stats.bins import (
    EDGES,
    from_pairs,
    histogram,
    index_of,
    lower_edge,
    merge,
    representative,
    upper_edge,
)

LIMIT = 10**18
# Of the edges as decimal text joined by commas, so that any language can check it.
EDGES_SHA256 = "3d0a616779410ce6189ab4d237ebaea4676e143bd5ba86912518e5de10196240"
micro = (
    st.integers(-LIMIT, LIMIT) | st.integers(-300, 300) | st.sampled_from([0, 1, -1, LIMIT, -LIMIT, 2**53, 2**53 + 1])
)


def oracle(value: int) -> int:
    """Return the bin by bisection."""
    size = bisect_right(EDGES.tolist(), abs(value))
    return size if value >= 0 else -size


@pytest.mark.clause("ST-04")
def test_the_edge_table_is_the_published_recurrence() -> None:
    """Anybody can recompute the table with integers; its 1974 edges are pinned."""
    edges = [1]
    while edges[-1] < LIMIT:
        edges.append(max(edges[-1] + 1, edges[-1] * 102 // 100))

    assert edges == EDGES.tolist()
    assert len(edges) == 1974
    assert hashlib.sha256(",".join(map(str, edges)).encode()).hexdigest() == EDGES_SHA256


@pytest.mark.clause("ST-04")
def test_every_edge_and_its_neighbours_find_their_bin() -> None:
    """At each edge, and up to three micro-units around it, both signs, the lookup agrees with bisection."""
    around = np.unique(np.concatenate([EDGES[:-1] + offset for offset in range(-3, 4)]))
    powers = np.concatenate([2 ** np.arange(60) + offset for offset in (-1, 0, 1)])
    values = np.concatenate([around, powers, -around])
    values = values[np.abs(values) <= LIMIT]

    actual = index_of(values)

    assert actual.tolist() == [oracle(value) for value in values.tolist()]


@given(st.lists(micro, min_size=1))
def test_any_value_finds_its_bin(values: list[int]) -> None:
    """The lookup agrees with bisection for every value that a run may carry."""
    assert index_of(values).tolist() == [oracle(value) for value in values]


@pytest.mark.parametrize("value", [LIMIT + 1, -LIMIT - 1, 2**63 - 1, -(2**63)])
def test_values_beyond_the_table_are_refused(value: int) -> None:
    """Beyond 1e18 micro-units there is no bin."""
    with pytest.raises(ValueError, match="beyond"):
        index_of([5, value])


@pytest.mark.clause("ST-04")
@given(micro)
def test_a_bin_holds_its_values_within_one_percent_of_its_representative(value: int) -> None:
    """A value lies between its bin's edges and within 1 % of the bin's representative."""
    index = index_of(value)

    assert lower_edge(index) <= value < upper_edge(index)
    assert 100 * abs(int(representative(index)) - value) <= abs(value)


def test_bins_tile_the_line_and_mirror() -> None:
    """Each bin starts where the one below ends, and negative bins mirror positive ones."""
    index = np.arange(1 - EDGES.size, EDGES.size)

    assert lower_edge(index[1:]).tolist() == upper_edge(index[:-1]).tolist()
    assert representative(-index).tolist() == (-representative(index)).tolist()


@pytest.mark.clause("ST-04")
@given(st.lists(micro), st.lists(micro))
def test_histograms_add_exactly(first: list[int], second: list[int]) -> None:
    """The histogram of two lots of runs is the sum of theirs, whatever the order."""
    together = histogram(second + first)

    merged = merge(histogram(first), histogram(second))

    assert [part.tolist() for part in merged] == [part.tolist() for part in together]


def test_histograms_of_replicates_merge_by_row() -> None:
    """A leading axis of counts is kept."""
    first = histogram([1, 1, 5])
    rows = first._replace(counts=np.stack([first.counts, 10 * first.counts]))

    merged = merge(rows, histogram([0, 5]))

    assert merged.indices.tolist() == [0, 1, 5]
    assert merged.counts.tolist() == [[1, 2, 2], [1, 20, 11]]


def test_pairs_make_a_sorted_histogram() -> None:
    """Pairs in any order become rising indices with their counts; none make an empty histogram."""
    assert [part.tolist() for part in from_pairs([(5, 2), (-3, 1)])] == [[-3, 5], [1, 2]]
    assert [part.tolist() for part in from_pairs([])] == [[], []]
