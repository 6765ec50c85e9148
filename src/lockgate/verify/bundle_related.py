# SPDX-License-Identifier: Apache-2.0
"""The files of a bundle come in; the receipts of its app, organisation and baseline go out, each verified.

A receipt of theirs whose key had been revoked by its place in the log counts for nothing, and refuses nothing: whoever
stole a key may have had it signed, and the rollout's own receipts prove what they prove without it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from lockgate.core.bundle_layout import (
    BASELINE,
    BASELINE_PROOF,
    CHECKPOINT,
    SERIES,
    Series,
    related_file,
    related_proof_file,
)
from lockgate.core.canonical import Json, name_of
from lockgate.core.checkpoint import read_log_proof
from lockgate.core.note import read_note
from lockgate.core.refusal import Reason, VerifyError
from lockgate.core.release_sources import Entry
from lockgate.core.statement import Statement
from lockgate.verify.listed_files import Listed
from lockgate.verify.receipt import Checkpoints, Verified, verify_held
from lockgate.verify.rollout import Held, Link, link_of, named, refuse_contradiction
from lockgate.verify.trust import Keys


@dataclass(slots=True)
class Related:
    """The receipts of other series, and the one by which the baseline was tried, where it was.

    Of `revoked` ones, by the names of their files, the key had been revoked.
    """

    entries: list[Entry] = field(default_factory=list)
    baseline: Entry | None = None
    revoked: dict[str, str] = field(default_factory=dict)

    def unproven(self) -> tuple[str, ...]:
        """Return in words what counts for nothing."""
        return tuple(
            f"What {name} says, and the release record after it: {why}; it counts for nothing."
            for name, why in self.revoked.items()
        )


def related(listed: Listed, note: bytes, known: Checkpoints) -> Related:
    """Return the receipts of other series, each of which verifies and follows the one before it."""
    found = Related()
    for series in SERIES:
        before: Link | None = None
        for link in _links(listed, series, note, known, found):
            _check(listed, series, before, link)
            # What counts for nothing may say anything, and whatever follows it need not begin there.
            if link.name not in found.revoked:
                known_before = None if before is None or before.name in found.revoked else before.statement
                named(link.name, partial(refuse_contradiction, known_before, link.statement))
            before = link
            assert link.place is not None
            found.entries.append(Entry(link.statement, link.sha256, link.place))
    return found


def held_of(listed: Listed, note: bytes, receipt: str, proof: str) -> Held:
    """Return a receipt with its proof, which leads to the one checkpoint of the bundle."""
    data = listed.needed(proof)
    read = named(proof, lambda: read_log_proof(data))
    refuse_other(note, proof, read.checkpoint)
    return Held(receipt, listed[receipt], replace(read, checkpoint=note).encode())


def refuse_other(note: bytes, name: str, checkpoint: bytes) -> None:
    """Refuse what leads to another checkpoint than the bundle's, to which whatever witnesses signed later is added."""
    if not note.startswith(checkpoint) or named(name, lambda: read_note(checkpoint)).body != read_note(note).body:
        raise VerifyError(
            Reason.CHECKPOINTS,
            f"{name} is of another checkpoint than {CHECKPOINT}",
            advice="Take the bundle again as `lockgate export` wrote it: all its proofs are of one checkpoint.",
        )


def _links(listed: Listed, series: Series, note: bytes, known: Checkpoints, found: Related) -> Iterator[Link]:
    numbers = listed.numbers(related_file(series, 1))
    if numbers != listed.numbers(related_proof_file(series, 1)):
        raise VerifyError(Reason.BUNDLE_MISNAMED, f"related/{series} holds a proof of a receipt that is not there")
    for seq in numbers:
        held = held_of(listed, note, related_file(series, seq), related_proof_file(series, seq))
        yield link_of(held.name, named(held.name, partial(_verified, held, known, found)))


def _verified(held: Held, known: Checkpoints, found: Related) -> Verified:
    """Return what a receipt proves, as far as its key's revocation at a proven place is all that it lacks."""
    try:
        return verify_held(held.envelope, held.proof, known)
    except VerifyError as error:
        if error.reason is not Reason.KEY_REVOKED:
            raise
        verified = verify_held(held.envelope, held.proof, replace(known, keys=_Unplaced.of(known.keys)))
        found.revoked[held.name] = error.message
        return verified


def take_baseline(listed: Listed, note: bytes, known: Checkpoints, first: Link, found: Related) -> None:
    """Take the receipt that put the baseline on trial, where there is one; `first` is the rollout's own first."""
    if BASELINE not in listed and BASELINE_PROOF not in listed:
        return
    if BASELINE not in listed:
        raise VerifyError(Reason.BUNDLE_MISNAMED, f"{BASELINE_PROOF} is the proof of a receipt that is not there")
    held = held_of(listed, note, BASELINE, BASELINE_PROOF)
    link = link_of(held.name, named(held.name, partial(_verified, held, known, found)))
    said, release = link.statement, _release(first.statement, "baseline")
    place, before = link.place, first.place
    assert place is not None
    assert before is not None
    is_its = (said.org, said.seq, _release(said, "candidate")) == (listed.about["org"], 1, release)
    if not is_its or said.subjects[0][0] != f"{listed.about['app']}@{release}" or place >= before:
        raise VerifyError(
            Reason.BUNDLE_MISNAMED, f"{BASELINE} is not of a trial of the baseline that began before this one"
        )
    found.baseline = Entry(said, link.sha256, place)


def _release(said: Statement, side: str) -> Json:
    part = said.predicate[side]
    return part.get("release") if isinstance(part, Mapping) else None


class _Unplaced(Keys):
    """The same keys, each of which signs wherever it signs, for what counts for nothing."""

    @classmethod
    def of(cls, keys: Keys) -> _Unplaced:
        """Return the keys without their places."""
        return cls(keys.receipt, keys.log, keys.manifest, keys.witnesses)

    def refuse_place(self, key_id: str, org: str, index: int | None) -> None:
        """Refuse nothing."""


def _check(listed: Listed, series: Series, before: Link | None, link: Link) -> None:
    """Refuse a receipt of another series, or one that does not follow the one before it."""
    said, org = link.statement, listed.about["org"]
    # By these names an app's own receipts, and an organisation's, are counted.
    own = name_of("app", org, listed.about["app"]) if series == "app" else name_of("org", org)
    if (said.org, said.rollout_id, related_file(series, said.seq)) != (org, own, link.name):
        raise VerifyError(Reason.BUNDLE_MISNAMED, f"{link.name} is receipt {said.seq} of {said.rollout_id}")
    if before is not None and (before.statement.seq + 1, before.sha256) != (said.seq, said.previous):
        raise VerifyError(Reason.CHAIN, f"{link.name} does not follow {before.name}")
