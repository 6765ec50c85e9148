# SPDX-License-Identifier: Apache-2.0
"""Documents of very many keys, one of them twice, come in; the key is named in time that grows as the document does."""

from __future__ import annotations

import json

import pytest

from lockgate.adapters.decoders.policy_file import decode_policy
from lockgate.core.canonical_reading import read_canonical
from lockgate.core.refusal import VerifyError
from lockgate.errors import DataError

KEYS = 120_000
TEXT = json.dumps({f"k{number}": 1 for number in range(KEYS)})[:-1] + f', "k{KEYS - 1}": 2}}'


@pytest.mark.clause("PO-01")
def test_a_repeated_field_of_a_large_policy_is_named() -> None:
    """Looking each key up among all others would take minutes."""
    with pytest.raises(DataError) as caught:
        decode_policy(TEXT, "policy.json")

    assert caught.value.message == f"policy.json: the field 'k{KEYS - 1}' is there twice"


def test_a_repeated_key_of_a_large_receipt_is_named() -> None:
    """The same holds for what a stranger hands to verify."""
    with pytest.raises(VerifyError) as caught:
        read_canonical(TEXT.encode(), "envelope")

    assert caught.value.message == f"the envelope names 'k{KEYS - 1}' twice"
