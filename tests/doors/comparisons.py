# SPDX-License-Identifier: Apache-2.0
"""A few words come in; finished comparisons, made by hand, go out for the renderers' tests."""

from __future__ import annotations

from dataclasses import replace

from lockgate.core.bucket import Bucket
from lockgate.core.comparison import Comparison
from lockgate.core.finding import Difference, Finding, Outcome, Reading
from lockgate.core.metric import parse_metric
from lockgate.core.policy.gate import NO_TOLERANCE, Gate, Margin, default_detect
from lockgate.core.policy.policy import Policy
from tests.tallied import values_of

# What a release may be called by somebody who means harm: markup, a mention, table and terminal commands.
HOSTILE = (
    "x|`<script>alert(1)</script>@octocat *b* [l](javascript:1) \x1b[31m\n\u202e#1 ${{7*7}} {{7*7}} http://evil.example"
)


def finding(
    metric: str, outcome: str, baseline: Reading, candidate: Reading, interval: tuple[float, float] | None
) -> Finding:
    """Return a finding whose difference is that of its two readings."""
    difference = None
    if interval is not None and baseline.value is not None and candidate.value is not None:
        difference = Difference(candidate.value - baseline.value, *interval, 0.95, "newcombe")
    return Finding(
        gate=metric,
        metric=parse_metric(metric),
        outcome=Outcome(outcome),
        reason=f"the reason of {metric}",
        baseline=baseline,
        candidate=candidate,
        difference=difference,
    )


def gate(metric: str, tolerance: Margin = NO_TOLERANCE, margin: Margin | None = None) -> Gate:
    """Return a gate with the default bound for clean."""
    parsed = parse_metric(metric)
    detect = default_detect(parsed)
    return Gate(id=metric, metric=parsed, share=0.5, min_runs=30, tolerance=tolerance, detect=detect, margin=margin)


REGRESSED = finding("error_rate", "regressed", Reading(0.02, 5012), Reading(0.041, 4987), (0.0142, 0.0279))
CLEAN = finding("latency_ms:p95", "clean", Reading(812.0, 5012), Reading(830.0, 4987), (-12.0, 48.0))
INSUFFICIENT = finding("scores.groundedness", "insufficient", Reading(0.83, 400), Reading(0.81, 380), (-0.07, 0.03))
UNAVAILABLE = finding("scores.safe:pass", "unavailable", Reading(None, 0), Reading(0.99, 380), None)
SHOWN = finding("latency_ms:p50", "not_applicable", Reading(212.0, 5012), Reading(214.0, 4987), (-3.0, 7.0))
GATES = (
    gate("error_rate"),
    gate("latency_ms:p95", tolerance=Margin(0.05)),
    gate("scores.groundedness", margin=Margin(0.0, 0.05)),
    gate("scores.safe:pass"),
)


def bucket(slower: float = 1.0) -> Bucket:
    """Return the tallies of a release whose runs took from 20 ms to 2 s."""
    latencies = [slower * 20.0 * 1.1**step for step in range(48) for _ in range(1 + step % 7)]
    return Bucket(len(latencies), {"ok": len(latencies)}, {}, {"latency_ms": values_of(latencies)})


def comparison(*findings: Finding, baseline: str = "v36", candidate: str = "abc123") -> Comparison:
    """Return a comparison of two releases that has these gates' findings."""
    return Comparison(
        baseline=baseline,
        candidate=candidate,
        gates=findings or (REGRESSED, CLEAN, INSUFFICIENT, UNAVAILABLE),
        shown=(SHOWN,),
        sizes={baseline: 5012, candidate: 4987},
        policy=Policy(gates=GATES, steps=()),
        buckets=(bucket(), bucket(slower=1.2)),
        notes=("2 runs came twice; the first of each was kept.",),
    )


def judged_one_by_one(level: float) -> Comparison:
    """Return a comparison whose gates were each judged at a level of their own."""
    return replace(comparison(), per_gate_level=level)
