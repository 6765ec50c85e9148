# SPDX-License-Identifier: Apache-2.0
"""A house comes in; the public keys by which others verify what its organisation signed go out, in every encoding."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from lockgate.core.checkpoint import read_checkpoint
from lockgate.core.note import read_note
from lockgate.core.public_key import PublicKey, read_public_key
from lockgate.core.published_keys import key_files
from lockgate.errors import UnknownError
from lockgate.operations.sign import log_key_of
from lockgate.ports.house import House


def published_keys(house: House) -> Mapping[str, bytes]:
    """Return the files of the keys that sign, and of older ones as far as they were kept, by their names.

    An organisation that signed nothing has published none, and is answered as one that is not there.
    """
    with house.store.reading(house.org) as seen:
        note = seen.checkpoint()
    if note is None:
        raise UnknownError(
            "no organisation of that name has published keys",
            advice="An organisation's first receipt makes them known.",
        )
    origin, signers = read_checkpoint(read_note(note).body).origin, house.signers
    receipt = _keys([signers.receipt.public_key_pem, *signers.kept.receipt])
    log = _keys([signers.log.public_key_pem, *signers.kept.log])
    return key_files(receipt, [log_key_of(origin, key.pem) for key in log])


def _keys(pems: Iterable[bytes]) -> tuple[PublicKey, ...]:
    """Return keys once each, those that sign now first."""
    return tuple(dict.fromkeys(read_public_key(pem) for pem in pems))
