# SPDX-License-Identifier: Apache-2.0
"""Lines of an exported log come in; portions of entries, and whether they are all that a checkpoint covers, go out.

A file is one or more portions, each of which begins where the one before it ends, so that a file can be added to.
A portion has a line for each entry in their order, and an end: whole subtrees of the tree before its first entry, how
the tree after its last one leads to a checkpoint, and that checkpoint, signed. Nothing else is needed to know that the
lines are all entries between two sizes of the log, in their order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from lockgate.core.checkpoint import Checkpoint
from lockgate.core.export_line import End, ExportedEntry, read_line
from lockgate.core.merkle import Tree, check_consistency, leaf_hash
from lockgate.core.refusal import Reason, VerifyError

# So many are in memory at once.
MAX_ENTRIES = 1_000


@dataclass(frozen=True, slots=True)
class Portion:
    """Entries that follow each other, and their end."""

    entries: tuple[ExportedEntry, ...]
    end: End

    def tree_at(self, size: int) -> Tree:
        """Return the tree that the log had at a size between the portion's first and last."""
        end = self.end
        if not end.since <= size <= end.size:
            raise ValueError(f"the portion goes from {end.since} to {end.size}")
        tree = Tree(end.since, end.before)
        for entry in self.entries[: size - end.since]:
            tree, _ = tree.append(leaf_hash(entry.envelope))
        return tree

    def check(self, checkpoint: Checkpoint) -> Tree:
        """Return the tree after the last entry, if that of a checkpoint, whose signature is good, begins with it."""
        tree = self.tree_at(self.end.size)
        size, root = checkpoint.tree
        if tree.size < size:
            check_consistency((tree.size, tree.root), checkpoint.tree, self.end.consistency)
        elif (tree.size, tree.root, self.end.consistency) != (size, root, ()):
            raise VerifyError(
                Reason.LOG_EXPORT_TREE, f"the lines do not lead to the root that the checkpoint has at {size}"
            )
        return tree


def read_portions(lines: Iterable[bytes]) -> Iterator[Portion]:
    """Yield the portions of a file, each of which follows the one before it; each line has the one form that it has.

    One portion is in memory at a time. No signature is verified, and no root compared but where two portions meet.
    """
    entries: list[ExportedEntry] = []
    latest: Tree | None = None
    for number, line in enumerate(lines, start=1):
        read = read_line(line, number)
        if isinstance(read, ExportedEntry):
            entries.append(read)
            if len(entries) > MAX_ENTRIES or read.index != entries[0].index + len(entries) - 1:
                raise _gap(f"line {number} is entry {read.index}, which does not follow the line before it")
            continue
        portion = _portion(entries, read, latest, number)
        yield portion
        latest = portion.tree_at(read.size)
        entries = []
    if entries or latest is None:
        raise _gap("no line says where it ends: the file was cut off")


def _portion(entries: Sequence[ExportedEntry], end: End, latest: Tree | None, number: int) -> Portion:
    first = entries[0].index if entries else end.since
    if (first, first + len(entries)) != (end.since, end.size):
        raise _gap(f"line {number} ends the entries {end.since} to {end.size}, and before it stand others")
    if latest is not None and latest != Tree(end.since, end.before):
        raise _gap(f"the entries that line {number} ends do not follow those before them")
    return Portion(tuple(entries), end)


def _gap(message: str) -> VerifyError:
    return VerifyError(
        Reason.LOG_EXPORT_GAP,
        f"the file does not hold what it says: {message}",
        advice="Export again from the size at the end of the last portion that verifies.",
    )
