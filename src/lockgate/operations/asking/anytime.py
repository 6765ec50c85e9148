# SPDX-License-Identifier: Apache-2.0
"""A rollout with what it has read comes in; the intervals of its gates that hold at any number of looks go out.

It reads every bucket again, which a tick never does, so that only who asks for an explanation waits for it.
"""

from __future__ import annotations

from collections import defaultdict

from lockgate.core.bucket import Events
from lockgate.core.evidence.plan import Plan
from lockgate.core.evidence.sealed import NO_ARMS, Phase
from lockgate.core.evidence.tally import tally
from lockgate.core.evidence.window import Sides, arms_of, span_at
from lockgate.core.policy.policy import Inference
from lockgate.core.spine import Cell
from lockgate.core.trial import Trial
from lockgate.core.verdict.anytime import MAX_BUCKETS, Anytime, anytime, has_anytime
from lockgate.operations.line.reading import planned
from lockgate.ports.house import House
from lockgate.ports.store import Snapshot

PORTION = 500
Arms = dict[str, list[tuple[Events, Events]]]


def anytime_intervals(trial: Trial, house: House) -> tuple[Anytime, ...]:
    """Return the interval of each gate that has one, by the buckets in which both releases ran."""
    with house.store.reading(house.org) as seen:
        judged = planned(seen, trial.rollout.policy_digest)
        gates = [gate for gate in judged.policy.gates if has_anytime(gate)]
        if judged.policy.inference is Inference.FIXED or not gates:
            return ()
        arms = _arms(seen, trial, judged)
    found = (anytime(gate, arms[gate.id]) for gate in gates)
    return tuple(each for each in found if each is not None)


def _arms(seen: Snapshot, trial: Trial, judged: Plan) -> Arms:
    """Return both arms' events by gate and bucket; a bucket that lacks an arm is left out, whatever is in the other."""
    rollout, found = trial.rollout, defaultdict[str, list[tuple[Events, Events]]](list)
    app = seen.app(rollout.app)
    after, last = trial.spans[0].first - 1, trial.progress.state.last_bucket
    if app is None or app.kept_from > after + 1:
        # What was pruned cannot be read again, and a part of it would be another interval.
        return found
    sides = Sides.of(rollout.baseline, rollout.candidate, judged.policy)
    while slots := [slot for slot in seen.slots(rollout.app, after, PORTION) if slot.number <= last]:
        cells = defaultdict[int, list[Cell]](list)
        for cell in seen.cells(rollout.app, slots[0].number, slots[-1].number):
            cells[cell.number].append(cell)
        for slot in slots:
            span = span_at(trial.spans, slot.number)
            if span is None or span.phase(slot) is Phase.TRANSITION:
                continue
            within = arms_of(cells[slot.number], sides)
            for gate in judged.policy.gates:
                if not has_anytime(gate) or not judged.applies(gate, span.step):
                    continue
                both = within.get(gate.slice, NO_ARMS)
                baseline, candidate = (tally(gate.metric, arm) for arm in (both.baseline, both.candidate))
                if isinstance(baseline, Events) and isinstance(candidate, Events):
                    found[gate.id].append((baseline, candidate))
        after = slots[-1].number
        if found and all(len(arms) >= MAX_BUCKETS for arms in found.values()):
            break
    return found
