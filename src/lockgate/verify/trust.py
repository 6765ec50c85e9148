# SPDX-License-Identifier: Apache-2.0
"""The keys that a verifier trusts and a place in the log come in; the key that counts there goes out, or a refusal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from lockgate.core.listed_key import ListedKey, Status, Use
from lockgate.core.manifest_body import KeyManifest
from lockgate.core.note import NoteKey, read_note_key
from lockgate.core.public_key import PublicKey, read_public_key
from lockgate.core.refusal import Reason, VerifyError
from lockgate.core.witness_policy import WitnessPolicy, read_witness_policy

# What is trusted is read by these, and whatever is wrong with it is refused so.
__all__ = ["Keys", "Reason", "VerifyError", "read_note_key", "read_public_key", "read_witness_policy"]


# Without slots: what is looked up for each of many receipts is made once.
@dataclass(frozen=True)
class Keys:
    """The keys that the verifier trusts: those of receipts, those of logs, and those of witnesses.

    Keys by themselves are trusted wherever they sign, but where a manifest revokes them; those of a manifest at their
    places of the log only.
    """

    receipt: tuple[PublicKey, ...] = ()
    log: tuple[NoteKey, ...] = ()
    manifest: KeyManifest | None = None
    witnesses: WitnessPolicy = field(default_factory=WitnessPolicy)
    is_for_comparison: bool = False

    def receipt_key(self, key_id: str) -> PublicKey:
        """Return the key of an id; whether it counts where it signed is another question."""
        listed = self._listed.get(key_id)
        key = self._own.get(key_id) or (listed.key if listed else None)
        if key is None:
            raise VerifyError(
                Reason.KEY_UNKNOWN,
                f"the receipt names key {key_id}, which is not among those given",
                advice="Fetch that key from where its owner publishes it, and compare its id there.",
            )
        return key

    def for_comparison(self) -> Keys:
        """Return the same keys for a checkpoint that another is only compared with, which refuses more and proves none.

        Nobody need have witnessed it, and a key of the log that was revoked later may have signed it at its places.
        """
        return replace(self, witnesses=WitnessPolicy(), is_for_comparison=True)

    def refuse_place(self, key_id: str, org: str, index: int | None) -> None:
        """Refuse a key that does not count for an organisation at an index of its log, or not without an index."""
        listed = self._listed.get(key_id)
        if listed is None or self.manifest is None or not self.is_placed(key_id):
            return
        if self.manifest.org != org:
            raise VerifyError(
                Reason.KEY_OF_ANOTHER,
                f"the receipt is of {org}, and the key manifest lists keys of {self.manifest.org}",
            )
        _refuse_place(listed, index)

    def is_of_manifest(self, origin: str) -> bool:
        """Say whether the places of a manifest's keys are those in the log of an origin."""
        return self.manifest is not None and self.manifest.origin == origin

    def is_placed(self, key_id: str) -> bool:
        """Say whether a key of receipts is trusted at some places of the log only."""
        listed = self._listed.get(key_id)
        return key_id not in self._own or (listed is not None and listed.status is Status.REVOKED)

    def log_keys(self, origin: str, size: int) -> tuple[NoteKey, ...]:
        """Return the keys by which a checkpoint of an origin and size is signed."""
        # A checkpoint's place is that of the last entry that it covers.
        place, listed = max(size - 1, 0), self._listed_log(origin)
        # Whoever stole a key of the log chooses the size of what it signs: no place makes that believed.
        stolen = {each.key.raw for each in listed if each.status is Status.REVOKED}
        counting = [each.key.raw for each in listed if each.counts_at(place)]
        refused = stolen - set(counting) if self.is_for_comparison else stolen
        own = tuple(key for key in self.log if key.name == origin and key.raw not in refused)
        return own + tuple(NoteKey(origin, raw) for raw in counting if raw not in refused)

    def listed_log_keys(self, origin: str) -> tuple[NoteKey, ...]:
        """Return all keys of a log that a manifest lists, wherever they count."""
        return tuple(NoteKey(origin, each.key.raw) for each in self._listed_log(origin))

    def unproven(self) -> tuple[str, ...]:
        """Return in words what the keys leave open, whatever they have signed."""
        if self.manifest is None:
            return ()
        version = self.manifest.version
        return (f"That no later version of the key manifest than {version} exists: it may revoke a key.",)

    def _listed_log(self, origin: str) -> tuple[ListedKey, ...]:
        manifest = self.manifest
        if manifest is None or manifest.origin != origin:
            return ()
        return tuple(each for each in manifest.keys if each.use is Use.LOG)

    @cached_property
    def _own(self) -> Mapping[str, PublicKey]:
        return {key.key_id: key for key in self.receipt}

    @cached_property
    def _listed(self) -> Mapping[str, ListedKey]:
        keys = () if self.manifest is None else self.manifest.keys
        return {each.key.key_id: each for each in keys if each.use is Use.RECEIPT}


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
