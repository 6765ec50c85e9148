# SPDX-License-Identifier: Apache-2.0
"""The JSON forms of sealed buckets and of progress come in; they go out as the values that the engine folds."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np

from lockgate.core.bucket import Bucket, Pairs
from lockgate.core.evidence.plan import Plan
from lockgate.core.evidence.progress import Progress, Waiting
from lockgate.core.evidence.sealed import Arms, Assignment, Phase, SealedBucket
from lockgate.core.evidence.state import EvidenceState, GateState, ShareState, Wealth, open_state, wealth_of
from lockgate.core.evidence.totals import Cohorts, PairKey, Totals
from lockgate.core.intake import Slice
from lockgate.core.replay.typed import typed, whole

# What JSON decodes to.
Document = Any


def bucket_from(document: Document) -> SealedBucket:
    """Return the sealed bucket of a document."""
    split = document["assignment"]
    return SealedBucket(
        number=whole(document["number"]),
        step=whole(document["step"]),
        arms=_arms(document["arms"]),
        phase=Phase(document["phase"]),
        pairs=_pairs(document["pairs"]),
        assignment=None if split is None else Assignment(typed(float, split[0]), whole(split[1]), whole(split[2])),
        time=whole(document["time"]),
        source=None if document["source"] is None else typed(str, document["source"]),
        is_earlier="earlier" in document,
    )


def progress_from(document: Document, plan: Plan) -> Progress:
    """Return the progress of a document under a plan."""
    waiting = document["waiting"]
    return Progress(
        state=_state(document["state"], plan),
        totals=_totals(document["totals"]),
        waiting=None if waiting is None else typed(Waiting, waiting),
        together=whole(document["together"]),
    )


def _state(document: Document, plan: Plan) -> EvidenceState:
    parts: dict[str, Any] = {
        "gates": tuple(typed(GateState, gate) for gate in document["gates"]),
        "wealth": _wealth(document["wealth"], plan),
        "ratio": typed(ShareState, document["ratio"]),
        "is_split_alarmed": typed(bool, document["is_split_alarmed"]),
    }
    counts = (field.name for field in fields(EvidenceState) if field.name not in parts)
    parts |= {name: whole(document[name]) for name in counts}
    _refuse_other_processes(parts["gates"], plan)
    return EvidenceState(**parts)


def _refuse_other_processes(gates: tuple[GateState, ...], plan: Plan) -> None:
    for gate, planned in zip(gates, plan.gates, strict=True):
        if not len(gate.peaks) == len(gate.levels) == len(planned.processes):
            raise ValueError("a gate has other processes than its policy gives it")


def _wealth(document: Document, plan: Plan) -> Wealth:
    """Return the wealth of a document, filled up where a row has fewer copies or alternatives than the largest."""
    numbers = open_state(plan).wealth.array().copy()
    for row, copies in zip(numbers, document, strict=True):
        held = [copy for copy in row if np.isfinite(copy).any()]
        for copy, written in zip(held, copies, strict=True):
            values = [typed(float, value) for value in written]
            if len(values) != int(np.isfinite(copy).sum()):
                raise ValueError("a process has another number of alternatives than its policy gives it")
            copy[: len(values)] = values
    return wealth_of(numbers)


def _totals(document: Document) -> Totals:
    at_step, beside = (_cohorts(document[name]) for name in ("at_step", "beside"))
    return Totals(whole(document["step"]), at_step, beside, whole(document["last_bucket"]))


def _cohorts(document: Document) -> Cohorts:
    return Cohorts(_arms(document["arms"]), _pairs(document["pairs"]))


def _arms(document: Document) -> dict[Slice, Arms]:
    return {
        typed(Slice, part): Arms(typed(Bucket, baseline), typed(Bucket, candidate))
        for part, baseline, candidate in document
    }


def _pairs(document: Document) -> dict[PairKey, Pairs]:
    return {(typed(str, name), typed(Slice, part)): typed(Pairs, found) for name, part, found in document}
