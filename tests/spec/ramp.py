# SPDX-License-Identifier: Apache-2.0
"""Words of a scenario come in; policies, rollouts, findings and buckets for tests of the line go out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from lockgate.core.bucket import Bucket, Events, Pairs
from lockgate.core.decision.chain import decide
from lockgate.core.decision.decision import Decision
from lockgate.core.evidence.sealed import Arms, SealedBucket
from lockgate.core.finding import Finding, Outcome, Reading
from lockgate.core.intake import WHOLE
from lockgate.core.metric import parse_metric
from lockgate.core.policy.gate import Gate, default_detect
from lockgate.core.policy.policy import Inference, Mode, Policy
from lockgate.core.policy.step import Step, StepKind
from lockgate.core.rollout import Declaration, Rollout, start
from lockgate.core.situation import Situation
from lockgate.core.transition import Transition, apply
from lockgate.core.verdict.verdict import Verdict
from tests.tallied import values_of

START = 1_790_000_000_000
MINUTE = 60_000
NOBODY = Reading(None, 0)


def gate(name: str = "error_rate", **fields: Any) -> Gate:
    """Return a gate with the defaults that a policy would give it."""
    metric = parse_metric(name)
    declared = {
        "id": name,
        "metric": metric,
        "share": 1.0,
        "min_runs": 30,
        "detect": default_detect(metric, is_objective="limit" in fields),
    }
    return Gate(**{**declared, **fields})


def weights(*percents: float, **fields: Any) -> tuple[Step, ...]:
    """Return steps of plain weights."""
    return tuple(Step(**{"kind": StepKind.WEIGHT, "weight": percent, "min_runs": 30, **fields}) for percent in percents)


def policy(*gates: Gate, **fields: Any) -> Policy:
    """Return a canary policy over 5, 25, 50, 100 with one gate on errors, but for what is given."""
    declared = {"mode": Mode.CANARY, "gates": gates or (gate(),), "steps": weights(5, 25, 50, 100)}
    return Policy(**{**declared, **fields})


def rollout(of: Policy, *, step: int = 0, **fields: Any) -> Rollout:
    """Return a rollout that stands at a step since START."""
    declared = Declaration(id="rol_1", app="claims-agent", baseline="v36", candidate="abc123")
    return replace(start(declared, of, START), step=step, weight=of.steps[step].weight, **fields)


def finding(outcome: Outcome, name: str = "error_rate", **fields: Any) -> Finding:
    """Return a finding that says one thing."""
    declared = {
        "gate": name,
        "metric": parse_metric(name),
        "outcome": outcome,
        "reason": f"{name} is {outcome.value}",
        "baseline": NOBODY,
        "candidate": NOBODY,
    }
    return Finding(**{**declared, **fields})


def verdict(*findings: Finding | Outcome) -> Verdict:
    """Return the verdict of some findings, or of one gate on errors that says an outcome."""
    full = tuple(each if isinstance(each, Finding) else finding(each) for each in findings)
    return Verdict(full, Inference.SEQUENTIAL)


def situation(minutes: int = 60, **fields: Any) -> Situation:
    """Return a situation some minutes after START with fresh runs enough."""
    return Situation(**{"now": START + minutes * MINUTE, "fresh_runs": 400, **fields})


def tick(at: Rollout, of: Policy, said: Verdict | Outcome, when: Situation | None = None) -> Transition:
    """Return the transition of one turn of the loop."""
    seen = when or situation()
    decision = turn(at, of, said, seen)
    return apply(at, decision, seen.now)


def turn(at: Rollout, of: Policy, said: Verdict | Outcome, when: Situation | None = None) -> Decision:
    """Return the decision of one turn of the loop."""
    return decide(at, of, said if isinstance(said, Verdict) else verdict(said), when or situation())


def arm(n: int, errors: int = 0, latency_ms: tuple[float, ...] = ()) -> Bucket:
    """Return a bucket of n runs, some of which failed, with latencies."""
    values = {"latency_ms": values_of(latency_ms)} if latency_ms else {}
    return Bucket(n, {"ok": n - errors, "error": errors}, {"error_rate": Events(n, errors)}, values)


def sealed(number: int, baseline: Bucket, candidate: Bucket, *, step: int = 0, **fields: Any) -> SealedBucket:
    """Return a sealed bucket of both arms."""
    return SealedBucket(number=number, step=step, arms={(): Arms(baseline, candidate)}, **fields)


def probes(number: int, losses: int, ties: int, wins: int) -> SealedBucket:
    """Return a sealed bucket of paired probes."""
    pairs = {("pass_rate", WHOLE): Pairs(losses, ties, wins)}
    return SealedBucket(number=number, step=0, arms={}, pairs=pairs)
