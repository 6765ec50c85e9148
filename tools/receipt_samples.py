# SPDX-License-Identifier: Apache-2.0
"""Nothing comes in; receipts of every kind, signed by keys that are worth nothing, go out, the same every time."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from lockgate.core.app import App, series_name
from lockgate.core.app_receipt import AppAct, draft_app
from lockgate.core.custody import (
    Custody,
    CustodyAct,
    Overlap,
    Published,
    Revocation,
    custody_series,
    draft_custody,
)
from lockgate.core.decision.decision import Action, Cause, Decision
from lockgate.core.evidence.window import Lookback
from lockgate.core.finding import Difference, Evidence, Finding, Outcome, Reading
from lockgate.core.metric import parse_metric
from lockgate.core.policy.gate import Breach, Gate
from lockgate.core.policy.policy import Inference, Mode, Policy
from lockgate.core.policy.step import Step, StepKind
from lockgate.core.receipt import Actor, Bindings, Draft, draft
from lockgate.core.rollout import Declaration, Rollout, Waiver, start
from lockgate.core.situation import Target, WayBack
from lockgate.core.transition import Transition, apply, begun
from lockgate.core.verdict.verdict import Verdict
from lockgate.operations.vault.sign import sign_receipt
from lockgate.testing.signers import SeededSigner

ORG, APP, ENGINE = "acme", "claims-agent", "0.1.0"
START, MINUTE = 1_793_700_000_000, 60_000
RECEIPT_SEED, LOG_SEED = "TEST-ONLY receipt vectors", "TEST-ONLY log vectors"
RECEIPTS, LOG = SeededSigner(RECEIPT_SEED), SeededSigner(LOG_SEED)
NOBODY = Reading(None, 0)
ADA = Actor("person", "ada", "a spike that we know: the load test 🔒")
JOB = Actor(
    "job",
    "deploys of web",
    "the build is ready",
    (("sub", "repo:acme/web:ref:refs/heads/main"), ("repository_id", "74"), ("run_id", "9"), ("sha", "5" * 40)),
)


@dataclass(frozen=True, slots=True)
class Sample:
    """A signed receipt by a name, with the contents that it names and does not hold."""

    name: str
    series: str
    envelope: bytes
    contents: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """What one receipt of a rollout is made of, besides what ties it to the one before."""

    transition: Transition
    verdict: Verdict
    actor: Actor = field(default_factory=Actor)
    buckets: int = 60
    looks: int = 0
    lookback: Lookback | None = None


def samples() -> tuple[Sample, ...]:
    """Return the receipts of an organisation in the order of its log."""
    made = (*_canary(), *_shadow(), *_crowded("forty", 4, 10), *_crowded("four-hundred", 20, 20), *_app(), *_custody())
    assert len({each.name for each in made}) == len(made)
    return made


def digest_of(text: str) -> str:
    """Return a digest that stands for something that the vectors do not hold."""
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _signed(name: str, series: str, drafted: Draft) -> Sample:
    return Sample(name, series, sign_receipt(drafted.payload, RECEIPTS), drafted.contents)


def _chained(name: str, policy: Policy, said: Sequence[_Said]) -> Iterator[Sample]:
    previous: bytes | None = None
    for seq, each in enumerate(said, 1):
        bindings = Bindings(
            seq=seq,
            previous=None if previous is None else f"sha256:{hashlib.sha256(previous).hexdigest()}",
            state_before=digest_of(f"{name} state {seq - 1}"),
            state_after=digest_of(f"{name} state {seq}"),
            buckets=() if seq == 1 else tuple(digest_of(f"{name} bucket {seq} {n}") for n in range(each.buckets)),
            looks=each.looks,
            looks_digest=digest_of(f"{name} looks {seq}") if each.looks else None,
            lookback=each.lookback,
            engine=ENGINE,
        )
        drafted = draft(each.transition, each.verdict, policy, bindings, each.actor)
        sample = _signed(f"{name}-{seq}", each.transition.after.id, drafted)
        previous = sample.envelope
        yield sample


def _policy(mode: Mode, *gates: Gate) -> Policy:
    steps = tuple(Step(kind=StepKind.WEIGHT, weight=weight, min_runs=30) for weight in (5.0, 25.0, 100.0))
    return Policy(app=APP, mode=mode, gates=gates, steps=steps)


def _gate(name: str, share: float = 0.5, **fields: Any) -> Gate:  # noqa: ANN401 -- any field of it
    return replace(Gate(id=name, metric=parse_metric(name), share=share, min_runs=30), **fields)


def _finding(gate: Gate, outcome: Outcome, reason: str, scale: float = 1.0) -> Finding:
    return Finding(
        gate=gate.id,
        metric=gate.metric,
        outcome=outcome,
        reason=reason,
        baseline=Reading(0.021, 4_000),
        candidate=Reading(0.095 * scale, 400),
        # Numbers that forms of JSON write in different ways.
        difference=Difference(0.074, 1e-7, float("inf"), 0.95, "newcombe"),
        evidence=Evidence(-2.5e-10, 0.1 + 0.2, 3.5, None, 123456789012345.6, 1e21, 2**53 - 1, 400, None),
        breach=gate.breach,
    )


def _begin(policy: Policy, name: str, **fields: Any) -> Rollout:  # noqa: ANN401 -- any field of it
    declared = Declaration(id=name, app=APP, baseline="v36", candidate="web@sha256:" + "c" * 64)
    return replace(start(declared, policy, START), org=ORG, **fields)


def _move(
    rollout: Rollout,
    action: Action,
    cause: Cause,
    reason: str,
    minutes: int,
    **fields: Any,  # noqa: ANN401 -- any field of a decision
) -> Transition:
    decision = Decision(action=action, cause=cause, reason=reason, step=rollout.step, weight=rollout.weight)
    return apply(rollout, replace(decision, **fields), START + minutes * MINUTE)


def _canary() -> Iterator[Sample]:
    """A canary of a build in a pipeline: begun, promoted, rolled up, paused, resumed by a person, rolled back."""
    errors, cost = _gate("error_rate"), _gate("cost", breach=Breach.PAUSE)
    policy = _policy(Mode.CANARY, errors, cost)
    cheap = _finding(cost, Outcome.CLEAN, "cost is as it was")
    clean, worse = (
        Verdict((_finding(errors, outcome, f"errors are {outcome}"), cheap), Inference.SEQUENTIAL)
        for outcome in (Outcome.CLEAN, Outcome.REGRESSED)
    )
    overall = (Reading(0.021, 4_000), Reading(0.024, 400))
    costly = replace(_finding(cost, Outcome.REGRESSED, "cost is worse by a tenth"), overall=overall)
    dear = Verdict((costly,), Inference.SEQUENTIAL)
    first, on, held, paused, resumed, ended = _climb_and_fall(policy)
    lookback = Lookback(START - 60 * MINUTE, 3, 62, 1)
    return _chained(
        "canary",
        policy,
        (
            _Said(transition=first, verdict=Verdict((), Inference.SEQUENTIAL), actor=JOB, lookback=lookback),
            _Said(transition=on, verdict=clean, looks=29),
            _Said(transition=held, verdict=clean, looks=60),
            _Said(transition=paused, verdict=dear, buckets=10),
            _Said(transition=resumed, verdict=dear, actor=ADA, buckets=10),
            _Said(transition=ended, verdict=worse, buckets=10),
        ),
    )


def _climb_and_fall(policy: Policy) -> Iterator[Transition]:
    links, digests = (("ci", "https://ci.example/9"),), (("model", "d" * 64),)
    first = begun(_begin(policy, "rol_canary", links=links, digests=digests, attempt=2), policy)
    on = _move(first.after, Action.PROMOTE, Cause.SATISFIED, "clean at 5 %, advancing", 30, step=1, weight=25.0)
    met, also = replace(on.after, acknowledged=25.0), ("2 gates are thin",)
    held = _move(met, Action.HOLD, Cause.MIN_HOLD, "held for 30 minutes more", 90, also=also)
    paused = _move(held.after, Action.PAUSE, Cause.REGRESSION, "cost is worse", 100)
    waived = (Waiver(what="cost", harm=4.25),)
    resumed = _move(paused.after, Action.RESUME, Cause.OPERATOR, ADA.reason or "", 110, waived=waived)
    end: dict[str, Any] = {"weight": 0.0, "terminal": True, "way_back": WayBack(Target.BASELINE, "v36")}
    yield from (first, on, held, paused, resumed)
    yield _move(resumed.after, Action.ROLLBACK, Cause.REGRESSION, "errors are worse", 120, **end)


def _shadow() -> Iterator[Sample]:
    """A shadow rollout, which signs each of its turns and moves nothing."""
    gate = replace(_gate("latency_ms:p95", share=1.0), slice=(("intent", "医療"),))
    policy = replace(_policy(Mode.SHADOW, gate), inference=Inference.FIXED)
    thin = Verdict((_finding(gate, Outcome.INSUFFICIENT, "12 of 30 runs"),), Inference.FIXED)
    first = begun(_begin(policy, "rol_shadow"), policy)
    held = _move(first.after, Action.HOLD, Cause.INSUFFICIENT, "12 of 30 runs", 1)
    on = _move(held.after, Action.PROMOTE, Cause.SATISFIED, "clean at 5 %, advancing", 2, step=1, weight=25.0)
    unseen = Verdict((_finding(gate, Outcome.NOT_APPLICABLE, "no baseline"),), Inference.FIXED)
    return _chained(
        "shadow",
        policy,
        (
            _Said(transition=first, verdict=Verdict((), Inference.FIXED)),
            _Said(transition=held, verdict=thin, buckets=1),
            _Said(transition=on, verdict=unseen, buckets=0),
        ),
    )


def _crowded(name: str, metrics: int, slices: int) -> Iterator[Sample]:
    """A rollout with so many gates on so many slices that its verdict does not fit into its receipt."""
    names = ("error_rate", "cost", *(f"latency_ms:p{percent}" for percent in range(5, 95, 5)))[:metrics]
    gates = tuple(
        replace(
            _gate(metric, share=1 / (metrics * slices)),
            id=f"{metric}{{intent={number}}}",
            slice=(("intent", f"{number}"),),
        )
        for metric in names
        for number in range(slices)
    )
    policy = _policy(Mode.CANARY, *gates)
    outcomes = (Outcome.REGRESSED, Outcome.CLEAN, Outcome.PROVEN, Outcome.INSUFFICIENT)
    findings = tuple(
        _finding(gate, outcomes[number % 4], f"{gate.id} is {outcomes[number % 4]}, " + "said at length " * 9, number)
        for number, gate in enumerate(gates)
    )
    first = begun(_begin(policy, f"rol_{name}"), policy)
    ended = _move(
        first.after,
        Action.ROLLBACK,
        Cause.REGRESSION,
        "worse",
        9,
        weight=0.0,
        terminal=True,
        also=tuple(each.reason for each in findings),
    )
    said = Verdict(findings, Inference.SEQUENTIAL)
    return _chained(
        name,
        policy,
        (_Said(transition=first, verdict=Verdict((), Inference.SEQUENTIAL)), _Said(transition=ended, verdict=said)),
    )


def _app() -> Iterator[Sample]:
    """What was done to the app itself: frozen by a kill, and let go on."""
    calm = App(name=APP, champion="v36", former_champion="v35", actuator=digest_of("an actuator"))
    stopped = calm.froze("an incident", is_killed=True)
    previous: str | None = None
    for seq, (before, after, action) in enumerate(
        ((calm, stopped, Action.FREEZE), (stopped, calm, Action.UNFREEZE)), 1
    ):
        act = AppAct(
            org=ORG,
            before=before,
            after=after,
            action=action,
            cause=Cause.KILL if action is Action.FREEZE else Cause.OPERATOR,
            reason="an incident",
            at=START + (200 + seq) * MINUTE,
            seq=seq,
            previous=previous,
            engine=ENGINE,
        )
        sample = _signed(f"app-{seq}", series_name(ORG, APP), draft_app(act, ADA))
        previous = f"sha256:{hashlib.sha256(sample.envelope).hexdigest()}"
        yield sample


def _custody() -> Iterator[Sample]:
    """What was done to the organisation's own things: webhooks declared, raw runs pruned."""
    first = Custody(receipt_key=RECEIPTS.key_id, log_key=LOG.key_id, webhooks=digest_of("webhooks"))
    second = replace(first, raw_until=START)
    previous: str | None = None
    third = replace(
        second,
        trust=digest_of("trust rules"),
        manifest=Published(1, digest_of("a key manifest")),
        overlap=Overlap("1" * 64, START + 400 * MINUTE),
        revoked=(Revocation("2" * 64, 3),),
    )
    fourth = replace(third, overlap=None)
    steps = (
        (None, first, Action.SET_WEBHOOK),
        (first, second, Action.PRUNE),
        (second, third, Action.PUBLISH_MANIFEST),
        (third, fourth, Action.ROTATE_KEY),
    )
    for seq, (before, after, action) in enumerate(steps, 1):
        act = CustodyAct(
            org=ORG,
            before=before,
            after=after,
            action=action,
            reason="as every month",
            at=START + (300 + seq) * MINUTE,
            seq=seq,
            previous=previous,
            engine=ENGINE,
        )
        sample = _signed(f"custody-{seq}", custody_series(ORG), draft_custody(act, ADA))
        previous = f"sha256:{hashlib.sha256(sample.envelope).hexdigest()}"
        yield sample
