# SPDX-License-Identifier: Apache-2.0
"""A receipt that was just written, and its proof, come in; what an answer carries of them goes out."""

from __future__ import annotations

from collections.abc import Mapping

from lockgate.core.canonical import Json
from lockgate.operations.tick import Turn
from lockgate.operations.vault.proofs import Signed, all_signed, signed
from lockgate.ports.house import House


def with_signed(document: Mapping[str, Json], series: str, seq: int | None, house: House) -> dict[str, Json]:
    """Return an answer with the receipt of a number, its bytes and its proof; None where nothing was signed."""
    found = None if seq is None else signed(series, seq, house)
    if found is None:
        return {**document, "signed": None}
    return {**document, "signed": {**_document(found), "envelope": found.receipt.envelope.decode("utf-8")}}


def signed_by_id(turns: tuple[Turn, ...], house: House) -> dict[str, Json]:
    """Return what turns signed by the ids of their rollouts, without the bytes of the receipts, which the log has."""
    found = all_signed([(turn.rollout.id, turn.receipt) for turn in turns if turn.is_signed], house)
    return {turn.rollout.id: _document(found[turn.rollout.id]) if turn.is_signed else None for turn in turns}


def _document(found: Signed) -> dict[str, Json]:
    receipt = found.receipt
    return {
        "receipt_id": receipt.id,
        "seq": receipt.seq,
        "sha256": receipt.digest.removeprefix("sha256:"),
        "log_index": receipt.index,
        "proof": found.proof.decode("utf-8"),
    }
