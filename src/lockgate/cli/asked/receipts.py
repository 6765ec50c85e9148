# SPDX-License-Identifier: Apache-2.0
"""The id of a rollout or receipt comes in; receipts go out as a list, or as files that `lockgate verify` takes."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lockgate.cli.asked.desk import Desk
from lockgate.cli.said import Said
from lockgate.core.envelope import signer_of
from lockgate.core.revoked_signers import log_keys_in, revoked_signers
from lockgate.core.vault import Receipt
from lockgate.core.wording import count_text
from lockgate.errors import UsageError
from lockgate.operations.asking.queries import receipts_of
from lockgate.operations.bundle.saved_receipts import LOG_KEY, RECEIPT_KEY, key_file, saved_receipts
from lockgate.operations.keys.manifest import current_manifest
from lockgate.operations.line.reading import RECEIPT
from lockgate.ports.house import House
from lockgate.report.listing import render_receipts
from lockgate.report.rollout_document import receipt_document


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What was called; `save` and `since` are names of the caller's, `kept` the checkpoint in base64."""

    rollout_id: str
    save: str | None = None
    seq: int | None = None
    since: str | None = None
    kept: str | None = None
    as_json: bool = False


def answer(words: Words, desk: Desk) -> Said:
    """List a rollout's receipts, or hand them out as files that verify offline."""
    house = desk.place.house_to_read()
    kept = None if words.kept is None else _decoded(words.kept)
    with desk.place.named(words.rollout_id, house):
        rollout_id, seq, found = _found(words, house)
        # What is only listed needs no key.
        files = saved_receipts(rollout_id, house, seq, kept) if words.save is not None or not found else {}
    if words.save is not None:
        desk.files.update(files)
        signed = ((signer_of(each.envelope), each.index) for each in found)
        revoked = revoked_signers(current_manifest(house), signed, log_keys_in(files[LOG_KEY]))
        desk.tell(*(f"warning: {each.sentence()}" for each in revoked))
    if words.as_json:
        desk.emit_json({"id": rollout_id, "receipts": [receipt_document(each) for each in found]})
    elif words.save is not None:
        desk.say(_written(words, words.save, found, files, house))
    else:
        desk.say(render_receipts(found, desk.screen))
    return desk.said()


def _decoded(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except ValueError as error:
        raise UsageError(f"the checkpoint is not base64: {error}", advice="Send its bytes in base64.") from error


def _found(words: Words, house: House) -> tuple[str, int | None, list[Receipt]]:
    """Return the rollout and the number that were asked for, and the receipts; a receipt's id names both."""
    receipts = receipts_of(words.rollout_id, house)
    if not words.rollout_id.startswith(RECEIPT):
        return words.rollout_id, words.seq, [each for each in receipts if words.seq in (None, each.seq)]
    if words.seq is not None:
        raise UsageError("a receipt's id names one receipt already", advice="Leave --seq out, or name the rollout.")
    return receipts[0].rollout_id, receipts[0].seq, list(receipts)


def _written(words: Words, save: str, found: Sequence[Receipt], files: Mapping[str, bytes], house: House) -> str:
    """Return what was written, and the command that verifies the last of it."""
    last = found[-1].seq
    growth = "" if words.since is None else f" --checkpoint {words.since} --consistency {save}/log.consistency"
    return (
        f"Wrote {len(files)} files into {save}. Next:\n"
        f"lockgate verify {save}/receipt-{last}.json --key {save}/{key_file(found[-1], house)}"
        f" --proof {save}/receipt-{last}.tlog-proof --log-key {save}/log-key.txt{growth}\n"
        f"{_older(found, files, house)}"
    )


def _older(found: Sequence[Receipt], files: Mapping[str, bytes], house: House) -> str:
    """Return, in words, which receipts verify by which older key."""
    by_key: dict[str, list[int]] = {}
    for each in found:
        by_key.setdefault(key_file(each, house), []).append(each.seq)
    lines = ""
    for name, seqs in by_key.items():
        which = f"{count_text(len(seqs), 'receipt')} from {seqs[0]} to {seqs[-1]} by an older key"
        if name != RECEIPT_KEY:
            lines += f"{which}: {name}.\n" if name in files else f"{which} that was not kept here: {name} is missing.\n"
    return lines
