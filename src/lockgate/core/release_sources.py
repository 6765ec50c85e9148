# SPDX-License-Identifier: Apache-2.0
"""A receipt and the documents that it binds come in; what a release record takes of them goes out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from lockgate.core.canonical import Json
from lockgate.core.statement import Statement

# A part of a document, whose form the receipt's signer vouches for.
Part = Mapping[str, Any]
LOOP = "tick"
ACKNOWLEDGEMENT = "acknowledgement"


@dataclass(frozen=True, slots=True)
class Entry:
    """A receipt that verified: its statement, the SHA-256 of its envelope in hexadecimal, and its place in the log.

    `looks` are those that it binds, `whole` is the verdict of which it leaves findings out; each where it is there.
    """

    statement: Statement
    sha256: str
    index: int
    looks: Sequence[Part] = ()
    whole: Part | None = None

    @property
    def at(self) -> str:
        """Return when it was decided, by the signer's clock."""
        return str(self.statement.predicate["decidedAt"])

    @property
    def action(self) -> str:
        """Return what was decided."""
        return str(self.part("decision")["action"])

    @property
    def is_by_loop(self) -> bool:
        """Say whether a turn of the loop decided, and no person or job."""
        return bool(self.part("actor")["type"] == LOOP)

    @property
    def is_move(self) -> bool:
        """Say whether it changed the step or the weight, or began or ended the rollout."""
        before, after = self.part("from"), self.part("to")
        return self.statement.seq == 1 or any(before[name] != after[name] for name in ("status", "step", *_WEIGHTS))

    def part(self, name: str) -> Part:
        """Return a part of its predicate."""
        return cast("Part", self.statement.predicate[name])

    @property
    def findings(self) -> Sequence[Part]:
        """Return what the gates said, as the receipt or the whole verdict writes it."""
        verdict = self.whole or self.statement.predicate["verdict"]
        return cast("Sequence[Part]", verdict["findings"]) if isinstance(verdict, Mapping) else ()

    def rests(self) -> dict[str, Json]:
        """Return by what it is found, for a line that rests on it."""
        return {"seq": self.statement.seq, "sha256": self.sha256, "logIndex": self.index}


_WEIGHTS = ("weight", "wouldBeWeight")
