# SPDX-License-Identifier: Apache-2.0
"""Names of files come in; what is verified, and the public keys that are trusted, go out."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TypeVar

from lockgate.core.cosignature import WitnessKey, read_witness_key
from lockgate.core.note import NoteKey
from lockgate.core.public_key import PublicKey
from lockgate.core.witness_policy import Group, Witness, WitnessPolicy
from lockgate.errors import UsageError
from lockgate.verify import Keys, read_note_key, read_public_key, read_witness_policy
from lockgate.verify.rollout import named

Formed = TypeVar("Formed")
STDIN = "-"
PEM = b"-----BEGIN"
# Nothing that verifies is as large, and a file without end must end.
MAX_FILE_SIZE = 1_000_000
# What a quorum of witnesses that were named one by one is called.
_NAMED = "named"


def trusted_keys(receipt: Iterable[str], log: Iterable[str], origin: Callable[[], str] | None = None) -> Keys:
    """Return the public keys of receipts and of logs that files hold.

    A key of the log in PEM names no log: it is one of the log of `origin`, where that is known.
    """
    return Keys(
        tuple(trusted_key(name) for name in receipt),
        tuple(key for name in log for key in named(name, partial(_log_keys, read(name), origin))),
    )


def trusted_key(name: str) -> PublicKey:
    """Return the public key that a file holds in PEM."""
    return read_as(name, read_public_key)


def read_as(name: str, form: Callable[[bytes], Formed]) -> Formed:
    """Return what a small file holds; where it has another form the file is named."""
    return named(name, partial(form, read(name)))


def trusted_witnesses(names: Sequence[str], quorum: int | None, policy: str | None) -> WitnessPolicy:
    """Return whose cosignatures a checkpoint needs: those of a policy's file, or so many of some keys, or nobody's."""
    if policy is not None and names:
        raise UsageError("a policy of witnesses names them already", advice="Give --witness, or --witness-policy.")
    if policy is not None:
        return read_as(policy, read_witness_policy)
    keys = [key for name in names for key in read_as(name, _witness_keys)]
    _refuse_twice(keys)
    least = len(keys) if quorum is None else quorum
    if not 0 <= least <= len(keys) or (quorum is not None and not keys):
        raise UsageError(
            f"{quorum} of {len(keys)} witnesses cannot have cosigned", advice="Name more of them with --witness."
        )
    if not least:
        return WitnessPolicy()
    witnesses = tuple(Witness(key.name, key) for key in keys)
    return WitnessPolicy(
        witnesses=witnesses, groups={_NAMED: Group(least, tuple(each.name for each in witnesses))}, quorum=_NAMED
    )


def _refuse_twice(keys: Sequence[WitnessKey]) -> None:
    """Refuse a witness that was named twice, by one name or two: it would count as two of a quorum."""
    for told in ({key.raw for key in keys}, {key.name for key in keys}):
        if len(told) != len(keys):
            raise UsageError(
                "a witness is named twice", advice="Name each once: so many different ones must have cosigned."
            )


def _witness_keys(data: bytes) -> Sequence[WitnessKey]:
    return tuple(map(read_witness_key, _lines(data)))


def _log_keys(data: bytes, origin: Callable[[], str] | None) -> Sequence[NoteKey]:
    if origin is not None and data.lstrip().startswith(PEM):
        return (NoteKey(origin(), read_public_key(data).raw),)
    return tuple(map(read_note_key, _lines(data) or [""]))


def _lines(data: bytes) -> list[str]:
    return [line for line in data.decode("utf-8", "replace").splitlines() if line.strip()]


def read(name: str) -> bytes:
    """Return the bytes of a small file; `-` is standard input."""
    if name == STDIN and sys.stdin is None:
        raise UsageError("standard input is closed", advice="Pipe the receipt into it, or name a file.")
    if name == STDIN:
        return sys.stdin.buffer.read(MAX_FILE_SIZE)
    try:
        with open(name, "rb") as file:  # noqa: PTH123 -- the name goes to the system as it was given
            return file.read(MAX_FILE_SIZE)
    except OSError as error:
        raise UsageError(f"cannot read {name}: {error.strerror}", advice="Name a file that can be read.") from error
