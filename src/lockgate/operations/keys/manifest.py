# SPDX-License-Identifier: Apache-2.0
"""A house comes in; its key manifest as it was published last, its versions, or the next one to be signed go out.

A manifest is a content of the store, which a receipt of the organisation's custody names by its digest.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from lockgate.core.checkpoint import checkpoint_of
from lockgate.core.custody import Custody, Published
from lockgate.core.decision.decision import Action
from lockgate.core.key_manifest import SignedManifest, check_successor, open_manifest, read_manifest
from lockgate.core.manifest_body import KeyManifest
from lockgate.core.public_key import PublicKey
from lockgate.core.receipt import Actor, operator
from lockgate.core.vault import Receipt
from lockgate.errors import DataError, UsageError
from lockgate.operations.keys.public_keys import public_keys
from lockgate.operations.keys.spans import listed_keys
from lockgate.operations.vault.custody import change
from lockgate.operations.vault.keeping import writing
from lockgate.operations.vault.known_keys import custody, heir, log_signers
from lockgate.ports.house import House
from lockgate.ports.store import Snapshot
from lockgate.verify import is_signed

MAX_VERSIONS = 10_000


@dataclass(frozen=True, slots=True)
class Roots:
    """Which root keys are to be added to those of the version before, and which left out, and how many it takes."""

    added: tuple[PublicKey, ...] = ()
    removed: tuple[str, ...] = ()
    threshold: int | None = None


NO_CHANGE = Roots()


def current_manifest(house: House) -> bytes | None:
    """Return the signed manifest that was published last; None where none was."""
    with house.store.reading(house.org) as seen:
        return _current(seen, house.org)


def manifests_in(seen: Snapshot, org: str) -> tuple[bytes, ...]:
    """Return every version of the manifest that was published, the first one first."""
    return tuple(reversed([*_versions(seen, org)]))


def draft_manifest(house: House, roots: Roots = NO_CHANGE) -> KeyManifest:
    """Return the next version of the manifest, as the log says it, for its root keys to be signed."""
    with house.store.reading(house.org) as seen:
        current = _current(seen, house.org)
        before = None if current is None else open_manifest(current)
        keys = listed_keys(seen, house.org, known_publicly(house, before), house.clock.now())
        note = seen.checkpoint()
    assert note is not None
    was = () if before is None else before.manifest.roots
    now = _together(was, roots)
    threshold = roots.threshold or (1 if before is None else min(before.manifest.threshold, len(now)))
    if not 1 <= threshold <= len(now):
        raise UsageError(f"{len(now)} root keys cannot be asked for {threshold} signatures", advice="See --threshold.")
    return KeyManifest(
        version=1 if before is None else before.manifest.version + 1,
        previous=None if before is None else before.digest,
        org=house.org,
        origin=checkpoint_of(note).origin,
        roots=now,
        threshold=threshold,
        keys=keys,
        former=tuple(each for each in was if each not in now),
    )


def is_behind(published: SignedManifest, house: House) -> bool:
    """Say whether the log says something else of keys now than a manifest that was published."""
    return draft_manifest(house).keys != published.manifest.keys


def publish_manifest(data: bytes, actor: Actor, house: House) -> Receipt:
    """Keep a signed manifest and bind it by a receipt, if it is the next one and says what the log says."""
    checked = operator(actor.name or "", actor.reason or "", actor.kind)
    offered = open_manifest(data).manifest
    read_manifest(data, (*offered.roots, *offered.former), is_signed)
    current = current_manifest(house)
    if current is not None:
        check_successor(current, data, is_signed)
    expected = draft_manifest(house, Roots(offered.roots, (), offered.threshold))
    if replace(expected, roots=offered.roots, former=offered.former) != offered:
        raise DataError(
            "the manifest is not what the log says now: another version of it, another log, or other keys sign since",
            advice="Make it anew with `lockgate keys manifest --unsigned`, and sign that.",
        )
    with writing(house) as work:
        if _current(work, house.org) != current:
            raise DataError("another version was published meanwhile", advice="Make the next one anew.")
        latest = work.latest_receipt()
        assert latest is not None
        ours = Custody(receipt_key=heir(latest), log_key=log_signers(work, house, latest)[0].key_id)
        before = custody(work, house.org) or ours
        after = replace(before, manifest=Published(offered.version, work.put_content(data)))
        said = f"version {offered.version} of the key manifest is published: {checked.reason}"
        return change(work, house, after, Action.PUBLISH_MANIFEST, checked, said)


def lacks_signatures(signed: SignedManifest, house: House) -> str | None:
    """Return in words which signatures a manifest lacks before it can be published; None where it lacks none."""
    signers = signed.signers(is_signed)
    current = current_manifest(house)
    demands = [signed.manifest] if current is None else [signed.manifest, open_manifest(current).manifest]
    for each in demands:
        given = len(signers & {root.key_id for root in each.roots})
        if given < each.threshold:
            return f"{given} of the {each.threshold} root keys that version {each.version} takes have signed"
    return None


def with_signature(signed: SignedManifest, key_id: str, signature: bytes) -> SignedManifest:
    """Return a manifest with one more signature, in place of an earlier one of the same key."""
    others = tuple(each for each in signed.signatures if each[0] != key_id)
    return replace(signed, signatures=(*others, (key_id, signature)))


def known_publicly(house: House, before: SignedManifest | None = None) -> dict[str, PublicKey]:
    """Return the public keys that a house, or a version of its manifest, knows, by their ids."""
    found = [key for keys in public_keys(house).values() for key in keys]
    listed: Sequence[PublicKey] = () if before is None else [each.key for each in before.manifest.keys]
    return {key.key_id: key for key in (*found, *listed)}


def _current(seen: Snapshot, org: str) -> bytes | None:
    stated = custody(seen, org)
    return None if stated is None or stated.manifest is None else _content(seen, stated.manifest.digest)


def _versions(seen: Snapshot, org: str) -> Iterator[bytes]:
    data = _current(seen, org)
    for _ in range(MAX_VERSIONS):
        if data is None:
            return
        yield data
        previous = open_manifest(data).manifest.previous
        data = None if previous is None else _content(seen, f"sha256:{previous}")


def _content(seen: Snapshot, digest: str) -> bytes:
    data = seen.content(digest)
    if data is None:
        raise DataError(
            f"the key manifest {digest} is not in the store, and a receipt names it",
            advice="`lockgate fsck` says what else is missing; put the store back from a sound backup.",
        )
    return data


def _together(was: Sequence[PublicKey], roots: Roots) -> tuple[PublicKey, ...]:
    unknown = set(roots.removed) - {each.key_id for each in was}
    if unknown:
        raise UsageError(
            f"{', '.join(sorted(unknown))} is no root key of the manifest",
            advice="`lockgate keys manifest` lists them.",
        )
    kept = [each for each in was if each.key_id not in roots.removed]
    now = (*kept, *(each for each in dict.fromkeys(roots.added) if each not in kept))
    if not now:
        raise UsageError(
            "the manifest has no root key", advice="`lockgate keys root FILE` makes one; name it with --root."
        )
    return now
