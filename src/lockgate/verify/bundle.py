# SPDX-License-Identifier: Apache-2.0
"""The files of a bundle and the keys that are trusted come in; what it proves goes out, or why it proves nothing.

Nothing of it is trusted for being in it: its keys only say which keys its signers claim, and its manifest which files
belong together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from lockgate.core.bundle_layout import (
    ALLOWED_SIGNERS,
    CHECKPOINT,
    GROWTH,
    KEY_MANIFEST,
    LOG_KEYS,
    POLICY,
    RELEASE_RECORD,
    key_file,
    looks_file,
    older_key_manifest,
    proof_file,
    receipt_file,
    replay_file,
    sigstore_file,
    sshsig_file,
)
from lockgate.core.canonical import Json, canonicalize
from lockgate.core.canonical_reading import read_canonical
from lockgate.core.checkpoint import checkpoint_of
from lockgate.core.key_manifest import open_manifest, read_manifests
from lockgate.core.manifest_body import KeyManifest
from lockgate.core.note import NoteKey, read_note_key
from lockgate.core.number_spans import receipts_text, spans_of
from lockgate.core.public_key import PublicKey, read_public_key
from lockgate.core.published_keys import allowed_signers
from lockgate.core.refusal import Reason, VerifyError
from lockgate.verify.bundle_bound import Bound, check_policy
from lockgate.verify.bundle_related import Related, held_of, related, take_baseline
from lockgate.verify.bundle_unread import unread
from lockgate.verify.listed_files import Listed, read_listed
from lockgate.verify.receipt import Checkpoints, checkpoints
from lockgate.verify.rollout import EVIDENCE_UNREAD, Held, Tell, VerifiedRollout, named, verify_links
from lockgate.verify.signature import is_signed
from lockgate.verify.trust import Keys

# What may stand beside a receipt, by its number.
_BESIDE = (proof_file, replay_file, looks_file, sigstore_file, sshsig_file)
# What there is of what receipts bind, in words.
_KINDS = {
    "looks": "the looks that receipts bind",
    "verdicts": "the whole verdicts that receipts name",
    "replay": "the evidence that decisions are made again from",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedBundle:
    """A bundle that verifies: its rollout, what it is of, and how much of what receipts bind is in it."""

    rollout: VerifiedRollout
    about: Mapping[str, str]
    files: int
    found: Mapping[str, tuple[int, int]]
    checkpoint: bytes
    proven: tuple[str, ...]
    unproven: tuple[str, ...]

    def document(self) -> dict[str, Json]:
        """Return the JSON form."""
        return {
            **self.rollout.document(),
            "kind": "bundle",
            "app": self.about["app"],
            "candidate": self.about["candidate"],
            "files": self.files,
            "evidence": {kind: {"found": found, "wanted": wanted} for kind, (found, wanted) in self.found.items()},
            "proven": list(self.proven),
            "unproven": list(self.unproven),
        }


@dataclass(frozen=True, slots=True)
class _Claimed:
    """The keys that a bundle carries."""

    receipt: Mapping[str, PublicKey]
    log: tuple[NoteKey, ...]


def verify_bundle(
    files: Mapping[str, bytes],
    keys: Keys | None,
    checkpoint: bytes | None = None,
    growth: bytes | None = None,
    tell: Tell | None = None,
) -> VerifiedBundle:
    """Return what a bundle proves, given as its files by their names.

    Without keys it is verified by those in it, and then refused all the same: anybody can make such a bundle.
    """
    listed = read_listed(files)
    claimed = _claimed(listed)
    trusted = keys or Keys(tuple(claimed.receipt.values()), claimed.log)
    kept = listed.needed(GROWTH) if growth is None and checkpoint is not None and GROWTH in listed else growth
    known = checkpoints(trusted, checkpoint, kept)
    verified = _verified(listed, claimed, known, tell)
    if keys is None:
        ids = ", ".join(dict.fromkeys(link.key_id for link in verified.rollout.links))
        raise VerifyError(
            Reason.BUNDLE_UNTRUSTED,
            f"the bundle agrees with itself, and is signed by keys that you have not said you trust: {ids}",
            advice="Name keys from where their owner publishes them, with --key and --log-key, or --root.",
        )
    return verified


def key_manifest_of(files: Mapping[str, bytes], roots: Sequence[PublicKey], threshold: int = 1) -> KeyManifest:
    """Return the key manifest of a bundle, if root keys that the verifier trusts led to it."""
    listed = read_listed(files)
    if KEY_MANIFEST not in listed:
        raise VerifyError(
            Reason.BUNDLE_FILE_MISSING,
            "the bundle has no key manifest for root keys to have signed",
            advice="Name the key of receipts with --key and that of the log with --log-key.",
        )
    older = listed.numbers(older_key_manifest(1))
    versions = [*(listed[older_key_manifest(version)] for version in older), listed[KEY_MANIFEST]]
    return named(KEY_MANIFEST, lambda: read_manifests(versions, roots, is_signed, threshold))


def _verified(listed: Listed, claimed: _Claimed, known: Checkpoints, tell: Tell | None) -> VerifiedBundle:
    note = listed.needed(CHECKPOINT)
    named(CHECKPOINT, lambda: known.signed(note))
    rollout = verify_links(_held(listed, note), known, tell)
    _check_about(listed, rollout)
    beside = related(listed, note, known)
    take_baseline(listed, note, known, rollout.links[0], beside)
    policy = listed.needed(POLICY)
    check_policy(policy, [link.statement for link in rollout.links])
    bound = Bound(listed, claimed.receipt)
    _check_record(listed, rollout, bound, beside)
    bound.check_verdicts()
    listed.compare_rest()
    found = {kind: (bound.found[kind], bound.wanted[kind]) for kind in _KINDS}
    proven = _proven(listed, rollout, found)
    key_ids = [link.key_id for link in rollout.links]
    unproven = (
        *_unproven(rollout, found, bound.lacking),
        *beside.unproven(),
        *unread(listed, known, key_ids),
    )
    return VerifiedBundle(
        rollout=rollout,
        about=listed.about,
        files=len(listed),
        found=found,
        checkpoint=note,
        proven=proven,
        unproven=unproven,
    )


def _claimed(listed: Listed) -> _Claimed:
    """Return the keys in a bundle, each of which must be what its name says."""
    receipt: dict[str, PublicKey] = {}
    for name in sorted(listed):
        if name.startswith("keys/") and name.endswith(".pem"):
            key = named(name, partial(read_public_key, listed[name]))
            if (key_file(key.key_id), key.pem) != (name, listed[name]):
                raise VerifyError(Reason.BUNDLE_KEYS, f"{name} is not the key that its name says, in its one form")
            receipt[key.key_id] = key
        elif name.endswith(".dsse.json"):
            named(name, partial(open_manifest, listed[name]))
    lines = listed.needed(LOG_KEYS).decode("utf-8", "replace")
    log = named(LOG_KEYS, lambda: tuple(map(read_note_key, lines.splitlines())))
    if "".join(f"{key.text}\n" for key in log) != lines or any(key.name != listed.about["origin"] for key in log):
        raise VerifyError(Reason.BUNDLE_KEYS, f"{LOG_KEYS} does not list keys of the log, one a line")
    if ALLOWED_SIGNERS in listed and listed[ALLOWED_SIGNERS] != allowed_signers(list(receipt.values())):
        raise VerifyError(Reason.BUNDLE_KEYS, f"{ALLOWED_SIGNERS} does not list the keys of receipts of the bundle")
    return _Claimed(receipt, log)


def _held(listed: Listed, note: bytes) -> Iterator[Held]:
    for seq in listed.numbers(receipt_file(1)):
        yield held_of(listed, note, receipt_file(seq), proof_file(seq))


def _check_about(listed: Listed, rollout: VerifiedRollout) -> None:
    for number, link in enumerate(rollout.links, start=1):
        if link.name != receipt_file(number):
            raise VerifyError(Reason.BUNDLE_MISNAMED, f"{link.name} is receipt {link.statement.seq}")
    for name_of_file in _BESIDE:
        if extra := {*listed.numbers(name_of_file(1))} - {*range(1, len(rollout.links) + 1)}:
            raise VerifyError(Reason.BUNDLE_MISNAMED, f"{name_of_file(min(extra))} is of a receipt that is not there")
    last, candidate = rollout.last, rollout.last.predicate["candidate"]
    release = candidate.get("release") if isinstance(candidate, Mapping) else None
    origin = checkpoint_of(listed[CHECKPOINT]).origin
    subject = last.subjects[0][0]
    said = {"org": last.org, "rolloutId": last.rollout_id, "origin": origin, "candidate": release}
    about = {name: text for name, text in listed.about.items() if name != "app"}
    if about != said or f"{listed.about['app']}@{release}" != subject:
        raise VerifyError(Reason.BUNDLE_ABOUT, "the bundle's manifest names another rollout than its receipts")


def _check_record(listed: Listed, rollout: VerifiedRollout, bound: Bound, beside: Related) -> None:
    """Make the release record again from what was verified, and compare."""
    from lockgate.core.release_record import release_record  # noqa: PLC0415 -- who verifies no bundle loads no rollouts

    found, policy = listed.needed(RELEASE_RECORD), read_canonical(listed[POLICY], "payload")
    assert isinstance(policy, Mapping)
    entries = (bound.entry(link, listed[link.name]) for link in rollout.links)
    try:
        made = canonicalize(release_record(entries, policy, beside.entries, beside.baseline))
    except (LookupError, TypeError, AttributeError, ValueError) as error:
        raise VerifyError(
            Reason.BUNDLE_RECORD, "the receipts are of a form from which this version makes no release record"
        ) from error
    if made != found:
        raise VerifyError(
            Reason.BUNDLE_RECORD,
            f"{RELEASE_RECORD} says something else than the receipts that it rests on",
            advice="Read the receipts, or export the bundle again.",
        )


def _proven(listed: Listed, rollout: VerifiedRollout, found: Mapping[str, tuple[int, int]]) -> tuple[str, ...]:
    said = [
        *rollout.proven,
        f"The bundle holds exactly the {len(listed)} files that its manifest lists.",
        "Its policy is the one that every receipt names.",
        "Its release record follows from those receipts and says nothing else.",
    ]
    for kind, words in _KINDS.items():
        there, wanted = found[kind]
        if there:
            said.append(f"Of {words} it holds {there} of {wanted}, and each is what its receipt binds by digest.")
    return tuple(said)


def _unproven(
    rollout: VerifiedRollout, found: Mapping[str, tuple[int, int]], lacking: Mapping[str, Sequence[int]]
) -> tuple[str, ...]:
    evidence = (
        "That the decisions follow from their evidence: `lockgate replay` makes them again from this bundle."
        if found["replay"][0]
        else "That the decisions follow from their evidence, which is not in the bundle."
    )
    said = [evidence if sentence == EVIDENCE_UNREAD else sentence for sentence in rollout.unproven]
    said.append("What else was done to the app, or to keys, in that time than receipts of the bundle say.")
    said += [
        f"Of {_KINDS[kind]} {wanted - there} are not there: those of {receipts_text(spans_of(lacking[kind]))}."
        for kind, (there, wanted) in found.items()
        if wanted > there
    ]
    return tuple(said)
