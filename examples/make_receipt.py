# SPDX-License-Identifier: Apache-2.0
"""A folder comes in; a sample receipt, its proof and the public keys, the same every time, go out.

    python examples/make_receipt.py examples/receipts

The keys are made from words that everybody can read: they are worth nothing.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from lockgate.adapters.signers.ed25519_file import Ed25519FileSigner
from lockgate.core.checkpoint import Checkpoint, LogProof
from lockgate.core.decision.decision import Action, Cause, Decision
from lockgate.core.finding import Finding, Outcome, Reading
from lockgate.core.merkle import Node, Tree, leaf_hash, plan_inclusion
from lockgate.core.metric import parse_metric
from lockgate.core.policy.gate import Gate
from lockgate.core.policy.policy import Inference, Mode, Policy
from lockgate.core.policy.step import Step, StepKind
from lockgate.core.receipt import Actor, Bindings, draft
from lockgate.core.rollout import Declaration, Rollout, start
from lockgate.core.transition import Transition, apply
from lockgate.core.verdict.verdict import Verdict
from lockgate.operations.vault.sign import log_key, sign_checkpoint, sign_receipt

ORIGIN = "lockgate.example/default"
START = 1_793_700_000_000
HOUR = 3_600_000
METRIC = parse_metric("error_rate")
POLICY = Policy(
    app="claims-agent",
    mode=Mode.CANARY,
    gates=(Gate(id="error_rate", metric=METRIC, share=1.0, min_runs=30),),
    steps=tuple(Step(kind=StepKind.WEIGHT, weight=weight, min_runs=30) for weight in (5.0, 25.0, 100.0)),
)
SHOWN = 2


def main(arguments: list[str]) -> None:
    """Write the sample into the folder that the only argument names."""
    if len(arguments) != 1:
        raise SystemExit("usage: make_receipt.py FOLDER")
    folder = Path(arguments[0])
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in sample().items():
        (folder / name).write_bytes(data)


def sample() -> dict[str, bytes]:
    """Return the sample's files: the third of three receipts, and what proves it."""
    receipts, logs = _signer("receipt"), _signer("log")
    entries: list[bytes] = []
    for seq, transition in enumerate(_transitions(), 1):
        entries.append(_receipt(transition, seq, entries, receipts))
    tree = Tree()
    kept: dict[Node, bytes] = {}
    for entry in entries:
        tree, made = tree.append(leaf_hash(entry))
        kept.update(made)
    checkpoint = sign_checkpoint(Checkpoint(ORIGIN, tree.size, tree.root), logs)
    proof = LogProof(SHOWN, plan_inclusion(SHOWN, tree.size).hashes(kept), checkpoint)
    return {
        "receipt.json": entries[SHOWN],
        "receipt.tlog-proof": proof.encode(),
        "receipt-key.pem": receipts.public_key_pem,
        "log-key.txt": f"{log_key(ORIGIN, logs).text}\n".encode(),
    }


def _signer(role: str) -> Ed25519FileSigner:
    seed = hashlib.sha256(f"a sample's {role} key, worth nothing".encode()).digest()
    return Ed25519FileSigner(Ed25519PrivateKey.from_private_bytes(seed))


def _transitions() -> list[Transition]:
    declared = Declaration(id="rol_sample", app="claims-agent", baseline="v36", candidate="abc123")
    first = start(declared, POLICY, START)
    climbed = _promoted(first, 1)
    second = _promoted(climbed.after, 2)
    reason = "error_rate is worse than v36: 9.5 % against 2.1 %"
    decision = Decision(
        action=Action.ROLLBACK, cause=Cause.REGRESSION, reason=reason, step=2, weight=0.0, terminal=True
    )
    return [climbed, second, apply(second.after, decision, START + 3 * HOUR)]


def _promoted(rollout: Rollout, step: int) -> Transition:
    reason = f"clean at {rollout.weight:g} %, advancing to {POLICY.steps[step].weight:g} %"
    weight = POLICY.steps[step].weight
    decision = Decision(action=Action.PROMOTE, cause=Cause.SATISFIED, reason=reason, step=step, weight=weight)
    return apply(rollout, decision, START + step * HOUR)


def _receipt(transition: Transition, seq: int, before: list[bytes], signer: Ed25519FileSigner) -> bytes:
    promoted = transition.decision.action is Action.PROMOTE
    finding = Finding(
        gate="error_rate",
        metric=METRIC,
        outcome=Outcome.CLEAN if promoted else Outcome.REGRESSED,
        reason=transition.decision.reason,
        baseline=Reading(0.021, 4000 * seq),
        candidate=Reading(0.02 if promoted else 0.095, 400 * seq),
    )
    bindings = Bindings(
        seq=seq,
        previous=_digest(before[-1]) if before else None,
        state_before=_digest(b"state %d" % (seq - 1)),
        state_after=_digest(b"state %d" % seq),
        buckets=tuple(_digest(b"bucket %d" % number) for number in range(60 * seq - 60, 60 * seq)),
        engine="0.1.0",
    )
    verdict = Verdict((finding,), Inference.SEQUENTIAL)
    return sign_receipt(draft(transition, verdict, POLICY, bindings, Actor()).payload, signer)


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


if __name__ == "__main__":
    main(sys.argv[1:])
