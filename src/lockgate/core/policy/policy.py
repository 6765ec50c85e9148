# SPDX-License-Identifier: Apache-2.0
"""Gates, steps, rules and modes come in as one immutable value; its effective document and digest go out."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, is_dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, cast

from lockgate.core.canonical import Json, digest
from lockgate.core.metric import Metric
from lockgate.core.policy.gate import Gate
from lockgate.core.policy.rule import Rules
from lockgate.core.policy.step import Step

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
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
    unit: str | None = None
    require_pairwise: bool = False
    enforce_weight: bool = False
    max_stale_s: int = 900
    gates: tuple[Gate, ...]
    steps: tuple[Step, ...]
    rules: Rules = field(default_factory=Rules)

    def document(self) -> dict[str, Json]:
        """Return the effective policy, every default spelled out."""
        return cast("dict[str, Json]", _document(self))

    def digest(self) -> str:
        """Return the digest that rollouts and receipts bind."""
        return digest(self.document())

    @property
    def max_reductions(self) -> int:
        """Return how often exposure may step back before a further breach rolls back."""
        return max((rule.max_reductions for rule in self.rules.sustained), default=1)

    def gates_at(self, step: int) -> tuple[Gate, ...]:
        """Return the gates that apply at a step."""
        return tuple(gate for gate in self.gates if gate.steps is None or step in gate.steps)

    def next_share(self, step: int) -> float:
        """Return the part of traffic that leaving this step would expose; the last step leads to all of it."""
        return self.steps[step + 1].share if step + 1 < len(self.steps) else 1.0


def _document(value: object) -> Json:
    if isinstance(value, Metric):
        return {"name": value.name, "kind": value.kind.value, "worse": value.worse.value}
    if isinstance(value, Gate):
        return {**_fields(value), "slice": dict(value.slice)}
    if is_dataclass(value) and not isinstance(value, type):
        return _fields(value)
    if isinstance(value, tuple):
        return [_document(item) for item in value]
    if isinstance(value, StrEnum):
        return value.value
    return cast("Json", value)


def _fields(value: DataclassInstance) -> dict[str, Json]:
    return {item.name: _document(getattr(value, item.name)) for item in fields(value)}
