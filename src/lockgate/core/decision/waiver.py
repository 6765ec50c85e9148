# SPDX-License-Identifier: Apache-2.0
"""A rollout and what pauses it come in; the waiver by which an operator let that pass goes out, and the words for it.

A waiver is of the step at which it was given, and of the harm that was seen: where the evidence of harm has grown since
by as much again as shows harm, that is new harm, and pauses again. By Ville's inequality for evidence that begins at
the waiver, a harmless candidate is paused again with the gate's share of alpha at most.
"""

from __future__ import annotations

from lockgate.core.decision.decision import Cause
from lockgate.core.finding import Finding, Outcome
from lockgate.core.rollout import Rollout, Waiver
from lockgate.core.verdict.verdict import Verdict


def waiver_name(cause: Cause, what: str | int) -> str:
    """Return how `Rollout.waived` names what pauses beside a gate: a rule by its id, a deadline by its step."""
    return f"{cause.value}:{what}"


def waiver_of(rollout: Rollout, finding: Finding) -> Waiver | None:
    """Return the waiver that lets a gate's breach pass; None where there is none, or harm has outgrown it."""
    waiver, evidence = rollout.waiver(finding.gate), finding.evidence
    if waiver is None or evidence is None or finding.outcome is not Outcome.REGRESSED:
        return waiver
    return waiver if evidence.harm_level < (waiver.harm or 0.0) + evidence.harm_threshold else None


def let_pass(rollout: Rollout, verdict: Verdict) -> tuple[tuple[Finding, Waiver], ...]:
    """Return the breaches that stand and were let pass, each with its waiver."""
    regressed = (finding for finding in verdict.findings if finding.outcome is Outcome.REGRESSED)
    found = ((finding, waiver_of(rollout, finding)) for finding in regressed)
    return tuple((finding, waiver) for finding, waiver in found if waiver is not None)


def waiver_words(finding: Finding, waiver: Waiver) -> str:
    """Return that a breach was let pass, when, and what the breach is."""
    return (
        f"the breach of {finding.gate} was let pass at revision {waiver.revision} ({waiver.reason}): {finding.reason}"
    )


def outgrown(rollout: Rollout, finding: Finding) -> str:
    """Return in words that harm has outgrown its waiver; nothing where there is none."""
    waiver = rollout.waiver(finding.gate)
    if waiver is None:
        return ""
    return f", by as much evidence again as when it was let pass at revision {waiver.revision}"
