# SPDX-License-Identifier: Apache-2.0
"""A house comes in; the public keys by which what it signed verifies go out, as far as it has them."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence

from lockgate.core.listed_key import Use
from lockgate.core.public_key import PublicKey, read_public_key
from lockgate.errors import NotPermittedError
from lockgate.ports.house import House
from lockgate.ports.signing import Signer


def public_keys(house: House) -> Mapping[Use, tuple[PublicKey, ...]]:
    """Return the keys of each use once: that at hand first, then whatever others were kept, older or prepared.

    A key that is lost, of which not even the public half was left, is left out: what others signed is read by theirs.
    """
    signers, kept = house.signers, house.signers.kept
    return {Use.RECEIPT: _known(signers.receipt, kept.receipt), Use.LOG: _known(signers.log, kept.log)}


def _known(signer: Signer, kept: Sequence[bytes]) -> tuple[PublicKey, ...]:
    at_hand: list[bytes] = []
    with contextlib.suppress(NotPermittedError):
        at_hand.append(signer.public_key_pem)
    return tuple(dict.fromkeys(read_public_key(pem) for pem in (*at_hand, *kept)))
