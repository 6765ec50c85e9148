# SPDX-License-Identifier: Apache-2.0
"""What each gate says of two sets of runs comes in; one value with everything that a reader needs goes out.

Nothing here is computed: `operations/asking/compare.py` fills it, `report` renders it, and `document` is its published
JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lockgate.core.bucket import Bucket
from lockgate.core.canonical import Json
from lockgate.core.finding import Finding, Outcome, worst
from lockgate.core.instant import Instant, instant_text
from lockgate.core.policy.policy import Policy
from lockgate.core.wording import count_text

# Of the JSON form; a reader may rely on every field of a format that it knows.
FORMAT = "lockgate.compare/v1"
SHOWN_LEVEL = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """Which stored buckets were read: how many of an app, from when to when, and how many may still grow."""

    app: str
    buckets: int
    first: Instant | None
    last: Instant | None
    unsealed: int = 0

    def document(self) -> dict[str, Json]:
        """Return the JSON form."""
        return {
            "app": self.app,
            "buckets": self.buckets,
            "from": None if self.first is None else instant_text(self.first),
            "to": None if self.last is None else instant_text(self.last),
            "unsealed": self.unsealed,
        }

    def sentence(self) -> str:
        """Return what was read, in words."""
        if self.first is None or self.last is None:
            return f"no bucket of {self.app} was read"
        grows = f"; {self.unsealed:,} of them may still grow" if self.unsealed else ""
        span = f"of runs from {instant_text(self.first)} to {instant_text(self.last)}"
        return f"read {count_text(self.buckets, 'stored bucket')} of {self.app}, {span}{grows}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One look at the runs of two releases, or at those of one against fixed limits: then `baseline` is None.

    `gates` decide the outcome, `shown` do not. `sizes` counts each release's runs, `releases` those of every release
    that were read. `level` is that of the intervals shown; `verdict_levels` are those that the gates were judged at,
    by gate id: the policy's alpha shared over all gates, or `per_gate_level` for each. `buckets` are the tallies of
    baseline and candidate; `stored` says which buckets of a store they were, if any. `notes` are sentences about the
    data.
    """

    baseline: str | None
    candidate: str
    gates: tuple[Finding, ...]
    shown: tuple[Finding, ...] = ()
    sizes: Mapping[str, int]
    policy: Policy
    level: float = SHOWN_LEVEL
    alpha: float = 0.05
    per_gate_level: float | None = None
    verdict_levels: Mapping[str, float] = field(default_factory=dict)
    buckets: tuple[Bucket, Bucket] = (Bucket(), Bucket())
    duplicates: int = 0
    releases: Mapping[str, int] = field(default_factory=dict)
    files: tuple[str, ...] = ()
    stored: Stored | None = None
    notes: tuple[str, ...] = ()

    @property
    def is_by_limits(self) -> bool:
        """Say whether every gate is an objective, so that nothing is judged against the baseline."""
        return all(gate.is_objective for gate in self.policy.gates)

    @property
    def outcome(self) -> Outcome:
        """Return the worst outcome of all gates."""
        return worst(tuple(finding.outcome for finding in self.gates))

    def document(self) -> dict[str, Json]:
        """Return the JSON form; `comparison_schema.py` describes it."""
        return {
            "format": FORMAT,
            "outcome": self.outcome.value,
            "baseline": self.baseline,
            "candidate": self.candidate,
            "gates": [self._gate(finding) for finding in self.gates],
            "shown": [finding.document() for finding in self.shown],
            "sizes": dict(self.sizes),
            "level": self.level,
            "alpha": self.alpha,
            "per_gate_level": self.per_gate_level,
            "duplicates": self.duplicates,
            "releases": dict(self.releases),
            "files": list(self.files),
            "stored": None if self.stored is None else self.stored.document(),
            "notes": list(self.notes),
            "policy": self.policy.document(),
            "policy_digest": self.policy.digest(),
        }

    def _gate(self, finding: Finding) -> dict[str, Json]:
        return {**finding.document(), "verdict_level": self.verdict_levels.get(finding.gate, self.level)}
