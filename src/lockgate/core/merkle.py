# SPDX-License-Identifier: Apache-2.0
"""Leaves come in one by one; the nodes to keep, the root and proofs go out, and proofs are checked.

The tree is that of RFC 6962 section 2.1 with SHA-256.
A node is named by its level and its position there: node (l, p) covers the leaves from p * 2^l up to (p + 1) * 2^l.
Only whole nodes are kept; they never change, and every root and proof is made of O(log n) of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from lockgate.core.refusal import Reason, VerifyError

HASH_SIZE = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()


class Node(NamedTuple):
    """Where a whole node stands."""

    level: int
    position: int


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash of one entry."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of two children."""
    return hashlib.sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True)
class Tree:
    """A tree by its size and the hashes of its whole subtrees, the largest and oldest first."""

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if self.size < 0 or len(self.peaks) != self.size.bit_count():
            raise ValueError(f"a tree of {self.size} leaves has another number of whole subtrees")

    @property
    def root(self) -> bytes:
        """Return the hash that stands for all leaves in their order."""
        return _folded(self.peaks) if self.peaks else EMPTY_ROOT

    def append(self, leaf: bytes) -> tuple[Tree, tuple[tuple[Node, bytes], ...]]:
        """Return the tree with one more leaf, given by its hash, and the nodes that this made whole."""
        made = [(Node(0, self.size), leaf)]
        peaks = list(self.peaks)
        # As in binary counting: each trailing 1 of the size is a subtree that finds its sibling.
        while self.size >> (len(made) - 1) & 1:
            node, right = made[-1]
            made.append((Node(node.level + 1, node.position >> 1), node_hash(peaks.pop(), right)))
        return Tree(self.size + 1, (*peaks, made[-1][1])), tuple(made)


@dataclass(frozen=True, slots=True)
class Plan:
    """Which nodes to read for a proof or a root: each part is one hash of it, folded from whole nodes."""

    parts: tuple[tuple[Node, ...], ...]

    @property
    def nodes(self) -> tuple[Node, ...]:
        """Return every node to read."""
        return tuple(node for part in self.parts for node in part)

    def hashes(self, kept: Mapping[Node, bytes]) -> tuple[bytes, ...]:
        """Return the proof's hashes from the nodes that were read."""
        return tuple(_folded([kept[node] for node in part]) for part in self.parts)


def plan_tree(size: int) -> tuple[Node, ...]:
    """Return the nodes that are the peaks of the tree of some size."""
    return tuple(_cover(0, size))


def plan_inclusion(index: int, size: int) -> Plan:
    """Return what to read to prove that a leaf is in the tree of some size (RFC 6962 section 2.1.1)."""
    if not 0 <= index < size:
        raise ValueError(f"a tree of {size} leaves has no leaf {index}")
    parts = []
    low, high = 0, size
    while high - low > 1:
        middle = low + _split(high - low)
        inner, sibling = ((low, middle), (middle, high)) if index < middle else ((middle, high), (low, middle))
        parts.append(tuple(_cover(*sibling)))
        low, high = inner
    return Plan(tuple(reversed(parts)))


def plan_consistency(old: int, new: int) -> Plan:
    """Return what to read to prove that one tree begins with another (RFC 6962 section 2.1.2)."""
    if not 0 < old <= new:
        raise ValueError(f"no tree of {new} leaves is shown to begin with one of {old}")
    parts = []
    low, high = 0, new
    while high != old:
        middle = low + _split(high - low)
        inner, sibling = ((low, middle), (middle, high)) if old <= middle else ((middle, high), (low, middle))
        parts.append(tuple(_cover(*sibling)))
        low, high = inner
    # A subtree that is the whole old tree is known to who asks.
    if low:
        parts.append(tuple(_cover(low, high)))
    return Plan(tuple(reversed(parts)))


def check_inclusion(leaf: bytes, index: int, tree: tuple[int, bytes], proof: Sequence[bytes]) -> None:
    """Refuse unless the leaf, given by its hash, stands at the index in the tree of that size and root."""
    size, root = tree
    if not 0 <= index < size:
        raise VerifyError(Reason.INCLUSION, f"a tree of {size} leaves has no leaf {index}")
    inner = (index ^ (size - 1)).bit_length()
    if len(proof) != inner + (index >> inner).bit_count() or not _are_hashes((leaf, root, *proof)):
        raise VerifyError(Reason.INCLUSION, f"the proof for leaf {index} of {size} has not its length")
    found = leaf
    for level, sibling in enumerate(proof):
        # Above the last fork from the right edge every sibling is on the left.
        is_right = level >= inner or index >> level & 1
        found = node_hash(sibling, found) if is_right else node_hash(found, sibling)
    if found != root:
        raise VerifyError(Reason.INCLUSION, f"the proof does not lead from the receipt to the root at size {size}")


def check_consistency(old: tuple[int, bytes], new: tuple[int, bytes], proof: Sequence[bytes]) -> None:
    """Refuse unless the tree of the second size and root begins with that of the first."""
    (old_size, old_root), (new_size, new_root) = old, new
    if not 0 < old_size <= new_size or not _are_hashes((old_root, new_root, *proof)):
        raise VerifyError(Reason.CONSISTENCY, f"size {old_size} to {new_size} cannot be proven consistent")
    if old_size == new_size:
        if proof or old_root != new_root:
            raise VerifyError(Reason.CONSISTENCY, f"two trees of {old_size} leaves are equal, or one is forged")
        return
    shift = (old_size & -old_size).bit_length() - 1
    node, last = (old_size - 1) >> shift, (new_size - 1) >> shift
    hashes = list(proof) if node else [old_root, *proof]
    inner = (node ^ last).bit_length()
    if len(hashes) != 1 + inner + (node >> inner).bit_count():
        raise VerifyError(Reason.CONSISTENCY, f"the proof from size {old_size} to {new_size} has not its length")
    found_old = found_new = hashes[0]
    for level, sibling in enumerate(hashes[1:]):
        if level >= inner or node >> level & 1:
            found_old, found_new = node_hash(sibling, found_old), node_hash(sibling, found_new)
        else:
            found_new = node_hash(found_new, sibling)
    if (found_old, found_new) != (old_root, new_root):
        raise VerifyError(Reason.CONSISTENCY, f"the tree at size {new_size} does not begin with that at {old_size}")


def _are_hashes(values: Sequence[bytes]) -> bool:
    return all(len(value) == HASH_SIZE for value in values)


def _split(count: int) -> int:
    """Return the largest power of two below a count of at least 2."""
    return 1 << (count - 1).bit_length() - 1


def _cover(low: int, high: int) -> Iterator[Node]:
    """Yield the whole nodes, largest first, of a range that begins where a subtree does."""
    while low < high:
        level = (high - low).bit_length() - 1
        yield Node(level, low >> level)
        low += 1 << level


def _folded(hashes: Sequence[bytes]) -> bytes:
    """Return the hash over whole subtrees, the largest first."""
    found = hashes[-1]
    for left in reversed(hashes[:-1]):
        found = node_hash(left, found)
    return found
