# SPDX-License-Identifier: Apache-2.0
"""Gates and what was read come in; what they name and no run of either release carries goes out, with near names."""

from __future__ import annotations

from collections.abc import Iterable

from lockgate.core.bucket import Bucket
from lockgate.core.declaration.nearest import suggestion
from lockgate.core.intake import Intake
from lockgate.core.metric import SCORE_PREFIX, SHARES, Kind, Metric
from lockgate.core.policy.gate import Gate

STATUS, SCORES = "status", "scores"
# More names than this are not listed.
MAX_LISTED = 20


def unknowns(intake: Intake, gates: Iterable[Gate], arms: tuple[Bucket, Bucket]) -> tuple[str, ...]:
    """Return a sentence for each metric and each label that a gate names and that neither release carries."""
    said = []
    for gate in gates:
        if not any(carries(bucket, gate.metric) for bucket in arms):
            said.append(_unknown_metric(gate.metric, arms, intake))
        said += [
            f"no run has a label {label}{suggestion(label, intake.labels)}"
            for label, _ in gate.slice
            if label not in intake.labels
        ]
    return tuple(dict.fromkeys(said))


def carries(bucket: Bucket, metric: Metric) -> bool:
    """Say whether any run of a release says what a metric reads; a cancelled run does say its status."""
    if metric.field in SHARES:
        return bool(bucket.events.get(metric.field) if metric.field == "pass_rate" else bucket.statuses)
    return metric.field in (bucket.events if metric.kind is Kind.BINARY else bucket.values)


def carried_text(arms: tuple[Bucket, Bucket]) -> str:
    """Return a sentence that lists what the runs of both releases carry."""
    names = sorted({name for bucket in arms for name in bucket.values})
    known = [*([STATUS] if any(bucket.statuses for bucket in arms) else []), *names]
    more = f" and {len(known) - MAX_LISTED} more" if len(known) > MAX_LISTED else ""
    return f"The runs carry {', '.join(known[:MAX_LISTED])}{more}." if known else "The runs carry nothing to measure."


def run_field(metric: Metric) -> str:
    """Return the field of a run that a metric reads: status, scores, or one of its own."""
    if metric.field == "pass_rate" or metric.is_score:
        return SCORES
    return STATUS if metric.field in SHARES else metric.field


def stranger_text(name: str, meant: str) -> str:
    """Return the question about a field that looks like one that is read."""
    return f"field `{name}` is not read; is it meant to be {meant}?"


def _unknown_metric(metric: Metric, arms: tuple[Bucket, Bucket], intake: Intake) -> str:
    if metric.is_score:
        scores = {name for bucket in arms for name in bucket.values if name.startswith(SCORE_PREFIX)}
        if metric.kind is Kind.BINARY and metric.field in scores:
            return f"no run carries {metric.field} as true or false, which {metric.name} counts"
        return f"no run carries {metric.field}{suggestion(metric.field, scores)}"
    field = run_field(metric)
    what = "a score that is true or false" if field == SCORES else field
    near = next((stranger_text(name, meant) for name, meant in intake.strangers.items() if meant == field), "")
    return f"no run carries {what}, which {metric.name} reads" + (f"; {near}" if near else "")
