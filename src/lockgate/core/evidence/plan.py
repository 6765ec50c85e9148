# SPDX-License-Identifier: Apache-2.0
"""A policy comes in; the e-processes that its gates need, each with its null, go out.

A gate has one process of harm (null: not worse than `tolerance`), one for `clean` (null: worse than `detect`)
and one for `proven` per weight ahead (null: worse than `margin` divided by that weight).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lockgate.core.metric import Kind, Worse
from lockgate.core.policy.gate import Bound, Gate, Margin
from lockgate.core.policy.policy import Policy
from lockgate.core.policy.step import StepKind
from lockgate.core.stats.elementary import Floats
from lockgate.core.stats.sequential.binary import ALTERNATIVES
from lockgate.core.stats.sequential.mean import RELATIVE
from lockgate.core.stats.sequential.null import EDGE
from lockgate.core.stats.sequential.pairs import BETS, Factors, factors
from lockgate.core.stats.sequential.wealth import copy_shares, log_weights

# The bound of a process that needs no evidence.
NOTHING = Bound(1.0, 0.0)
_GRID = {Kind.MEAN: len(RELATIVE), Kind.PAIRED: len(BETS)}


class Role(StrEnum):
    """What crossing the threshold lets the process say."""

    HARM = "harm"
    CLEAN = "clean"
    PROVEN = "proven"


@dataclass(frozen=True, slots=True)
class Process:
    """One e-process: its role, its bound (larger is worse), and for `proven` the share of traffic ahead.

    `is_settled`: no value can be as bad as the null says, so the claim holds before any run.
    """

    role: Role
    bound: Bound
    share: float | None = None
    is_settled: bool = False


@dataclass(frozen=True, eq=False)
class GatePlan:
    """A gate with its processes; `starts` are the steps at which copies of the process of harm start.

    A plan is itself and no other, so that what follows from it can be kept by it.
    """

    gate: Gate
    processes: tuple[Process, ...]
    starts: tuple[int, ...]

    @cached_property
    def harm(self) -> NDArray[np.bool_]:
        """Return which processes gather evidence of harm, the others being of its absence."""
        return np.array([process.role is Role.HARM for process in self.processes])

    @cached_property
    def ratios(self) -> Floats:
        """Return each process's ratio."""
        return np.array([process.bound.ratio for process in self.processes])

    @cached_property
    def offsets(self) -> Floats:
        """Return each process's offset."""
        return np.array([process.bound.offset for process in self.processes])

    @cached_property
    def pair_factors(self) -> Factors:
        """Return what one pair gains each process; the promoting ones read losses and wins exchanged."""
        return factors(np.where(self.harm, self.offsets, -self.offsets))

    @property
    def alternatives(self) -> int:
        """Return over how many alternatives the mixtures run."""
        return _GRID.get(self.gate.metric.kind, ALTERNATIVES)

    def copies(self, process: Process) -> int:
        """Return in how many copies a process runs: that of harm once from birth and once from each later step."""
        return len(self.starts) if process.role is Role.HARM else 1

    def index(self, role: Role, share: float | None = None) -> int | None:
        """Return where a process stands, or None when the gate has none."""
        for index, process in enumerate(self.processes):
            if process.role is role and process.share == share:
                return index
        return None


@dataclass(frozen=True)
class Plan:
    """Every gate's processes, and at which steps comparisons are possible."""

    policy: Policy
    gates: tuple[GatePlan, ...]

    @cached_property
    def rows(self) -> tuple[tuple[GatePlan, Process], ...]:
        """Return all processes of all gates in order: the rows in which they are computed together."""
        return tuple((gate, process) for gate in self.gates for process in gate.processes)

    @cached_property
    def shares(self) -> Floats:
        """Return each row's copy shares, filled up with 0."""
        shares = np.zeros((len(self.rows), max(gate.copies(process) for gate, process in self.rows)))
        for row, (gate, process) in enumerate(self.rows):
            copies = gate.copies(process)
            shares[row, :copies] = copy_shares(copies)
        return shares

    @cached_property
    def grids(self) -> Floats:
        """Return over how many alternatives each row's mixture runs."""
        return np.array([float(gate.alternatives) for gate, _ in self.rows])

    @cached_property
    def weights(self) -> Floats:
        """Return the logarithm of each copy's weight in its row's mixture, -inf where filled up."""
        return log_weights(self.shares, self.grids)

    @cached_property
    def starts(self) -> NDArray[np.int64]:
        """Return the step at which each row's copies start; the first runs from birth, a filled-up one never."""
        starts = np.full(self.shares.shape, np.iinfo(np.int64).max)
        for row, (gate, process) in enumerate(self.rows):
            starts[row, : gate.copies(process)] = gate.starts[: gate.copies(process)]
        starts[:, 0] = 0
        return starts

    def applies(self, gate: Gate, step: int) -> bool:
        """Say whether buckets of a step are evidence for a gate."""
        if gate.steps is not None and step not in gate.steps:
            return False
        if gate.metric.kind is Kind.PAIRED and self.policy.steps[step].kind is StepKind.OFFLINE:
            # The one look spends an alpha of its own, and the pairs that it read are no others at later steps.
            return True
        return why_not(self.policy, gate, step) is None


def plan(policy: Policy) -> Plan:
    """Return the processes that a policy's gates need."""
    return Plan(policy, tuple(_gate_plan(policy, gate) for gate in policy.gates))


def why_not(policy: Policy, gate: Gate, step: int) -> str | None:
    """Return in words why a gate can say nothing at a step, or None when it can."""
    at = policy.steps[step]
    if at.kind is StepKind.OFFLINE:
        return f"at {at.label()} a whole cohort is judged at one look"
    if gate.user_outcome and not at.is_exposed:
        return f"at {at.label()} no user meets the candidate's answers, so there is no outcome to compare"
    if gate.is_objective or at.has_concurrent_baseline:
        return None
    return f"at {at.label()} no baseline runs beside the candidate (declare a holdback to keep comparing)"


def _gate_plan(policy: Policy, gate: Gate) -> GatePlan:
    processes = [Process(Role.HARM, gate.bound(gate.tolerance))]
    if gate.detect is not None:
        processes.append(_promoting(gate, Role.CLEAN, gate.detect, None))
    if gate.margin is not None:
        shares = sorted({policy.next_share(step) for step in range(len(policy.steps))} - {0.0})
        processes += [_promoting(gate, Role.PROVEN, gate.margin.over(share), share) for share in shares]
    return GatePlan(gate, tuple(processes), _starts(policy, gate))


def _promoting(gate: Gate, role: Role, margin: Margin, share: float | None) -> Process:
    bound = gate.bound(margin)
    if _is_beyond_reach(gate, bound):
        return Process(role, NOTHING, share, is_settled=True)
    return Process(role, bound, share)


def _is_beyond_reach(gate: Gate, bound: Bound) -> bool:
    """Say whether no candidate can be worse than a bound, whatever the baseline does."""
    if gate.metric.kind in (Kind.BINARY, Kind.PAIRED):
        return _least(gate, bound) >= 1.0 - EDGE
    # Of values that are never negative: less than nothing is left.
    is_lower = gate.metric.worse is Worse.LOWER
    if gate.limit is None:
        return is_lower and bound.ratio <= 0.0
    low, high = gate.extent or ((0.0, 1.0) if gate.metric.is_score else (0.0, math.inf))
    if is_lower:
        return bound.ratio * gate.limit - bound.offset <= low + EDGE
    return bound.ratio * gate.limit + bound.offset >= high - EDGE


def _least(gate: Gate, bound: Bound) -> float:
    """Return the least value, larger being worse, at which a share or net losses still break a bound."""
    if gate.metric.kind is Kind.PAIRED:
        return bound.offset
    if gate.limit is not None:
        return bound.ratio * worse_limit(gate) + bound.offset
    return min(bound.offset, bound.ratio + bound.offset)


def worse_limit(gate: Gate) -> float:
    """Return an objective's limit in the orientation where larger is worse."""
    limit = gate.limit or 0.0
    if gate.metric.kind is Kind.BINARY and gate.metric.worse is Worse.LOWER:
        return 1.0 - limit
    return limit


def _starts(policy: Policy, gate: Gate) -> tuple[int, ...]:
    """Return the steps at which a copy of the process of harm starts: each that is comparable, the first from birth."""
    steps = range(len(policy.steps)) if gate.steps is None else gate.steps
    comparable = tuple(step for step in steps if why_not(policy, gate, step) is None)
    return comparable or (0,)
