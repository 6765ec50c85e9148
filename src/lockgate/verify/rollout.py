# SPDX-License-Identifier: Apache-2.0
"""All receipts of one rollout come in, in any order; what they prove together goes out, or what is wrong with which."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from typing import NamedTuple, TypeVar

from lockgate.core.canonical import Json
from lockgate.core.contradiction import Footing, contradiction
from lockgate.core.refusal import Reason, VerifyError
from lockgate.core.statement import Statement
from lockgate.core.statement_form import ENDED
from lockgate.verify.checkpoint import SignedCheckpoint
from lockgate.verify.receipt import Checkpoints, Verified, checkpoints, verify_held, verify_receipt
from lockgate.verify.trust import Keys

EVIDENCE_UNREAD = "That the decisions follow from their evidence, which is bound by digests and was not read here."
Tell = Callable[[str, int], None]
Read = TypeVar("Read")


class Held(NamedTuple):
    """A receipt as somebody holds it: what they call it, its bytes, and the proof that the log holds it."""

    name: str
    envelope: bytes
    proof: bytes | None = None


class Link(NamedTuple):
    """What of a verified receipt the chain is checked by."""

    name: str
    statement: Statement
    sha256: str
    key_id: str
    place: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedRollout:
    """A whole chain of receipts that verifies, from a rollout's first to the last that was given."""

    links: tuple[Link, ...]
    signed: SignedCheckpoint | None
    proven: tuple[str, ...]
    unproven: tuple[str, ...]

    @property
    def last(self) -> Statement:
        """Return what the last receipt states."""
        return self.links[-1].statement

    @property
    def status(self) -> str:
        """Return where the last receipt leaves the rollout."""
        to = self.last.predicate["to"]
        assert isinstance(to, Mapping)
        return str(to.get("status"))

    def document(self) -> dict[str, Json]:
        """Return the JSON form."""
        log = None if self.signed is None else self.signed.checkpoint
        return {
            "valid": True,
            "kind": "rollout",
            "id": self.last.rollout_id,
            "org": self.last.org,
            "receipts": len(self.links),
            "ended": self.status in ENDED,
            "status": self.status,
            "sha256": self.links[-1].sha256,
            "keyIds": list(dict.fromkeys(link.key_id for link in self.links)),
            "log": None if log is None else {"origin": log.origin, "size": log.size},
            "proven": list(self.proven),
            "unproven": list(self.unproven),
        }


def verify_chain(envelopes: Sequence[bytes], keys: Keys) -> tuple[Verified, ...]:
    """Return what the receipts of one rollout prove, if they begin at its first and none between them is missing."""
    chain = tuple(verify_receipt(envelope, keys) for envelope in envelopes)
    _check_chain([link_of(f"receipt {each.statement.seq}", each) for each in chain])
    return chain


def verify_rollout(
    receipts: Iterable[Held],
    keys: Keys,
    checkpoint: bytes | None = None,
    growth: bytes | None = None,
    tell: Tell | None = None,
) -> VerifiedRollout:
    """Return what all receipts of one rollout prove together, in whatever order they come.

    Whatever is missing, comes twice or is of another rollout is named; `tell` is told how many have been verified.
    """
    return verify_links(receipts, checkpoints(keys, checkpoint, growth), tell)


def verify_links(receipts: Iterable[Held], known: Checkpoints, tell: Tell | None = None) -> VerifiedRollout:
    """Return what receipts prove together, by checkpoints that are verified once for all of them."""
    links: list[Link] = []
    signed: SignedCheckpoint | None = None
    for held in receipts:
        verified = named(held.name, partial(verify_held, held.envelope, held.proof, known))
        links.append(link_of(held.name, verified))
        if verified.entry is not None:
            signed = _one_checkpoint(held.name, signed, verified.entry.signed)
        if tell is not None:
            tell("receipts", len(links))
    if not links:
        raise VerifyError(Reason.CHAIN, "there is no receipt", advice="Name the files of a rollout's receipts.")
    ordered = sorted(links, key=lambda link: link.statement.seq)
    _refuse_mixed(ordered)
    _check_chain(ordered)
    return _said(tuple(ordered), signed, known)


def named(name: str, verify: Callable[[], Read]) -> Read:
    """Return what verifies; a refusal says which file it is about."""
    try:
        return verify()
    except VerifyError as error:
        raise VerifyError(error.reason, f"{name}: {error.message}", advice=error.advice) from error


def link_of(name: str, verified: Verified) -> Link:
    """Return what of a verified receipt a chain is checked by."""
    index = None if verified.entry is None else verified.entry.index
    return Link(name, verified.statement, verified.sha256, verified.key_id, index)


def _one_checkpoint(name: str, signed: SignedCheckpoint | None, found: SignedCheckpoint) -> SignedCheckpoint:
    if signed is not None and found.checkpoint != signed.checkpoint:
        raise VerifyError(
            Reason.CHECKPOINTS,
            f"{name}: its proof is of another checkpoint than those before it, and nothing says that they are one log",
            advice="Save all receipts anew in one call: their proofs are then of one checkpoint.",
        )
    return found


def _refuse_mixed(ordered: Sequence[Link]) -> None:
    """Refuse receipts of several rollouts, where that of most of them is meant, and one that comes twice."""
    ids = [(link.statement.org, link.statement.rollout_id) for link in ordered]
    [(meant, _)] = Counter(ids).most_common(1)
    for link, said in zip(ordered, ids, strict=True):
        if said != meant:
            raise VerifyError(Reason.CHAIN_FOREIGN, f"{link.name} is of another rollout, {said[1]}, than {meant[1]}")
    for before, link in pairwise(ordered):
        if before.statement.seq == link.statement.seq:
            raise VerifyError(
                Reason.CHAIN_DUPLICATE, f"{before.name} and {link.name} are both receipt {link.statement.seq}"
            )


def _check_chain(ordered: Sequence[Link]) -> None:
    before: Link | None = None
    for link in ordered:
        _refuse_gap(before, link)
        refuse_contradiction(None if before is None else before.statement, link.statement)
        before = link


def _refuse_gap(before: Link | None, link: Link) -> None:
    said, seq = link.statement, 1 if before is None else before.statement.seq + 1
    if said.seq != seq:
        raise VerifyError(Reason.CHAIN, f"receipt {seq} is missing: receipt {said.seq} stands in its place")
    if before is None:
        return
    if (said.org, said.rollout_id) != (before.statement.org, before.statement.rollout_id):
        raise VerifyError(Reason.CHAIN, f"receipt {said.seq} is of another rollout, {said.rollout_id}")
    if said.previous != before.sha256:
        raise VerifyError(Reason.CHAIN, f"receipt {said.seq} names another receipt {before.statement.seq} before it")
    if before.place is not None and link.place is not None and link.place <= before.place:
        raise VerifyError(
            Reason.CHAIN_ORDER, f"receipt {said.seq} stands in the log before receipt {before.statement.seq}"
        )


def refuse_contradiction(before: Statement | Footing | None, said: Statement, at: str = "", behind: str = "") -> None:
    """Refuse a receipt that cannot follow the one before it in its series; None where that is not known.

    `at` says where it stands, and `behind` where the one before it does.
    """
    found = contradiction(before, said)
    if found is not None:
        raise VerifyError(
            found.reason,
            f"{at}receipt {said.seq} {found.sentence}{behind}",
            advice="Its signer has signed both: keep them, and ask who holds the key.",
        )


def _said(links: tuple[Link, ...], signed: SignedCheckpoint | None, known: Checkpoints) -> VerifiedRollout:
    found = VerifiedRollout(links=links, signed=signed, proven=(), unproven=())
    return replace(found, proven=_proven(found, known), unproven=_unproven(found, known))


def _proven(found: VerifiedRollout, known: Checkpoints) -> tuple[str, ...]:
    last, manifest = found.last, known.keys.manifest
    key_ids = dict.fromkeys(link.key_id for link in found.links)
    said = [
        f"The holders of these keys signed {_statements(len(found.links))}, byte for byte: {', '.join(key_ids)}.",
        f"They go from the first of rollout {last.rollout_id} to receipt {last.seq}: each names the one before it.",
        f"It has ended: {found.status}."
        if found.status in ENDED
        else f"It was still going: {found.status} after receipt {last.seq}.",
    ]
    if found.signed is not None:
        log, logged = found.signed.checkpoint, [link.place for link in found.links if link.place is not None]
        count = "All of them" if len(logged) == len(found.links) else f"{len(logged)} of them"
        said.append(f"{count} are in the log {log.origin}, whose key signed the tree of {log.size}.")
        said += found.signed.beside()
        is_placed = known.keys.is_of_manifest(log.origin) and all(map(known.keys.is_placed, key_ids))
        if manifest is not None and len(logged) == len(found.links) and is_placed:
            said.append(f"Each key counts where it signed, by version {manifest.version} of the key manifest.")
    return tuple(said)


def _statements(count: int) -> str:
    return "this one statement" if count == 1 else f"these {count} statements"


def _unproven(found: VerifiedRollout, known: Checkpoints) -> tuple[str, ...]:
    said = []
    if any(not known.keys.is_placed(link.key_id) for link in found.links):
        said.append("Whose keys they are: compare their ids with those that their owner publishes.")
    missing = sum(link.place is None for link in found.links)
    if missing:
        said.append(f"That they are in the log, and none was withdrawn: {missing} came without a proof of inclusion.")
        if known.keys.manifest is not None:
            said.append("That each key counted when it signed: that is by the receipt's place in the log.")
    if found.signed is not None:
        said += found.signed.unproven()
    return (
        *said,
        *known.keys.unproven(),
        f"That no later receipt than {found.last.seq} exists.",
        "That the log holds no other receipts of this rollout beside these: its whole export, verified, shows that.",
        EVIDENCE_UNREAD,
        "When it was: decidedAt is the signer's own clock.",
    )
