# SPDX-License-Identifier: Apache-2.0
"""A receipt that was just written, and its proof, come in; what an answer carries of them goes out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lockgate.core.canonical import Json
from lockgate.operations.tick import Turn
from lockgate.operations.vault.app_series import AppStanding
from lockgate.operations.vault.proofs import Signed, all_signed, signed
from lockgate.ports.house import House
from lockgate.report.answered import app_document

# The number of the receipt by which a rollout begins.
FIRST = 1


def with_signed(document: Mapping[str, Json], series: str, seq: int | None, house: House) -> dict[str, Json]:
    """Return an answer with the receipt of a number, its bytes and its proof; None where nothing was signed."""
    found = None if seq is None else signed(series, seq, house)
    return {**document, "signed": None if found is None else _whole(found)}


def signed_by_id(turns: tuple[Turn, ...], house: House) -> dict[str, Json]:
    """Return what turns signed by the ids of their rollouts, without the bytes of the receipts, which the log has."""
    found = all_signed([(turn.rollout.id, turn.receipt) for turn in turns if turn.is_signed], house)
    return {turn.rollout.id: _document(found[turn.rollout.id]) if turn.is_signed else None for turn in turns}


def signed_app(given: AppStanding, house: House) -> dict[str, Json]:
    """Return an app as it stands after a request, with the receipt of that, its bytes and its proof."""
    found = _of_apps((given,), house)
    said = _whole(found[given.series]) if given.is_signed else None
    return {**_app_document(given, found), "signed": said}


def signed_apps(stands: Sequence[AppStanding], house: House) -> list[Json]:
    """Return apps as they stand after a request, with what was signed, without the bytes of the receipts."""
    found = _of_apps(stands, house)
    return [_app_document(each, found) for each in stands]


def _of_apps(stands: Sequence[AppStanding], house: House) -> Mapping[str, Signed]:
    own = [(each.series, each.receipt) for each in stands if each.is_signed]
    return all_signed([*own, *(ended for each in stands for ended in each.rolled_back)], house)


def _app_document(given: AppStanding, found: Mapping[str, Signed]) -> dict[str, Json]:
    return {
        **app_document(given),
        "signed": _document(found[given.series]) if given.is_signed else None,
        "rolled_back": [{"id": name, "signed": _document(found[name])} for name, _ in given.rolled_back],
    }


def _whole(found: Signed) -> dict[str, Json]:
    return {**_document(found), "envelope": found.receipt.envelope.decode("utf-8")}


def _document(found: Signed) -> dict[str, Json]:
    receipt = found.receipt
    return {
        "receipt_id": receipt.id,
        "seq": receipt.seq,
        "sha256": receipt.digest.removeprefix("sha256:"),
        "log_index": receipt.index,
        "proof": found.proof.decode("utf-8"),
    }
