# SPDX-License-Identifier: Apache-2.0
"""Keys that are worth nothing sign receipts; a small vault of them, its checkpoints and its proofs go out."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from lockgate.adapters.signers.ed25519_file import Ed25519FileSigner
from lockgate.core.checkpoint import Checkpoint, LogProof
from lockgate.core.finding import Finding, Outcome
from lockgate.core.merkle import Node, Tree, leaf_hash, plan_inclusion
from lockgate.core.public_key import read_public_key
from lockgate.core.receipt import Actor, Bindings, draft
from lockgate.core.transition import Transition
from lockgate.operations.vault.sign import log_key, sign_checkpoint, sign_receipt
from lockgate.ports.signing import Signer
from lockgate.verify import Keys
from tests.spec.ramp import policy, rollout, situation, tick, verdict

ORIGIN = "lockgate.example/default"
RECEIPTS = Ed25519FileSigner(Ed25519PrivateKey.from_private_bytes(b"r" * 32))
LOG = Ed25519FileSigner(Ed25519PrivateKey.from_private_bytes(b"l" * 32))
KEYS = Keys((read_public_key(RECEIPTS.public_key_pem),), (log_key(ORIGIN, LOG),))
LAST = 5
BINDINGS = Bindings(
    seq=1,
    previous=None,
    state_before="sha256:" + "b" * 64,
    state_after="sha256:" + "c" * 64,
    buckets=("sha256:" + "d" * 64,),
    engine="0.1.0",
)


def transition() -> Transition:
    """Return a rollback."""
    return tick(rollout(policy()), policy(), Outcome.REGRESSED, situation())


def drafted(seq: int = 1, *findings: Finding, previous: bytes = b"") -> bytes:
    """Return the payload of a receipt with a sequence number, after a receipt."""
    before = f"sha256:{hashlib.sha256(previous).hexdigest()}"
    bindings = replace(BINDINGS, seq=seq, previous=None if seq == 1 else before)
    said = verdict(*(findings or (Outcome.REGRESSED,)))
    return draft(transition(), said, policy(), bindings, Actor()).payload


def linked(seq: int, previous: bytes = b"", last: int = LAST, signer: Signer = RECEIPTS) -> bytes:
    """Return a receipt of one rollout, which held until the last of them rolled it back."""
    said = Outcome.REGRESSED if seq == last else Outcome.INSUFFICIENT
    moved = tick(rollout(policy()), policy(), said, situation())
    bindings = replace(
        BINDINGS,
        seq=seq,
        previous=None if seq == 1 else f"sha256:{hashlib.sha256(previous).hexdigest()}",
        state_before=f"sha256:{seq - 1:064x}",
        state_after=f"sha256:{seq:064x}",
    )
    return sign_receipt(draft(moved, verdict(said), policy(), bindings, Actor()).payload, signer)


def chain(count: int, last: int = LAST) -> list[bytes]:
    """Return the envelopes of the first receipts of one rollout, each of which follows the one before it."""
    envelopes: list[bytes] = []
    for seq in range(1, count + 1):
        envelopes.append(linked(seq, envelopes[-1] if envelopes else b"", last))
    return envelopes


@dataclass(frozen=True)
class Vault:
    """A log of some receipts: the envelopes, the tree at every size and its nodes."""

    entries: tuple[bytes, ...]
    trees: tuple[Tree, ...]
    kept: dict[Node, bytes]

    def checkpoint(self, size: int | None = None) -> bytes:
        """Return the signed checkpoint at a size."""
        tree = self.trees[-1 if size is None else size]
        return sign_checkpoint(Checkpoint(ORIGIN, tree.size, tree.root), LOG)

    def proof(self, index: int) -> bytes:
        """Return the proof that the last checkpoint holds an entry."""
        hashes = plan_inclusion(index, len(self.entries)).hashes(self.kept)
        return LogProof(index, hashes, self.checkpoint()).encode()


def vault(*entries: bytes) -> Vault:
    """Return the log of some envelopes."""
    trees = [Tree()]
    kept: dict[Node, bytes] = {}
    for entry in entries:
        tree, made = trees[-1].append(leaf_hash(entry))
        kept.update(made)
        trees.append(tree)
    return Vault(entries, tuple(trees), kept)


VAULT = vault(*chain(5))
