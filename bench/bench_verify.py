# SPDX-License-Identifier: Apache-2.0
"""Nothing comes in; how many receipts a second one core verifies offline, each with its proof, goes out.

    PYTHONPATH=. python bench/bench_verify.py [RECEIPTS]

A log of so many receipts with payloads of 1.2 kB (what was done to an app) and of 5 kB (a rollout of seven gates); each
is verified with its own proof under one checkpoint, as a program would that reads them one by one. Beside it, in the
same rounds: the bare Ed25519 signature by `cryptography`, which is the least that anybody must do, and DSSE by
securesystemslib where that is there, which verifies the envelope and looks at neither statement nor log.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from cryptography.hazmat.primitives.serialization import load_pem_public_key

from bench.rounds import interleaved, write
from lockgate.core.app import App
from lockgate.core.app_receipt import AppAct, draft_app
from lockgate.core.checkpoint import Checkpoint, LogProof
from lockgate.core.decision.decision import Action, Cause
from lockgate.core.envelope import open_envelope
from lockgate.core.finding import Evidence, Finding, Outcome, Reading
from lockgate.core.merkle import Node, Tree, leaf_hash, plan_inclusion
from lockgate.core.metric import parse_metric
from lockgate.core.policy.gate import Gate
from lockgate.core.policy.policy import Inference, Mode, Policy
from lockgate.core.policy.step import Step, StepKind
from lockgate.core.public_key import read_public_key
from lockgate.core.receipt import Actor, Bindings, draft
from lockgate.core.rollout import Declaration, start
from lockgate.core.transition import begun
from lockgate.core.verdict.verdict import Verdict
from lockgate.operations.vault.sign import log_key, sign_checkpoint, sign_receipt
from lockgate.testing.signers import SeededSigner
from lockgate.verify import Keys, verify_receipt

RECEIPTS, ROUNDS = 1_000, 9
ORIGIN, AT = "lockgate.example/bench", 1_793_700_000_000
SIGNER, LOG = SeededSigner("bench receipts"), SeededSigner("bench log")
KEYS = Keys((read_public_key(SIGNER.public_key_pem),), (log_key(ORIGIN, LOG),))
# Receipts a second on one core, by the size of their payloads.
PROMISED = {"1.2 kB": 2_500, "5 kB": 1_000}
GATES = 7


@dataclass(frozen=True, slots=True)
class Logged:
    """Receipts with their proofs, and what is signed in each."""

    envelopes: tuple[bytes, ...]
    proofs: tuple[bytes, ...]

    @property
    def payload_bytes(self) -> float:
        """Return the median size of what is signed."""
        return median(len(open_envelope(each).payload) for each in self.envelopes)


def main(arguments: list[str]) -> None:
    """Measure, print a line for each size, and write bench/results/verify.json."""
    count = int(arguments[0]) if arguments else RECEIPTS
    found: dict[str, Any] = {}
    for name, made in {
        "1.2 kB": [small(seq) for seq in range(count)],
        "5 kB": [large(seq) for seq in range(count)],
    }.items():
        logged = in_log(made)
        found[name] = {"payload_bytes": logged.payload_bytes, **rates(logged)}
        said = ", ".join(f"{each} {rate:,.0f}/s" for each, rate in found[name]["per_second"].items())
        print(f"{name}: {said}; ratios {found[name]['ratios']}; promised {PROMISED[name]:,}/s")
    write("verify", {**found, "receipts": count, "promised_per_second": PROMISED})


def rates(logged: Logged) -> dict[str, Any]:
    """Return how many receipts a second each verifies, and the part of each peer's rate that ours is."""
    calls: dict[str, Callable[[], object]] = {
        "lockgate with proof": lambda: ours(logged),
        "cryptography, signature alone": bare(logged.envelopes),
    }
    dsse = securesystemslib(logged.envelopes)
    if dsse is not None:
        calls["securesystemslib, envelope alone"] = dsse
    seconds = interleaved(calls, ROUNDS)
    per_second = {name: round(len(logged.envelopes) / median(times), 1) for name, times in seconds.items()}
    own, *peers = per_second
    return {
        "per_second": per_second,
        "ratios": {name: round(per_second[own] / per_second[name], 3) for name in peers},
    }


def ours(logged: Logged) -> None:
    """Verify each receipt with its proof."""
    for envelope, proof in zip(logged.envelopes, logged.proofs, strict=True):
        verify_receipt(envelope, KEYS, proof)


def bare(envelopes: Sequence[bytes]) -> Callable[[], object]:
    """Return what verifies the signatures over bytes that are ready to be verified."""
    key: Any = load_pem_public_key(SIGNER.public_key_pem)
    ready = [(opened.signature, opened.signed_bytes()) for opened in map(open_envelope, envelopes)]

    def verify() -> None:
        for signature, message in ready:
            key.verify(signature, message)

    return verify


def securesystemslib(envelopes: Sequence[bytes]) -> Callable[[], object] | None:
    """Return what verifies the envelopes as DSSE from their bytes; None where the package is not there."""
    try:
        from securesystemslib.dsse import Envelope
        from securesystemslib.signer import SSlibKey  # type: ignore[attr-defined]  # its module does not list it
    except ImportError:
        return None
    key = SSlibKey.from_crypto(load_pem_public_key(SIGNER.public_key_pem), keyid=SIGNER.key_id)

    def verify() -> None:
        for envelope in envelopes:
            Envelope.from_dict(json.loads(envelope)).verify([key], 1)

    return verify


def in_log(envelopes: Sequence[bytes]) -> Logged:
    """Return receipts with their proofs under the checkpoint of all."""
    tree, kept = Tree(), dict[Node, bytes]()
    for envelope in envelopes:
        tree, made = tree.append(leaf_hash(envelope))
        kept.update(made)
    note = sign_checkpoint(Checkpoint(ORIGIN, tree.size, tree.root), LOG)
    proofs = (
        LogProof(index, plan_inclusion(index, tree.size).hashes(kept), note).encode() for index in range(tree.size)
    )
    return Logged(tuple(envelopes), tuple(proofs))


def small(seq: int) -> bytes:
    """Return the receipt of what was done to an app."""
    app = App(name="claims-agent", champion="v36", former_champion="v35")
    act = AppAct(
        org="default",
        before=app,
        after=app.froze("errors of the payment provider"),
        action=Action.FREEZE,
        cause=Cause.OPERATOR,
        reason="errors of the payment provider, until their incident is over",
        at=AT + seq,
        seq=seq + 1,
        previous=_digest(f"receipt {seq}") if seq else None,
        engine="0.1.0",
    )
    return sign_receipt(draft_app(act, Actor("person", "ada", act.reason)).payload, SIGNER)


def large(seq: int) -> bytes:
    """Return the receipt of a rollout of several gates."""
    metrics = [f"latency_ms:p{10 * number + 5}" for number in range(GATES)]
    gates = tuple(Gate(id=name, metric=parse_metric(name), share=0.1, min_runs=30) for name in metrics)
    steps = (Step(kind=StepKind.WEIGHT, weight=5.0, min_runs=30), Step(kind=StepKind.WEIGHT, weight=100.0, min_runs=30))
    policy = Policy(app="claims-agent", mode=Mode.CANARY, gates=gates, steps=steps)
    declared = Declaration(id="rol_bench", app="claims-agent", baseline="v36", candidate="abc123")
    transition = begun(start(declared, policy, AT + seq), policy)
    findings = tuple(_finding(gate, seq) for gate in gates)
    bindings = Bindings(
        seq=seq + 1,
        previous=_digest(f"receipt {seq}") if seq else None,
        state_before=_digest(f"state {seq}"),
        state_after=_digest(f"state {seq + 1}"),
        buckets=(_digest(f"bucket {seq}"),),
        engine="0.1.0",
    )
    payload = draft(transition, Verdict(findings, Inference.SEQUENTIAL), policy, bindings, Actor()).payload
    return sign_receipt(payload, SIGNER)


def _finding(gate: Gate, seq: int) -> Finding:
    value = 200.0 + seq / 7
    return Finding(
        gate=gate.id,
        metric=gate.metric,
        outcome=Outcome.CLEAN,
        reason=f"{gate.id} is {value:.1f} ms against 201.3 ms",
        baseline=Reading(201.3, 40_000 + seq),
        candidate=Reading(value, 2_000 + seq),
        evidence=Evidence(
            value / 300, value / 310, 5.2983, value / 40, None, 5.2983, 900 + seq, 2_000 + seq, 40_000 + seq
        ),
    )


def _digest(text: str) -> str:
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


if __name__ == "__main__":
    main(sys.argv[1:])
