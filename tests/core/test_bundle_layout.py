# SPDX-License-Identifier: Apache-2.0
"""Numbers, keys and digests come in; the names of their files are names that a bundle may have, and lead back."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockgate.core import bundle_layout as layout

BY_NUMBER: dict[str, Callable[[int], str]] = {
    "receipt": layout.receipt_file,
    "proof": layout.proof_file,
    "replay": layout.replay_file,
    "looks": layout.looks_file,
    "sigstore": layout.sigstore_file,
    "sshsig": layout.sshsig_file,
    "older manifest": layout.older_key_manifest,
    **{f"{each} receipt": partial(layout.related_file, each) for each in layout.SERIES},
    **{f"{each} proof": partial(layout.related_proof_file, each) for each in layout.SERIES},
}
OTHERS = (
    layout.MANIFEST,
    layout.CHECKPOINT,
    layout.TIMESTAMP,
    layout.GROWTH,
    layout.LOG_KEYS,
    layout.ALLOWED_SIGNERS,
    layout.KEY_MANIFEST,
    layout.POLICY,
    layout.RELEASE_RECORD,
    layout.TIMELINE,
    layout.AUDIT,
    layout.README,
    layout.MISSING,
    layout.verdict_file("0" * 64),
    layout.key_file("f" * 64),
)


@pytest.mark.parametrize("kind", BY_NUMBER)
@given(seqs=st.sets(st.integers(1, 2**53 - 1), min_size=1, max_size=5))
@pytest.mark.clause("VF-69")
def test_numbers_are_read_from_the_names_that_are_made_of_them(kind: str, seqs: set[int]) -> None:
    """Of all names in a bundle those of one kind give their numbers back, in their order."""
    named = BY_NUMBER[kind]
    names = [each(seq) for each in BY_NUMBER.values() for seq in seqs]

    assert layout.numbers([*OTHERS, *names], named(1)) == sorted(seqs)
    assert all(map(layout.is_known, names))
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.clause("VF-69")
def test_every_name_is_one_that_a_bundle_has(name: str) -> None:
    """What is written is listed, packed and read by the same names."""
    assert layout.is_known(name)
    assert layout.is_name(name)


@pytest.mark.parametrize("name", ["receipts/0.json", "receipts/01.json", "receipts/1.json/", "notes.txt", "keys/a.pem"])
@pytest.mark.clause("VF-69")
def test_another_name_is_none(name: str) -> None:
    """Numbers count from 1, in one form, and a bundle has no other files."""
    assert not layout.is_known(name)
