# SPDX-License-Identifier: Apache-2.0
"""What became of an operator's request comes in; the lines of a terminal and the documents of programs go out."""

from __future__ import annotations

from collections.abc import Sequence

from lockgate.core.canonical import Json
from lockgate.core.policy.policy import Mode
from lockgate.core.rollout import Rollout, Status
from lockgate.operations.steering.intervention import Answer
from lockgate.operations.steering.kill import Plan
from lockgate.operations.vault.app_series import AppStanding
from lockgate.report import number
from lockgate.report.rollout_document import rollout_document
from lockgate.report.screen import Screen
from lockgate.report.standing import TONES, standing, status_words


def answered_document(given: Answer) -> dict[str, Json]:
    """Return a rollout as it stands after a request."""
    return {**rollout_document(given.rollout), "receipt": given.receipt}


def app_document(given: AppStanding) -> dict[str, Json]:
    """Return an app as it stands after a request."""
    app = given.app
    return {
        "app": app.name,
        "version": given.version,
        "id": given.series,
        "champion": app.champion,
        "former_champion": app.former_champion,
        "frozen": app.frozen,
        "killed": app.is_killed,
        "receipt": given.receipt,
    }


def render_answered(given: Answer, screen: Screen) -> str:
    """Return where a rollout stands after a request, and by which receipt."""
    rollout, step = given.rollout, given.rollout.at(given.policy)
    status = screen.paint(status_words(rollout), TONES[rollout.status])
    at = "ended at step" if rollout.is_terminal else "step"
    where = f"{at} {rollout.step} ({step.label()}), revision {rollout.revision}, receipt {given.receipt}"
    lines = [f"{rollout.id}  {status}  {screen.text(standing(rollout))}"]
    if rollout.status is Status.PAUSED:
        lines.append(f"  paused: {screen.text(number.write_sentence(rollout.pause_reason))}")
    if not rollout.is_terminal and rollout.approved_step == rollout.step:
        lines.append("  leaving this step is approved")
    return "\n".join([*lines, f"  {screen.text(where)}"]) + "\n"


def plan_text(plans: Sequence[Plan]) -> str:
    """Return what a kill would do to each app, a line each."""
    return "".join(f"{plan.app.name}: {', '.join([*map(_way_back, plan.hit), 'frozen'])}\n" for plan in plans)


def _way_back(rollout: Rollout) -> str:
    if rollout.mode is Mode.SHADOW:
        return f"the shadow trial of {rollout.candidate} ends"
    whose = "champion " if rollout.is_terminal else ""
    return f"the traffic of {whose}{rollout.candidate} goes back"


def render_app(given: AppStanding, screen: Screen) -> str:
    """Return where an app stands after a request, and by which receipt of its own series."""
    app, receipt = given.app, f"receipt {given.receipt} of {given.series}"
    word = "killed, and frozen" if app.is_killed else "frozen"
    said = "not frozen" if app.frozen is None else f"{word}: {number.write_sentence(app.frozen)}"
    traffic = "no champion yet" if app.champion is None else f"champion {app.champion}"
    return f"{screen.text(app.name)}  {screen.text(said)}\n  {screen.text(traffic)}, {receipt}\n"
