# SPDX-License-Identifier: Apache-2.0
"""Core values come in; what is packed and unpacked must be equal, whatever the size of its numbers."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockgate.adapters.stores.packing import pack, unpack
from lockgate.core.bucket import Bucket, Events, Values
from lockgate.core.policy.policy import Policy
from lockgate.core.trial import Trial
from lockgate.errors import DataError
from lockgate.testing.store_contract import POLICY, sample_trial

WHOLE = st.integers(-(2**200), 2**200)
NAMES = st.text(max_size=8)
VALUES = st.builds(
    Values,
    st.integers(0, 2**40),
    WHOLE,
    WHOLE,
    st.lists(st.tuples(st.integers(-1974, 1974), st.integers(1, 2**40)), max_size=5).map(tuple),
    st.lists(WHOLE, max_size=5).map(tuple),
)
BUCKETS = st.builds(
    Bucket,
    st.integers(0, 2**40),
    st.dictionaries(NAMES, st.integers(0, 2**40), max_size=3),
    st.dictionaries(NAMES, st.builds(Events, st.integers(0, 9), st.integers(0, 9)), max_size=3),
    st.dictionaries(NAMES, VALUES, max_size=3),
)


@dataclass(frozen=True, slots=True)
class Older:
    """A value as an older version knew it."""

    name: str


@dataclass(frozen=True, slots=True)
class Newer:
    """The same value with a field more, which has a default."""

    name: str
    count: int = 7


@dataclass(frozen=True, slots=True)
class Tuples:
    """A value with numbers within tuples."""

    flat: tuple[int, ...]
    pairs: tuple[tuple[int, int], ...]


@given(BUCKETS)
@pytest.mark.clause("LI-30")
def test_buckets_come_back_equal(bucket: Bucket) -> None:
    """Sums of squares are wider than any machine word."""
    assert unpack(Bucket, pack(bucket)) == bucket


@pytest.mark.clause("LI-30")
def test_a_trial_and_a_policy_come_back_equal() -> None:
    """With unions of dataclasses, fractions and mappings whose keys are tuples in them."""
    trial = sample_trial()

    assert unpack(Trial, pack(trial)) == trial
    assert unpack(Policy, pack(POLICY)) == POLICY


@given(st.lists(WHOLE, max_size=4), st.lists(st.tuples(st.integers(0, 9), WHOLE), max_size=4))
@pytest.mark.clause("LI-30")
def test_numbers_within_tuples_may_be_wide(flat: list[int], pairs: list[tuple[int, int]]) -> None:
    """A sum over many values of the largest bin is wider than a machine word too."""
    value = Tuples(tuple(flat), tuple(pairs))

    assert unpack(Tuples, pack(value)) == value


@pytest.mark.clause("LI-30")
def test_a_field_with_a_default_may_be_added() -> None:
    """What an older version kept is still read."""
    assert unpack(Newer, pack(Older("a"))) == Newer("a", 7)


@pytest.mark.clause("LI-30")
def test_a_field_that_is_missing_is_told() -> None:
    """Bytes of another kind are no value."""
    with pytest.raises(DataError, match="without name"):
        unpack(Older, msgspec.msgpack.encode({}))
