# SPDX-License-Identifier: Apache-2.0
"""A rollout comes in; the words for where it stands and what is live go out."""

from __future__ import annotations

from lockgate.core.decision.decision import Decision
from lockgate.core.policy.policy import Mode
from lockgate.core.rollout import Rollout, Status
from lockgate.core.wording import duration_words
from lockgate.report.text import short_name

TONES = {
    Status.ACTIVE: "cyan",
    Status.PAUSED: "yellow",
    Status.PROMOTED: "green",
    Status.ROLLED_BACK: "red",
    Status.CANCELLED: "magenta",
}


def status_words(rollout: Rollout) -> str:
    """Return a rollout's status as people write it."""
    return rollout.status.value.replace("_", " ")


def weight_words(rollout: Rollout) -> str:
    """Return how much traffic a rollout gives its candidate, or would give it in shadow mode."""
    return f"{'would ' if rollout.mode is Mode.SHADOW else ''}{rollout.weight:g} %"


def standing(rollout: Rollout, *, is_meant: bool = False) -> str:
    """Return where a rollout stands, or would if it was begun, in one sentence."""
    candidate, baseline = short_name(rollout.candidate), short_name(rollout.baseline)
    app = short_name(rollout.app)
    is_shadow = rollout.mode is Mode.SHADOW
    match rollout.status:
        case Status.PROMOTED if is_shadow:
            return f"{candidate} would have taken over {app} from {baseline}; nothing was moved."
        case Status.PROMOTED:
            return f"{candidate} has taken over {app} from {baseline}."
        case Status.ROLLED_BACK if is_shadow:
            return f"{candidate} would have been rolled back to {baseline} in {app}; nothing was moved."
        case Status.ROLLED_BACK:
            # Of a rollout that was promoted it is not the baseline that gets the traffic: the receipt says which.
            return f"{candidate} was rolled back in {app}."
        case Status.CANCELLED:
            return f"the trial of {candidate} against {baseline} in {app} was cancelled."
    would = "would serve" if is_shadow or is_meant else "serves"
    return f"{candidate} {would} {rollout.weight:g} % of {app} beside {baseline}."


def late(rollout: Rollout, decision: Decision, waited_s: int) -> str:
    """Return that the time is over, which weight is live, and what the rollout waits for."""
    app, candidate = short_name(rollout.app), short_name(rollout.candidate)
    live = f"{rollout.exposed_weight:g} % of the traffic of {app} is still live on {candidate}"
    if rollout.mode is Mode.SHADOW:
        live = f"no traffic of {app} was moved to {candidate}, because it is in shadow mode"
    return f"timed out after {duration_words(waited_s)}: {live}; {decision.action.value}: {decision.reason}"
