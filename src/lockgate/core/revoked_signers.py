# SPDX-License-Identifier: Apache-2.0
"""A key manifest and who signed which entries of the log come in; which of those keys it revokes goes out, in words.

Nobody's signature is looked at here: it is for whoever hands receipts out, and `lockgate verify` says what counts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from lockgate.core.bundle_layout import (
    BASELINE,
    BASELINE_PROOF,
    KEY_MANIFEST,
    LOG_KEYS,
    SERIES,
    numbers,
    proof_file,
    receipt_file,
    related_file,
    related_proof_file,
)
from lockgate.core.canonical import Json
from lockgate.core.checkpoint import read_log_proof
from lockgate.core.envelope import signer_of
from lockgate.core.key_manifest import open_manifest
from lockgate.core.listed_key import ListedKey, Status, Use
from lockgate.core.note import read_note_key
from lockgate.core.number_spans import numbers_text, spans_of

# The id of a key, and an entry of the log that it signed.
Signature = tuple[str, int]
ENTRIES = ("entry", "entries")


@dataclass(frozen=True, slots=True)
class RevokedSigner:
    """A key that a version of the manifest revokes after an entry of the log, and which it signed here behind that."""

    key_id: str
    use: Use
    version: int
    last: int
    behind: tuple[int, ...]

    def sentence(self) -> str:
        """Return what is to be known of it."""
        said = (
            f"key {self.key_id}, which signed {'some of this' if self.use is Use.RECEIPT else 'the log'}, is revoked: "
            f"version {self.version} of the key manifest ends it after entry {self.last}"
        )
        if self.use is Use.LOG:
            return f"{said}, and checkpoints of more entries count by another key only"
        if not self.behind:
            return f"{said}, behind which it signed none of this"
        which = numbers_text(spans_of(self.behind), ENTRIES)
        return f"{said}, and what it signed behind that counts for nothing: {which}"

    def document(self) -> dict[str, Json]:
        """Return the JSON form."""
        told: dict[str, Json] = {"keyid": self.key_id, "use": self.use.value, "manifestVersion": self.version}
        return {**told, "lastIndex": self.last, "behind": list(self.behind)}


def revoked_signers(
    manifest: bytes | None, signed: Iterable[Signature], log_keys: Collection[bytes] = ()
) -> tuple[RevokedSigner, ...]:
    """Return which keys of receipts, and of the log, a manifest revokes; None: nothing was ever revoked by one."""
    if manifest is None:
        return ()
    found = open_manifest(manifest).manifest
    revoked = {each.key.key_id: each for each in found.keys if each.status is Status.REVOKED}
    entries: dict[str, list[int]] = {}
    for key_id, index in signed if revoked else ():
        if key_id in revoked:
            entries.setdefault(key_id, []).append(index)
    entries |= {each.key.key_id: [] for each in revoked.values() if each.use is Use.LOG and each.key.raw in log_keys}
    return tuple(_signer(revoked[key_id], found.version, sorted(entries[key_id])) for key_id in sorted(entries))


def revoked_in(files: Mapping[str, bytes]) -> tuple[RevokedSigner, ...]:
    """Return which keys that signed something in a bundle its own manifest revokes."""
    if KEY_MANIFEST not in files:
        return ()
    return revoked_signers(files[KEY_MANIFEST], _signed_in(files), log_keys_in(files.get(LOG_KEYS, b"")))


def log_keys_in(file: bytes) -> tuple[bytes, ...]:
    """Return the public keys of a log that a file names, each on a line of its own."""
    return tuple(read_note_key(line).raw for line in file.decode("utf-8").splitlines())


def _signed_in(files: Mapping[str, bytes]) -> Iterator[Signature]:
    names = [(receipt_file(seq), proof_file(seq)) for seq in numbers(files, receipt_file(1))]
    for series in SERIES:
        beside = numbers(files, related_file(series, 1))
        names += [(related_file(series, seq), related_proof_file(series, seq)) for seq in beside]
    names += [(BASELINE, BASELINE_PROOF)] if BASELINE in files else []
    for receipt, proof in names:
        # A receipt without its proof has no place, and `lockgate verify` refuses the bundle.
        if proof in files:
            yield signer_of(files[receipt]), read_log_proof(files[proof]).index


def _signer(each: ListedKey, version: int, entries: list[int]) -> RevokedSigner:
    assert each.last is not None
    behind = tuple(index for index in entries if index > each.last)
    return RevokedSigner(each.key.key_id, each.use, version, each.last, behind)
