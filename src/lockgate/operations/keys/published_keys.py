# SPDX-License-Identifier: Apache-2.0
"""A house comes in; the public keys by which others verify what its organisation signed go out, in every encoding."""

from __future__ import annotations

from collections.abc import Mapping

from lockgate.core.checkpoint import checkpoint_of
from lockgate.core.listed_key import Use
from lockgate.core.note import NoteKey
from lockgate.core.published_keys import key_files
from lockgate.errors import UnknownError
from lockgate.operations.keys.public_keys import public_keys
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
    origin, known = checkpoint_of(note).origin, public_keys(house)
    return key_files(known[Use.RECEIPT], [NoteKey(origin, key.raw) for key in known[Use.LOG]])
