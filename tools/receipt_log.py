# SPDX-License-Identifier: Apache-2.0
"""Receipts come in; the log that holds them goes out: its signed checkpoint at every size, and every proof."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lockgate.core.checkpoint import Checkpoint, LogGrowth, LogProof
from lockgate.core.merkle import Node, Tree, leaf_hash, plan_consistency, plan_inclusion
from lockgate.operations.vault.sign import sign_checkpoint
from lockgate.ports.signing import Signer
from tools.receipt_samples import LOG

ORIGIN = "lockgate.example/acme"
# Who signs the checkpoint of a size.
SignersAt = Callable[[int], Sequence[Signer]]


def by_one_key(_size: int) -> Sequence[Signer]:
    """Return the key of a log that never changed it."""
    return (LOG,)


class Log:
    """The log of some receipts: its tree at every size, every node, and who signs its checkpoints."""

    def __init__(self, entries: Sequence[bytes], signers: SignersAt = by_one_key) -> None:
        self.entries, self._signers = tuple(entries), signers
        self.trees, self._nodes = [Tree()], dict[Node, bytes]()
        for entry in self.entries:
            tree, made = self.trees[-1].append(leaf_hash(entry))
            self.trees.append(tree)
            self._nodes.update(made)

    @property
    def size(self) -> int:
        """Return how many entries it has."""
        return len(self.entries)

    def checkpoint(self, size: int, *signers: Signer) -> bytes:
        """Return the checkpoint at a size, signed by whoever signs it there, or by others."""
        tree = self.trees[size]
        return sign_checkpoint(Checkpoint(ORIGIN, tree.size, tree.root), *(signers or self._signers(size)))

    def proof(self, index: int, size: int | None = None, note: bytes | None = None) -> bytes:
        """Return the proof that the log holds an entry, at its whole size or at an earlier one."""
        at = self.size if size is None else size
        hashes = plan_inclusion(index, at).hashes(self._nodes)
        return LogProof(index, hashes, note or self.checkpoint(at)).encode()

    def growth(self, old: int) -> bytes:
        """Return the proof that the whole log begins with what it was at a size."""
        hashes = plan_consistency(old, self.size).hashes(self._nodes)
        return LogGrowth(old, hashes, self.checkpoint(self.size)).encode()
