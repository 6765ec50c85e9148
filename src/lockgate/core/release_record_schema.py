# SPDX-License-Identifier: Apache-2.0
"""Nothing comes in; the JSON Schema of a release record, as other programs read it, goes out."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from lockgate.core.decision.decision import Action, Cause
from lockgate.core.finding import Outcome
from lockgate.core.policy.policy import Inference, Mode, Promote
from lockgate.core.policy.step import StepKind
from lockgate.core.release_metrics import Basis
from lockgate.core.release_record import FORMAT
from lockgate.core.rollout import Status
from lockgate.core.situation import Target

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string"}
_NUMBER: Schema = {"type": "number"}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_FLAG: Schema = {"type": "boolean"}
_PERCENT: Schema = {"type": "number", "minimum": 0, "maximum": 100}
_TIME: Schema = {"type": "string", "format": "date-time", "pattern": "Z$"}
_HEX: Schema = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_TEXTS: Schema = {"type": "object", "additionalProperties": _TEXT}


def release_record_schema() -> Schema:
    """Return the JSON Schema (2020-12) of `release_record`."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "release-record.json of a bundle",
        **_object(
            format={"const": FORMAT},
            org=_TEXT,
            app=_about(_TEXT, "What is released."),
            rolloutId=_TEXT,
            mode=_enum(Mode),
            advisory=_about(_FLAG, "True: nothing was moved, in shadow mode."),
            attempt=_about(_COUNT, "The how manieth trial of this candidate it was."),
            baseline=_baseline(),
            candidate=_object(**_release()),
            engine=_about(_object(name=_TEXT, version=_TEXT), "What decided last."),
            cohort=_cohort(),
            policy=_about(_object(sha256=_HEX), "The digest of policy.json."),
            promise=_promise(),
            period=_object(
                startedAt=_TIME,
                endedAt=_about(_nullable(_TIME), "null: it has not ended."),
                lastReceiptAt=_TIME,
            ),
            weights=_weights(),
            metrics=_about(_list(_metric()), "What each gate said when it last applied."),
            alerts=_list(_alert()),
            operatorActions=_about(_list(_object(**_operated())), "What people and jobs did, and why."),
            related=_about(_list(_object(**_operated(), series=_TEXT)), "What was done to app or organisation then."),
            decision=_decided(),
            links=_TEXTS,
            experiment=_nullable(_TEXT),
            evaluationCard=_nullable(_TEXT),
            receipts=_object(count=_COUNT, first=_rests(), last=_rests()),
        ),
    }


def _release() -> dict[str, Schema]:
    return {
        "release": _TEXT,
        "digests": _about(_map(_object(sha256=_HEX)), "Its parts, by name."),
        "undeclared": _about(_nullable(_TEXT), "Why there are none."),
    }


def _baseline() -> Schema:
    tried = _about(_nullable(_TEXT), "The rollout by which it was tried.")
    return _about(
        _object(**_release(), rolloutId=tried, rests=_nullable(_rests())),
        "What was declared of it when it was a candidate itself.",
    )


def _cohort() -> Schema:
    return _object(
        unit=_about(_nullable(_TEXT), "What is assigned and sticks; null: each run counts by itself."),
        independence=_about(_nullable(_TEXT), "What the promise assumes of runs."),
        selection=_about(_TEXT, "Which runs count."),
        earlier=_about(_nullable({"type": "object"}), "Runs from before the rollout that count too."),
        slices=_about(_list(_TEXTS), "Labels by which parts of the runs are judged by themselves."),
        steps=_COUNT,
    )


def _promise() -> Schema:
    return {
        **_object(
            inference=_enum(Inference),
            promote=_enum(Promote),
            falseRollback=_about(_nullable(_NUMBER), "At most so often a candidate that is no worse rolls back."),
            falsePromotion=_about(_nullable(_NUMBER), "At most so often one that is worse is promoted."),
            independence=_TEXT,
        ),
        "additionalProperties": True,
    }


def _weights() -> Schema:
    return _object(
        planned=_list(_planned()),
        asked=_list(_asked()),
        observed=_list(_observed()),
        unobserved=_about(_nullable(_TEXT), "Why no weight was read back."),
    )


def _planned() -> Schema:
    needed = _object(
        step=_COUNT,
        kind=_enum(StepKind),
        weight=_PERCENT,
        minRuns=_COUNT,
        minHold=_TEXT,
        maxHold=_nullable(_TEXT),
        settle=_TEXT,
        soak=_TEXT,
        holdback=_PERCENT,
        approval=_TEXT,
        gates={"anyOf": [{"const": "all"}, _list(_TEXT)]},
        observed=_about(_nullable(_observed()), "What was read back last while the rollout was at this step."),
        unobserved=_about(_nullable(_TEXT), "Why nothing was."),
    )
    return {**needed, "properties": {**needed["properties"], "ring": _TEXT}}


def _asked() -> Schema:
    return _object(
        at=_TIME,
        step=_COUNT,
        weight=_about(_PERCENT, "What routers were asked for."),
        wouldBeWeight=_about(_nullable(_PERCENT), "In shadow mode what they would have been."),
        status=_enum(Status),
        action=_enum(Action),
        cause=_enum(Cause),
        reason=_TEXT,
        rests=_rests(),
    )


def _observed() -> Schema:
    return _object(
        weight=_about(_PERCENT, "What was live, as somebody read it back."),
        readAt=_nullable(_TIME),
        statedAt=_about(_TIME, "When the receipt was written that states it."),
        rests=_rests(),
    )


def _metric() -> Schema:
    reading = _object(value=_nullable(_NUMBER), n=_COUNT)
    return _object(
        gate=_TEXT,
        metric=_TEXT,
        outcome=_enum(Outcome),
        reason=_TEXT,
        baseline=reading,
        candidate=reading,
        basis=_about(_enum(Basis), "Which runs both count: of the step; or of all steps and before, as cohort names."),
        estimate=_about(_nullable(_NUMBER), "The candidate's value less the baseline's."),
        difference=_about(
            _nullable({"type": "object"}), "The interval of judgement at one look; sequential judgement reads none."
        ),
        evidence=_about(_nullable({"type": "object"}), "The log-evidence that decides, and how high it had to be."),
        inWords=_about(_nullable(_TEXT), "The interval, or where none was read what that log-evidence says."),
        at=_TIME,
        rests=_rests(),
    )


def _alert() -> Schema:
    return {
        **_object(
            kind=_about(_TEXT, "The cause, or the outcome, that alarmed."),
            action=_enum(Action),
            until=_about(_TIME, "When the last of the turns was that said the same one after another."),
            turns=_COUNT,
            reason=_TEXT,
            rests=_rests(),
            lastRests=_rests(),
            **{"from": _TIME},
        ),
    }


def _operated() -> dict[str, Schema]:
    return {
        "at": _TIME,
        "action": _enum(Action),
        "cause": _enum(Cause),
        "by": _object(type=_TEXT, name=_nullable(_TEXT), claims=_TEXTS),
        "reason": _nullable(_TEXT),
        "rests": _rests(),
    }


def _decided() -> Schema:
    return _object(
        status=_enum(Status),
        isFinal=_FLAG,
        wasPromoted=_FLAG,
        at=_TIME,
        action=_enum(Action),
        cause=_enum(Cause),
        reason=_TEXT,
        target=_nullable(_object(kind=_enum(Target), release=_nullable(_TEXT))),
        weight=_PERCENT,
        wouldBeWeight=_nullable(_PERCENT),
        rests=_rests(),
    )


def _rests() -> Schema:
    return _about(_object(seq=_COUNT, sha256=_HEX, logIndex=_COUNT), "The receipt that says so.")


def _object(**properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _map(values: Schema) -> Schema:
    return {"type": "object", "additionalProperties": values}


def _enum(words: Iterable[StrEnum]) -> Schema:
    return {"enum": [word.value for word in words]}


def _nullable(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _about(schema: Schema, description: str) -> Schema:
    return {**schema, "description": description}
