# SPDX-License-Identifier: Apache-2.0
"""Verdicts with whatever names and texts come in; each that is inline must be the one whose digest it states."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockgate.core.canonical import canonicalize
from lockgate.core.inline_verdict import MEMBERS, check_inline_verdict
from lockgate.core.refusal import Reason, VerifyError

# Among them what the place of a verdict in its payload is known by.
TEXTS = st.text(max_size=8) | st.sampled_from(
    ("findingsOmitted", "verdict", "counts", ',"findingsOmitted":', '"verdict":{"counts":', 'x"verdict', ',"', "1e-7")
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=12,
)


def stated(whole: dict[str, Any], more: dict[str, Any], text: bytes) -> dict[str, Any]:
    """Return what a receipt states of a verdict that it holds whole, by the digest of a text."""
    full = {"sha256": hashlib.sha256(text).hexdigest(), "size": len(text), "inline": True}
    return {**more, "verdict": {**whole, "findingsOmitted": 0, "full": full}}


@pytest.mark.clause("RF-13")
@given(whole=st.fixed_dictionaries(dict.fromkeys(MEMBERS, VALUES)), more=st.dictionaries(TEXTS, VALUES, max_size=2))
def test_a_verdict_is_compared_with_its_text_and_nothing_else(whole: dict[str, Any], more: dict[str, Any]) -> None:
    """Its digest is taken, and that of the same bytes with one changed is not, wherever names stand twice."""
    text = canonicalize(whole)
    good, bad = stated(whole, more, text), stated(whole, more, b"[" + text[1:])

    check_inline_verdict(good, canonicalize(good))
    with pytest.raises(VerifyError) as refused:
        check_inline_verdict(bad, canonicalize(bad))

    assert refused.value.reason is Reason.VERDICT_DIGEST


@pytest.mark.clause("RF-13")
@pytest.mark.parametrize("cut", [b'{"counts":0,"findings":{"a":0', b'{"counts":0,"findings":[]'])
def test_the_digest_of_a_text_that_is_cut_short_is_no_verdicts(cut: bytes) -> None:
    """A name within a finding does not end the text, so that ours and another verifier read the same."""
    whole = {"counts": 0, "findings": {"a": 0, "findingsOmitted": 1}, "inference": "fixed", "outcome": "clean"}
    forged = stated(whole, {}, cut + b',"inference":"fixed","outcome":"clean"}')

    with pytest.raises(VerifyError):
        check_inline_verdict(forged, canonicalize(forged))


@pytest.mark.clause("RF-13")
@pytest.mark.parametrize("verdict", [None, {}, {"full": None}, {"full": {"inline": False}}, {"full": {"inline": 1}}])
def test_what_is_not_said_to_be_whole_is_not_compared(verdict: object) -> None:
    """An app has no verdict, and a long one stands elsewhere."""
    check_inline_verdict({"verdict": verdict}, canonicalize({"verdict": verdict}))  # type: ignore[dict-item]

    missing: Any = {"verdict": {"full": {"inline": True}}}
    with pytest.raises(VerifyError):
        check_inline_verdict(missing, canonicalize(missing))
