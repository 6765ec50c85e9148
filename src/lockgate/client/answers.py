# SPDX-License-Identifier: Apache-2.0
"""Nothing comes in; the types of what a server answers go out.

Each value is the document itself, so that nothing of it is lost.
"""

from __future__ import annotations

from typing import Any, TypedDict


class Decision(TypedDict):
    """What was decided of a rollout, and why."""

    action: str
    cause: str
    reason: str


class Verdict(TypedDict):
    """All findings and the worst of them."""

    outcome: str
    findings: list[dict[str, Any]]


class Rollout(TypedDict):
    """Where a rollout stands; `status` is active, paused, promoted, rolled_back or cancelled."""

    id: str
    app: str
    baseline: str | None
    candidate: str
    mode: str
    status: str
    step: int
    weight: float
    revision: int
    terminal: bool


class Proven(TypedDict):
    """A receipt that a call wrote, by its digest, and the proof of its place in the log."""

    receipt_id: str
    seq: int
    sha256: str
    log_index: int
    proof: str


class Signed(Proven):
    """The same with the bytes of the receipt, as text in UTF-8."""

    envelope: str


class Created(Rollout):
    """A rollout that was put on trial, and its first receipt; None where it was there already."""

    existing: bool
    signed: Signed | None


class Trial(Rollout):
    """A rollout with what a turn decided, or would decide at this moment."""

    decision: Decision
    verdict: Verdict
    receipt: int


class Turn(Trial):
    """What a turn came to, and the receipt that it wrote; None where it left a look."""

    signed: Signed | None


class Taken(Trial):
    """The same of one among many, without the bytes of the receipt."""

    signed: Proven | None


class Standing(TypedDict):
    """The verdict alone, for whoever polls."""

    id: str
    status: str
    terminal: bool
    step: int
    weight: float
    revision: int
    verdict: Verdict
    decision: Decision


class Acted(Rollout):
    """A rollout after an operator's call, and the number of the receipt of it."""

    receipt: int
    signed: Signed | None


class Receipt(TypedDict):
    """What a receipt is found by, and who decided."""

    seq: int
    receipt_id: str
    action: str
    cause: str
    revision: int
    at: str
    by: str
    log_index: int
    digest: str


class SignedReceipt(TypedDict):
    """A signed receipt, the proof of its place in the log, and both public keys."""

    id: str
    seq: int
    receipt: dict[str, Any]
    proof: str
    receipt_key: str
    log_key: str


class App(TypedDict):
    """Where an app stands."""

    app: str
    champion: str | None
    former_champion: str | None
    frozen: str | None
    killed: bool


class RolledBack(TypedDict):
    """A rollout that a kill rolled back, and the receipt of it."""

    id: str
    signed: Proven


class _Stood(App):
    receipt: int
    rolled_back: list[RolledBack]


class AppActed(_Stood):
    """An app after an operator's call, and the receipt of it; None where it stood so already."""

    signed: Signed | None


class AppTaken(_Stood):
    """The same of one among many, without the bytes of the receipt."""

    signed: Proven | None


class Kept(TypedDict):
    """What became of a batch of runs."""

    digest: str
    runs: int
    duplicates: int
    repeated: bool
    apps: dict[str, int]
    notes: list[str]


class Webhook(TypedDict):
    """A receiver that was declared, with the secret that it verifies by."""

    id: str
    url: str
    app_id: str | None
    events: list[str]
    secret: str


class Turns(TypedDict):
    """A result or a problem of each active rollout."""

    rollouts: list[Taken]
    problems: list[dict[str, Any]]
