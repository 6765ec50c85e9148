# SPDX-License-Identifier: Apache-2.0
"""A log that is about to grow and the keys of a house come in; other keys than those that signed it are refused."""

from __future__ import annotations

from typing import Literal

from lockgate.core.checkpoint import read_checkpoint
from lockgate.core.envelope import signer_of
from lockgate.core.note import read_note
from lockgate.core.vault import Receipt
from lockgate.errors import NotPermittedError
from lockgate.operations.sign import log_key
from lockgate.ports.house import House
from lockgate.ports.store import Snapshot

Role = Literal["receipt", "log"]
RESTORE = (
    "Put the keys folder back from its backup. If the keys are lost for good, "
    "`lockgate new-keys --reason TEXT --yes` goes on by new ones, and a receipt says so."
)


def refuse_others(seen: Snapshot, house: House) -> None:
    """Refuse to let a log grow by other keys than those that signed its latest receipt and checkpoint."""
    latest = seen.latest_receipt()
    if latest is None or not unknown_keys(seen, house, latest):
        return
    raise NotPermittedError(
        f"the keys that are here did not sign this store: its latest receipt names key {signer_of(latest.envelope)}",
        advice=f"Nothing is signed, and reading works. {RESTORE}",
    )


def unknown_keys(seen: Snapshot, house: House, latest: Receipt) -> tuple[Role, ...]:
    """Return of which roles a house has other keys than those that signed the latest receipt and checkpoint."""
    receipt: tuple[Role, ...] = () if signer_of(latest.envelope) == house.signers.receipt.key_id else ("receipt",)
    return receipt if _has_signed_log(seen, house) else (*receipt, "log")


def _has_signed_log(seen: Snapshot, house: House) -> bool:
    note = seen.checkpoint()
    if note is None:
        return True
    read = read_note(note)
    key = log_key(read_checkpoint(read.body).origin, house.signers.log)
    return any((line.name, line.key_hash) == (key.name, key.key_hash) for line in read.signatures)
