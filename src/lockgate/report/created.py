# SPDX-License-Identifier: Apache-2.0
"""A created rollout comes in; what its owner should have read before relying on it goes out."""

from __future__ import annotations

from lockgate.core.canonical import Json
from lockgate.core.foresight import Foresight
from lockgate.core.instant import HOUR, Instant
from lockgate.core.policy.promise import promises
from lockgate.core.rollout import Rollout
from lockgate.operations.asking.earlier import Earlier
from lockgate.operations.create import Created
from lockgate.report import number
from lockgate.report.foreseen import foreseen_document, foreseen_sentences
from lockgate.report.rollout_document import rollout_document
from lockgate.report.screen import Screen
from lockgate.report.standing import standing
from lockgate.report.text import NO_BREAK, short_name, wrap

MARGIN = "  "


def created_document(created: Created, foresight: Foresight) -> dict[str, Json]:
    """Return a rollout with its effective policy and what that promises, in words and in numbers."""
    return {
        **rollout_document(created.rollout),
        "existing": created.is_existing,
        "policy": created.policy.document(),
        "promises": [*promises(created.policy), *foreseen_sentences(created.policy, foresight)],
        "foreseen": foreseen_document(created.policy, foresight),
        "warnings": list(created.warnings),
        "unmet": list(created.unmet),
    }


def render_created(created: Created, foresight: Foresight, screen: Screen, *, is_rehearsal: bool = False) -> str:
    """Return the rollout's id first, then its ramp, and what its policy promises; of a rehearsal what would be."""
    rollout, policy = created.rollout, created.policy
    ramp = ", ".join(step.label() for step in policy.steps)
    there = "has all traffic already" if rollout.is_terminal else "is on trial already"
    begins = "would go on trial, and nothing was stored" if is_rehearsal else "goes on trial"
    what = there if created.is_existing else begins
    is_meant = is_rehearsal and not created.is_existing
    stands = standing(rollout, is_meant=is_meant)
    lines = [f"{screen.paint(rollout.id, 'bold')} {what}.", *_wrapped(stands, screen, "")]
    each = " at each step" if len(policy.steps) > 1 else ""
    attempt = f"; attempt {rollout.attempt} of this candidate" if rollout.attempt > 1 else ""
    lines += _wrapped(f"Ramp: {ramp}; at least {policy.min_runs:,} fresh runs{each}{attempt}.", screen, "")
    lines += ["", "What is promised:"]
    for sentence in (*promises(policy), *foreseen_sentences(policy, foresight)):
        lines += _wrapped(sentence, screen, MARGIN)
    lines += [f"{MARGIN}{screen.paint(policy.digest(), 'dim')}", "", _next(rollout, is_meant=is_meant)]
    return "\n".join(lines).replace(NO_BREAK, " ") + "\n"


def _next(rollout: Rollout, *, is_meant: bool) -> str:
    return "Next: the same call without --dry-run" if is_meant else f"Next: lockgate watch --id {rollout.id}"


def unread(found: Earlier, now: Instant) -> tuple[str, dict[str, str]]:
    """Return that runs are there which a rollout does not read, and what `create` has to be told to read them."""
    runs = " and ".join(f"{runs:,} of {short_name(name)}" for name, runs in found.runs.items())
    hours = max(1, -(-(now - found.since) // HOUR))
    return f"runs are there already, {runs}, and are not read", {"since": f"{hours}h"}


def _wrapped(sentence: str, screen: Screen, margin: str) -> list[str]:
    said = wrap(screen.text(number.write_sentence(sentence)), max(60, screen.width) - 2 * len(margin))
    return [f"{margin if not index else 2 * margin}{line}" for index, line in enumerate(said)]
