# SPDX-License-Identifier: Apache-2.0
"""A bundle and what was verified of it come in; what of it nobody signed, or nobody read here, goes out in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lockgate.core.bundle_layout import CHECKPOINT, GROWTH, KEY_MANIFEST, MISSING, TIMESTAMP
from lockgate.core.checkpoint import read_log_growth
from lockgate.core.key_manifest import open_manifest
from lockgate.core.listed_key import ListedKey, Status
from lockgate.verify.bundle_related import refuse_other
from lockgate.verify.listed_files import Listed
from lockgate.verify.receipt import Checkpoints
from lockgate.verify.rollout import named
from lockgate.verify.trust import Keys

STAMP_UNREAD = f"When somebody else had seen the checkpoint: {TIMESTAMP} was not read here."
PAGES = "What timeline.html and README.txt say, and what audit.sh does: nobody signed them."


def unread(listed: Listed, known: Checkpoints, key_ids: Iterable[str]) -> Iterator[str]:
    """Yield what is left open of a bundle that keys of those ids signed."""
    yield from _revoked(listed, known.keys, set(key_ids))
    if GROWTH in listed:
        yield from _growth(listed, known)
    if TIMESTAMP in listed:
        yield STAMP_UNREAD
    if MISSING in listed:
        yield f"Why something is missing: {MISSING} says it, and nobody signed that."
    yield PAGES


def _growth(listed: Listed, known: Checkpoints) -> Iterator[str]:
    """Yield what the proof of growth would prove, unless it did; it is at least one under the bundle's checkpoint."""
    found = named(GROWTH, lambda: read_log_growth(listed[GROWTH]))
    refuse_other(listed[CHECKPOINT], GROWTH, found.checkpoint)
    if known.kept is not None and (known.kept.size, known.growth) == (found.size, listed[GROWTH]):
        return
    yield (
        f"That the log grew from a tree of {found.size}: {GROWTH} is compared only with a checkpoint of that size "
        "that you kept, named with --checkpoint."
    )


def _revoked(listed: Listed, keys: Keys, used: set[str]) -> Iterator[str]:
    """Yield which keys are revoked by what the bundle calls the key manifest, where no root key led to that version."""
    if KEY_MANIFEST not in listed:
        return
    found = named(KEY_MANIFEST, lambda: open_manifest(listed[KEY_MANIFEST])).manifest
    if keys.manifest is not None and keys.manifest.version >= found.version:
        return
    own = {key.raw for key in keys.log}
    for each in found.keys:
        if each.status is Status.REVOKED and (each.key.key_id in used or each.key.raw in own):
            yield _was_revoked(each, found.version)


def _was_revoked(each: ListedKey, version: int) -> str:
    return (
        f"That key {each.key.key_id} still counted: version {version} of the key manifest, in the bundle, revokes it "
        f"after entry {each.last}, and no root key that you named led to that version."
    )
