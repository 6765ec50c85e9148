# SPDX-License-Identifier: Apache-2.0
"""A check comes in; the log is grown again from its receipts, and where it is another goes out as flaws.

Every checkpoint ever kept must be of this one tree, which proves each of them consistent with every other. Where one
is not, the entry that was changed is found by the leaf that was kept when it was appended, and named.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from lockgate.core.checkpoint import Checkpoint
from lockgate.core.decision.decision import Action
from lockgate.core.envelope import signer_of
from lockgate.core.merkle import Node, Tree, leaf_hash
from lockgate.core.refusal import VerifyError
from lockgate.core.soundness.flaw import Flaw, Rule, flaw_of
from lockgate.core.vault import Receipt
from lockgate.core.wording import entries_text
from lockgate.errors import DataError
from lockgate.operations.vault.checking import Check
from lockgate.operations.vault.known_keys import heir
from lockgate.operations.vault.portions import PORTION, portions
from lockgate.verify import verify_checkpoint

LOG = "the log"


@dataclass(slots=True)
class _Growing:
    """The log as far as it was grown again; `since` are the entries that no checkpoint has covered yet.

    `covered` is the tree of the last checkpoint that was right.
    """

    tree: Tree = field(default_factory=Tree)
    covered: Tree = field(default_factory=Tree)
    since: list[tuple[Receipt, bytes | None]] = field(default_factory=list)
    nodes: list[Flaw] = field(default_factory=list)
    is_lost: bool = False


def check_log(check: Check) -> None:
    """Check leaves, nodes and checkpoints."""
    notes = portions(lambda after: check.seen.checkpoints_after(after, PORTION), lambda row: row[0])
    note, signer, grown = next(notes, None), "", _Growing()
    for receipt in portions(lambda after: check.seen.entries_after(after, PORTION), lambda row: row.index):
        check.count("log entries")
        if check.add(_misplaced(receipt, grown.tree.size)):
            # What stands behind a gap has other nodes, each of which would be told again.
            return
        named = signer_of(receipt.envelope)
        check.add(_resigned(receipt, signer or named))
        signer = _followed_by(receipt, named)
        _append(check, grown, receipt)
        while note is not None and note[0] <= grown.tree.size:
            check.add(_uncovering(check, note, grown))
            note = next(notes, None)
        if grown.is_lost:
            return
    check.add(grown.nodes)
    check.add(_ends(check, grown.tree, note))


def _append(check: Check, grown: _Growing, receipt: Receipt) -> None:
    """Grow the tree by an entry, and compare the nodes that this makes whole with those that are kept."""
    leaf = Node(0, receipt.index)
    grown.tree, made = grown.tree.append(leaf_hash(receipt.envelope))
    kept = check.seen.hashes_of(node for node, _ in made)
    grown.since.append((receipt, kept.get(leaf)))
    grown.nodes += (
        flaw_of(receipt, Rule.NODE, f"node {node.position} of level {node.level} is not the hash of what it covers")
        for node, hashed in made
        if kept.get(node) != hashed
    )


def _misplaced(receipt: Receipt, size: int) -> Iterator[Flaw]:
    if receipt.index != size:
        what = f"entry {size} of the log is missing: entry {receipt.index} stands in its place"
        yield Flaw(Rule.LOG, receipt.rollout_id, what, receipt.seq, size)


def _followed_by(receipt: Receipt, named: str) -> str:
    """Return the key that signs behind a receipt; one that does not say it is told by whoever reads it whole."""
    try:
        return heir(receipt)
    except DataError:
        return named


def _resigned(receipt: Receipt, signer: str) -> Iterator[Flaw]:
    named = signer_of(receipt.envelope)
    if named != signer and receipt.action != Action.NEW_KEYS.value:
        what = f"it names key {named}, whose turn it is not: {signer} signs there, and no receipt says that it changed"
        yield flaw_of(receipt, Rule.SIGNATURE, what)


def _uncovering(check: Check, note: tuple[int, bytes], grown: _Growing) -> Iterator[Flaw]:
    check.count("checkpoints")
    size, text = note
    try:
        checkpoint: Checkpoint = verify_checkpoint(text, check.keys.log)
    except VerifyError as error:
        yield Flaw(Rule.SIGNATURE, LOG, f"the checkpoint of size {size}: {error.message}")
        return
    if checkpoint.size != size or size != grown.tree.size:
        yield Flaw(
            Rule.LOG,
            LOG,
            f"the checkpoint kept at size {size} is of {entries_text(checkpoint.size)}, of {grown.tree.size}",
        )
    elif checkpoint.root != grown.tree.root:
        yield from _diverged(grown, checkpoint)
    else:
        yield from grown.nodes
        grown.covered, grown.since, grown.nodes = grown.tree, [], []


def _diverged(grown: _Growing, checkpoint: Checkpoint) -> Iterator[Flaw]:
    """Yield which entries are others than those that a checkpoint covers, and go on by those that it covers."""
    tree = grown.covered
    for receipt, kept in grown.since:
        tree, _ = tree.append(kept or leaf_hash(receipt.envelope))
    if tree.root == checkpoint.root:
        for receipt, kept in grown.since:
            if kept is not None and kept != leaf_hash(receipt.envelope):
                what = f"entry {receipt.index} of the log is another one than the checkpoint of {tree.size} covers"
                yield flaw_of(receipt, Rule.LOG, what)
    else:
        # Leaves were changed with their entries, or nodes with them: which one it was nobody can tell any more.
        first, grown.is_lost = grown.covered.size, True
        what = f"of its entries {first} to {tree.size - 1} one is another than the checkpoint of {tree.size} covers"
        yield Flaw(Rule.LOG, LOG, f"{what}; what comes after was not compared", index=first)
    grown.tree = grown.covered = tree
    grown.since, grown.nodes = [], []


def _ends(check: Check, tree: Tree, note: tuple[int, bytes] | None) -> Iterator[Flaw]:
    end = Node(0, tree.size)
    if note is not None or end in check.seen.hashes_of([end]):
        witness = "its leaf is kept" if note is None else f"a checkpoint of {entries_text(note[0])} covers it"
        what = f"entry {tree.size} of the log is missing: {witness}, and the log ends before it"
        yield Flaw(Rule.LOG, LOG, what, index=tree.size)
        return
    if tree.size and check.seen.checkpoint(tree.size) is None:
        yield Flaw(
            Rule.LOG, LOG, f"no checkpoint covers the last of its {entries_text(tree.size)}", index=tree.size - 1
        )
    kept, made = check.seen.node_count(), 2 * tree.size - tree.size.bit_count()
    if kept != made:
        yield Flaw(Rule.NODE, LOG, f"it keeps {kept} nodes, and a tree of {entries_text(tree.size)} has {made}")
