# SPDX-License-Identifier: Apache-2.0
"""An entry of a key manifest comes in; the key, what it signs and at which places of the log it counts go out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from lockgate.core.canonical import Json
from lockgate.core.public_key import PublicKey, read_public_key
from lockgate.core.refusal import Reason, VerifyError

MAX_INDEX = 2**53 - 1
MAX_REASON = 800
_MEMBERS = frozenset(("keyid", "use", "publicKeyPem", "status", "firstIndex", "lastIndex"))


class Use(StrEnum):
    """What a key signs: receipts, or checkpoints of the log."""

    RECEIPT = "receipt"
    LOG = "log"


class Status(StrEnum):
    """How a key stands: it signs, it signed, or from some place of the log on others may have signed by it."""

    ACTIVE = "active"
    RETIRED = "retired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedKey:
    """A key with the first and the last place of the log at which it counts; `last` is None while it signs.

    A receipt's place is its index; that of a checkpoint is the index of the last entry that it covers.
    A revoked key whose last place is the one before its first counts nowhere.
    """

    key: PublicKey
    use: Use
    status: Status
    first: int
    last: int | None = None
    reason: str | None = None

    def counts_at(self, index: int) -> bool:
        """Say whether what the key has signed at a place of the log counts."""
        return self.first <= index and (self.last is None or index <= self.last)

    def document(self) -> dict[str, Json]:
        """Return the JSON form."""
        return {
            "keyid": self.key.key_id,
            "use": self.use.value,
            "publicKeyPem": self.key.pem.decode("ascii"),
            "status": self.status.value,
            "firstIndex": self.first,
            "lastIndex": self.last,
            **({} if self.reason is None else {"reason": self.reason}),
        }


def read_listed_key(entry: Json) -> ListedKey:
    """Return the key of an entry; whatever is not in its one form is refused."""
    if not isinstance(entry, Mapping) or set(entry) - {"reason"} != _MEMBERS:
        raise misshapen(f"a key has {', '.join(sorted(_MEMBERS))}, perhaps reason, and nothing else")
    key = read_listed_pem(entry["publicKeyPem"])
    if entry["keyid"] != key.key_id:
        raise nonsense(f"a key is listed as {str(entry['keyid'])[:64]} and is {key.key_id}")
    reason = entry.get("reason")
    if "reason" in entry and (not isinstance(reason, str) or not 0 < len(reason) <= MAX_REASON):
        raise misshapen(f"a reason is a text of 1 to {MAX_REASON} characters")
    try:
        use, status = Use(str(entry["use"])), Status(str(entry["status"]))
    except ValueError as error:
        raise misshapen(f"a key signs receipt or log, and is active, retired or revoked: {error}") from error
    last = None if entry["lastIndex"] is None else _index(entry["lastIndex"])
    listed = ListedKey(
        key=key,
        use=use,
        status=status,
        first=_index(entry["firstIndex"]),
        last=last,
        reason=reason if isinstance(reason, str) else None,
    )
    _check_span(listed)
    return listed


def read_listed_pem(text: Json) -> PublicKey:
    """Return the public key of a text in PEM that is in the one form of OpenSSL; a weak one is refused."""
    if not isinstance(text, str):
        raise misshapen("a public key is a text in PEM")
    key = read_public_key(text.encode("utf-8", "surrogatepass"))
    if key.pem.decode("ascii") != text:
        raise misshapen("a public key is in the PEM that OpenSSL writes, with a line break at its end")
    return key


def check_together(keys: Sequence[ListedKey], roots: Sequence[PublicKey]) -> None:
    """Refuse keys of which two are one, or a root key too, or of which two sign receipts at one place of the log."""
    ids = [each.key.key_id for each in keys]
    if len(set(ids)) != len(ids):
        raise nonsense("a key is listed twice: a key has one use, and one span of the log")
    if set(ids) & {root.key_id for root in roots}:
        raise nonsense("a root key is listed as one that signs receipts or the log too: it signs manifests only")
    # What counts nowhere may stand anywhere in the list.
    counting = (each for each in keys if each.use is Use.RECEIPT and each.counts_at(each.first))
    in_turn = sorted(counting, key=lambda each: each.first)
    if any(each.last is None or after.first <= each.last for each, after in pairwise(in_turn)):
        raise nonsense("two keys sign receipts at one place of the log")


def nonsense(message: str) -> VerifyError:
    """Return the refusal of keys that cannot stand together."""
    return VerifyError(Reason.MANIFEST_KEYS, f"the key manifest contradicts itself: {message}")


def misshapen(message: str) -> VerifyError:
    """Return the refusal of what is no key manifest."""
    return VerifyError(Reason.MANIFEST_SHAPE, f"this is not a key manifest: {message}")


def _check_span(listed: ListedKey) -> None:
    if (listed.status is Status.ACTIVE) != (listed.last is None):
        raise nonsense("an active key has no lastIndex, and every other key has one")
    least = listed.first - 1 if listed.status is Status.REVOKED else listed.first
    if listed.last is not None and listed.last < least:
        raise nonsense(f"key {listed.key.key_id} counts from {listed.first} to {listed.last}")


def _index(value: Json) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MAX_INDEX:
        raise misshapen("firstIndex and lastIndex are places of the log, counted from 0")
    return value
