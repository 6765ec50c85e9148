# SPDX-License-Identifier: Apache-2.0
"""What a witness works with comes in by name: the trees that it has cosigned, its key, and whom it is asked by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from lockgate.core.cosignature import WitnessKey
from lockgate.core.witness_policy import Witness

# A tree by its size and root.
Tree = tuple[int, bytes]
# What c2sp.org/tlog-witness answers by: done; the size that a witness knows is another one, which the body says.
COSIGNED, CONFLICT = 200, 409
SIZE = "text/x.tlog.size"


class WitnessMemory(Protocol):
    """Remembers the largest tree of each log that a witness cosigned.

    Duties. What `advance` has kept survives the end of process and power when it returns. Of callers at once, in this
    process or another, one replaces a tree and the others are told that they did not. No tree is ever forgotten; where
    it cannot be kept or read a LockgateError is raised, and nothing may be cosigned.
    """

    def latest(self, origin: str) -> Tree | None:
        """Return the largest tree of a log."""
        ...

    def advance(self, origin: str, before: Tree | None, after: Tree) -> bool:
        """Keep a tree in the place of the one before it; say whether that one still stood there."""
        ...


class CosigningKey(Protocol):
    """Signs by the key of a witness; a signature was checked before it is handed out."""

    @property
    def public(self) -> WitnessKey:
        """Return the public key with the name of the witness."""
        ...

    def sign(self, message: bytes) -> bytes:
        """Return the 64 bytes of the signature."""
        ...


@dataclass(frozen=True, slots=True)
class WitnessAnswer:
    """What a witness answered: its status by HTTP, the kind of its body, and the body as far as it is read."""

    status: int
    kind: str
    body: bytes


class Witnesses(Protocol):
    """Knows which witnesses are to be asked, and asks them.

    `ask` ends within the seconds that it is given, whatever the other end does, follows nothing, and reads a bounded
    answer; where there is none it raises an UnreachableError. Nothing of an answer has been verified.
    """

    def witnesses(self) -> tuple[Witness, ...]:
        """Return the witnesses that this machine asks; a list that cannot be read is a LockgateError."""
        ...

    def ask(self, witness: Witness, body: bytes, seconds: float) -> WitnessAnswer:
        """Send a checkpoint with its proof to a witness."""
        ...


class WitnessList(Witnesses, Protocol):
    """Witnesses whose list commands change; a change is whole or not at all."""

    def add(self, witness: Witness) -> None:
        """Ask a witness from now on; one of the same name or key, or one without an address by https, is refused."""

    def remove(self, name: str) -> None:
        """Ask a witness no more; what it has cosigned stays."""
