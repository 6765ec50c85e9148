# SPDX-License-Identifier: Apache-2.0
"""What has been folded so far comes in as one immutable value; its document and digest go out.

Its size depends on the gates and steps of the policy, never on how many runs or buckets were folded.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np

from lockgate.core.bucket import Events, Values
from lockgate.core.canonical import Json, Written
from lockgate.core.canonical import digest as digest_of
from lockgate.core.evidence.plan import GatePlan, Plan
from lockgate.core.instant import HOUR, Instant
from lockgate.core.stats.elementary import Floats

Tally = Events | Values
# Runs further apart did not run together.
MAX_WAIT = HOUR
Bins = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Wealth:
    """The log-wealth of all processes, [processes, copies, alternatives], as the bytes of little-endian doubles.

    A row of fewer copies or alternatives than the largest is filled up with -inf.
    """

    shape: tuple[int, int, int]
    data: bytes

    def array(self) -> Floats:
        """Return the numbers, read-only."""
        return np.frombuffer(self.data, "<f8").reshape(self.shape)

    def document(self) -> Json:
        """Return the JSON form, without what only fills up."""
        rows: list[list[list[float]]] = self.array().tolist()
        kept = [[[value for value in copy if value != -math.inf] for copy in row] for row in rows]
        return [[copy for copy in row if copy] for row in kept]


def wealth_of(numbers: Floats) -> Wealth:
    """Return numbers as wealth."""
    first, second, third = numbers.shape
    return Wealth((first, second, third), numbers.astype("<f8").tobytes())


@dataclass(frozen=True, slots=True)
class Extent:
    """The range, in micro-units, that a mean's values are clipped to; a learned one reaches further by process."""

    low: int
    high: int
    is_learned: bool = False


@dataclass(frozen=True, slots=True)
class Nuisance:
    """What earlier buckets taught about the baseline; every bet may use it, because it is older than the bet.

    `recent` holds the counts by bin that a quantile's threshold, or the learned range of a mean, is read from.
    """

    buckets: int = 0
    n: int = 0
    total: int = 0
    squares: int = 0
    recent: Bins = ()
    extent: Extent | None = None

    def document(self) -> Json:
        """Return the JSON form; the bins, which are most of it, are written out."""
        bins = ("[%d,%d]," * len(self.recent) % tuple(chain.from_iterable(self.recent)))[:-1]
        recent = Written(f"[{bins}]")
        sums = {name: getattr(self, name) for name in ("buckets", "n", "total", "squares")}
        return {**sums, "recent": recent, "extent": plain(self.extent)}


@dataclass(frozen=True, slots=True)
class Carry:
    """What a gate has read of one arm and waits with for the other, and when the first and the last of it ran.

    `is_fresh`: it counts towards leaving the step.
    """

    baseline: Tally | None = None
    candidate: Tally | None = None
    first: Instant = 0
    last: Instant = 0
    is_fresh: bool = True

    def joined(self, new: Carry) -> Carry:
        """Return what waits together with what is new; what ran too long before or after that is let go.

        So is what counts towards no step where the new one does, because a bucket may not span two weights.
        """
        first, last = min(self.first, new.first), max(self.last, new.last)
        if self == NO_CARRY or last - first > MAX_WAIT or self.is_fresh != new.is_fresh:
            return new
        both = _both(self.baseline, new.baseline), _both(self.candidate, new.candidate)
        return Carry(*both, first, last, self.is_fresh)


NO_CARRY = Carry()


@dataclass(frozen=True, slots=True)
class GateState:
    """One gate's evidence: the level and peak of each process, tallies waiting for the other arm, and the nuisance.

    `fresh` and `fresh_baseline` count what was judged at this step and may leave it; of an objective `fresh` alone, and
    of pairs neither.
    """

    peaks: tuple[float, ...]
    levels: tuple[float, ...]
    carry: Carry = NO_CARRY
    nuisance: Nuisance = Nuisance()
    judged_runs: int = 0
    fresh: int = 0
    fresh_baseline: int = 0

    def judging(self, nuisance: Nuisance, candidate: int, baseline: int = 0, *, is_fresh: bool) -> GateState:
        """Return the state that has judged so many more pairs, or runs of each release, and waits with none."""
        fresh, beside = (candidate, baseline) if is_fresh else (0, 0)
        return GateState(
            self.peaks,
            self.levels,
            NO_CARRY,
            nuisance,
            self.judged_runs + candidate,
            self.fresh + fresh,
            self.fresh_baseline + beside,
        )


@dataclass(frozen=True, slots=True)
class ShareState:
    """Units assigned at this step, for the sample-ratio check, which starts again at each step."""

    log_evidence: float = 0.0
    share: float | None = None
    candidate: int = 0
    baseline: int = 0
    settled: float = 0.0


@dataclass(frozen=True, slots=True)
class EvidenceState:
    """Everything that judging needs of the past."""

    gates: tuple[GateState, ...]
    wealth: Wealth
    ratio: ShareState = ShareState()
    is_split_alarmed: bool = False
    step: int = 0
    furthest_step: int = 0
    fresh_runs: int = 0
    fresh_baseline_runs: int = 0
    candidate_runs: int = 0
    earlier_runs: int = 0
    buckets: int = 0
    last_bucket: int = -1

    def fresh_at(self, step: int) -> int:
        """Return the candidate runs that count at a step; none where nothing of it was read yet."""
        return self.fresh_runs if self.step == step else 0

    def earlier_at(self, step: int) -> int:
        """Return how many of the candidate runs at a step ran before the rollout, which reads them at its first one."""
        return self.earlier_runs if step == self.step == self.furthest_step == 0 else 0

    def document(self) -> Json:
        """Return the JSON form that is stored and digested."""
        return plain(self)

    def digest(self) -> str:
        """Return the digest that a receipt binds."""
        return digest_of(self.document())


def open_state(plan: Plan) -> EvidenceState:
    """Return the state before any bucket: every process has wealth 1."""
    numbers = np.full((*plan.shares.shape, int(plan.grids.max())), -np.inf)
    for row, (gate, process) in enumerate(plan.rows):
        numbers[row, : gate.copies(process), : gate.alternatives] = 0.0
    return EvidenceState(tuple(_open_gate(gate) for gate in plan.gates), wealth_of(numbers))


def clear_ratio_alarm(state: EvidenceState) -> EvidenceState:
    """Return the state after an operator's signed clearing of the sample-ratio alarm."""
    return replace(state, ratio=ShareState(), is_split_alarmed=False)


def plain(value: object) -> Json:
    """Return nested dataclasses and tuples as JSON; integers that a double would round become text."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Values | Events | Wealth | Nuisance):
        return value.document()
    if isinstance(value, tuple):
        if {*map(type, value)} <= _PLAIN:
            return value
        return [plain(item) for item in value]
    slots = getattr(type(value), "__dataclass_fields__", {})
    parts = [(name, getattr(value, name)) for name in slots]
    return {name: part if type(part) in _PLAIN else plain(part) for name, part in parts}


_PLAIN = frozenset({int, float, str, bool, type(None)})


def _both(left: Tally | None, right: Tally | None) -> Tally | None:
    if isinstance(left, Events) and isinstance(right, Events):
        return left + right
    if isinstance(left, Values) and isinstance(right, Values):
        return left + right
    return left if right is None else right


def _open_gate(plan: GatePlan) -> GateState:
    zeros = (0.0,) * len(plan.processes)
    return GateState(zeros, zeros)
