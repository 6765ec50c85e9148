# SPDX-License-Identifier: Apache-2.0
"""Nothing comes in; the JSON Schemas of what endpoints answer go out by their names.

What is named is always there; later versions may add to it.
"""

from __future__ import annotations

from collections.abc import Mapping

from lockgate.core.comparison_schema import comparison_schema
from lockgate.core.decision.decision import Action, Cause
from lockgate.core.delivery import State
from lockgate.core.finding import Outcome
from lockgate.core.permission import Permission
from lockgate.core.policy.policy import Inference, Mode
from lockgate.core.rollout import Status
from lockgate.core.situation import Target
from lockgate.core.transition import Event
from lockgate.core.webhook import EVENTS, Format
from lockgate.server.schema import (
    FLAG,
    NUMBER,
    TEXT,
    TIME,
    WHOLE,
    Schema,
    answer,
    described,
    list_of,
    mapping_of,
    one_of,
    or_null,
    shape,
    with_all,
)

_PERCENT: Schema = {"type": "number", "minimum": 0, "maximum": 100}
_EXPOSED = described(_PERCENT, "What it asks routers for.")
_WOULD_BE = described(or_null(_PERCENT), "What it would ask for, in shadow mode; null in a canary.")
_CURSOR = described(or_null(TEXT), "Send it to get the next page; null: there is none.")
_COUNTS = mapping_of(WHOLE)
_DIGEST: Schema = {"type": "string", "pattern": "^sha256:[0-9a-f]{64}$"}

_ROLLOUT = answer(
    id=TEXT,
    org=TEXT,
    app=TEXT,
    baseline=TEXT,
    candidate=TEXT,
    mode=one_of(Mode),
    policy_digest=_DIGEST,
    created_at=TIME,
    step_entered_at=TIME,
    status=one_of(Status),
    terminal=FLAG,
    step=described(WHOLE, "From 0."),
    weight=described(_PERCENT, "What it asks for; in shadow mode what it would."),
    exposed_weight=_EXPOSED,
    would_be_weight=_WOULD_BE,
    acknowledged=described(or_null(_PERCENT), "What is live, as somebody said; null: nobody does."),
    revision=described(WHOLE, "The ETag."),
    attempt=WHOLE,
    reductions=WHOLE,
    approved_step=or_null(WHOLE),
    waived=list_of(answer(what=TEXT, harm=or_null(NUMBER), revision=WHOLE, reason=TEXT)),
    has_let_pass=FLAG,
    pause_reason=TEXT,
    former_champion=or_null(TEXT),
    declared=or_null(TEXT),
    links=mapping_of(TEXT),
    digests=mapping_of(_DIGEST),
)
_DECISION = answer(
    action=one_of(Action),
    cause=one_of(Cause),
    reason=TEXT,
    step=WHOLE,
    weight=_PERCENT,
    terminal=described(FLAG, "Whether it ends the rollout, or that has ended."),
    target=or_null(answer(kind=one_of(Target), release=or_null(TEXT))),
    also=list_of(TEXT),
)
_READING = answer(value=or_null(NUMBER), n=WHOLE)
_FINDING = answer(gate=TEXT, metric=TEXT, outcome=one_of(Outcome), reason=TEXT, baseline=_READING, candidate=_READING)
_TURN = with_all(
    shape("Rollout"),
    decision=shape("Decision"),
    verdict=shape("Findings"),
    receipt=described(WHOLE, "The number of the rollout's latest receipt."),
)
_PROVEN = answer(
    receipt_id=TEXT,
    seq=WHOLE,
    sha256=described(TEXT, "Of the envelope's bytes, in hexadecimal."),
    log_index=WHOLE,
    proof=described(TEXT, "C2SP tlog-proof, under the checkpoint that was signed with the receipt."),
)
_WROTE = "The receipt that this call wrote; null: it wrote none."
_SIGNED = described(or_null(with_all(_PROVEN, envelope=described(TEXT, "The bytes of the receipt, in UTF-8."))), _WROTE)
_ENDED = described(
    list_of(answer(id=TEXT, signed=_PROVEN)), "The rollouts that this call rolled back, each with the receipt of it."
)
_APP = answer(
    app=TEXT,
    version=described(WHOLE, "The ETag: it counts what is done to the app, and each change of its rollouts."),
    id=described(TEXT, "What the app's own receipts are found by."),
    champion=or_null(TEXT),
    former_champion=or_null(TEXT),
    frozen=described(or_null(TEXT), "Why nothing may start or be promoted."),
    killed=FLAG,
)
_KEY = answer(
    id=TEXT,
    name=TEXT,
    permissions=list_of(one_of(Permission)),
    apps=described(or_null(list_of(TEXT)), "null: every app."),
    created_at=TIME,
    created_by=or_null(TEXT),
    expires_at=TIME,
    revoked_at=or_null(TIME),
    last_used_at=described(or_null(TIME), "Late by a minute or two, unless a server was killed; null: none is known."),
    rule=described(or_null(TEXT), "By which trust rule a job got it; null for every other key."),
    claims=described({"type": "object", "additionalProperties": TEXT}, "What the job's token said of it."),
)
_DOUBT = "Why there may be a newer store, in which the key is to be revoked too; null where nothing says so."
_UNTOLD = answer(
    event=one_of(Event),
    receipt=WHOLE,
    attempts=WHOLE,
    urgent=FLAG,
    state=one_of(State),
    code=described(or_null(WHOLE), "The status that the last attempt was answered by; null where it had none."),
    disabled=described(TEXT, "Why nothing is sent there; empty while something is."),
)
_RELEASE = answer(name=TEXT, first_seen_at=TIME, runs=WHOLE, attempts=WHOLE, champion=FLAG)
_ENTRY = answer(
    seq=WHOLE,
    receipt_id=TEXT,
    action=one_of(Action),
    cause=one_of(Cause),
    revision=WHOLE,
    at=TIME,
    by=TEXT,
    actor={"type": "object"},
    log_index=WHOLE,
    digest=_DIGEST,
)
_WEBHOOK = answer(
    id=TEXT,
    app_id=described(or_null(TEXT), "null: every app."),
    url=TEXT,
    events=list_of(one_of(EVENTS)),
    format=one_of(Format),
    hub_header=FLAG,
    active=FLAG,
    disabled=described(or_null(TEXT), "Why nothing is sent."),
    since=TIME,
    old_secret_until=or_null(TIME),
    failing_since=or_null(TIME),
)
_TRY = answer(at=TIME, took_ms=NUMBER, code=or_null(WHOLE), error=or_null(TEXT))
_DELIVERY = answer(
    id=described(TEXT, "The message's."),
    webhook=TEXT,
    app_id=TEXT,
    rollout_id=TEXT,
    seq=WHOLE,
    event=one_of(Event),
    at=TIME,
    state=one_of(State),
    attempts=WHOLE,
    next_try=or_null(TIME),
    error=or_null(TEXT),
    answer=or_null(TEXT),
    tries=list_of(_TRY),
)

ANSWER_SCHEMAS: Mapping[str, Schema] = {
    "Alive": answer(status={"const": "ok"}, version=TEXT),
    "Ready": answer(
        status={"const": "ready"},
        version=TEXT,
        store={"const": "readable"},
        ticks=described(FLAG, "Whether this server takes turns of the loop."),
        signs={"const": True},
        webhooks=described(FLAG, "Whether this server can open the secrets of the default organisation's webhooks."),
    ),
    "Metrics": described(TEXT, "The text format of Prometheus, or OpenMetrics where that is accepted."),
    "Bundle": described(TEXT, "A zip; what is in it, its README.txt says."),
    "Rollout": _ROLLOUT,
    "Decision": _DECISION,
    "Finding": _FINDING,
    "Findings": answer(outcome=one_of(Outcome), inference=one_of(Inference), findings=list_of(shape("Finding"))),
    "Created": with_all(
        shape("Rollout"),
        existing=described(FLAG, "Whether it was there already."),
        policy=described({"type": "object"}, "Every default spelled out."),
        promises=list_of(TEXT),
        foreseen={"type": "object"},
        warnings=list_of(TEXT),
        unmet=list_of(TEXT),
        signed=_SIGNED,
    ),
    "Rollouts": answer(
        rollouts=list_of(with_all(shape("Rollout"), overdue=or_null(TEXT), frozen=or_null(TEXT))), cursor=_CURSOR
    ),
    "Turn": with_all(_TURN, signed=_SIGNED),
    "Explanation": with_all(
        _TURN,
        steps=list_of(TEXT),
        fresh_runs=WHOLE,
        min_runs=WHOLE,
        runs_per_hour=or_null(NUMBER),
        seconds_left=mapping_of(or_null(NUMBER)),
        seals_at=or_null(TIME),
        overdue=or_null(TEXT),
        left_out=_COUNTS,
        frozen=or_null(TEXT),
        untold=described(list_of(_UNTOLD), "What nobody has been told yet."),
    ),
    "Verdict": answer(
        id=TEXT,
        mode=one_of(Mode),
        advisory=described(FLAG, "Whether all of it is advice: in shadow mode nothing is carried out."),
        status=one_of(Status),
        terminal=described(FLAG, "Whether the rollout has ended."),
        step=WHOLE,
        weight=described(_PERCENT, "The weight to set: `exposed_weight`, which in shadow mode is 0."),
        exposed_weight=_EXPOSED,
        would_be_weight=_WOULD_BE,
        revision=WHOLE,
        verdict=shape("Findings"),
        decision=described(shape("Decision"), "What a turn would decide now."),
    ),
    "Sentences": answer(
        id=TEXT,
        parts=list_of(answer(heading=TEXT, sentences=list_of(TEXT))),
        anytime=mapping_of(answer(low=NUMBER, high=NUMBER, level=NUMBER, buckets=WHOLE)),
    ),
    "Round": answer(
        rollouts=list_of(with_all(_TURN, signed=or_null(_PROVEN))),
        problems=described(list_of(with_all(shape("Problem"), id=TEXT)), "Of rollouts that took no turn."),
    ),
    "Answered": with_all(shape("Rollout"), receipt=WHOLE, signed=_SIGNED),
    "Receipts": answer(id=TEXT, receipts=list_of(_ENTRY), cursor=_CURSOR),
    "Receipt": answer(
        id=TEXT,
        seq=WHOLE,
        receipt=described({"type": "object"}, "A DSSE envelope."),
        proof=described(TEXT, "C2SP tlog-proof: its place in the log, under a signed checkpoint."),
        receipt_key=described(TEXT, "PEM."),
        log_key=described(TEXT, "A verifier key of signed notes."),
    ),
    "Envelope": described({"type": "object"}, "A DSSE envelope, byte for byte: the entry of the log."),
    "LogProof": described(TEXT, "C2SP tlog-proof, under the latest checkpoint."),
    "Checkpoint": described(TEXT, "C2SP tlog-checkpoint, in a signed note."),
    "Tile": described(TEXT, "C2SP tlog-tiles: hashes of 32 bytes, or entries each behind its length in two bytes."),
    "LogGrowth": described(TEXT, "As a request to a witness of C2SP's tlog-witness has it."),
    "ExportedLog": described(TEXT, "One JSON object a line: entries, and an end that proves that they are all."),
    "KeyManifest": described({"type": "object"}, "A DSSE envelope that the organisation's root keys signed."),
    "PublishedKeys": described(
        {"type": ["string", "object"]},
        "A key in PEM, `jwks.json` (RFC 8037), `allowed_signers` of OpenSSH or `log.vkey` of C2SP.",
    ),
    "Taken": answer(
        digest=TEXT,
        runs=WHOLE,
        duplicates=WHOLE,
        repeated=described(FLAG, "Whether these very bytes had come before."),
        other=WHOLE,
        crowded=WHOLE,
        apps=_COUNTS,
        left_out=mapping_of(_COUNTS),
        notes=described(
            list_of(TEXT), "Why no rollout compares these runs, and fields that may be misnamed, where that is so."
        ),
    ),
    "Imported": answer(
        digest=TEXT,
        runs=WHOLE,
        duplicates=WHOLE,
        repeated=FLAG,
        other=WHOLE,
        crowded=WHOLE,
        undated=WHOLE,
        apps=_COUNTS,
        unlike=mapping_of(_COUNTS),
        notes=described(list_of(TEXT), "Fields that may be misnamed, where there are any."),
    ),
    "Said": answer(
        code=described(WHOLE, "The exit code of the command."),
        out=described(TEXT, "Standard output."),
        is_data=described(FLAG, "Whether that is for programs."),
        told=described(list_of(TEXT), "Lines of standard error."),
        files=described(mapping_of(TEXT), "Files to be written, in base64."),
        question=described(TEXT, "Where it is not empty, nothing is done yet, and a person is asked this first."),
        more=described({"type": "object"}, "Words for the next call."),
    ),
    "Releases": answer(app=TEXT, releases=list_of(_RELEASE), cursor=_CURSOR),
    "Comparison": {name: part for name, part in comparison_schema().items() if name not in ("$schema", "title")},
    "App": with_all(_APP, receipt=WHOLE, signed=_SIGNED, rolled_back=_ENDED),
    "Apps": answer(
        apps=list_of(with_all(_APP, receipt=WHOLE, signed=described(or_null(_PROVEN), _WROTE), rolled_back=_ENDED))
    ),
    "Overview": with_all(
        _APP,
        releases=described(list_of(answer(name=TEXT, first_seen_at=TIME)), "The latest 20, the first seen first."),
        release_count=WHOLE,
        active=list_of(shape("Rollout")),
        actuator=or_null(answer(id=TEXT)),
        webhooks=list_of(described(TEXT, "Which is told each weight that is asked for.")),
    ),
    "Overviews": answer(apps=list_of(shape("Overview")), cursor=_CURSOR),
    "Key": _KEY,
    "MadeKey": with_all(shape("Key"), token=described(or_null(TEXT), "Shown this once; null in a replay.")),
    "RevokedKey": with_all(shape("Key"), doubt=described(or_null(TEXT), _DOUBT)),
    "JobKey": with_all(shape("Key"), token=described(TEXT, "Shown this once.")),
    "Keys": answer(keys=list_of(shape("Key")), cursor=_CURSOR),
    "Webhook": _WEBHOOK,
    "MadeWebhook": with_all(shape("Webhook"), secret=described(or_null(TEXT), "Shown this once; null in a replay.")),
    "Webhooks": answer(webhooks=list_of(shape("Webhook")), cursor=_CURSOR),
    "Delivery": _DELIVERY,
    "Deliveries": answer(deliveries=list_of(shape("Delivery")), cursor=_CURSOR),
    "TriedWebhook": answer(
        id=TEXT,
        webhook=TEXT,
        delivered=FLAG,
        code=or_null(WHOLE),
        took_ms=NUMBER,
        error=or_null(TEXT),
        answer=or_null(TEXT),
    ),
    "Recovered": answer(recovered=described(WHOLE, "How many messages are sent again.")),
}
