# SPDX-License-Identifier: Apache-2.0
"""A store comes in; every contradiction in it, from files to decisions, goes out, and nothing is written.

Everything is read from one snapshot, in portions, while others go on writing.
"""

from __future__ import annotations

from dataclasses import dataclass

from lockgate.core.listed_key import Use
from lockgate.core.note import NoteKey
from lockgate.core.soundness.flaw import Flaw, Rule, deepest_first
from lockgate.errors import NotPermittedError
from lockgate.operations.intake.recounting import Decode
from lockgate.operations.keys.public_keys import public_keys
from lockgate.operations.soundness.contents import CONTENTS, check_contents
from lockgate.operations.soundness.evidence import check_evidence
from lockgate.operations.soundness.log import check_log
from lockgate.operations.soundness.outbox import check_outbox
from lockgate.operations.soundness.series import check_series
from lockgate.operations.soundness.vouchers import OUTSIDE, check_vouchers
from lockgate.operations.vault.checking import Check
from lockgate.operations.vault.origin import origin_of
from lockgate.ports.house import House
from lockgate.ports.store import Snapshot
from lockgate.ports.tell import Tell
from lockgate.ports.timestamps import StampReader
from lockgate.verify import Keys

NO_OTHER_KEYS = Keys(())
STORE = "the store"


@dataclass(frozen=True, slots=True, kw_only=True)
class Soundness:
    """What a check came to: flaws, how many more there are, what was counted, and what could not be recomputed."""

    flaws: tuple[Flaw, ...]
    further: int
    counted: dict[str, int]
    unknown: tuple[str, ...]

    @property
    def is_sound(self) -> bool:
        """Say whether nothing contradicts anything."""
        return not self.flaws

    @property
    def has_nodes(self) -> bool:
        """Say whether the nodes of the log are what its entries make."""
        return all(flaw.rule not in (Rule.INDEX, Rule.NODE) for flaw in self.flaws)


def _untold(_what: str, _number: int) -> None:
    """Tell nobody."""


def fsck(
    house: House,
    keys: Keys = NO_OTHER_KEYS,
    tell: Tell = _untold,
    decode: Decode | None = None,
    stamps: StampReader | None = None,
) -> Soundness:
    """Check everything that an organisation has stored; `keys` are trusted beside those of the house.

    Where `decode` is given raw runs that are still kept are tallied again, and where `stamps` is timestamps are
    verified.
    """
    with house.store.reading(house.org) as seen:
        check = Check(seen, house.org, trusted(seen, house, keys), tell)
        with check.within(STORE):
            check.add(Flaw(rule, STORE, said) for rule, said in seen.contradictions())
        with check.within("the log"):
            check_log(check)
        with check.within("buckets and batches"):
            check_evidence(check, decode)
        with check.within(CONTENTS):
            check_contents(check)
        with check.within("rollouts and apps"):
            check_series(check)
        with check.within(OUTSIDE):
            check_vouchers(check, stamps)
        with check.within("the outbox"):
            check_outbox(check)
        if check.is_unread:
            told = {flaw.what for flaw in check.flaws}
            check.add(Flaw(Rule.ROW, STORE, said) for said in seen.unreadable() if said not in told)
    return Soundness(
        flaws=tuple(deepest_first(check.flaws)),
        further=check.further,
        counted=dict(sorted(check.counted.items())),
        unknown=tuple(check.unknown),
    )


def trusted(seen: Snapshot, house: House, keys: Keys) -> Keys:
    """Return the keys of a house, older ones that were kept too, each of the log under its name, and those given."""
    note, known = seen.checkpoint(), public_keys(house)
    logs = () if note is None else tuple(NoteKey(origin_of(note, house), key.raw) for key in known[Use.LOG])
    found = Keys((*known[Use.RECEIPT], *keys.receipt), (*logs, *keys.log))
    if not (found.receipt or found.log):
        raise NotPermittedError(
            "the keys folder has no key of this store, not even the public half of one",
            advice="Put the folder back from its backup, or name public keys, from files that `lockgate receipts ID "
            "--save FOLDER` wrote while they were there: `lockgate fsck --key receipt-key.pem --log-key log-key.txt`.",
        )
    return found


def log_origin(house: House) -> str:
    """Return the name under which the keys of a house's log sign."""
    with house.store.reading(house.org) as seen:
        return origin_of(seen.checkpoint(), house)
