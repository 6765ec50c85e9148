# SPDX-License-Identifier: Apache-2.0
"""Nothing comes in; the schema of what each event's message says goes out, with an example of it."""

from __future__ import annotations

from lockgate.core.canonical import Json
from lockgate.core.policy.policy import Mode
from lockgate.core.rollout import Status
from lockgate.core.situation import Target
from lockgate.core.transition import Event
from lockgate.core.webhook import EVENTS
from lockgate.server.schema import FLAG, NUMBER, TEXT, TIME, WHOLE, Schema, answer, described, one_of, or_null

OF_APP = (Event.FREEZE, Event.UNFREEZE)
_AT, _RECEIPT = "2026-11-21T18:49:03.120Z", "rcp_zmwleyyb52srlpax5yidwsn3gu"
_LOG = {
    "seq": WHOLE,
    "decision_event_id": described(TEXT, "The receipt's id."),
    "receipt_sha256": TEXT,
    "log_index": described(WHOLE, "The receipt's place in the organisation's log: obey no weight older than the last."),
}
_OF_ROLLOUT = answer(
    rollout_id=TEXT,
    org=TEXT,
    app=TEXT,
    mode=one_of(Mode),
    baseline_release=TEXT,
    candidate_release=TEXT,
    from_weight=NUMBER,
    weight=described(NUMBER, "The percent of traffic that the candidate is to have."),
    target=or_null(answer(kind=one_of(Target), release=or_null(TEXT))),
    target_text=or_null(TEXT),
    step=WHOLE,
    status=one_of(Status),
    terminal=FLAG,
    revision=WHOLE,
    reason=TEXT,
    **_LOG,
)
_OF_APP = answer(
    org=TEXT,
    app=TEXT,
    champion=or_null(TEXT),
    former_champion=or_null(TEXT),
    frozen=described(or_null(TEXT), "Why it is frozen; null where it is not."),
    killed=FLAG,
    actuator=or_null(TEXT),
    cause=TEXT,
    revision=WHOLE,
    **_LOG,
)
_LOGGED: dict[str, Json] = {"seq": 4, "decision_event_id": _RECEIPT, "receipt_sha256": "91f5" * 16, "log_index": 17}
_ROLLOUT: dict[str, Json] = {
    "rollout_id": "rol_5gzbhgghl5ijqhv5",
    "org": "default",
    "app": "claims-agent",
    "mode": "canary",
    "baseline_release": "v36",
    "candidate_release": "abc123",
    "from_weight": 25,
    "weight": 25,
    "target": None,
    "target_text": None,
    "step": 1,
    "status": "active",
    "terminal": False,
    "revision": 4,
    "reason": "why, in a sentence",
    **_LOGGED,
}
_APP: dict[str, Json] = {
    "org": "default",
    "app": "claims-agent",
    "champion": "v36",
    "former_champion": None,
    "frozen": None,
    "killed": False,
    "actuator": None,
    "cause": "operator",
    "revision": 4,
    **_LOGGED,
}
_BACK: dict[str, Json] = {
    "weight": 0,
    "target": {"kind": "baseline", "release": "v36"},
    "target_text": "traffic goes back to v36, the baseline",
    "status": "rolled_back",
    "terminal": True,
}
# What an example of an event says otherwise than the others of its kind.
_OWN: dict[Event, dict[str, Json]] = {
    Event.CREATED: {"from_weight": 0, "weight": 5, "step": 0, "revision": 1, "seq": 1},
    Event.PROMOTE: {"from_weight": 5},
    Event.REDUCE: {"weight": 5, "step": 0},
    Event.ROLLBACK: _BACK,
    Event.PAUSE: {"status": "paused"},
    Event.COMPLETED: _BACK,
    Event.FREEZE: {"frozen": "an incident"},
}


def schema_of(event: Event) -> Schema:
    """Return the schema of a message's body."""
    return answer(
        type=one_of([event]),
        event=one_of([event]),
        timestamp=described(TIME, "When it was decided."),
        revision=WHOLE,
        receipt=TEXT,
        data=_OF_APP if event in OF_APP else _OF_ROLLOUT,
    )


def example_of(event: Event) -> dict[str, Json]:
    """Return an example of a message's body."""
    data = {**(_APP if event in OF_APP else _ROLLOUT), **_OWN.get(event, {})}
    name = event.value
    return {
        "type": name,
        "event": name,
        "timestamp": _AT,
        "revision": data["revision"],
        "receipt": _RECEIPT,
        "data": data,
    }


def described_events() -> dict[str, Json]:
    """Return the webhooks of an OpenAPI document: what each event is sent as."""
    said: dict[str, Json] = {"2XX": {"description": "It was taken; anything else is sent again."}}
    return {
        event.value: {
            "post": {
                "summary": meaning,
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": schema_of(event), "example": example_of(event)}},
                },
                "responses": said,
            }
        }
        for event, meaning in EVENTS.items()
    }
