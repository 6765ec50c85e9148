# SPDX-License-Identifier: Apache-2.0
"""Receipts of real rollouts, and every change of them, come in; tools that others wrote must say what we say."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from lockgate.core.public_key import PublicKey
from lockgate.core.refusal import VerifyError
from lockgate.verify import verify_receipt
from tests.interop.vault import tools
from tests.interop.vault.rollouts import Rollout, promoted, rolled_back
from tests.interop.vault.tampers import CHANGED, RESPELLED, SIGNED, TABLE, Tamper

pytestmark = pytest.mark.interop
READERS: dict[str, Callable[[Sequence[bytes], PublicKey], list[bool]]] = {
    "openssl": tools.openssl,
    "node": tools.node,
    "sigstore": tools.sigstore,
    "securesystemslib": tools.securesystemslib,
}


def changed(tamper: Tamper) -> bytes:
    """Return the first receipt of a rollout, changed."""
    return tamper.change(rolled_back().envelopes[0], rolled_back().signer)


@pytest.mark.clause("IO-02")
@pytest.mark.parametrize("rollout", [promoted, rolled_back])
@pytest.mark.parametrize(
    "reader", [*READERS.values(), tools.in_toto, tools.verifier, tools.ours], ids=lambda each: each.__name__
)
def test_every_receipt_is_accepted(
    reader: Callable[[Sequence[bytes], PublicKey], list[bool]], rollout: Callable[[], Rollout]
) -> None:
    """OpenSSL, Node, sigstore, securesystemslib and in-toto-attestation read each receipt of a rollout."""
    envelopes = rollout().envelopes

    assert reader(envelopes, rollout().key) == [True] * len(envelopes)


@pytest.mark.clause("IO-03")
@pytest.mark.parametrize("tamper", TABLE, ids=lambda each: each.name)
def test_we_refuse_each_change_by_its_reason(tamper: Tamper) -> None:
    """A change that was made for one reason is refused for that one."""
    with pytest.raises(VerifyError) as refused:
        verify_receipt(changed(tamper), rolled_back().keys)

    assert refused.value.reason is tamper.reason


@pytest.mark.clause("IO-03", "IO-04")
@pytest.mark.parametrize("name", READERS)
def test_a_tool_takes_no_change_but_those_of_the_table(name: str) -> None:
    """None takes a changed statement, type or signature; what is written otherwise each takes as the table says."""
    said = READERS[name]([changed(tamper) for tamper in TABLE], rolled_back().key)

    assert dict(zip((each.name for each in TABLE), said, strict=True)) == {
        each.name: name in each.taken for each in TABLE
    }


@pytest.mark.clause("IO-04")
def test_only_what_says_the_same_is_taken_by_others() -> None:
    """What differs from what was signed is in nobody's column, and what the holder signed is in all."""
    assert {name for each in CHANGED for name in each.taken} == set()
    assert all(each.taken for each in RESPELLED)
    assert all(each.taken == set(READERS) for each in SIGNED)


@pytest.mark.clause("IO-20")
def test_the_second_verifier_takes_no_change_at_all() -> None:
    """It was written from the specification, and is as strict as that."""
    assert tools.verifier([changed(tamper) for tamper in TABLE], rolled_back().key) == [False] * len(TABLE)


@pytest.mark.clause("IO-05")
def test_in_toto_reads_statements_and_nothing_else() -> None:
    """What is signed but is no statement of in-toto its library refuses, as we do."""
    refused = {"another statement type", "no subject"}

    said = tools.in_toto([changed(tamper) for tamper in SIGNED], rolled_back().key)

    assert {each.name for each, taken in zip(SIGNED, said, strict=True) if not taken} == refused
