# SPDX-License-Identifier: Apache-2.0
"""Bytes of a case come in; the case whose one canonical form they are goes out, or a refusal."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from lockgate.core.canonical import canonicalize
from lockgate.core.canonical_reading import read_canonical
from lockgate.core.declaration.policy_declaration import declare
from lockgate.core.evidence.plan import Plan, plan
from lockgate.core.evidence.window import Lookback
from lockgate.core.receipt import Actor
from lockgate.core.refusal import Reason, VerifyError
from lockgate.core.replay.case import FORMAT, Act, Case, Circumstances, Looks
from lockgate.core.replay.case_size import too_large
from lockgate.core.replay.evidence_reading import bucket_from, progress_from
from lockgate.core.replay.typed import typed, whole
from lockgate.core.rollout import Rollout
from lockgate.core.surroundings import Surroundings

MAX_BUCKETS = 50_000


def read_case(data: bytes) -> Case:
    """Return the case whose one form some bytes are; nothing that it claims has been compared with a receipt."""
    if (message := too_large(data)) is not None:
        raise VerifyError(Reason.CASE_SIZE, message)
    try:
        document = json.loads(data)
        case = _case(document)
        is_same = case.encode() == data
    except Exception as error:
        # What a stranger wrote may raise whatever where a value is made of it.
        _refuse(data)
        raise VerifyError(
            Reason.CASE_SHAPE, f"the case holds what is no policy, rollout or evidence: {error}"
        ) from error
    if not is_same:
        _refuse(data)
        raise VerifyError(Reason.CASE_SHAPE, "the case holds more, or other values, than a case has")
    return case


def _refuse(data: bytes) -> None:
    """Refuse bytes that are no canonical JSON, or of no case; what a case is written as again need not be looked at."""
    document = read_canonical(data, "case")
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise VerifyError(
            Reason.CASE_FORMAT,
            f"the case is not of the form {FORMAT}",
            advice="It may be another file, or a case of another version of Lockgate.",
        )


def _case(document: dict[str, Any]) -> Case:
    planned = _planned(canonicalize(document["policy"]))
    act, lookback = document["act"], document["lookback"]
    circumstances = Circumstances(
        plan=planned,
        rollout=typed(Rollout, document["rollout"]),
        seq=whole(document["seq"]),
        previous=None if document["previous"] is None else typed(str, document["previous"]),
        engine=typed(str, document["engine"]),
        actor=typed(Actor, document["actor"]),
        around=typed(Surroundings, document["around"]),
        act=None if act is None else typed(Act, act),
        lookback=None if lookback is None else typed(Lookback, lookback),
        looks=typed(Looks, document["looks"]),
    )
    before = progress_from(document["before"], planned)
    return Case(circumstances, before, tuple(bucket_from(each) for each in document["buckets"]))


@lru_cache(maxsize=16)
def _planned(policy: bytes) -> Plan:
    """Return what follows from a policy's document; the cases of a rollout have the same one."""
    return plan(declare(json.loads(policy)))
