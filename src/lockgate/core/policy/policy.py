# SPDX-License-Identifier: Apache-2.0
"""Gates, steps, rules and modes come in as one immutable value; its effective document and digest go out."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from lockgate.core.canonical import Json, WrittenOnce
from lockgate.core.policy.document import gate_document, rules_document, step_document
from lockgate.core.policy.duration import duration_text
from lockgate.core.policy.gate import Gate
from lockgate.core.policy.rule import Rules
from lockgate.core.policy.step import Step, StepKind


class Mode(StrEnum):
    """Whether a rollout acts or only advises."""

    SHADOW = "shadow"
    CANARY = "canary"


class Promote(StrEnum):
    """What a gate must have shown before a step is left."""

    CLEAN = "clean"
    PROVEN = "proven"


class Inference(StrEnum):
    """Whether the promised error rate holds over all looks, or at one look only."""

    SEQUENTIAL = "sequential"
    FIXED = "fixed"


# Of alpha, when a policy has offline steps: one look at a whole cohort needs less of it than a rollout.
OFFLINE_PART = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy(WrittenOnce):
    """What the owner declared; immutable for the whole rollout, because tuning while looking breaks the promise."""

    app: str | None = None
    mode: Mode = Mode.SHADOW
    promote: Promote = Promote.CLEAN
    inference: Inference = Inference.SEQUENTIAL
    alpha: float = 0.05
    alpha_promote: float = 0.05
    alpha_ratio: float = 0.001
    min_runs: int = 30
    bucket_s: int = 60
    bucket_runs: int | None = None
    unit: str | None = None
    require_pairwise: bool = False
    enforce_weight: bool = False
    max_stale_s: int = 900
    gates: tuple[Gate, ...]
    steps: tuple[Step, ...]
    rules: Rules = field(default_factory=Rules)

    def document(self) -> dict[str, Json]:
        """Return the effective policy, every default spelled out: a legal declaration of this very policy."""
        every = tuple(gate.id for gate in self.gates)
        at = [tuple(gate.id for gate in self.gates_at(step)) for step in range(len(self.steps))]
        return {
            "app": self.app,
            "mode": self.mode.value,
            "promote": self.promote.value,
            "inference": self.inference.value,
            "alpha": self.alpha,
            "alpha_promote": self.alpha_promote,
            "alpha_ratio": self.alpha_ratio,
            "min_runs": self.min_runs,
            "bucket": duration_text(self.bucket_s),
            "bucket_runs": self.bucket_runs,
            "unit": self.unit,
            "require_pairwise": self.require_pairwise,
            "enforce_weight": self.enforce_weight,
            "max_stale": duration_text(self.max_stale_s),
            "gates": [gate_document(gate) for gate in self.gates],
            "steps": [
                step_document(step, None if ids == every else ids) for step, ids in zip(self.steps, at, strict=True)
            ],
            **rules_document(self.rules),
        }

    @property
    def offline_alpha(self) -> float:
        """Return the part of alpha that the one look of each offline step may spend."""
        return OFFLINE_PART * self.alpha / self._offline_steps if self._offline_steps else 0.0

    @property
    def sequential_alpha(self) -> float:
        """Return the part of alpha that all looks of all other steps may spend together."""
        return (1.0 - OFFLINE_PART) * self.alpha if self._offline_steps else self.alpha

    @property
    def _offline_steps(self) -> int:
        return sum(step.kind is StepKind.OFFLINE for step in self.steps)

    @property
    def max_reductions(self) -> int:
        """Return how often exposure may step back before a further breach rolls back."""
        return max((rule.max_reductions for rule in self.rules.sustained), default=1)

    def gates_at(self, step: int) -> tuple[Gate, ...]:
        """Return the gates that apply at a step."""
        return tuple(gate for gate in self.gates if gate.steps is None or step in gate.steps)

    def is_met(self, step: int) -> bool:
        """Say whether users meet the candidate's answers at a step."""
        return self.mode is Mode.CANARY and self.steps[step].is_exposed

    @property
    def is_judged(self) -> bool:
        """Say whether any gate can speak at any step: beside a baseline, or by a fixed limit."""
        last = len(self.steps) - 1
        stood_at = last if last > 0 and self.steps[last].ends_on_arrival else last + 1
        return any(
            gate.is_objective or step.has_concurrent_baseline
            for index, step in enumerate(self.steps[:stood_at])
            for gate in self.gates_at(index)
        )

    def next_share(self, step: int) -> float:
        """Return the part of traffic that leaving this step would expose; the last step leads to all of it."""
        return self.steps[step + 1].share if step + 1 < len(self.steps) else 1.0
