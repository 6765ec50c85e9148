# SPDX-License-Identifier: Apache-2.0
"""A transition and its receipt come in; the messages that must reach somebody go out, their bytes fixed for good."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lockgate.core.app import App
from lockgate.core.canonical import Json, canonicalize
from lockgate.core.instant import Instant, instant_text
from lockgate.core.notice import lateness
from lockgate.core.policy.policy import Policy
from lockgate.core.transition import Event, Transition
from lockgate.core.vault import Receipt


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What must be told; the same bytes under the same id, however often it is sent.

    `rollout_id` is the series of its receipt: a rollout's, or an app's own.
    """

    id: str
    app: str
    rollout_id: str
    seq: int
    event: Event
    at: Instant
    body: bytes

    @property
    def data(self) -> Mapping[str, Json]:
        """Return what the body says."""
        found: Mapping[str, Json] = json.loads(self.body)["data"]
        return found


def message_name(receipt_id: str, event: Event) -> str:
    """Return the id of a message; one receipt may tell two things, such as a promotion that also completes."""
    return f"{receipt_id.replace('rcp_', 'evt_')}_{event.value.rpartition('.')[2]}"


def messages(transition: Transition, receipt: Receipt, events: Sequence[Event], policy: Policy) -> tuple[Message, ...]:
    """Return one message for each event that a transition tells."""
    return tuple(_message(transition, receipt, event, policy) for event in events)


def _message(transition: Transition, receipt: Receipt, event: Event, policy: Policy) -> Message:
    before, after = transition.before, transition.after
    back = transition.decision.way_back
    late = lateness(transition, policy) if event is Event.OVERDUE else None
    data: dict[str, Json] = {
        "rollout_id": after.id,
        "org": after.org,
        "app": after.app,
        "mode": after.mode.value,
        "baseline_release": after.baseline,
        "candidate_release": after.candidate,
        "from_weight": before.exposed_weight,
        "weight": after.exposed_weight,
        "target": None if back is None else {"kind": back.target.value, "release": back.release},
        "target_text": None if back is None else back.sentence(),
        "step": after.step,
        "status": after.status.value,
        "terminal": after.is_terminal,
        "revision": after.revision,
        "reason": late or transition.decision.reason,
        **_of_log(receipt),
    }
    return _of_receipt(after.app, receipt, event, data)


def app_message(org: str, app: App, receipt: Receipt, event: Event) -> Message:
    """Return the message that tells what was done to an app."""
    stands = app.document()
    data: dict[str, Json] = {
        "org": org,
        "app": app.name,
        "champion": app.champion,
        "former_champion": app.former_champion,
        "frozen": app.frozen,
        "killed": app.is_killed,
        "actuator": stands["actuator"],
        "cause": receipt.cause,
        "revision": receipt.seq,
        **_of_log(receipt),
    }
    return _of_receipt(app.name, receipt, event, data)


def _of_log(receipt: Receipt) -> dict[str, Json]:
    return {
        "seq": receipt.seq,
        "decision_event_id": receipt.id,
        "receipt_sha256": receipt.digest.removeprefix("sha256:"),
        "log_index": receipt.index,
    }


def _of_receipt(app: str, receipt: Receipt, event: Event, data: dict[str, Json]) -> Message:
    body = canonicalize(
        {
            "type": event.value,
            "event": event.value,
            "timestamp": instant_text(receipt.at),
            "revision": data["revision"],
            "receipt": receipt.id,
            "data": data,
        }
    )
    return Message(
        id=message_name(receipt.id, event),
        app=app,
        rollout_id=receipt.rollout_id,
        seq=receipt.seq,
        event=event,
        at=receipt.at,
        body=body,
    )
