# SPDX-License-Identifier: Apache-2.0
"""Flaws of a store come in; what can be made again from what was signed is made again, and nothing that was signed.

Indexes are made from their tables, and the nodes of a log, of which its tiles are, from its entries: only where every
checkpoint that was ever signed is of the tree that these make.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lockgate.core.merkle import Node, Tree, leaf_hash
from lockgate.core.refusal import VerifyError
from lockgate.core.soundness.flaw import Rule
from lockgate.core.wording import entries_text
from lockgate.errors import UnsoundError
from lockgate.operations.soundness.fsck import Soundness, trusted
from lockgate.operations.vault.portions import PORTION, portions
from lockgate.ports.house import House
from lockgate.ports.mending import Mendings
from lockgate.ports.store import Snapshot
from lockgate.ports.tell import Tell
from lockgate.verify import Keys, verify_checkpoint


@dataclass(frozen=True, slots=True)
class Repair:
    """What is to be made again."""

    has_indexes: bool
    has_nodes: bool

    @property
    def is_empty(self) -> bool:
        """Say whether nothing can be made again."""
        return not (self.has_indexes or self.has_nodes)

    @property
    def sentences(self) -> tuple[str, ...]:
        """Return, in words, what is done."""
        indexes = "every index is made again from its table, and indexes and triggers as the schema has them"
        nodes = "the nodes of the log, of which its tiles are made, are made again from its entries"
        return (*([indexes] if self.has_indexes else []), *([nodes] if self.has_nodes else []))


def plan_repair(found: Soundness) -> Repair:
    """Return what can be made again of what a check has found."""
    rules = {flaw.rule for flaw in found.flaws}
    # Behind a damaged index rows may be missing from sight, also nodes: these come after it, if they still are.
    return Repair(has_indexes=Rule.INDEX in rules, has_nodes=rules.isdisjoint({Rule.INDEX}) and Rule.NODE in rules)


def repair(house: House, mendings: Mendings, wanted: Repair, keys: Keys, tell: Tell) -> None:
    """Make again what is wanted; what does not follow from what was signed is refused, and left as it is."""
    if wanted.has_indexes:
        with mendings.mending() as work:
            work.rebuild_indexes()
    if wanted.has_nodes:
        # The store is read when nobody can append any more, so that no node is made of an older log.
        with mendings.mending() as work:
            # In a look of its own: who has looked at nodes and goes on looking keeps them from being replaced.
            with house.store.reading(house.org) as seen:
                _refuse_lost_end(seen)
            with house.store.reading(house.org) as seen:
                work.replace_nodes(house.org, _regrown(seen, trusted(seen, house, keys), tell))


def _refuse_lost_end(seen: Snapshot) -> None:
    """Refuse where the leaf of an entry is kept that is not there any more: it would go with the nodes."""
    latest = seen.latest_receipt()
    end = Node(0, 0 if latest is None else latest.index + 1)
    if end in seen.hashes_of([end]):
        raise _refused(f"entry {end.position} of the log is missing, whose leaf is kept")


def _regrown(seen: Snapshot, keys: Keys, tell: Tell) -> Iterator[tuple[Node, bytes]]:
    """Yield every node of the log that its entries make, if every checkpoint is of that log."""
    notes = portions(lambda after: seen.checkpoints_after(after, PORTION), lambda row: row[0])
    tree, note = Tree(), next(notes, None)
    for receipt in portions(lambda after: seen.entries_after(after, PORTION), lambda row: row.index):
        if receipt.index != tree.size:
            raise _refused(f"entry {tree.size} of the log is missing")
        tree, made = tree.append(leaf_hash(receipt.envelope))
        tell("log entries", tree.size)
        yield from made
        while note is not None and note[0] <= tree.size:
            _check(note, tree, keys)
            note = next(notes, None)
    if note is not None:
        raise _refused(f"a checkpoint covers {entries_text(note[0])}, and the log has {tree.size:,}")


def _check(note: tuple[int, bytes], tree: Tree, keys: Keys) -> None:
    try:
        checkpoint = verify_checkpoint(note[1], keys.log)
    except VerifyError as error:
        raise _refused(f"the checkpoint of {entries_text(note[0])}: {error.message}") from error
    if checkpoint.tree != (tree.size, tree.root):
        raise _refused(f"the checkpoint of {entries_text(note[0])} is not of those that are there")


def _refused(what: str) -> UnsoundError:
    return UnsoundError(
        f"nodes are not made again: {what}",
        advice="What was signed cannot be made again: put back the latest backup that is sound.",
    )
