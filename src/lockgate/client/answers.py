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


class Trial(Rollout):
    """A rollout with what a turn decided, or would decide at this moment."""

    decision: Decision
    verdict: Verdict
    receipt: int


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

    rollouts: list[Trial]
    problems: list[dict[str, Any]]
