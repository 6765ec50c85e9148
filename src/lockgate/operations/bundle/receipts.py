# SPDX-License-Identifier: Apache-2.0
"""The receipts of a rollout come in one by one; what proves and explains each goes into a bundle's spool.

Each goes out as an entry of the release record, so that all of it is made in one pass.
"""

from __future__ import annotations

import hashlib
import json
from base64 import b64decode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from lockgate.core.bundle_layout import (
    looks_file,
    proof_file,
    receipt_file,
    replay_file,
    sigstore_file,
    sshsig_file,
    verdict_file,
)
from lockgate.core.canonical import Json, canonicalize
from lockgate.core.envelope import signer_of
from lockgate.core.named_contents import named_contents
from lockgate.core.release_sources import Entry, Part
from lockgate.core.replay.case_size import too_large
from lockgate.core.sigstore_bundle import sigstore_bundle
from lockgate.core.statement import Statement
from lockgate.core.trial import Look, Trial
from lockgate.core.vault import Receipt
from lockgate.operations.bundle.sidecars import Sidecars
from lockgate.operations.bundle.spool import Spool
from lockgate.operations.replay.cases import UNWANTED, cases
from lockgate.operations.vault.logged import not_as_signed
from lockgate.operations.vault.portions import PORTION, portions
from lockgate.operations.vault.proofs import proofs_under
from lockgate.ports.house import House
from lockgate.ports.store import Snapshot
from lockgate.ports.tell import Tell

# So many are written in time.
MAX_CASES = 10_000
# Of more receipts a tenth of them shows how the rollout began, and the others how it came to where it stands.
FIRST_PART = 10


@dataclass(frozen=True, slots=True)
class ChosenCases:
    """Of which receipts there are to be cases: those up to `first` and those from `last` on, and in words why."""

    first: int
    last: int

    def has(self, seq: int) -> bool:
        """Say whether there is to be a case of a receipt."""
        return seq <= self.first or seq >= self.last

    @property
    def why_not(self) -> str:
        """Return why there is none of another."""
        return f"of so many receipts a bundle holds the cases up to {self.first:,} and from {self.last:,} on"


def chosen_cases(newest: int, max_cases: int | None) -> ChosenCases:
    """Return of which receipts, up to the newest, a bundle is to hold cases; None: of all."""
    if max_cases is None or newest <= max_cases:
        return ChosenCases(newest, newest)
    first = max(1, max_cases // FIRST_PART)
    return ChosenCases(first, newest - (max_cases - first) + 1)


def silent(_what: str, _number: int) -> None:
    """Say nothing of how far it has come."""


class BundleReceipts:
    """The receipts of a rollout so far: how many, by which keys, and what is missing beside them."""

    def __init__(
        self, seen: Snapshot, house: House, files: Spool, tell: Tell = silent, max_cases: int | None = MAX_CASES
    ) -> None:
        self._seen, self._house, self._files, self._tell = seen, house, files, tell
        self._max_cases = max_cases
        self._lacks: dict[str, list[tuple[int, str]]] = {}
        self._lost: list[Json] = []
        self._stated: dict[int, Statement] = {}
        self.count = 0
        self.signers: set[str] = set()
        self.first: Receipt | None = None
        self.last: Receipt | None = None

    def entries(self, trial: Trial, note: bytes) -> Iterator[Entry]:
        """Put the files of every receipt into the spool, and yield it for the release record."""
        name = trial.rollout.id
        sidecars = Sidecars(self._house.signers.receipt, trial.chain.seq)
        looks = portions(lambda after: self._seen.looks_after(name, after, PORTION), lambda row: row.number)
        for receipt, proof in proofs_under(self._seen, self._receipts(name, trial.chain.seq), note):
            self.first, self.last = self.first or receipt, receipt
            self.count += 1
            self._tell("receipts", self.count)
            self.signers.add(signer_of(receipt.envelope))
            self._files.add(receipt_file(receipt.seq), receipt.envelope)
            self._files.add(proof_file(receipt.seq), proof)
            self._files.add(sigstore_file(receipt.seq), sigstore_bundle(receipt.envelope))
            signature, why_not = sidecars.of(receipt)
            if why_not:
                self._lack("sshsig", receipt.seq, why_not)
            else:
                self._files.add(sshsig_file(receipt.seq), signature)
            yield self._entry(receipt, looks if trial.has_looks else None)

    def missing(self) -> dict[str, Json]:
        """Return what is not there beside the receipts, and why, those in a row together."""
        found: dict[str, Json] = {what: _spans(lacks) for what, lacks in self._lacks.items() if lacks}
        return {**found, "verdicts": self._lost} if self._lost else found

    def _receipts(self, rollout_id: str, newest: int) -> Iterator[Receipt]:
        """Yield every receipt, and put the cases of those into the spool that are to have one."""
        chosen = chosen_cases(newest, self._max_cases)
        for each in cases(self._seen, rollout_id, chosen.has):
            # Proofs are made for many receipts at once, so that some are read before their turn comes.
            self._stated[each.receipt.seq] = each.statement
            case = b"" if each.case is None else each.case.encode()
            if why_not := too_large(case) if case else each.why_not:
                self._lack("replay", each.receipt.seq, chosen.why_not if why_not == UNWANTED else why_not)
            else:
                self._files.add(replay_file(each.receipt.seq), case)
            yield each.receipt

    def _entry(self, receipt: Receipt, looks: Iterator[Look] | None) -> Entry:
        statement = self._stated.pop(receipt.seq, None) or kept_statement(receipt)
        entry = Entry(statement, hashlib.sha256(receipt.envelope).hexdigest(), receipt.index)
        bound = self._looks(receipt.seq, entry.part("evidence")["looks"]["count"], looks)
        return Entry(statement, entry.sha256, receipt.index, bound, self._verdict(entry))

    def _looks(self, seq: int, count: int, looks: Iterator[Look] | None) -> tuple[Part, ...]:
        if looks is None and count:
            self._lack("looks", seq, "they were pruned")
        found = tuple(look.document() for look in islice(looks or (), count))
        if found:
            self._files.add(looks_file(seq), b"".join(canonicalize(look) + b"\n" for look in found))
        return found

    def _verdict(self, entry: Entry) -> Part | None:
        """Return the verdict that a receipt has only by its digest."""
        for digest in named_contents(entry.statement.predicate):
            sha256, data = digest.removeprefix("sha256:"), self._seen.content(digest)
            if data is None:
                self._lost.append({"seq": entry.statement.seq, "sha256": sha256, "why": "the store does not hold it"})
                continue
            if verdict_file(sha256) not in self._files:
                self._files.add(verdict_file(sha256), data)
            found: Part = json.loads(data)
            return found
        return None

    def _lack(self, what: str, seq: int, why: str) -> None:
        self._lacks.setdefault(what, []).append((seq, why))


def kept_statement(receipt: Receipt) -> Statement:
    """Return what a receipt that is kept states; its form was checked when it was signed, and whoever verifies does."""
    try:
        document = json.loads(b64decode(json.loads(receipt.envelope)["payload"]))
        return _statement(document["predicate"], document["subject"])
    except (ValueError, KeyError, TypeError) as error:
        raise not_as_signed(receipt) from error


def _statement(predicate: Part, subjects: Sequence[Part]) -> Statement:
    before = predicate["prevReceipt"]
    return Statement(
        receipt_id=predicate["receiptId"],
        org=predicate["org"],
        rollout_id=predicate["rolloutId"],
        seq=predicate["seq"],
        previous=None if before is None else before["sha256"],
        subjects=tuple((each["name"], each["digest"]["sha256"]) for each in subjects),
        predicate=predicate,
    )


def _spans(lacks: list[tuple[int, str]]) -> list[Json]:
    """Return numbers that follow each other for one reason as one span."""
    spans: list[dict[str, Json]] = []
    for seq, why in lacks:
        if spans and (spans[-1]["to"], spans[-1]["why"]) == (seq - 1, why):
            spans[-1]["to"] = seq
        else:
            spans.append({"from": seq, "to": seq, "why": why})
    return list(spans)
