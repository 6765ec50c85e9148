# SPDX-License-Identifier: Apache-2.0
"""JSON values come in; their bytes must be those of another implementation of RFC 8785."""

from __future__ import annotations

import struct
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from lockgate.core.canonical import MAX_INTEGER, canonicalize, digest, name_of
from lockgate.core.canonical_reading import read_canonical
from lockgate.core.policy.policy import Mode

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-MAX_INTEGER, MAX_INTEGER)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.floats(-1e6, 1e6)
    | TEXTS
)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4))


@given(VALUES)
@pytest.mark.clause("RE-01")
def test_the_form_is_that_of_another_implementation(value: Any) -> None:
    """Objects, lists, texts and numbers of any size come out alike, and are read back as they were."""
    form = canonicalize(value)

    assert form == rfc8785.dumps(value)
    assert canonicalize(read_canonical(form, "payload")) == form


@given(st.integers(0, 2**64 - 1))
@pytest.mark.clause("RE-01")
def test_any_double_comes_out_alike(bits: int) -> None:
    """Doubles drawn by their bits cover every exponent, the ends of the usual range among them."""
    (value,) = struct.unpack(">d", bits.to_bytes(8, "big"))

    if value - value == 0:
        assert canonicalize(value) == rfc8785.dumps(value)
    else:
        with pytest.raises(ValueError):
            canonicalize(value)


@pytest.mark.clause("RE-01")
@pytest.mark.parametrize("value", [1e-4, 9.999999999999999e-05, 1e16, 9007199254740993.0, 1e21, -0.0, 5e-324, 1.5e300])
def test_the_ends_of_the_ranges_come_out_alike(value: float) -> None:
    """Where Python and ECMAScript begin to write numbers differently, ECMAScript wins."""
    assert canonicalize([value, -value]) == rfc8785.dumps([value, -value])


PAIRS = st.lists(st.tuples(st.integers(-(2**70), 2**70), st.integers(0, 9) | TEXTS | st.floats(0, 9)), max_size=12)


@given(PAIRS)
@pytest.mark.clause("RE-01")
def test_histograms_come_out_as_any_list_does(pairs: list[tuple[int, float | str]]) -> None:
    """Many pairs of whole numbers and texts, and pairs with other numbers among them, are written one as the other."""
    one_by_one = b",".join(canonicalize(pair) for pair in pairs)

    assert canonicalize(pairs) == canonicalize(tuple(pairs)) == b"[%s]" % one_by_one


def test_an_integer_past_a_double_is_a_text() -> None:
    """A reader that holds numbers as doubles would round it."""
    assert canonicalize([MAX_INTEGER, MAX_INTEGER + 1, -(10**30)]) == (
        b'[9007199254740991,"9007199254740992","-1000000000000000000000000000000"]'
    )


def test_words_of_an_enumeration_and_tuples_are_texts_and_lists() -> None:
    """Values of the core need no conversion first."""
    assert canonicalize({"mode": Mode.SHADOW, "weights": (5.0, 25.0), "none": ()}) == (
        b'{"mode":"shadow","none":[],"weights":[5,25]}'
    )


def test_a_digest_names_its_hash() -> None:
    """The SHA-256 of `{}` is a published number."""
    assert digest({}) == "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"


def test_a_name_follows_from_its_parts_and_keeps_them_apart() -> None:
    """Ids that are stored and signed depend on it: the same parts give the same name for ever."""
    assert name_of("end", "default", "web", "command") == "end_ch6ey3nfh37vuekc"
    assert name_of("app", "a", "b,c") != name_of("app", "a,b", "c")
