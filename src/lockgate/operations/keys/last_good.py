# SPDX-License-Identifier: Apache-2.0
"""A log and keys of it that others may sign by come in; up to which place they count goes out, or a refusal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from lockgate.core.custody import MAX_REVOKED, Custody, Revocation
from lockgate.core.listed_key import Use
from lockgate.errors import UsageError
from lockgate.operations.access.organisations import organisations
from lockgate.operations.keys.manifest import known_publicly
from lockgate.operations.keys.spans import Span, key_spans
from lockgate.operations.vault.known_keys import custody, heir, log_signers
from lockgate.operations.vault.witnessed import vouched_size
from lockgate.ports.house import House
from lockgate.ports.store import Snapshot


def last_vouched(house: House, org: str) -> int:
    """Return the last entry of a log that a checkpoint covers which a witness or a timestamp authority signed."""
    with house.store.reading(org) as seen:
        size = vouched_size(seen, 1)
    if size is None:
        raise UsageError(
            f"nobody outside has signed a checkpoint of the log of {org}",
            advice="Name the last good entry by its number, from a checkpoint that somebody has kept.",
        )
    return size - 1


def signed_logs(house: House) -> Sequence[House]:
    """Return the house of each organisation whose log has an entry."""
    found = []
    for org in organisations(house):
        with house.store.reading(org) as seen:
            if seen.latest_receipt() is not None:
                found.append(replace(house, org=org))
    if not found:
        raise UsageError("nothing was signed yet", advice="The keys that are there sign the first receipt.")
    return found


def spans_of(seen: Snapshot, house: House) -> Mapping[Use, tuple[Span, ...]]:
    """Return the keys of each use that signed a house's log, the oldest first."""
    return key_spans(seen, house.org, known_publicly(house), house.clock.now())


def standing_keys(seen: Snapshot, house: House) -> Custody:
    """Return a log's custody with the keys that sign next, whether or not they are here."""
    latest = seen.latest_receipt()
    assert latest is not None
    stated = custody(seen, house.org)
    if stated is None:
        return Custody(receipt_key=heir(latest), log_key=log_signers(seen, house, latest)[0].key_id)
    return stated


def refuse_place(seen: Snapshot, house: House, span: Span, last_good: Mapping[str, int]) -> None:
    """Refuse a last good entry that lies before the places of a key in a log, or behind the log."""
    size = seen.tree().size
    # The place before its first is that of a key of which nothing is good; before the log's first there is none.
    if not max(span.first - 1, 0) <= last_good.get(house.org, -1) < size:
        last = size - 1 if span.last is None else span.last
        none = "; one less than the first where none of them is good" if span.first else ""
        raise UsageError(
            f"entries {span.first:,} to {last:,} of the log of {house.org} are of this key, and what is named as the "
            "last good one is none of this log's, or lies before them",
            advice=f"--last-good-index {house.org}:N, where N is the index of the last entry that a witness, or a "
            f"checkpoint that somebody kept, has covered before the key was stolen{none}.",
        )


def with_revoked(now: Custody, key_ids: Iterable[str], last_good: int, org: str) -> tuple[Revocation, ...]:
    """Return what a custody states of stolen keys with more of them; what counted for nothing never counts again."""
    revoked = {each.key_id: each.last for each in now.revoked}
    for key_id in key_ids:
        revoked[key_id] = min(last_good, revoked.get(key_id, last_good))
    if len(revoked) > MAX_REVOKED:
        raise UsageError(
            f"{MAX_REVOKED} keys of the log of {org} are revoked, and no receipt states more of them",
            advice="Let the key be followed without --compromised, tell your auditors which place it counts up to, "
            "and go on in an organisation of another name, whose log begins anew.",
        )
    return tuple(Revocation(key_id, last) for key_id, last in revoked.items())
