# SPDX-License-Identifier: Apache-2.0
"""A receipt that verifies and a bundle come in; what of its evidence is there, and is what the receipt binds, goes out.

Nothing is recomputed here but digests: whether a decision follows from its evidence says `lockgate replay`.
"""

from __future__ import annotations

import hashlib
from binascii import Error, a2b_base64
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from lockgate.core.bundle_layout import looks_file, replay_file, sigstore_file, sshsig_file, verdict_file
from lockgate.core.canonical import Json, byte_digest, canonicalize, digest
from lockgate.core.canonical_reading import read_canonical
from lockgate.core.named_contents import named_contents
from lockgate.core.public_key import PublicKey
from lockgate.core.refusal import Reason, VerifyError
from lockgate.core.release_sources import Entry, Part
from lockgate.core.replay.case_size import too_large, too_many
from lockgate.core.sigstore_bundle import sigstore_bundle
from lockgate.core.sshsig import ssh_signature, ssh_signed_bytes
from lockgate.core.statement import Statement
from lockgate.core.verdict_text import is_stated
from lockgate.verify.listed_files import Listed
from lockgate.verify.rollout import Link, named
from lockgate.verify.signature import is_signed


@dataclass(slots=True)
class Bound:
    """What is there of what receipts bind: how many of each kind, of how many, and beside which receipts it lacks."""

    listed: Listed
    keys: Mapping[str, PublicKey]
    found: Counter[str] = field(default_factory=Counter)
    wanted: Counter[str] = field(default_factory=Counter)
    lacking: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    verdicts: set[str] = field(default_factory=set)

    def entry(self, link: Link, envelope: bytes) -> Entry:
        """Return a receipt as the release record reads it, once all that is there beside it was compared."""
        said = link.statement
        self._check_copies(link, envelope)
        looks = self._looks(said)
        self._check_case(said, len(looks))
        assert link.place is not None
        return Entry(said, link.sha256, link.place, looks, self._verdict(said))

    def check_verdicts(self) -> None:
        """Refuse verdicts that no receipt names."""
        for name in self.listed:
            if name.startswith("verdicts/") and name not in self.verdicts:
                raise VerifyError(Reason.BUNDLE_VERDICT, f"no receipt of the bundle names {name}")

    def _looks(self, said: Statement) -> Sequence[Part]:
        told, name = _part(said, "evidence", "looks"), looks_file(said.seq)
        count = told.get("count", 0)
        if name not in self.listed:
            if count:
                self._lack("looks", said)
            return ()
        data = self.listed[name]
        # Lines without anything in them, and values, take more memory than bytes.
        if data.count(b"\n") != count or too_many(data):
            raise VerifyError(Reason.BUNDLE_LOOKS, f"{name} holds other looks than receipt {said.seq} binds")
        lines = data.split(b"\n")
        chained: str | None = None
        for line in lines[:-1]:
            before = b"null" if chained is None else f'"{chained}"'.encode("ascii")
            chained = byte_digest(b"[%b,%b]" % (before, line))
        if (chained, lines[-1]) != (_named(told), b""):
            raise VerifyError(Reason.BUNDLE_LOOKS, f"{name} holds other looks than receipt {said.seq} binds")
        self._count("looks")
        # They are bound by their digest, so that the signer wrote them.
        return [_object(name, line) for line in lines[:-1]]

    def _verdict(self, said: Statement) -> Part | None:
        full = _part(said, "verdict", "full").get("sha256")
        whole: Part | None = None
        if isinstance(full, str) and verdict_file(full) in self.listed:
            name = verdict_file(full)
            data = self.listed[name]
            if hashlib.sha256(data).hexdigest() != full or too_many(data):
                raise VerifyError(Reason.BUNDLE_VERDICT, f"{name} is not the verdict that receipt {said.seq} names")
            self.verdicts.add(name)
            whole = _object(name, data)
        if not named_contents(said.predicate):
            return None
        if whole is not None and not is_stated(_part(said, "verdict"), whole):
            raise VerifyError(
                Reason.BUNDLE_VERDICT, f"receipt {said.seq} says something else of its verdict than that itself does"
            )
        if whole is None:
            self._lack("verdicts", said)
        else:
            self._count("verdicts")
        return whole

    def _check_case(self, said: Statement, looks: int) -> None:
        name = replay_file(said.seq)
        if name not in self.listed:
            self._lack("replay", said)
            return
        data = self.listed[name]
        if (message := too_large(data)) is not None:
            raise VerifyError(Reason.CASE_SIZE, f"{name}: {message}")
        case = read_canonical(data, "case")
        if not isinstance(case, Mapping) or not _is_bound(case, said, looks):
            raise VerifyError(
                Reason.BUNDLE_REPLAY, f"{name} holds other evidence than receipt {said.seq} binds by digests"
            )
        self._count("replay")

    def _check_copies(self, link: Link, envelope: bytes) -> None:
        """Compare the forms in which a receipt is there for the tools of others."""
        seq = link.statement.seq
        other, ssh = sigstore_file(seq), sshsig_file(seq)
        if other in self.listed and self.listed[other] != sigstore_bundle(envelope):
            raise VerifyError(Reason.BUNDLE_COPY, f"{other} does not hold receipt {seq}")
        if ssh in self.listed and not _is_ssh_signed(self.listed[ssh], envelope, tuple(self.keys.values())):
            raise VerifyError(Reason.BUNDLE_COPY, f"{ssh} is no signature of receipt {seq} by a key of the bundle")

    def _lack(self, kind: str, said: Statement) -> None:
        self.wanted[kind] += 1
        self.lacking[kind].append(said.seq)

    def _count(self, kind: str) -> None:
        self.found[kind] += 1
        self.wanted[kind] += 1


def check_policy(policy: bytes, statements: Sequence[Statement]) -> None:
    """Refuse a policy that is not the one that every receipt names."""
    sha256 = hashlib.sha256(policy).hexdigest()
    for said in statements:
        if _part(said, "policy").get("sha256") != sha256:
            raise VerifyError(Reason.BUNDLE_POLICY, f"policy.json is not the policy that receipt {said.seq} names")


def _is_bound(case: Mapping[str, Json], said: Statement, looks: int) -> bool:
    evidence, buckets = _part(said, "evidence"), case.get("buckets")
    if not isinstance(buckets, list) or not isinstance(case.get("looks"), Mapping):
        return False
    previous = None if said.previous is None else f"sha256:{said.previous}"
    is_same_place = (case.get("seq"), case.get("previous")) == (said.seq, previous)
    # What needs no digests comes before what does: somebody may have written millions of buckets.
    if not is_same_place or _part(said, "evidence", "buckets").get("count") != len(buckets):
        return False
    digests = [digest(each) for each in buckets]
    listed = hashlib.sha256(canonicalize(digests)).hexdigest()
    bound = (evidence.get("stateBefore"), evidence.get("buckets"), _part(said, "policy"))
    shown = (
        {"sha256": digest(case.get("before")).removeprefix("sha256:")},
        {"count": len(digests), "sha256": listed},
        {"sha256": digest(case.get("policy")).removeprefix("sha256:")},
    )
    return bound == shown and looks in (0, _part(said, "evidence", "looks").get("count"))


def _is_ssh_signed(data: bytes, envelope: bytes, keys: Sequence[PublicKey]) -> bool:
    """Say whether a file is the one SSH signature of a receipt by one of some keys."""
    try:
        signature = a2b_base64(b"".join(data.split(b"\n")[1:-2]))[-64:]
    except (Error, ValueError):
        return False
    return any(
        ssh_signature(key, signature) == data and is_signed(key.raw, signature, ssh_signed_bytes(envelope))
        for key in keys
    )


def _object(name: str, data: bytes) -> Part:
    found = named(name, lambda: read_canonical(data, "payload"))
    if not isinstance(found, Mapping):
        raise VerifyError(Reason.STATEMENT_SHAPE, f"{name} holds no object")
    return found


def _named(told: Part) -> str | None:
    sha256 = told.get("sha256")
    return None if sha256 is None else f"sha256:{sha256}"


def _part(said: Statement, *names: str) -> Part:
    found: Any = said.predicate
    for name in names:
        found = found.get(name) if isinstance(found, Mapping) else None
    return cast("Part", found) if isinstance(found, Mapping) else {}
