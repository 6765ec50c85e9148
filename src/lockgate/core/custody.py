# SPDX-License-Identifier: Apache-2.0
"""By which keys an organisation signs, what it has pruned and whom it tells and trusts come in; a statement goes out.

It is unsigned, and has the predicate of a rollout's receipts in a small shape: `rolloutId` is the organisation's own
series of receipts, `subject` the organisation, `from` and `to` its custody before and after, `decision` an action
(`new_keys`, `rotate_key`, `revoke_key`, `publish_manifest`, `prune`, `set_webhook`, `remove_webhook`, `set_trust`,
`remove_trust`) with cause and reason; `verdict` is null, and whatever else is of a rollout is empty.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from lockgate.core.canonical import Json, name_of
from lockgate.core.decision.decision import Action, Cause
from lockgate.core.instant import Instant
from lockgate.core.receipt import Actor, Draft, digest_set
from lockgate.core.series_receipt import SeriesAct, draft_act

# Every receipt of custody states them all twice, and has MAX_PAYLOAD_SIZE bytes; 212 bytes are of each, at most.
MAX_REVOKED = 100


@dataclass(frozen=True, slots=True)
class Published:
    """The version of the key manifest that was published last, and its digest."""

    version: int
    digest: str


@dataclass(frozen=True, slots=True)
class Overlap:
    """The key of the log that signs checkpoints beside its follower, and until when."""

    log_key: str
    until: Instant


@dataclass(frozen=True, slots=True)
class Revocation:
    """A key that others may have signed by, and the last place of the log at which it counts."""

    key_id: str
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Custody:
    """The ids of the keys that sign, up to when raw runs and deliveries were pruned, and who is sent messages.

    `webhooks` is the digest of all that are declared, `trust` that of all trust rules; None where none is.
    """

    receipt_key: str
    log_key: str
    raw_until: Instant = 0
    deliveries_until: Instant = 0
    webhooks: str | None = None
    trust: str | None = None
    manifest: Published | None = None
    overlap: Overlap | None = None
    revoked: tuple[Revocation, ...] = ()

    def document(self) -> dict[str, Json]:
        """Return the JSON form."""
        return {
            "receiptKey": self.receipt_key,
            "logKey": self.log_key,
            "rawUntil": self.raw_until,
            "deliveriesUntil": self.deliveries_until,
            "webhooks": None if self.webhooks is None else digest_set(self.webhooks),
            "trust": None if self.trust is None else digest_set(self.trust),
            "manifest": None
            if self.manifest is None
            else {"version": self.manifest.version, **digest_set(self.manifest.digest)},
            "overlap": None if self.overlap is None else {"logKey": self.overlap.log_key, "until": self.overlap.until},
            "revoked": [{"keyid": each.key_id, "lastIndex": each.last} for each in self.revoked],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class CustodyAct:
    """What was done to an organisation's custody, and what ties its receipt to the one before it."""

    org: str
    before: Custody | None
    after: Custody
    action: Action
    reason: str
    at: Instant
    seq: int
    previous: str | None
    engine: str


def custody_series(org: str) -> str:
    """Return the id under which an organisation's own receipts are counted."""
    return name_of("org", org)


def stated_custody(standing: Mapping[str, Json]) -> Custody:
    """Return the custody that a receipt states."""
    return Custody(
        receipt_key=cast("str", standing["receiptKey"]),
        log_key=cast("str", standing["logKey"]),
        raw_until=cast("int", standing["rawUntil"]),
        deliveries_until=cast("int", standing["deliveriesUntil"]),
        webhooks=_digest_of(standing.get("webhooks")),
        trust=_digest_of(standing.get("trust")),
        manifest=_published(standing.get("manifest")),
        overlap=_overlap(standing.get("overlap")),
        revoked=tuple(
            Revocation(each["keyid"], each["lastIndex"])
            for each in cast("list[dict[str, Any]]", standing.get("revoked") or ())
        ),
    )


def _published(written: Json) -> Published | None:
    if not isinstance(written, Mapping):
        return None
    return Published(cast("int", written["version"]), f"sha256:{written['sha256']}")


def _overlap(written: Json) -> Overlap | None:
    if not isinstance(written, Mapping):
        return None
    return Overlap(cast("str", written["logKey"]), cast("int", written["until"]))


def _digest_of(written: Json) -> str | None:
    return f"sha256:{written['sha256']}" if isinstance(written, Mapping) else None


def draft_custody(act: CustodyAct, actor: Actor) -> Draft:
    """Return the unsigned receipt of a change of custody."""
    drafted = SeriesAct(
        org=act.org,
        series=custody_series(act.org),
        subject=("org", act.org),
        baseline={},
        before={} if act.before is None else act.before.document(),
        after=act.after.document(),
        action=act.action,
        cause=Cause.OPERATOR,
        reason=act.reason,
        at=act.at,
        seq=act.seq,
        previous=act.previous,
        engine=act.engine,
    )
    return draft_act(drafted, actor)
