# SPDX-License-Identifier: Apache-2.0
"""A check comes in; the log is grown again from its receipts, and where it is another goes out as flaws."""

from __future__ import annotations

from collections.abc import Iterator

from lockgate.core.checkpoint import Checkpoint
from lockgate.core.decision.decision import Action
from lockgate.core.envelope import signer_of
from lockgate.core.merkle import Tree, leaf_hash
from lockgate.core.refusal import VerifyError
from lockgate.core.soundness.flaw import Flaw, Rule, flaw_of
from lockgate.core.vault import Receipt
from lockgate.operations.checking import PORTION, Check, portions
from lockgate.operations.known_keys import heir
from lockgate.verify import verify_checkpoint

LOG = "the log"


def check_log(check: Check) -> None:
    """Check leaves, nodes and checkpoints: every checkpoint ever kept must be of this one tree."""
    notes = portions(lambda after: check.seen.checkpoints_after(after, PORTION), lambda row: row[0])
    tree, note, signer = Tree(), next(notes, None), ""
    for receipt in portions(lambda after: check.seen.entries_after(after, PORTION), lambda row: row.index):
        check.count("log entries")
        if check.add(_misplaced(receipt, tree.size)):
            # What stands behind a gap has other nodes, each of which would be told again.
            return
        check.add(_resigned(receipt, signer or signer_of(receipt.envelope)))
        signer = heir(receipt)
        tree, made = tree.append(leaf_hash(receipt.envelope))
        kept = check.seen.hashes_of(node for node, _ in made)
        check.add(
            flaw_of(receipt, Rule.LOG, f"node {node.position} of level {node.level} is not the hash of what it covers")
            for node, hashed in made
            if kept.get(node) != hashed
        )
        while note is not None and note[0] <= tree.size:
            check.add(_uncovering(check, note, tree))
            note = next(notes, None)
    check.add(_ends(check, tree, note))


def _misplaced(receipt: Receipt, size: int) -> Iterator[Flaw]:
    if receipt.index != size:
        what = f"entry {size} of the log is missing: entry {receipt.index} stands in its place"
        yield flaw_of(receipt, Rule.LOG, what)


def _resigned(receipt: Receipt, signer: str) -> Iterator[Flaw]:
    named = signer_of(receipt.envelope)
    if named != signer and receipt.action != Action.NEW_KEYS.value:
        what = f"it names key {named}, whose turn it is not: {signer} signs there, and no receipt says that it changed"
        yield flaw_of(receipt, Rule.SIGNATURE, what)


def _uncovering(check: Check, note: tuple[int, bytes], tree: Tree) -> Iterator[Flaw]:
    check.count("checkpoints")
    size, text = note
    try:
        checkpoint: Checkpoint = verify_checkpoint(text, check.keys.log)
    except VerifyError as error:
        yield Flaw(Rule.SIGNATURE, LOG, f"the checkpoint of size {size}: {error.message}")
        return
    if checkpoint.size != size or checkpoint.tree != (tree.size, tree.root):
        what = (
            f"the checkpoint kept at size {size} is of {checkpoint.size} entries and another root than the entries have"
        )
        yield Flaw(Rule.LOG, LOG, what)


def _ends(check: Check, tree: Tree, note: tuple[int, bytes] | None) -> Iterator[Flaw]:
    if note is not None:
        yield Flaw(Rule.LOG, LOG, f"a checkpoint of {note[0]} entries is kept, the log has {tree.size}")
    elif tree.size and check.seen.checkpoint(tree.size) is None:
        yield Flaw(Rule.LOG, LOG, f"no checkpoint covers the last of its {tree.size} entries")
    kept, made = check.seen.node_count(), 2 * tree.size - tree.size.bit_count()
    if kept != made:
        yield Flaw(Rule.LOG, LOG, f"it keeps {kept} nodes, where {tree.size} entries make {made}")
