# SPDX-License-Identifier: Apache-2.0
"""A policy and what the baseline's runs look like come in; about how many candidate runs its answers take goes out.

Nothing is simulated: evidence is taken to grow as it would if every bucket held just what is expected of it. Log
e-values are sums over runs, so those of expected tallies are the expected log e-values (docs/statistics.md, foresight).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from lockgate.core.bucket import Events, Values
from lockgate.core.evidence.growth import MEDIAN, MOST_RUNS, growth, runs_to
from lockgate.core.evidence.plan import GatePlan, Plan, Role, plan
from lockgate.core.evidence.state import Tally
from lockgate.core.flow import NO_FLOW, Flow
from lockgate.core.metric import Kind
from lockgate.core.policy.gate import Gate, Margin
from lockgate.core.policy.policy import Inference, Policy, Promote
from lockgate.core.policy.step import Step
from lockgate.core.stats.elementary import Floats
from lockgate.core.stats.sequential.wealth import copy_shares, threshold
from lockgate.core.verdict.needed import round_up

# What a share is taken to be, and of which margin is spoken, where neither is known.
ASSUMED_SHARE, SPOKEN_MARGIN = 0.05, Margin(absolute=0.01)
# Fewer runs say too little about the baseline; its shares are counted in millionths.
ENOUGH_RUNS, WHOLE = 200, 1_000_000
TIMES_WORSE = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreseen:
    """What one gate takes, in candidate runs; None where that cannot be said or is beyond any plan.

    `share` is what the baseline's is taken to be, measured or not, of a metric that is a share, and `seen` what was
    counted of it; `harm` is the share that is called harmful: twice as much, or the least that `detect` excludes where
    that is more. `margin` is the one that `to_prove` is about.
    """

    gate: str
    share: float | None
    is_measured: bool
    seen: Events | None = None
    harm: float | None = None
    margin: Margin | None = None
    to_clean: int | None = None
    to_prove: int | None = None
    to_rollback: int | None = None


@dataclass(frozen=True, slots=True)
class Foresight:
    """What a policy's gates take, and the whole ramp when there is no harm."""

    gates: tuple[Foreseen, ...]
    to_full: int | None


NOTHING_FORESEEN = Foresight((), None)


def foresee(policy: Policy, measured: Mapping[str, Tally], flow: Flow = NO_FLOW) -> Foresight:
    """Return about how many candidate runs a policy takes; `measured` are the baseline's tallies by gate.

    Where it is known how many runs a bucket has, the first one teaches and answers are given at the ends of others.
    """
    if policy.inference is Inference.FIXED or not policy.is_judged:
        return NOTHING_FORESEEN
    known = {gate.id: _known(gate, measured, flow) for gate in policy.gates}
    whole = plan(policy)
    gates = tuple(_foreseen(whole, gate, known[gate.gate.id], flow) for gate in whole.gates)
    return Foresight(tuple(each for each in gates if each is not None), _ramp(whole, known, flow))


@dataclass(frozen=True, slots=True)
class _Known:
    """What the baseline is taken to be, what was counted of it, and which part of its runs carries it."""

    tally: Tally
    seen: Tally | None
    part: float | None


def _known(gate: Gate, measured: Mapping[str, Tally], flow: Flow) -> _Known | None:
    """Return the baseline as measured, else with an assumed share; nothing where no baseline's shape decides."""
    if gate.is_objective or gate.metric.kind is Kind.PAIRED:
        return None
    found, part = measured.get(gate.id), flow.part(gate, measured)
    if found is not None and found.n >= ENOUGH_RUNS:
        share = found if isinstance(found, Values) else _events((found.events + 0.5) / (found.n + 1.0))
        return _Known(share, found, part)
    if gate.metric.kind is not Kind.BINARY:
        return None
    return _Known(_events(ASSUMED_SHARE), None, part)


def _events(share: float) -> Events:
    return Events(WHOLE, round(WHOLE * share))


def _foreseen(whole: Plan, gate: GatePlan, known: _Known | None, flow: Flow) -> Foreseen | None:
    """Return what a gate takes at the first step that compares; None for a gate that nobody can foresee."""
    policy = whole.policy
    first = next((step for step in _compared(policy) if whole.applies(gate.gate, step)), None)
    if known is None or first is None:
        return None
    at, tally, part = policy.steps[first], known.tally, known.part
    in_bucket, beside = flow.in_bucket(policy, at), flow.judged_share(policy, at, part or 1.0)
    to_clean = _to_clean(whole, gate, growth(gate, tally, tally, beside))
    clean = _served(max(to_clean, _least(gate.gate, at)), part, in_bucket)
    plain = Foreseen(gate=gate.gate.id, share=None, is_measured=known.seen is not None, to_clean=clean)
    if not isinstance(tally, Events):
        return plain
    share = tally.events / tally.n
    harm = _harm(gate.gate, share)
    margin = gate.gate.margin or SPOKEN_MARGIN
    to_rollback = _to_rollback(whole, gate, growth(gate, tally, _events(harm), beside))
    return replace(
        plain,
        share=share,
        seen=known.seen if isinstance(known.seen, Events) else None,
        harm=harm,
        margin=margin,
        to_prove=_to_prove(policy, gate.gate, margin, known, flow),
        to_rollback=_served(to_rollback, part, in_bucket),
    )


def _served(judged: float, part: float | None, in_bucket: float) -> int | None:
    """Return the candidate runs that bring so many to a gate, in whole buckets after the one that teaches."""
    return None if part is None or math.isinf(judged) else _said(_sealed(judged / part, in_bucket, 1))


def _least(gate: Gate, at: Step) -> float:
    """Return the runs of the candidate beside which a gate has judged `min_runs` of each, so of the rarer one too."""
    share = at.compared_share
    return gate.min_runs * max(1.0, share / (1.0 - share))


def _harm(gate: Gate, share: float) -> float:
    """Return the share that is spoken of as harm: twice as much, unless `clean` lets that pass."""
    if gate.detect is None:
        return min(1.0, TIMES_WORSE * share)
    bound = gate.bound(gate.detect)
    return min(1.0, max(TIMES_WORSE * share, bound.ratio * share + bound.offset))


def _to_clean(whole: Plan, gate: GatePlan, gained: Floats) -> float:
    index = gate.index(Role.CLEAN)
    if index is None:
        return math.inf
    if gate.processes[index].is_settled:
        return 0.0
    return runs_to(threshold(whole.policy.alpha_promote), np.zeros(gained.shape[-1]), gained[index])


def _to_rollback(whole: Plan, gate: GatePlan, gained: Floats) -> float:
    index = gate.index(Role.HARM)
    assert index is not None
    # Only the copy that runs from the first bucket gathers anything yet.
    first = float(copy_shares(gate.copies(gate.processes[index]))[0])
    level = threshold(whole.policy.sequential_alpha, gate.gate.share) - math.log(first)
    return runs_to(level, np.zeros(gained.shape[-1]), gained[index])


def _to_prove(policy: Policy, gate: Gate, margin: Margin, known: _Known, flow: Flow) -> int | None:
    """Return what the whole ramp takes a candidate without harm when this gate has to be proven at each step."""
    alone = replace(policy, promote=Promote.PROVEN, gates=(replace(gate, margin=margin, share=1.0),))
    return _ramp(plan(alone), {gate.id: known}, flow)


def _compared(policy: Policy) -> range:
    """Return the steps that are left by a comparison: all but a last one that ends on arrival."""
    last = len(policy.steps) - 1
    return range(last if policy.steps[last].ends_on_arrival else last + 1)


def _ramp(whole: Plan, known: Mapping[str, _Known | None], flow: Flow) -> int | None:
    """Return the candidate runs from the first step to the end without harm; None if a gate cannot be foreseen."""
    found = [known[gate.gate.id] for gate in whole.gates]
    if any(each is None or each.part is None for each in found):
        return None
    gathered = [np.zeros((len(gate.processes), gate.alternatives)) for gate in whole.gates]
    total, teaching = 0.0, 1
    for step in _compared(whole.policy):
        at, runs = whole.policy.steps[step], float(whole.policy.steps[step].min_runs)
        grown = {}
        for place, (gate, each) in enumerate(zip(whole.gates, found, strict=True)):
            if each is not None and each.part is not None and whole.applies(gate.gate, step):
                # For each candidate run that is served, whether the gate reads it or not.
                beside = flow.judged_share(whole.policy, at, each.part)
                grown[place] = each.part * growth(gate, each.tally, each.tally, beside)
                least = _least(gate.gate, at) / each.part
                runs = max(runs, least, _at_step(whole, gate, step, gathered[place], grown[place]))
        if not runs < MOST_RUNS:
            return None
        in_bucket = flow.in_bucket(whole.policy, at)
        for place, gained in grown.items():
            # Evidence that met one level early is ahead of its path for the others too.
            gathered[place] = gathered[place] + _sealed(runs, in_bucket) / MEDIAN * gained
            index = _sought(whole, whole.gates[place], step)
            if index is not None:
                # What has met its level once stays met.
                gathered[place][index] = np.inf
        total += _sealed(runs, in_bucket, teaching if grown else 0)
        teaching = 0 if grown else teaching
    return _said(total)


def _sealed(runs: float, in_bucket: float, before: int = 0) -> float:
    """Return the runs that whole buckets have, and so many before them."""
    return in_bucket * (before + math.ceil(runs / in_bucket)) if in_bucket > 0 else runs


def _at_step(whole: Plan, gate: GatePlan, step: int, gathered: Floats, gained: Floats) -> float:
    """Return the candidate runs until a gate has excluded what is sought before a step may be left."""
    index = _sought(whole, gate, step)
    if index is None or gate.processes[index].is_settled or np.isinf(gathered[index]).all():
        return 0.0
    return runs_to(threshold(whole.policy.alpha_promote), gathered[index], gained[index])


def _sought(whole: Plan, gate: GatePlan, step: int) -> int | None:
    """Return the process that must have met its level before a step is left."""
    share = whole.policy.next_share(step)
    proven = gate.index(Role.PROVEN, share) if whole.policy.promote is Promote.PROVEN and share else None
    return gate.index(Role.CLEAN) if proven is None else proven


def _said(runs: float) -> int | None:
    return round_up(runs) if runs < MOST_RUNS else None
