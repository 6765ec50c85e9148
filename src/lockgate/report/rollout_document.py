# SPDX-License-Identifier: Apache-2.0
"""A rollout, and what is known of it, comes in; the JSON documents that programs read go out.

Times are RFC 3339; every document of one rollout has its `id` at the top.
"""

from __future__ import annotations

from lockgate.core.canonical import Json
from lockgate.core.decision.decision import Decision
from lockgate.core.instant import instant_text
from lockgate.core.policy.policy import Mode
from lockgate.core.rollout import Rollout
from lockgate.core.vault import Receipt
from lockgate.core.verdict.verdict import Verdict
from lockgate.operations.asking.queries import Explanation
from lockgate.report.decided import actor_of, actor_words
from lockgate.report.listing import Change

TIMES = ("created_at", "step_entered_at")


def rollout_document(rollout: Rollout) -> dict[str, Json]:
    """Return a rollout."""
    document = rollout.document()
    times: dict[str, Json] = {name: instant_text(getattr(rollout, name)) for name in TIMES}
    return {
        **document,
        **times,
        "exposed_weight": rollout.exposed_weight,
        "would_be_weight": rollout.would_be_weight,
        "terminal": rollout.is_terminal,
    }


def turn_document(rollout: Rollout, decision: Decision, verdict: Verdict, receipt: int) -> dict[str, Json]:
    """Return what one turn of the loop came to."""
    return {
        **rollout_document(rollout),
        "decision": decision.document(),
        "verdict": verdict.document(),
        "receipt": receipt,
    }


def explanation_document(said: Explanation) -> dict[str, Json]:
    """Return a rollout with what a tick would decide at this moment."""
    return {
        **turn_document(said.rollout, said.decision, said.verdict, said.trial.chain.seq),
        "steps": [step.label() for step in said.policy.steps],
        "fresh_runs": said.fresh_runs,
        "min_runs": said.rollout.at(said.policy).min_runs,
        "runs_per_hour": said.runs_per_hour,
        "seconds_left": {finding.gate: said.seconds_left(finding) for finding in said.verdict.findings},
        "seals_at": None if said.seals_at is None else instant_text(said.seals_at),
        "overdue": said.overdue,
        "left_out": dict(said.left_out),
    }


def verdict_document(said: Explanation) -> dict[str, Json]:
    """Return the verdict with what whoever polls may act on.

    `weight` is here what to set, which of a shadow rollout is nothing: no field at the top exposes what is only advice.
    """
    rollout = said.rollout
    return {
        "id": rollout.id,
        "mode": rollout.mode.value,
        "advisory": rollout.mode is Mode.SHADOW,
        "status": rollout.status.value,
        "terminal": rollout.is_terminal,
        "step": rollout.step,
        "weight": rollout.exposed_weight,
        "exposed_weight": rollout.exposed_weight,
        "would_be_weight": rollout.would_be_weight,
        "revision": rollout.revision,
        "verdict": said.verdict.document(),
        "decision": said.decision.document(),
    }


def change_document(change: Change) -> dict[str, Json]:
    """Return what was decided of a rollout, or holds it."""
    return {
        **rollout_document(change.rollout),
        "at": instant_text(change.at),
        "action": change.action,
        "cause": change.cause,
        "reason": change.reason,
    }


def receipt_document(receipt: Receipt) -> dict[str, Json]:
    """Return what a receipt is found by, and who decided."""
    actor = actor_of(receipt)
    return {
        "seq": receipt.seq,
        "receipt_id": receipt.id,
        "action": receipt.action,
        "cause": receipt.cause,
        "revision": receipt.revision,
        "at": instant_text(receipt.at),
        "by": actor_words(actor),
        "actor": actor,
        "log_index": receipt.index,
        "digest": receipt.digest,
    }
