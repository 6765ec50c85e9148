# SPDX-License-Identifier: Apache-2.0
"""A created rollout comes in; what its owner should have read before relying on it goes out."""

from __future__ import annotations

from lockgate.core.canonical import Json
from lockgate.core.foresight import Foresight
from lockgate.core.instant import HOUR, Instant
from lockgate.core.policy.promise import promises
from lockgate.operations.create import Created
from lockgate.operations.earlier import Earlier
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
    }


def render_created(created: Created, foresight: Foresight, screen: Screen) -> str:
    """Return the rollout's id first, then its ramp, and what its policy promises."""
    rollout, policy = created.rollout, created.policy
    ramp = ", ".join(step.label() for step in policy.steps)
    there = "has all traffic already" if rollout.is_terminal else "is on trial already"
    what = there if created.is_existing else "goes on trial"
    lines = [f"{screen.paint(rollout.id, 'bold')} {what}.", *_wrapped(standing(rollout), screen, "")]
    attempt = f"; attempt {rollout.attempt} of this candidate" if rollout.attempt > 1 else ""
    lines += _wrapped(f"Ramp: {ramp}; at least {policy.min_runs:,} fresh runs at each step{attempt}.", screen, "")
    lines += ["", "What is promised:"]
    for sentence in (*promises(policy), *foreseen_sentences(policy, foresight)):
        lines += _wrapped(sentence, screen, MARGIN)
    lines += [f"{MARGIN}{screen.paint(policy.digest(), 'dim')}", "", f"Next: lockgate watch --id {rollout.id}"]
    return "\n".join(lines).replace(NO_BREAK, " ") + "\n"


def unread(found: Earlier, now: Instant) -> str:
    """Return that runs are there which a rollout does not read, and how it would."""
    runs = " and ".join(f"{runs:,} of {short_name(name)}" for name, runs in found.runs.items())
    hours = max(1, -(-(now - found.since) // HOUR))
    return f"runs are there already, {runs}, and are not read; `create --since {hours}h` reads them"


def _wrapped(sentence: str, screen: Screen, margin: str) -> list[str]:
    said = wrap(screen.text(number.write_sentence(sentence)), max(60, screen.width) - 2 * len(margin))
    return [f"{margin if not index else 2 * margin}{line}" for index, line in enumerate(said)]
