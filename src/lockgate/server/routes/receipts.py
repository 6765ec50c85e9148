# SPDX-License-Identifier: Apache-2.0
"""The id of a rollout comes in; its receipts, and what verifies each of them offline, go out."""

from __future__ import annotations

import json

from lockgate.errors import UsageError
from lockgate.operations.asking.queries import receipts_of
from lockgate.operations.bundle.saved_receipts import LOG_KEY, RECEIPT_KEY, saved_receipts
from lockgate.operations.vault.proofs import latest_proof, receipt_in
from lockgate.report.rollout_document import receipt_document
from lockgate.server.call import MAX_PAGE, Answer, Call
from lockgate.server.cursor import page_of
from lockgate.server.routes.log import envelope_answer, text_answer

PAGE = 100


def list_of(call: Call) -> Answer:
    """Return a page of a rollout's receipts in their order, or the one of that id, and the cursor of the next one."""
    found = receipts_of(call.named["id"], call.house)
    page, cursor = page_of(call, found, PAGE, MAX_PAGE)
    document = {"id": found[0].rollout_id, "receipts": [receipt_document(each) for each in page], "cursor": cursor}
    return Answer(document=document)


def show_one(call: Call) -> Answer:
    """Return a signed receipt, the proof of its place in the log, and both public keys."""
    rollout_id, seq = call.named["id"], _seq(call)
    files = saved_receipts(rollout_id, call.house, seq)
    document = {
        "id": rollout_id,
        "seq": seq,
        "receipt": json.loads(files[f"receipt-{seq}.json"]),
        "proof": files[f"receipt-{seq}.tlog-proof"].decode(),
        "receipt_key": files[RECEIPT_KEY].decode(),
        "log_key": files[LOG_KEY].decode(),
    }
    return Answer(document=document)


def show_envelope(call: Call) -> Answer:
    """Return a signed receipt byte for byte, as it stands in the log."""
    with call.house.store.reading(call.house.org) as seen:
        return envelope_answer(receipt_in(seen, call.named["id"], _seq(call)))


def show_proof(call: Call) -> Answer:
    """Return the proof that the log holds a receipt, under the latest checkpoint."""
    with call.house.store.reading(call.house.org) as seen:
        return text_answer(latest_proof(seen, receipt_in(seen, call.named["id"], _seq(call))))


def _seq(call: Call) -> int:
    text = call.named["seq"]
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise UsageError(f"{text!r} is no number of a receipt", advice="Receipts of a rollout count from 1.")
    return int(text)
