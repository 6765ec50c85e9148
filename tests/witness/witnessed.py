# SPDX-License-Identifier: Apache-2.0
"""A folder comes in; a witness in it, logs that grow or fork, and requests to it go out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from lockgate.core.checkpoint import Checkpoint, LogGrowth
from lockgate.core.merkle import Node, Tree, leaf_hash, plan_consistency
from lockgate.core.note import NoteKey, read_note
from lockgate.core.witness_policy import Witness
from lockgate.errors import LockgateError, UnreachableError
from lockgate.operations.vault.sign import log_key, sign_checkpoint
from lockgate.operations.witness.cosigning import Cosigner, cosign
from lockgate.ports.house import Clock
from lockgate.ports.witness import WitnessAnswer
from lockgate.testing.signers import seeded_signers
from lockgate.testing.world import WorldClock
from lockgate.wiring import make_witness, open_witness

ORIGIN = "log.example/one"
SIGNERS = seeded_signers(7)
KEY: NoteKey = log_key(ORIGIN, SIGNERS.log)


@dataclass
class Log:
    """A log without a store, whose entries are given."""

    tree: Tree = field(default_factory=Tree)
    kept: dict[Node, bytes] = field(default_factory=dict)
    trees: list[Tree] = field(default_factory=lambda: [Tree()])

    def grow(self, *entries: bytes) -> Log:
        """Append entries."""
        for entry in entries:
            self.tree, made = self.tree.append(leaf_hash(entry))
            self.kept.update(made)
            self.trees.append(self.tree)
        return self

    def checkpoint(self, size: int | None = None, origin: str = ORIGIN) -> bytes:
        """Return a signed checkpoint."""
        tree = self.trees[self.tree.size if size is None else size]
        return sign_checkpoint(Checkpoint(origin, tree.size, tree.root), SIGNERS.log)

    def request(self, old: int, size: int | None = None) -> bytes:
        """Return what a witness is sent."""
        new = self.tree.size if size is None else size
        hashes = plan_consistency(old, new).hashes(self.kept) if 0 < old < new else ()
        return LogGrowth(old, hashes, self.checkpoint(new)).encode()


def log_of(count: int, word: str = "entry") -> Log:
    """Return a log of so many entries."""
    return Log().grow(*(f"{word} {number}".encode() for number in range(count)))


def witness(folder: Path, *keys: NoteKey, clock: Clock | None = None, name: str = "witness.example/w1") -> Cosigner:
    """Return the witness of a folder, which is made where it is not there."""
    if not folder.exists():
        make_witness(folder, name)
    key, memory = open_witness(folder)
    return Cosigner(logs=keys or (KEY,), memory=memory, key=key, clock=clock or WorldClock())


class Beside:
    """Witnesses that are asked without a network; what each answers may be given."""

    def __init__(self, *cosigners: Cosigner, answer: Callable[[bytes], WitnessAnswer] | None = None) -> None:
        self._cosigners = {f"w{place}": each for place, each in enumerate(cosigners, 1)}
        self.answer, self.asked = answer, list[bytes]()

    def witnesses(self) -> tuple[Witness, ...]:
        """Return w1, w2 and so on."""
        return tuple(Witness(name, each.key.public, "https://x") for name, each in self._cosigners.items())

    def ask(self, each: Witness, body: bytes, seconds: float) -> WitnessAnswer:
        """Ask one."""
        self.asked.append(body)
        assert seconds > 0
        return self.answer(body) if self.answer else cosign(body, self._cosigners[each.name])


def silent(_body: bytes) -> WitnessAnswer:
    """Answer nothing."""
    raise UnreachableError("x did not answer: it did not answer in time")


def broken(_body: bytes) -> WitnessAnswer:
    """Fail in another way."""
    raise LockgateError("the list is wrong")


def body_of(note: bytes) -> str:
    """Return what was signed."""
    return read_note(note).body
