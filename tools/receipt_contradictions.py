# SPDX-License-Identifier: Apache-2.0
"""Sample receipts come in; series whose own signer lets one receipt contradict the one before it go out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from lockgate.core.canonical import canonicalize
from lockgate.core.envelope import open_envelope
from lockgate.core.refusal import Reason
from lockgate.core.statement import receipt_name
from lockgate.operations.vault.sign import sign_receipt
from lockgate.ports.signing import Signer
from tools.receipt_samples import RECEIPTS, samples

Document = dict[str, Any]
# Changes a statement where it stands.
Change = Callable[[Document], None]

# Which receipt of a series states what otherwise than the one before it leaves.
CONTRARY: Mapping[str, tuple[int, tuple[tuple[str, object], ...]]] = {
    "canary": (
        3,
        (
            ("from.status", "paused"),
            ("from.step", 0),
            ("from.weight", 5),
            ("from.wouldBeWeight", 25),
            ("from.revision", 9),
            ("evidence.stateBefore", {"sha256": "0" * 64}),
            ("mode", "shadow"),
            ("advisory", True),
            ("baseline.release", "v35"),
            ("candidate.release", "another"),
            ("candidate.attempt", 3),
            ("candidate.digests", {"model": {"sha256": "0" * 64}}),
            ("candidate.digests", None),
            ("policy.sha256", "0" * 64),
        ),
    ),
    "app": (
        2,
        (
            ("from.frozen", None),
            ("from.killed", False),
            ("from.actuator", None),
            ("from.keptFrom", 1),
            ("mode", "shadow"),
        ),
    ),
    "custody": (
        2,
        (
            ("from.receiptKey", "0" * 64),
            ("from.logKey", "0" * 64),
            ("from.rawUntil", 1),
            ("from.webhooks", None),
            ("from.trust", {"sha256": "0" * 64}),
            ("from.manifest", {"version": 1, "sha256": "0" * 64}),
            ("from.overlap", {"logKey": "0" * 64, "until": 1}),
            ("from.revoked", [{"keyid": "0" * 64, "lastIndex": 1}]),
            ("from", {}),
        ),
    ),
}
# What else might be said after each end of a rollout, by its action and how it stands then.
AFTER_THE_END: Mapping[str, tuple[tuple[str, str], ...]] = {
    "rolled_back": (
        ("promote", "promoted"),
        ("hold", "rolled_back"),
        ("resume", "active"),
        ("rollback", "rolled_back"),
    ),
    "cancelled": (("cancel", "cancelled"), ("resume", "active"), ("rollback", "rolled_back")),
    "promoted": (
        ("promote", "promoted"),
        ("hold", "promoted"),
        ("hold", "rolled_back"),
        ("cancel", "cancelled"),
        ("resume", "active"),
        ("rollback", "promoted"),
        ("rollback", "active"),
    ),
}


def series(name: str) -> list[bytes]:
    """Return the sample receipts of one series."""
    return [each.envelope for each in samples() if each.name.startswith(f"{name}-")]


def put(path: str, value: object) -> Change:
    """Return the change of one member of a statement's predicate."""

    def change(statement: Document) -> None:
        put_at(statement["predicate"], path, value)

    return change


def put_at(held: Document, path: str, value: object) -> None:
    """Put a member to a path."""
    *parts, last = path.split(".")
    for part in parts:
        held = held[part]
    held[last] = value


def about(name: str) -> Change:
    """Return the change of what a statement is about."""

    def change(statement: Document) -> None:
        statement["subject"] = [{"name": name, "digest": {"sha256": "0" * 64}}]

    return change


def signed_again(links: Sequence[bytes], number: int, change: Change, signer: Signer = RECEIPTS) -> list[bytes]:
    """Return a series of which one receipt says otherwise, all of them signed again."""
    made: list[bytes] = []
    for seq, link in enumerate(links, start=1):
        statement = json.loads(open_envelope(link).payload)
        statement["predicate"]["prevReceipt"] = {"sha256": hashlib.sha256(made[-1]).hexdigest()} if made else None
        if seq == number:
            change(statement)
        made.append(sign_receipt(canonicalize(statement), signer))
    return made


def signed_by(links: Sequence[bytes], signers: Sequence[Signer]) -> list[bytes]:
    """Return a series that says the same, each of its receipts signed by a signer of its own."""
    made: list[bytes] = []
    for link, signer in zip(links, signers, strict=True):
        statement = json.loads(open_envelope(link).payload)
        statement["predicate"]["prevReceipt"] = {"sha256": hashlib.sha256(made[-1]).hexdigest()} if made else None
        made.append(sign_receipt(canonicalize(statement), signer))
    return made


def going_on(last: bytes, action: str, status: str) -> bytes:
    """Return a receipt that goes on from where the last of a series has ended."""
    statement = json.loads(open_envelope(last).payload)
    said = statement["predicate"]
    said |= {
        "seq": said["seq"] + 1,
        "receiptId": receipt_name(said["org"], said["rolloutId"], said["seq"] + 1),
        "prevReceipt": {"sha256": hashlib.sha256(last).hexdigest()},
        "from": said["to"],
        "to": {**said["to"], "status": status, "revision": said["to"]["revision"] + 1},
    }
    said["decision"]["action"] = action
    said["evidence"]["stateBefore"] = said["evidence"]["stateAfter"]
    return sign_receipt(canonicalize(statement), RECEIPTS)


def contrary_series() -> Iterator[tuple[str, Reason, tuple[bytes, ...]]]:
    """Yield series whose last receipt contradicts the one before it, each by a name and the reason to refuse it."""
    for name, (number, changes) in CONTRARY.items():
        links = series(name)[:number]
        for path, value in changes:
            what = f"one of {name} contradicts the one before it: {path} {json.dumps(value)[:20]}"
            yield what, Reason.CHAIN_CONTRADICTION, tuple(signed_again(links, number, put(path, value)))
        what = f"one of {name} is about something else"
        yield what, Reason.CHAIN_CONTRADICTION, tuple(signed_again(links, number, about("web")))
    for end, after in AFTER_THE_END.items():
        links = ended(end)
        for action, status in after:
            what = f"{action} to {status} after the end {end}"
            yield what, Reason.CHAIN_ENDED, (*links, going_on(links[-1], action, status))
        begun = put("from.status", end)
        yield f"begins at the end {end}", Reason.CHAIN_ENDED, tuple(signed_again(links[:1], 1, begun))
    again = (*taken_back(), going_on(taken_back()[-1], "rollback", "rolled_back"))
    yield "rolled back again", Reason.CHAIN_ENDED, again


def ended(status: str) -> list[bytes]:
    """Return a rollout that ends so."""
    links = series("canary")
    return signed_again(links, len(links), put("to.status", status))


def taken_back() -> tuple[bytes, ...]:
    """Return a rollout that was promoted and then rolled back, which alone may follow an end."""
    links = ended("promoted")
    return *links, going_on(links[-1], "rollback", "rolled_back")
