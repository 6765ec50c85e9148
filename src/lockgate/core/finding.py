# SPDX-License-Identifier: Apache-2.0
"""What one gate says: its outcome, the numbers behind it, and the reason in words."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from lockgate.core.canonical import Json
from lockgate.core.metric import Metric
from lockgate.core.policy.gate import Breach


class Outcome(StrEnum):
    """What a gate, or a verdict, says."""

    REGRESSED = "regressed"
    UNAVAILABLE = "unavailable"
    INSUFFICIENT = "insufficient"
    CLEAN = "clean"
    PROVEN = "proven"
    NOT_APPLICABLE = "not_applicable"


# Worst first; `not_applicable` does not count.
PRECEDENCE = (Outcome.REGRESSED, Outcome.UNAVAILABLE, Outcome.INSUFFICIENT, Outcome.CLEAN, Outcome.PROVEN)


def worst(outcomes: tuple[Outcome, ...]) -> Outcome:
    """Return the worst outcome that counts; with none that counts, `not_applicable`."""
    return next((outcome for outcome in PRECEDENCE if outcome in outcomes), Outcome.NOT_APPLICABLE)


@dataclass(frozen=True, slots=True)
class Reading:
    """A metric's value in one arm and how many runs (or pairs) it rests on."""

    value: float | None
    n: int

    def document(self) -> dict[str, Json]:
        """Return the JSON form."""
        return {"value": self.value, "n": self.n}


@dataclass(frozen=True, slots=True)
class Difference:
    """Candidate minus baseline with a fixed-sample interval; for display, never for a sequential decision."""

    estimate: float
    low: float
    high: float
    level: float
    method: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """Log-evidence of the gate's processes, the height each must reach, and how many runs it judged at this step.

    `harm` is the highest that it ever was, which decides, and `harm_level` where it stands now.
    `judged_runs` are the candidate's, or pairs; `judged_baseline_runs` is None where no runs of a baseline are judged.
    """

    harm: float
    harm_level: float
    harm_threshold: float
    clean: float | None
    proven: float | None
    promote_threshold: float
    projected_runs: int | None
    judged_runs: int
    judged_baseline_runs: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one gate says about one rollout, or one comparison.

    `overall` are both readings of all steps, where the reason tells of those because the step has no numbers.
    `breach`, `is_objective` and `is_critical` repeat what the gate declared, for the decision that follows.
    """

    gate: str
    metric: Metric
    outcome: Outcome
    reason: str
    baseline: Reading
    candidate: Reading
    difference: Difference | None = None
    evidence: Evidence | None = None
    overall: tuple[Reading, Reading] | None = None
    breach: Breach = Breach.ROLLBACK
    is_objective: bool = False
    is_critical: bool = False

    def document(self) -> dict[str, Json]:
        """Return the JSON form of receipts and answers."""
        document: dict[str, Json] = {
            "gate": self.gate,
            "metric": self.metric.name,
            "outcome": self.outcome.value,
            "reason": self.reason,
            "baseline": self.baseline.document(),
            "candidate": self.candidate.document(),
        }
        if self.overall is not None:
            baseline, candidate = self.overall
            document["overall"] = {"baseline": baseline.document(), "candidate": candidate.document()}
        for name in ("difference", "evidence"):
            part = getattr(self, name)
            if part is not None:
                document[name] = {key: _finite(getattr(part, key)) for key in part.__dataclass_fields__}
        return document


def _finite(value: Json) -> Json:
    """Return null for a limit that bounds nothing, because JSON has no infinity."""
    return None if isinstance(value, float) and not math.isfinite(value) else value
