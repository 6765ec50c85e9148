# SPDX-License-Identifier: Apache-2.0
"""JSON texts of every kind come in; they are read exactly if they are the RFC 8785 form of themselves."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockgate.core.canonical import canonicalize
from lockgate.core.canonical_reading import read_canonical
from lockgate.core.envelope import Envelope, open_envelope
from lockgate.core.refusal import Reason, VerifyError

NUMBERS = st.one_of(
    st.integers(1 - 2**53, 2**53 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([0.0, 1.0, 1e-5, 1e-6, 1.5e-7, 1e-9, 1e-10, 1e16, 1e20, 1e21, 123456789.5, 5e-324, 1e300]),
)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS, st.sampled_from(["\U0001f600", "\uffff", "e-0", ".0,"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
ENVELOPE = Envelope("application/vnd.in-toto+json", b"{}", "ab" * 32, bytes(range(64)))


def is_read(data: bytes) -> bool:
    """Say whether a payload is read."""
    try:
        read_canonical(data, "payload")
    except VerifyError:
        return False
    return True


@given(VALUES)
@pytest.mark.clause("VF-30")
def test_the_one_form_is_read(value: Any) -> None:
    """What the canonical writer writes is read, whatever numbers and names are in it."""
    data = canonicalize(value)

    assert canonicalize(read_canonical(data, "payload")) == data


@given(VALUES)
@pytest.mark.clause("VF-30")
def test_another_form_is_refused(value: Any) -> None:
    """What Python's own encoder writes is read only where it is the canonical form."""
    data = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()

    assert is_read(data) == (data == canonicalize(value))


@pytest.mark.parametrize(
    "text",
    [
        "[1.0]",
        "1.0",
        '{"a":2.0}',
        "[1.0,2]",
        "[1e+16]",
        "[1e+20]",
        "[1e-05]",
        "[1e-07]",
        "[-0]",
        "[-0.0]",
        "[9007199254740993]",
        "[1E5]",
        "[0.10]",
        '["\\u0041"]',
        '["\\/"]',
        '["\\ud800"]',
        '["\\u001F"]',
        '{"b":1,"a":2}',
        '{"\ufb33":1,"\U0001f600":2}',
        "[1, 2]",
        "[1]\n",
        "\ufeff[1]",
        "[" * 100_000,
        "[" + "9" * 5_000 + "]",
        "[1e999]",
        "[NaN]",
        "[Infinity]",
    ],
    ids=range(27),
)
@pytest.mark.clause("VF-30")
def test_no_second_spelling_is_read(text: str) -> None:
    """Each of these is, or looks like, JSON, and none is in the one form."""
    assert not is_read(text.encode("utf-8", "surrogatepass"))


@pytest.mark.clause("VF-30")
def test_names_are_in_the_order_of_utf_16() -> None:
    """Two units come before one that is higher than the first of them."""
    assert is_read('{"\U0001f600":2,"\ufb33":1}'.encode())


@pytest.mark.clause("VF-31")
def test_what_is_wide_or_as_deep_as_may_be_is_read() -> None:
    """The bound is of depth, and of nothing else."""
    assert is_read(b"[" * 128 + b"]" * 128)
    assert is_read(b"[" + b",".join([b'{"a":[]}'] * 500) + b"]")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\xef\xbb\xbf{}", Reason.PAYLOAD_NOT_JSON),
        (b"\xff", Reason.PAYLOAD_NOT_JSON),
        (b"[" * 30_000 + b"]" * 30_000, Reason.PAYLOAD_NOT_JSON),
        (b"[" * 129 + b"]" * 129, Reason.PAYLOAD_NOT_JSON),
        (b'{"a":' * 900 + b"1" + b"}" * 900, Reason.PAYLOAD_NOT_JSON),
        (b"{}\n", Reason.PAYLOAD_NOT_CANONICAL),
        (b'{"a":"\\ud800"}', Reason.PAYLOAD_NOT_CANONICAL),
        (b'{"a":' + b"1" * 39_000 + b"}", Reason.PAYLOAD_NOT_CANONICAL),
        (b'{"a":1,"a":1}', Reason.PAYLOAD_DUPLICATE_KEY),
    ],
    ids=["BOM", "no UTF-8", "nested", "129 deep", "900 deep", "line break", "lone surrogate", "huge number", "twice"],
)
@pytest.mark.clause("VF-31")
def test_what_would_break_other_readers_is_refused(data: bytes, reason: Reason) -> None:
    """Depth, size, marks and halves of characters end in a refusal, and in nothing else."""
    with pytest.raises(VerifyError) as refused:
        read_canonical(data, "payload")

    assert refused.value.reason is reason


@given(st.binary(max_size=30), st.integers(0, 200))
@pytest.mark.clause("VF-30")
def test_an_envelope_is_opened_only_in_its_one_form(noise: bytes, at: int) -> None:
    """Whatever is spliced into an envelope, it is refused or it is again an envelope in its one form."""
    good = ENVELOPE.encode()
    changed = good[:at] + noise + good[at + len(noise) :]

    try:
        opened = open_envelope(changed)
    except VerifyError:
        return
    assert opened.encode() == changed


@pytest.mark.parametrize("payload_type", ["application/x", 'a"b', "é", "a\\b", "a\x7f", "a b"])
@pytest.mark.clause("VF-30")
def test_envelopes_of_any_type_are_opened(payload_type: str) -> None:
    """A type that JSON escapes is read as well as a plain one."""
    envelope = Envelope(payload_type, b"x", "0" * 64, bytes(64))

    assert open_envelope(envelope.encode()) == envelope
