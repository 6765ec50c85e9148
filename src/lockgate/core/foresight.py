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
from lockgate.core.metric import Kind
from lockgate.core.policy.gate import Gate, Margin
from lockgate.core.policy.policy import Inference, Policy, Promote
from lockgate.core.policy.step import Step, StepKind
from lockgate.core.stats.elementary import Floats
from lockgate.core.stats.sequential.wealth import copy_shares, threshold
from lockgate.core.verdict.needed import round_up

# What a share is taken to be, and of which margin is spoken, where neither is known.
ASSUMED_SHARE, SPOKEN_MARGIN = 0.05, Margin(absolute=0.01)
# Fewer runs say too little about the baseline.
ENOUGH_RUNS = 200
# Shares are counted in millionths.
WHOLE = 1_000_000
TIMES_WORSE = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreseen:
    """What one gate takes, in candidate runs; None where that cannot be said or is beyond any plan.

    `share` is the baseline's, measured or not, of a metric that is a share; `harm` the share that is called harmful:
    twice as much, or the least that `detect` excludes where that is more. `margin` is the one that `to_prove` is about.
    """

    gate: str
    share: float | None
    is_measured: bool
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


def foresee(policy: Policy, measured: Mapping[str, Tally], runs_per_bucket: float | None = None) -> Foresight:
    """Return about how many candidate runs a policy takes; `measured` are the baseline's tallies by gate.

    Where it is known how many runs of both releases a bucket has, steps are left at the ends of buckets.
    """
    if policy.inference is Inference.FIXED:
        return Foresight((), None)
    known = {gate.id: _known(gate, measured.get(gate.id)) for gate in policy.gates}
    whole = plan(policy)
    gates = tuple(_foreseen(whole, gate, known[gate.gate.id], measured) for gate in whole.gates)
    return Foresight(tuple(each for each in gates if each is not None), _ramp(whole, known, runs_per_bucket))


def _known(gate: Gate, found: Tally | None) -> Tally | None:
    """Return what the baseline is taken to be: as measured, else an assumed share, else nothing."""
    if found is not None and found.n >= ENOUGH_RUNS:
        if isinstance(found, Values):
            return found
        return _events((found.events + 0.5) / (found.n + 1.0))
    return _events(ASSUMED_SHARE) if gate.metric.kind is Kind.BINARY and not gate.is_objective else None


def _events(share: float) -> Events:
    return Events(WHOLE, round(WHOLE * share))


def _foreseen(whole: Plan, gate: GatePlan, known: Tally | None, measured: Mapping[str, Tally]) -> Foreseen | None:
    """Return what a gate takes at the first step that compares; None for a gate that nobody can foresee."""
    first = next((step for step in _compared(whole.policy) if whole.applies(gate.gate, step)), None)
    if known is None or first is None or gate.gate.is_objective or gate.gate.metric.kind is Kind.PAIRED:
        return None
    found = measured.get(gate.gate.id)
    is_measured = found is not None and found.n >= ENOUGH_RUNS
    none = growth(gate, known, known, _share(whole.policy.steps[first]))
    plain = Foreseen(gate=gate.gate.id, share=None, is_measured=is_measured, to_clean=_to_clean(whole, gate, none))
    if not isinstance(known, Events):
        return plain
    share = known.events / known.n
    harm = _harm(gate.gate, share)
    worse = growth(gate, known, _events(harm), _share(whole.policy.steps[first]))
    margin = gate.gate.margin or SPOKEN_MARGIN
    return replace(
        plain,
        share=share,
        harm=harm,
        margin=margin,
        to_prove=_to_prove(whole.policy, gate.gate, margin, known),
        to_rollback=_to_rollback(whole, gate, worse),
    )


def _share(at: Step) -> float:
    return 0.5 if at.kind is StepKind.MIRROR else at.share


def _harm(gate: Gate, share: float) -> float:
    """Return the share that is spoken of as harm: twice as much, unless `clean` lets that pass."""
    if gate.detect is None:
        return min(1.0, TIMES_WORSE * share)
    bound = gate.bound(gate.detect)
    return min(1.0, max(TIMES_WORSE * share, bound.ratio * share + bound.offset))


def _to_clean(whole: Plan, gate: GatePlan, gained: Floats) -> int | None:
    index = gate.index(Role.CLEAN)
    if index is None:
        return None
    if gate.processes[index].is_settled:
        return gate.gate.min_runs
    needed = runs_to(threshold(whole.policy.alpha_promote), np.zeros(gained.shape[-1]), gained[index])
    return _said(max(needed, float(gate.gate.min_runs)))


def _to_rollback(whole: Plan, gate: GatePlan, gained: Floats) -> int | None:
    index = gate.index(Role.HARM)
    assert index is not None
    # Only the copy that runs from the first bucket gathers anything yet.
    first = float(copy_shares(gate.copies(gate.processes[index]))[0])
    level = threshold(whole.policy.sequential_alpha, gate.gate.share) - math.log(first)
    return _said(runs_to(level, np.zeros(gained.shape[-1]), gained[index]))


def _to_prove(policy: Policy, gate: Gate, margin: Margin, known: Tally) -> int | None:
    """Return what the whole ramp takes a candidate without harm when this gate has to be proven at each step."""
    alone = replace(policy, promote=Promote.PROVEN, gates=(replace(gate, margin=margin, share=1.0),))
    return _ramp(plan(alone), {gate.id: known})


def _compared(policy: Policy) -> range:
    """Return the steps that are left by a comparison: all but a last one that ends on arrival."""
    last = len(policy.steps) - 1
    return range(last if policy.steps[last].ends_on_arrival else last + 1)


def _ramp(whole: Plan, known: Mapping[str, Tally | None], runs_per_bucket: float | None = None) -> int | None:
    """Return the candidate runs from the first step to the end without harm; None if a gate cannot be foreseen."""
    tallies = [known[gate.gate.id] for gate in whole.gates]
    if any(tally is None for tally in tallies):
        return None
    gathered = [np.zeros((len(gate.processes), gate.alternatives)) for gate in whole.gates]
    total = 0.0
    for step in _compared(whole.policy):
        at, runs = whole.policy.steps[step], float(whole.policy.steps[step].min_runs)
        grown = {}
        for place, (gate, tally) in enumerate(zip(whole.gates, tallies, strict=True)):
            if tally is not None and whole.applies(gate.gate, step):
                grown[place] = growth(gate, tally, tally, _share(at))
                runs = max(runs, _at_step(whole, gate, step, gathered[place], grown[place]))
        if not runs < MOST_RUNS:
            return None
        if runs_per_bucket:
            runs = _sealed(runs, runs_per_bucket * at.share)
        for place, gained in grown.items():
            # Evidence that met one level early is ahead of its path for the others too.
            gathered[place] = gathered[place] + runs / MEDIAN * gained
            index = _sought(whole, whole.gates[place], step)
            if index is not None:
                # What has met its level once stays met.
                gathered[place][index] = np.inf
        total += runs
    return _said(total)


def _sealed(runs: float, in_bucket: float) -> float:
    """Return the runs that whole buckets have."""
    return in_bucket * math.ceil(runs / in_bucket) if in_bucket > 0 else runs


def _at_step(whole: Plan, gate: GatePlan, step: int, gathered: Floats, gained: Floats) -> float:
    """Return the candidate runs that a gate needs before a step may be left."""
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
