# SPDX-License-Identifier: Apache-2.0
"""Sample receipts come in; receipts whose members have other forms than the page gives them, or unusual ones, go out.

Their own signer signed all of them, so that nothing but the form of a member is what they are refused or taken for.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from lockgate.core.canonical import canonicalize
from lockgate.core.envelope import open_envelope
from lockgate.core.refusal import Reason
from lockgate.core.statement import receipt_name
from lockgate.operations.vault.sign import sign_receipt
from tools.receipt_contradictions import Change, put, put_at
from tools.receipt_samples import RECEIPTS, samples

# A name, why it is refused, and its bytes.
Case = tuple[str, Reason, bytes]
DIGEST = {"sha256": "0" * 64}
_COUNT = (None, -1, 1.5, True, "1", float(2**53))
_NAME = ("", 1, "n" * 257, "v 36", "v\u00a036", "v\u202836", "v36\n", "v\u000036", "v\u008036")
_WEIGHT = (-1, 100.5, "5", True)
# By each form of the page's tables: values that have another.
WRONG: Mapping[str, tuple[Any, ...]] = {
    "text": (None, 1),
    "text or null": (1, []),
    "name": (None, *_NAME),
    "name or null": _NAME,
    "boolean": (None, 0, "true"),
    "count": _COUNT,
    "integer from 1": (*_COUNT, 0),
    "weight": (None, *_WEIGHT),
    "weight or null": _WEIGHT,
    "object": (None, []),
    "object or null": ([], "x"),
    "digests": ([], "x", {f"part {number}": DIGEST for number in range(17)}),
    "status": (None, "PROMOTED", ["active"]),
    "hexadecimal": (None, "A" * 64, "0" * 63, DIGEST),
    "digest": (None, "0" * 64, {}, {"sha256": "A" * 64}, {**DIGEST, "sha1": "0" * 40}),
}
_EVERY: Mapping[str, tuple[str, ...]] = {
    "text": (
        *("receiptId", "org", "rolloutId", "mode", "decidedAt", "decision.action", "decision.cause"),
        *("decision.reason", "engine.name", "engine.version", "actor.type"),
    ),
    "text or null": ("actor.name", "actor.reason"),
    "object": (
        *("baseline", "candidate", "from", "to", "decision", "promise", "policy", "evidence", "engine", "actor"),
    ),
    "integer from 1": ("seq",),
}
_ROLLOUT: Mapping[str, tuple[str, ...]] = {
    "boolean": ("advisory", "decision.terminal"),
    "name": ("baseline.release", "candidate.release"),
    "integer from 1": ("candidate.attempt",),
    "digests": ("candidate.digests",),
    "count": ("decision.step",),
    "weight": ("decision.weight",),
    "object or null": ("decision.target",),
    "hexadecimal": ("policy.sha256",),
    "digest": ("evidence.stateBefore", "evidence.stateAfter"),
}
# Of `from` and of `to`.
_STANDINGS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "canary-3": {
        "status": ("status",),
        "count": ("step", "revision"),
        "weight": ("weight",),
        "weight or null": ("wouldBeWeight",),
    },
    "app-2": {
        "name or null": ("champion", "formerChampion"),
        "text or null": ("frozen",),
        "boolean": ("killed",),
        "object or null": ("actuator",),
        "count": ("keptFrom",),
    },
    "custody-3": {
        "hexadecimal": ("receiptKey", "logKey"),
        "count": ("rawUntil", "deliveriesUntil"),
        "object or null": ("webhooks", "trust", "manifest", "overlap"),
    },
}
# Of a sample, what it may state and still is a receipt.
UNUSUAL: Mapping[str, tuple[tuple[str, Any], ...]] = {
    "canary-3": (
        ("more", {"of": "a later version"}),
        ("from.mood", "calm"),
        ("decision.more", [1]),
        ("decision.reason", ""),
        ("decision.reason", "x" * 3_000),
        ("actor.name", "ada lovelace\n"),
        ("decision.target", {}),
        ("candidate.digests", None),
        ("candidate.digests", {f"part {number}": 1 for number in range(16)}),
        ("candidate.attempt", 2**53 - 1),
        ("baseline.release", "\U0001f512" * 256),
        ("candidate.release", "v\ufeff36"),
        ("from.weight", 0.5),
        ("to.weight", 100),
        ("to.step", 2**53 - 1),
        ("verdict", None),
    ),
    "app-2": (
        ("to.actuator", {}),
        ("to.actuator", {"sha256": 1}),
        ("to.champion", None),
        ("to.frozen", "x" * 3_000),
        ("to.frozen", ""),
    ),
    "custody-3": (
        ("from", {}),
        ("to.revoked", None),
        ("to.revoked", "x"),
        ("to.revoked", [{"keyid": 1}]),
        ("to.webhooks", {}),
        ("to.trust", {"sha256": 1}),
        ("to.manifest", {"version": 0}),
        ("to.overlap", {"logKey": ""}),
    ),
}
# Which of a sample may be left out.
_LEFT_OUT = (("canary-3", "from.wouldBeWeight"), ("canary-3", "actor.name"), ("custody-3", "to.revoked"))


def stated(sample: str, change: Change) -> bytes:
    """Return a sample that states something otherwise, signed again."""
    statement = json.loads(_payloads()[sample])
    change(statement)
    return sign_receipt(canonicalize(statement), RECEIPTS)


@cache
def _payloads() -> Mapping[str, bytes]:
    return {each.name: open_envelope(each.envelope).payload for each in samples()}


def misshapen() -> Iterator[Case]:
    """Yield receipts of which one member has another form, and statements whose subject has."""
    for forms, sample in ((_EVERY, "custody-3"), (_ROLLOUT, "canary-3")):
        yield from _wrong(sample, forms)
    for sample, forms in _STANDINGS.items():
        for side in ("from", "to"):
            sided = {form: tuple(f"{side}.{name}" for name in names) for form, names in forms.items()}
            yield from _wrong(sample, sided)
    good = {"name": "web", "digest": DIGEST}
    subjects: tuple[Any, ...] = (
        {},
        [1],
        [{**good, "name": 1}],
        [{**good, "uri": "https://a.example"}],
        [{"digest": DIGEST}],
        [{"name": "web"}],
        [good, {**good, "name": None}],
    )
    for subject in subjects:
        yield f"form: subject {json.dumps(subject)[:120]}", Reason.SUBJECT, stated("canary-3", _about(subject))


def unusual() -> Iterator[tuple[str, bytes]]:
    """Yield receipts with forms that a verifier might refuse, and must not, each by a name."""
    for sample, members in UNUSUAL.items():
        for path, value in members:
            yield f"form: {sample} {path} {json.dumps(value)[:40]}", stated(sample, put(path, value))
    for sample, path in _LEFT_OUT:
        yield f"form: {sample} {path} left out", stated(sample, _without(path))
    two = [{"name": name, "digest": DIGEST} for name in ("web", "")]
    yield "form: two subjects, one of them without a name", stated("canary-3", _about(two))
    for series in ("app", "organisation_1", "constructor_1"):
        yield f"form: a rollout whose id is {series}", stated("canary-3", _named(series))


def _wrong(sample: str, forms: Mapping[str, tuple[str, ...]]) -> Iterator[Case]:
    for form, paths in forms.items():
        for path in paths:
            for value in WRONG[form]:
                # By its end too: two long texts begin alike.
                shown = json.dumps(value)
                name = f"form: {sample} {path} {shown[:40]} of {len(shown)}"
                yield name, Reason.STATEMENT_SHAPE, stated(sample, put(path, value))


def _about(subject: object) -> Change:
    def change(statement: dict[str, Any]) -> None:
        statement["subject"] = subject

    return change


def _without(path: str) -> Change:
    def change(statement: dict[str, Any]) -> None:
        part, _, last = path.rpartition(".")
        del statement["predicate"][part][last]

    return change


def _named(series: str) -> Change:
    def change(statement: dict[str, Any]) -> None:
        said = statement["predicate"]
        put_at(said, "rolloutId", series)
        put_at(said, "receiptId", receipt_name(said["org"], series, said["seq"]))

    return change
