# SPDX-License-Identifier: Apache-2.0
"""The id of a rollout comes in; its receipts, and all that proves and explains them, go out as one bundle.

Everything is gathered from one snapshot, so that it fits together; the same state of a store makes the same bytes.
What is not there is named in the bundle, with the reason.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from lockgate.core.bundle import pieces
from lockgate.core.bundle_layout import (
    CHECKPOINT,
    GROWTH,
    MANIFEST,
    MISSING,
    POLICY,
    RELEASE_RECORD,
    TIMESTAMP,
    manifest,
    order,
)
from lockgate.core.canonical import Json, canonicalize
from lockgate.core.checkpoint import checkpoint_of
from lockgate.core.release_record import release_record
from lockgate.core.trial import Trial
from lockgate.errors import UnsoundError
from lockgate.operations.bundle.keys import put_keys
from lockgate.operations.bundle.receipts import MAX_CASES, BundleReceipts, silent
from lockgate.operations.bundle.related import RelatedReceipts
from lockgate.operations.bundle.spool import Spool
from lockgate.operations.line.reading import load
from lockgate.operations.vault.proofs import grown_since
from lockgate.operations.vault.witnessed import timestamp_of, vouched_size, witnessed_checkpoint
from lockgate.ports.house import House
from lockgate.ports.store import Snapshot
from lockgate.ports.tell import Tell

# A release record, and what is missing, come in; files for people go out.
Pages = Callable[[Mapping[str, Json], Mapping[str, Json]], Mapping[str, bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be exported, since which kept checkpoint the log must only have grown, and what writes the pages.

    `has_org`: whether whoever asks may also see what was done to the organisation itself. `max_cases`: of how many
    receipts there are replay cases, the first ones; None: of all.
    """

    rollout_id: str
    pages: Pages
    since: bytes | None = None
    has_org: bool = True
    max_cases: int | None = MAX_CASES
    tell: Tell = silent


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A bundle that was gathered: what it is of, what is missing in it and why, and its files."""

    about: Mapping[str, Json]
    receipts: int
    missing: Mapping[str, Json]
    files: Spool

    def pieces(self) -> Iterator[bytes]:
        """Yield its bytes."""
        return pieces((name, self.files[name]) for name in sorted(self.files, key=order))


@contextmanager
def bundle(wanted: Wanted, house: House) -> Iterator[Bundle]:
    """Gather a rollout's bundle, and hand it out until the block ends."""
    with Spool() as files:
        # No snapshot is held while the bytes are on their way.
        with house.store.reading(house.org) as seen:
            gathered = _gathered(seen, wanted, house, files)
        files.add(MANIFEST, manifest(gathered.about, files.digests()))
        yield gathered


def _gathered(seen: Snapshot, wanted: Wanted, house: House, files: Spool) -> Bundle:
    trial, policy = load(seen, wanted.rollout_id)
    rollout, note = trial.rollout, _checkpoint(seen, trial, wanted.since)
    checkpoint = checkpoint_of(note)
    own = BundleReceipts(seen, house, files, wanted.tell, wanted.max_cases)
    beside = RelatedReceipts(seen, house, files, own)
    related, tried = beside.entries(rollout, note, has_org=wanted.has_org), beside.baseline(rollout, note)
    record = canonicalize(release_record(own.entries(trial, note), policy.document(), related, tried))
    files.add(CHECKPOINT, note)
    stamp = timestamp_of(seen, checkpoint.size)
    if stamp is not None:
        files.add(TIMESTAMP, stamp)
    files.add(POLICY, canonicalize(policy.document()))
    files.add(RELEASE_RECORD, record)
    if wanted.since is not None:
        files.add(GROWTH, grown_since(seen, wanted.since, note))
    missing = {**own.missing(), **put_keys(seen, house, checkpoint.origin, own.signers, files)}
    if not wanted.has_org:
        missing["related"] = [{"series": "org", "why": "whoever asked may see some apps only"}]
    for name, data in wanted.pages(json.loads(record), missing).items():
        files.add(name, data)
    if missing:
        files.add(MISSING, canonicalize(missing))
    about: dict[str, Json] = {
        "org": house.org,
        "rolloutId": rollout.id,
        "origin": checkpoint.origin,
        "app": rollout.app,
        "candidate": rollout.candidate,
    }
    return Bundle(about=about, receipts=own.count, missing=missing, files=files)


def _checkpoint(seen: Snapshot, trial: Trial, since: bytes | None) -> bytes:
    """Return the latest checkpoint that somebody outside has signed, of those that cover the rollout, else the latest.

    Whatever was appended after it is of others, or covered by a later bundle.
    """
    last = seen.receipts_after(trial.rollout.id, trial.chain.seq - 1, 1)
    kept = 0 if since is None else checkpoint_of(since).size
    size = vouched_size(seen, max([kept, *(receipt.index + 1 for receipt in last)]))
    note = witnessed_checkpoint(seen, size)
    if note is None:
        raise UnsoundError("the log has no checkpoint", advice="`lockgate fsck` says what else is wrong.")
    return note
