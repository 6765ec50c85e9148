# SPDX-License-Identifier: Apache-2.0
"""What a receipt states of a verdict comes in; it is compared with the verdict's text, which it holds or names."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from lockgate.core.canonical import Json, canonicalize
from lockgate.core.refusal import Reason, VerifyError

MEMBERS = ("counts", "findings", "inference", "outcome")
_HEAD = ("counts", "inference", "outcome")
# How a reason ends that was cut.
_MORE = "…"
_STATED = {*MEMBERS, "findingsOmitted", "full"}
# Between these the payload itself holds the first two members as the verdict's text does.
_BEGIN, _END = b'"verdict":{"counts":', b',"findingsOmitted":'


def check_inline_verdict(predicate: Mapping[str, Json], payload: bytes) -> None:
    """Refuse a verdict that is said to stand in its receipt whole, and has another digest than is stated of it."""
    verdict = predicate.get("verdict")
    full = verdict.get("full") if isinstance(verdict, Mapping) else None
    if not isinstance(verdict, Mapping) or not isinstance(full, Mapping) or full.get("inline") is not True:
        return
    omitted, is_whole = verdict.get("findingsOmitted"), all(name in verdict for name in MEMBERS)
    text = _text(verdict, payload) if is_whole else b""
    stated = (hashlib.sha256(text).hexdigest(), len(text))
    # False is no number.
    if type(omitted) is not int or omitted or not is_whole or stated != (full.get("sha256"), full.get("size")):
        raise VerifyError(
            Reason.VERDICT_DIGEST, "the verdict in the receipt is not the one whose digest and size stand beside it"
        )


def is_stated(verdict: Mapping[str, Json], whole: Mapping[str, Json]) -> bool:
    """Say whether what a receipt states of a verdict that it does not hold whole is a part of the whole one.

    The findings that it states are the first of those with the verdict's outcome, their reasons perhaps cut.
    """
    findings, stated = whole.get("findings"), verdict.get("findings")
    if not isinstance(findings, list) or not isinstance(stated, list):
        return False
    outcome = verdict.get("outcome")
    deciding = [each for each in findings if isinstance(each, Mapping) and each.get("outcome") == outcome]
    return (
        all(canonicalize(verdict.get(name)) == canonicalize(whole.get(name)) for name in _HEAD)
        and len(stated) <= len(deciding)
        and all(map(_is_shown, stated, deciding))
        and verdict.get("findingsOmitted") == len(findings) - len(stated)
    )


def _is_shown(stated: Json, finding: Mapping[str, Json]) -> bool:
    if not isinstance(stated, Mapping):
        return False
    said, reason = stated.get("reason"), finding.get("reason")
    is_cut = isinstance(said, str) and isinstance(reason, str) and said.endswith(_MORE) and reason.startswith(said[:-1])
    shown = {**finding, "reason": said} if is_cut else finding
    return canonicalize(stated) == canonicalize(shown)


def _text(verdict: Mapping[str, Json], payload: bytes) -> bytes:
    """Return the verdict's text: cut from the canonical payload where it can only stand at one place, else made."""
    if set(verdict) != _STATED or payload.count(_BEGIN) != 1 or payload.count(_END) != 1:
        return canonicalize({name: verdict[name] for name in MEMBERS})
    first = payload.index(_BEGIN) + len(_BEGIN) - len(b'{"counts":')
    rest = canonicalize({name: verdict[name] for name in MEMBERS[2:]})
    return payload[first : payload.index(_END)] + b"," + rest[1:]
