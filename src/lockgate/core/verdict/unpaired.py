# SPDX-License-Identifier: Apache-2.0
"""The runs and the pairs of a paired gate come in; in words, how many runs that carry its field made no pair goes out.

A probe pairs the first answer of each of two releases, in the bucket of the later one. So a release that leaves probes
unanswered, or answers again what it answered before, has runs that count nowhere, and nobody knows how those would end.
"""

from __future__ import annotations

from lockgate.core.bucket import Bucket
from lockgate.core.evidence.sealed import Arms
from lockgate.core.metric import Kind
from lockgate.core.policy.gate import Gate
from lockgate.core.wording import count_text, subject_text


def unpaired(gate: Gate, arms: Arms, pairs: int) -> str | None:
    """Return in words how many runs of each release made no pair; None where all did, or nothing is paired."""
    if gate.metric.kind is not Kind.PAIRED:
        return None
    said = []
    for name, arm in (("baseline", arms.baseline), ("candidate", arms.candidate)):
        carried = _carried(gate, arm)
        if carried > pairs:
            said.append(f"{carried - pairs:,} of {count_text(carried, f'{name} run')}")
    return f"{' and '.join(said)} that carry {gate.metric.field} made no pair" if said else None


def pairless(gate: Gate, arms: Arms) -> str | None:
    """Return in words why runs of a candidate that carry the field make no pair at all; None where none carries it."""
    carried = _carried(gate, arms.candidate)
    if gate.metric.kind is not Kind.PAIRED or not carried:
        return None
    none = f"{subject_text(gate)}: none of {count_text(carried, 'candidate run')} makes a pair"
    return f"{none}; only the first answers of both releases to a probe do, in the bucket of the later one"


def _carried(gate: Gate, arm: Bucket) -> int:
    values, events = arm.values.get(gate.metric.field), arm.events.get(gate.metric.field)
    return (0 if values is None else values.n) or (0 if events is None else events.n)
