# SPDX-License-Identifier: Apache-2.0
"""Everything that is verified comes in with bits flipped and bytes spliced in; nothing but a refusal comes out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockgate.core.checkpoint import LogGrowth
from lockgate.core.key_manifest import SignedManifest
from lockgate.core.merkle import plan_consistency
from lockgate.verify import (
    Keys,
    VerifyError,
    read_note_key,
    read_public_key,
    read_witness_policy,
    verify_manifest,
    verify_newer_checkpoint,
    verify_receipt,
    verify_signed_checkpoint,
)
from tests.spec.signed import KEYS, RECEIPTS, VAULT
from tests.spec.test_verify_keys import ROOT, ROOT_KEY, cosigned, manifest, trusting, witness

FIRST = replace(manifest(), version=1, previous=None)
MANIFEST = SignedManifest(FIRST, ((ROOT_KEY.key_id, ROOT.sign(FIRST.signed_bytes())),)).encode()
GROWTH = LogGrowth(3, tuple(plan_consistency(3, 5).hashes(VAULT.kept)), VAULT.checkpoint()).encode()
POLICY = f"witness x {witness('x').key.text}\nquorum x\n".encode()
BY_MANIFEST = Keys(manifest=FIRST)

# Of each kind the bytes, and what is done with them; of what nobody signs, a key, another one is another key.
Verify = Callable[[bytes], object]
KINDS: dict[str, tuple[bytes, Verify]] = {
    "receipt": (VAULT.entries[2], lambda data: verify_receipt(data, KEYS)),
    "logged receipt": (VAULT.entries[2], lambda data: verify_receipt(data, BY_MANIFEST, VAULT.proof(2))),
    "proof": (VAULT.proof(2), lambda data: verify_receipt(VAULT.entries[2], KEYS, data)),
    "checkpoint": (VAULT.checkpoint(), lambda data: verify_signed_checkpoint(data, KEYS)),
    "kept checkpoint": (
        VAULT.checkpoint(3),
        lambda data: verify_newer_checkpoint(VAULT.checkpoint(), KEYS, data, GROWTH),
    ),
    "cosigned checkpoint": (
        cosigned(VAULT.checkpoint(), "x"),
        lambda data: verify_signed_checkpoint(data, trusting("x", least=1)),
    ),
    "growth": (GROWTH, lambda data: verify_newer_checkpoint(VAULT.checkpoint(), KEYS, VAULT.checkpoint(3), data)),
    "manifest": (MANIFEST, lambda data: verify_manifest([data], [ROOT_KEY])),
}
TRUSTED: dict[str, tuple[bytes, Verify]] = {
    "public key": (RECEIPTS.public_key_pem, read_public_key),
    "log key": (KEYS.log[0].text.encode(), lambda data: read_note_key(data.decode("utf-8", "replace"))),
    "policy of witnesses": (POLICY, read_witness_policy),
}
NOISE = st.one_of(
    st.binary(max_size=40),
    st.sampled_from(
        [b"[" * 20_000, b'{"a":' * 4_000, b"9" * 6_000, b"\xef\xbb\xbf", b"\\ud800", b"1e999", b"\n", b"="]
    ),
)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "logged receipt"])
@pytest.mark.clause("VF-46")
def test_every_bit_counts(kind: str) -> None:
    """Whichever bit is flipped, what was signed is refused."""
    data, verify = KINDS[kind]
    accepted = []
    for at in range(8 * len(data)):
        changed = bytearray(data)
        changed[at // 8] ^= 1 << at % 8
        try:
            verify(bytes(changed))
        except VerifyError:
            continue
        accepted.append((at, bytes(changed[at // 8 - 10 : at // 8 + 10])))

    assert accepted == []


@pytest.mark.parametrize("kind", [*KINDS, *TRUSTED])
@settings(deadline=None, max_examples=150)
@given(data=st.data())
@pytest.mark.clause("VF-46")
def test_whatever_is_spliced_in_ends_in_a_refusal(kind: str, data: st.DataObject) -> None:
    """Cut, doubled or filled with anything, it is refused by a reason, and in no other way."""
    good, verify = {**KINDS, **TRUSTED}[kind]
    at = data.draw(st.integers(0, len(good)))
    changed = good[:at] + data.draw(NOISE) + good[at + data.draw(st.integers(0, 80)) :]

    try:
        verify(changed)
    except VerifyError:
        return
    assert changed == good or kind in TRUSTED


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.clause("VF-46")
def test_every_beginning_is_refused(kind: str) -> None:
    """What was cut off anywhere is refused."""
    data, verify = KINDS[kind]
    for size in range(0, len(data), 7):
        with pytest.raises(VerifyError):
            verify(data[:size])
