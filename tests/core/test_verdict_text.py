# SPDX-License-Identifier: Apache-2.0
"""Verdicts with whatever names and texts come in; what a receipt states of each must be what its text says."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockgate.core.bundle_layout import verdict_file
from lockgate.core.canonical import canonicalize
from lockgate.core.envelope import open_envelope
from lockgate.core.refusal import Reason, VerifyError
from lockgate.core.statement import read_statement
from lockgate.core.verdict_text import MEMBERS, check_inline_verdict, is_stated
from lockgate.verify.bundle_bound import Bound
from lockgate.verify.listed_files import Listed
from lockgate.verify.rollout import Link
from tools.receipt_samples import samples

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
def test_what_is_not_said_to_be_whole_is_not_compared(verdict: Any) -> None:
    """An app has no verdict, and a long one stands elsewhere."""
    check_inline_verdict({"verdict": verdict}, canonicalize({"verdict": verdict}))

    missing: Any = {"verdict": {"full": {"inline": True}}}
    with pytest.raises(VerifyError):
        check_inline_verdict(missing, canonicalize(missing))


def long_ones() -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Return what receipts state of verdicts that they do not hold whole, each with the whole one."""
    made = [each for each in samples() if each.contents]
    stated = [json.loads(open_envelope(each.envelope).payload)["predicate"]["verdict"] for each in made]
    pairs = [(said, json.loads(each.contents[0])) for said, each in zip(stated, made, strict=True) if said is not None]
    assert pairs
    return pairs


@pytest.mark.clause("RF-14")
def test_what_a_receipt_states_of_a_long_verdict_is_a_part_of_it() -> None:
    """Every receipt that was ever drafted so states the first findings that decided, also where a reason was cut."""
    for stated, whole in long_ones():
        assert is_stated(stated, whole)

    stated, whole = long_ones()[0]
    first, *rest = stated["findings"]
    cut = {**stated, "findings": [{**first, "reason": f"{first['reason'][:5]}…"}, *rest]}
    assert is_stated(cut, whole)


@pytest.mark.clause("RF-14")
@pytest.mark.parametrize("name", ["counts", "inference", "outcome", "findingsOmitted"])
def test_a_receipt_that_states_something_else_of_a_long_verdict_is_found(name: str) -> None:
    """Its head, and how many findings it leaves out."""
    for stated, whole in long_ones():
        assert not is_stated({**stated, name: None}, whole)


@pytest.mark.clause("RF-14")
def test_other_findings_than_the_first_that_decided_are_found() -> None:
    """One that is changed, one more, one passed over, and what is no finding."""
    stated, whole = long_ones()[0]
    first, second, *rest = stated["findings"]
    for findings in (
        [{**first, "reason": "all is well"}, second, *rest],
        [{**first, "reason": "all is well…"}, second, *rest],
        [{**first, "gate": "another"}, second, *rest],
        [second, first, *rest],
        [None, second, *rest],
    ):
        assert not is_stated({**stated, "findings": findings}, whole)
    passed_over = {**stated, "findings": [second, *rest], "findingsOmitted": stated["findingsOmitted"] + 1}
    assert not is_stated(passed_over, whole)
    assert not is_stated({**stated, "findings": None}, whole)
    assert not is_stated(stated, {**whole, "findings": 1})


@pytest.mark.clause("RF-14")
def test_a_bundle_compares_what_its_receipts_state_with_their_long_verdicts() -> None:
    """The signer's own digest leads to a text that says otherwise: that receipt deceives whoever reads it alone."""
    sample = next(each for each in samples() if each.contents)
    (text,) = sample.contents
    name, sha256 = verdict_file(hashlib.sha256(text).hexdigest()), hashlib.sha256(text).hexdigest()
    bound = Bound(Listed({}, {name: text}, {name: (sha256, len(text))}), {})
    said = read_statement(open_envelope(sample.envelope).payload)
    verdict: Any = said.predicate["verdict"]
    forged = replace(said, predicate={**said.predicate, "verdict": {**verdict, "outcome": "proven", "findings": []}})

    found = bound.entry(Link("good", said, "0" * 64, "key", 0), sample.envelope)
    with pytest.raises(VerifyError) as refused:
        bound.entry(Link("bad", forged, "0" * 64, "key", 0), sample.envelope)

    assert found.whole == json.loads(text)
    assert refused.value.reason is Reason.BUNDLE_VERDICT
