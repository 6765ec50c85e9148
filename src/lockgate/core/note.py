# SPDX-License-Identifier: Apache-2.0
"""The text of a C2SP signed note comes in; its body and signature lines go out, and the other way round.

c2sp.org/signed-note: the body ends in a line break, an empty line follows, then one line for each signature.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from lockgate.core.base64_text import from_base64, to_base64
from lockgate.core.public_key import is_weak
from lockgate.core.refusal import Reason, VerifyError

MAX_NOTE_SIZE = 100_000
MAX_SIGNATURES = 64
ED25519 = b"\x01"
KEY_HASH_SIZE = 4
KEY_SIZE = 32
_NAME = re.compile(r"[^\s+\x00-\x1f]+")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_DASH = "\N{EM DASH} "


@dataclass(frozen=True, slots=True)
class NoteKey:
    """An Ed25519 key that signs notes under a name; the key of a log is named by its origin."""

    name: str
    raw: bytes

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name) or len(self.raw) != KEY_SIZE:
            raise ValueError("a note's key has a name without spaces or +, and 32 bytes")

    @property
    def key_hash(self) -> bytes:
        """Return the four bytes by which a signature line selects its key."""
        return hashlib.sha256(self.name.encode() + b"\n" + ED25519 + self.raw).digest()[:KEY_HASH_SIZE]

    @property
    def text(self) -> str:
        """Return the key as tools of C2SP take it."""
        return f"{self.name}+{self.key_hash.hex()}+{to_base64(ED25519 + self.raw)}"


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """One signature line: who says to have signed, by which key, and the signature."""

    name: str
    key_hash: bytes
    signature: bytes

    def line(self) -> str:
        """Return the line with its line break."""
        return f"{_DASH}{self.name} {to_base64(self.key_hash + self.signature)}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A body and its signature lines; nothing in it has been verified."""

    body: str
    signatures: tuple[NoteSignature, ...]

    def encode(self) -> bytes:
        """Return the bytes of the note."""
        return (self.body + "\n" + "".join(signature.line() for signature in self.signatures)).encode("utf-8")


def is_name(text: str) -> bool:
    """Say whether a text can be the name of a key."""
    return _NAME.fullmatch(text) is not None


def sign_line(key: NoteKey, signature: bytes) -> NoteSignature:
    """Return the line for a key's signature over the body's bytes."""
    return NoteSignature(key.name, key.key_hash, signature)


def read_note_key(text: str) -> NoteKey:
    """Return the key of a text `name+hash+base64`, whose hash must be its own."""
    try:
        name, key_hash, encoded = text.strip().split("+", 2)
        data = from_base64(encoded)
        key = NoteKey(name, data[1:])
    except ValueError as error:
        raise _bad_key() from error
    if data[:1] != ED25519 or key.key_hash.hex() != key_hash or is_weak(key.raw):
        raise _bad_key()
    return key


def read_note(data: bytes) -> Note:
    """Return the note that some bytes are."""
    if len(data) > MAX_NOTE_SIZE:
        raise _misshapen(f"it is larger than {MAX_NOTE_SIZE:,} bytes")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _misshapen("it is not UTF-8") from error
    if _CONTROL.search(text):
        raise _misshapen("it holds control characters")
    body, mark, lines = text.rpartition("\n\n")
    if not mark or not lines.endswith("\n"):
        raise _misshapen("an empty line, signature lines and a line break end it")
    signatures = tuple(_signature(line) for line in lines.removesuffix("\n").split("\n"))
    if len(signatures) > MAX_SIGNATURES:
        raise _misshapen(f"it has more than {MAX_SIGNATURES} signatures")
    return Note(body + "\n", signatures)


def _signature(line: str) -> NoteSignature:
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    try:
        data = from_base64(encoded)
    except ValueError as error:
        raise _misshapen("a signature is not padded standard base64") from error
    if not line.startswith(_DASH) or not _NAME.fullmatch(name) or len(data) <= KEY_HASH_SIZE:
        raise _misshapen("a signature line is a dash, a name and base64")
    return NoteSignature(name, data[:KEY_HASH_SIZE], data[KEY_HASH_SIZE:])


def _bad_key() -> VerifyError:
    return VerifyError(
        Reason.LOG_KEY, "this is not the key of a log", advice="It is one line: origin+hash+base64, for Ed25519."
    )


def _misshapen(message: str) -> VerifyError:
    return VerifyError(Reason.NOTE_SHAPE, f"this is not a signed note: {message}")
