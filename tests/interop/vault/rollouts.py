# SPDX-License-Identifier: Apache-2.0
"""Nothing comes in; rollouts that really ran go out, with their receipts, proofs, checkpoint and keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from lockgate.core.checkpoint import checkpoint_of
from lockgate.core.note import NoteKey, read_note_key
from lockgate.core.public_key import PublicKey, read_public_key
from lockgate.operations.bundle.saved_receipts import CHECKPOINT, LOG_KEY, saved_receipts
from lockgate.testing.signers import SeededSigner
from lockgate.testing.world import Law
from lockgate.verify import Keys
from tests.spec.line import EQUAL, WORSE, created, world

# Entries of the log before the rollout's, so that proofs have several hashes.
OTHERS = 9


@dataclass(frozen=True)
class Rollout:
    """What is handed to somebody who checks a rollout, and the signer, whose key everybody can compute."""

    envelopes: tuple[bytes, ...]
    proofs: tuple[bytes, ...]
    checkpoint: bytes
    key: PublicKey
    log: NoteKey
    signer: SeededSigner

    @property
    def keys(self) -> Keys:
        """Return what the verifier trusts."""
        return Keys((self.key,), (self.log,))

    @property
    def size(self) -> int:
        """Return how many entries the log has."""
        return checkpoint_of(self.checkpoint).size


@cache
def promoted() -> Rollout:
    """Return a rollout that went up to all traffic."""
    return _walked(EQUAL, 1)


@cache
def rolled_back() -> Rollout:
    """Return a rollout whose candidate was worse."""
    return _walked(WORSE, 2)


def _walked(laws: Mapping[str, Law], seed: int) -> Rollout:
    here = world(seed)
    for number in range(OTHERS):
        created(here, app=f"other-{number}")
    made = created(here, policy={"steps": "5,25,50,100", "min_runs": 30}).rollout
    turns = here.walk(made.id, laws, runs=4_000, minutes=120)
    assert turns[-1].rollout.is_terminal
    files = saved_receipts(made.id, here.house)
    numbers = range(1, sum(name.endswith(".tlog-proof") for name in files) + 1)
    signer = here.house.signers.receipt
    assert isinstance(signer, SeededSigner)
    return Rollout(
        envelopes=tuple(files[f"receipt-{number}.json"] for number in numbers),
        proofs=tuple(files[f"receipt-{number}.tlog-proof"] for number in numbers),
        checkpoint=files[CHECKPOINT],
        key=read_public_key(signer.public_key_pem),
        log=read_note_key(files[LOG_KEY].decode()),
        signer=signer,
    )
