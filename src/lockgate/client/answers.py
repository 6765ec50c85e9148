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
    exposed_weight: float
    would_be_weight: float | None
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
    """The verdict alone, for whoever polls; `weight` is what to set, `advisory` that nothing is to be carried out."""

    id: str
    mode: str
    advisory: bool
    status: str
    terminal: bool
    step: int
    weight: float
    exposed_weight: float
    would_be_weight: float | None
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
    """Where an app stands; `version` counts what is done to it, and each change of its rollouts."""

    app: str
    version: int
    champion: str | None
    former_champion: str | None
    frozen: str | None
    killed: bool


class SeenRelease(TypedDict):
    """A release, and when its first run or rollout came."""

    name: str
    first_seen_at: str


class Overview(App):
    """The same with its latest releases, how many there are, what is on trial, and which webhooks hear weights."""

    releases: list[SeenRelease]
    release_count: int
    active: list[Rollout]
    webhooks: list[str]


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


class Part(TypedDict):
    """Sentences under a heading."""

    heading: str
    sentences: list[str]


class Explanation(TypedDict):
    """Why a rollout holds, in sentences, and by gate an interval that holds whenever it is looked at."""

    id: str
    parts: list[Part]
    anytime: dict[str, dict[str, Any]]


class Release(TypedDict):
    """A release of an app: `runs` that are kept of it, and `attempts`, how often it was put on trial."""

    name: str
    first_seen_at: str
    runs: int
    attempts: int
    champion: bool


class Comparison(TypedDict):
    """One look at two releases, judged by gates; `releases` has the runs of each."""

    outcome: str
    baseline: str | None
    candidate: str
    gates: list[dict[str, Any]]
    releases: dict[str, int]
    notes: list[str]


class Key(TypedDict):
    """An API key, without its token; `apps` None: it is for every app; `last_used_at` is late by a minute or two."""

    id: str
    name: str
    permissions: list[str]
    apps: list[str] | None
    created_at: str
    expires_at: str
    revoked_at: str | None
    last_used_at: str | None


class MadeKey(Key):
    """A key with the token that opens; None where the call was answered before and nobody knows it any more."""

    token: str | None


class RevokedKey(Key):
    """A key that opens nothing; `doubt` says why there may be a newer store, in which it is to be revoked too."""

    doubt: str | None


class Webhook(TypedDict):
    """A receiver that was declared; `disabled` says why nothing is sent, `app_id` None: it hears of every app."""

    id: str
    url: str
    app_id: str | None
    events: list[str]
    format: str
    hub_header: bool
    active: bool
    disabled: str | None
    since: str
    old_secret_until: str | None
    failing_since: str | None


class MadeWebhook(Webhook):
    """A webhook with the secret that it verifies by; None where the call was answered before."""

    secret: str | None


class TriedWebhook(TypedDict):
    """What a message that asks for nothing came to."""

    id: str
    webhook: str
    delivered: bool
    code: int | None
    took_ms: float
    error: str | None
    answer: str | None


class Delivery(TypedDict):
    """What became of one message at a webhook, with its latest attempts."""

    id: str
    webhook: str
    app_id: str
    rollout_id: str
    seq: int
    event: str
    at: str
    state: str
    attempts: int
    next_try: str | None
    error: str | None
    answer: str | None
    tries: list[dict[str, Any]]


class Turns(TypedDict):
    """A result or a problem of each active rollout."""

    rollouts: list[Taken]
    problems: list[dict[str, Any]]
