# SPDX-License-Identifier: Apache-2.0
"""A contradiction in what is stored comes in as a value: which rule, where, what is wrong, and what to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from lockgate.core.canonical import Json
from lockgate.core.vault import Receipt


class Rule(StrEnum):
    """Which promise of a store a flaw breaks; first those whose breach breaks others."""

    FILE = "file"
    INDEX = "index"
    ROW = "row"
    LOG = "log"
    NODE = "node"
    SIGNATURE = "signature"
    CHAIN = "chain"
    EVIDENCE = "evidence"
    STANDING = "standing"
    RAMP = "ramp"
    REPLAY = "replay"
    OUTBOX = "outbox"
    AGE = "age"


_RESTORE = "Stop writing to this store, keep a copy of it as it is, and put back the latest backup that is sound."
ADVICE = {
    Rule.FILE: _RESTORE,
    Rule.INDEX: "`lockgate fsck --repair` makes it again, from the schema and the table: do that before all else.",
    Rule.ROW: _RESTORE,
    Rule.CHAIN: _RESTORE,
    Rule.LOG: f"{_RESTORE} Whoever kept a checkpoint of this log can prove what it held.",
    Rule.NODE: "`lockgate fsck --repair` makes it again from the entries, where checkpoints prove those: do that "
    "before all else.",
    Rule.AGE: "Nothing is stored here. Put the newer store back: docs/howto/backup.md says how to go on without it.",
    Rule.SIGNATURE: "If the key was changed, name the older public key with --key or --log-key; else somebody changed "
    "what was signed.",
    Rule.OUTBOX: "Nothing will tell this by itself: tell whoever listens, or act on the rollout again.",
    Rule.RAMP: "The receipts prove a move that no policy allows: report it, it is a fault in Lockgate.",
    Rule.REPLAY: "The decision does not follow from the evidence that is stored: keep both, and report it.",
    Rule.EVIDENCE: _RESTORE,
    Rule.STANDING: _RESTORE,
}


@dataclass(frozen=True, slots=True)
class Flaw:
    """One contradiction; `where` names a rollout, an app, the log or a file, `seq` a receipt, `index` its log entry."""

    rule: Rule
    where: str
    what: str
    seq: int | None = None
    index: int | None = None

    @property
    def sentence(self) -> str:
        """Return the flaw in words."""
        place = "" if self.seq is None else f", receipt {self.seq}"
        place += "" if self.index is None else f", log index {self.index}"
        return f"{self.where}{place}: {self.what}"

    def document(self) -> dict[str, Json]:
        """Return the JSON form."""
        return {
            "rule": self.rule.value,
            "where": self.where,
            "seq": self.seq,
            "index": self.index,
            "what": self.what,
            "advice": ADVICE[self.rule],
        }


def flaw_of(receipt: Receipt, rule: Rule, what: str) -> Flaw:
    """Return a flaw of a receipt, where that stands in its series and in the log."""
    return Flaw(rule, receipt.rollout_id, what, receipt.seq, receipt.index)


def deepest_first(flaws: Iterable[Flaw]) -> list[Flaw]:
    """Return flaws with those first that others may come of; of one rule in the order in which they were found."""
    order = list(Rule)
    return sorted(flaws, key=lambda flaw: order.index(flaw.rule))
