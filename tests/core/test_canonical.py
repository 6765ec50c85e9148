# SPDX-License-Identifier: Apache-2.0
"""JSON values come in; their bytes must be those of another implementation of RFC 8785."""

from __future__ import annotations

import math
import struct
from collections import Counter, deque
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from lockgate.core.canonical import (
    MAX_INTEGER,
    NAME_LENGTH,
    Json,
    WrittenOnce,
    canonicalize,
    digest,
    name_of,
    written,
)
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


@given(st.lists(st.lists(TEXTS, max_size=2), max_size=8))
@pytest.mark.clause("RE-01")
def test_lists_without_a_number_come_out_as_any_list_does(lists: list[list[str]]) -> None:
    """Empty ones too, however many they are."""
    assert canonicalize(lists) == rfc8785.dumps(lists)


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


@pytest.mark.clause("RE-01")
@pytest.mark.parametrize(
    ("value", "form"),
    [
        (range(3), b"[0,1,2]"),
        (deque([1.5, "a"]), b'[1.5,"a"]'),
        (MappingProxyType({"b": 1, "a": None}), b'{"a":null,"b":1}'),
        (Counter("aab"), b'{"a":2,"b":1}'),
        (HTTPStatus.OK, b"200"),
        (np.float64(0.5), b"0.5"),
        (np.float64(5e-7), b"5e-7"),
        (np.float64(1e22), b"1e+22"),
    ],
)
def test_what_behaves_as_a_value_of_json_is_written_as_that(value: Any, form: bytes) -> None:
    """A class that inherits from a kind, or has its ways, is of that kind."""
    assert canonicalize(value) == canonicalize([value])[1:-1] == form


def test_a_digest_names_its_hash() -> None:
    """The SHA-256 of `{}` is a published number."""
    assert digest({}) == "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"


def test_a_name_follows_from_its_parts_and_keeps_them_apart() -> None:
    """Ids that are stored and signed depend on it: the same parts give the same name for ever."""
    assert name_of("end", "default", "web", "command") == "end_ch6ey3nfh37vuekc"
    assert name_of("app", "a", "b,c") != name_of("app", "a,b", "c")
    assert len(name_of("app", "a")) == len("app_") + NAME_LENGTH


@pytest.mark.clause("RE-01")
@pytest.mark.parametrize("power", range(-26, 24))
def test_doubles_around_each_power_of_ten_are_written_as_ecmascript_does(power: int) -> None:
    """Where the form of a number changes, the last double before and the first behind it have each their own."""
    edge = float(f"1e{power}")
    doubles = [edge, math.nextafter(edge, 0.0), math.nextafter(edge, math.inf)]

    for double in (*doubles, *(-each for each in doubles)):
        assert canonicalize(double) == rfc8785.dumps(double)
        assert canonicalize([double] * 4) == rfc8785.dumps([double] * 4)
    assert canonicalize([1e-6, 1e-7, 1e-4, 1e21, 0.0]) == b"[0.000001,1e-7,0.0001,1e+21,0]"


@pytest.mark.clause("RE-01")
@pytest.mark.parametrize("count", [1, 3, 4, 5])
@pytest.mark.parametrize("size", [2**53 - 1, 2**53, 1 - 2**53, -(2**53)])
def test_a_count_beyond_what_a_double_holds_is_a_text_wherever_it_stands(size: int, count: int) -> None:
    """In a long histogram as in a short one, and whichever bin it is of."""
    written = str(size) if abs(size) < 2**53 else f'"{size}"'

    for place in range(count):
        bins: list[list[int | str]] = [["a", 1] for _ in range(count)]
        bins[place][1] = size
        texts = ['["a",1]'] * count
        texts[place] = f'["a",{written}]'
        assert canonicalize(bins).decode() == f"[{','.join(texts)}]"


@pytest.mark.clause("RE-01")
def test_what_never_changes_is_written_once() -> None:
    """Its text and its digest are those of its document."""

    class Part(WrittenOnce):
        """A document that counts how often it is asked for."""

        __slots__ = ("asked",)

        def __init__(self) -> None:
            self.asked = 0

        def document(self) -> Json:
            self.asked += 1
            return {"b": 1, "a": [1.5]}

    part = Part()

    assert part.written() == part.written() == '{"a":[1.5],"b":1}'
    assert part.digest() == digest({"b": 1, "a": [1.5]})
    assert part.asked == 1
    assert canonicalize([part.written(), written({"c": 2})]) == b'[{"a":[1.5],"b":1},{"c":2}]'
    with pytest.raises(NotImplementedError):
        WrittenOnce().document()
