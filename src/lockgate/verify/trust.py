# SPDX-License-Identifier: Apache-2.0
"""The keys that a verifier trusts and a place in the log come in; the key that counts there goes out, or a refusal."""

from __future__ import annotations

from dataclasses import dataclass, field

from lockgate.core.listed_key import ListedKey, Status, Use
from lockgate.core.manifest_body import KeyManifest
from lockgate.core.note import NoteKey, read_note_key
from lockgate.core.public_key import PublicKey, read_public_key
from lockgate.core.refusal import Reason, VerifyError
from lockgate.core.witness_policy import WitnessPolicy, read_witness_policy

# What is trusted is read by these, and whatever is wrong with it is refused so.
__all__ = ["Keys", "Reason", "VerifyError", "read_note_key", "read_public_key", "read_witness_policy"]


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys that the verifier trusts: those of receipts, those of logs, and those of witnesses.

    Keys by themselves are trusted wherever they sign; those of a manifest at their places of the log only.
    """

    receipt: tuple[PublicKey, ...] = ()
    log: tuple[NoteKey, ...] = ()
    manifest: KeyManifest | None = None
    witnesses: WitnessPolicy = field(default_factory=WitnessPolicy)

    def receipt_key(self, key_id: str) -> PublicKey:
        """Return the key of an id; whether it counts where it signed is another question."""
        key = next((key for key in self.receipt if key.key_id == key_id), None)
        listed = self._listed(key_id)
        if key is not None or listed is None:
            return _known(key, key_id)
        return listed.key

    def refuse_place(self, key_id: str, index: int | None) -> None:
        """Refuse a key that does not count at an index of the log, or that cannot be believed without one."""
        listed = self._listed(key_id)
        if listed is not None and self.is_placed(key_id):
            _refuse_place(listed, index)

    def is_placed(self, key_id: str) -> bool:
        """Say whether a key of receipts is trusted at some places of the log only."""
        return all(key.key_id != key_id for key in self.receipt)

    def log_keys(self, origin: str, size: int) -> tuple[NoteKey, ...]:
        """Return the keys by which a checkpoint of an origin and size is signed."""
        own = tuple(key for key in self.log if key.name == origin)
        manifest = self.manifest
        if manifest is None or manifest.origin != origin:
            return own
        # A checkpoint's place is that of the last entry that it covers.
        listed = manifest.keys_at(max(size - 1, 0), Use.LOG)
        return own + tuple(NoteKey(origin, key.raw) for key in listed)

    def former_log_keys(self, origin: str) -> tuple[NoteKey, ...]:
        """Return all keys of a log that a manifest lists, wherever they count."""
        manifest = self.manifest
        if manifest is None or manifest.origin != origin:
            return ()
        return tuple(NoteKey(origin, each.key.raw) for each in manifest.keys if each.use is Use.LOG)

    def _listed(self, key_id: str) -> ListedKey | None:
        listed = None if self.manifest is None else self.manifest.listed(key_id)
        return listed if listed is not None and listed.use is Use.RECEIPT else None


def _known(key: PublicKey | None, key_id: str) -> PublicKey:
    if key is None:
        raise VerifyError(
            Reason.KEY_UNKNOWN,
            f"the receipt names key {key_id}, which is not among those given",
            advice="Fetch that key from where its owner publishes it, and compare its id there.",
        )
    return key


def _refuse_place(listed: ListedKey, index: int | None) -> None:
    """Refuse a key by why it does not count at an index."""
    if index is None:
        if listed.status is Status.REVOKED:
            raise VerifyError(
                Reason.KEY_REVOKED,
                f"key {listed.key.key_id} was revoked: it counts up to entry {listed.last} of the log, and nothing "
                "proves that the receipt stands there",
                advice="Hand over the proof of inclusion with --proof.",
            )
        return
    if listed.counts_at(index):
        return
    said = f"it counts from entry {listed.first} of the log to entry {listed.last}, and this is entry {index}"
    if index < listed.first:
        raise VerifyError(Reason.KEY_TOO_EARLY, f"key {listed.key.key_id} signed before its time: {said}")
    if listed.status is Status.REVOKED:
        raise VerifyError(Reason.KEY_REVOKED, f"key {listed.key.key_id} was revoked: {said}")
    raise VerifyError(Reason.KEY_EXPIRED, f"key {listed.key.key_id} was retired: {said}")
