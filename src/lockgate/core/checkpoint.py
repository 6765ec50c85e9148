# SPDX-License-Identifier: Apache-2.0
"""A log's origin, size and root come in and the text to sign goes out; proofs that a receipt is in the log likewise.

The texts are those of c2sp.org/tlog-checkpoint and c2sp.org/tlog-proof@v1.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from lockgate.core.base64_text import from_base64, to_base64
from lockgate.core.merkle import EMPTY_ROOT, HASH_SIZE
from lockgate.core.note import MAX_NOTE_SIZE, read_note
from lockgate.core.refusal import Reason, VerifyError

PROOF_HEADER = "c2sp.org/tlog-proof@v1"
MAX_SIZE = 2**63 - 1
MAX_PROOF_HASHES = 63
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}")
_ORIGIN = re.compile(r"[^\s+\x00-\x1f]+")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A log's state: whose it is, how many entries it has, and the root over them."""

    origin: str
    size: int
    root: bytes

    def __post_init__(self) -> None:
        if not _ORIGIN.fullmatch(self.origin) or not 0 <= self.size <= MAX_SIZE or len(self.root) != HASH_SIZE:
            raise ValueError("a checkpoint has an origin without spaces or +, a size and a root of 32 bytes")
        if self.size == 0 and self.root != EMPTY_ROOT:
            raise ValueError("a log without entries has the empty root")

    @property
    def tree(self) -> tuple[int, bytes]:
        """Return size and root."""
        return self.size, self.root

    def body(self) -> str:
        """Return the text that the log's key signs."""
        return f"{self.origin}\n{self.size}\n{to_base64(self.root)}\n"


@dataclass(frozen=True, slots=True)
class LogProof:
    """Where a receipt stands in the log, the hashes that lead from it to the root, and the signed checkpoint."""

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: bytes

    def encode(self) -> bytes:
        """Return the bytes of the proof's file."""
        lines = [PROOF_HEADER, f"index {self.index}", *(to_base64(each) for each in self.hashes), "", ""]
        return "\n".join(lines).encode("ascii") + self.checkpoint


@dataclass(frozen=True, slots=True)
class LogGrowth:
    """A size that a log had, the hashes that lead from it to a later tree, and the signed checkpoint of that one.

    It is the body of a request to a witness (c2sp.org/tlog-witness): nothing else proves growth in a file.
    """

    size: int
    hashes: tuple[bytes, ...]
    checkpoint: bytes

    def encode(self) -> bytes:
        """Return the bytes of the proof's file."""
        lines = [f"old {self.size}", *(to_base64(each) for each in self.hashes), "", ""]
        return "\n".join(lines).encode("ascii") + self.checkpoint


def checkpoint_of(note: bytes) -> Checkpoint:
    """Return the checkpoint that a signed note states; nothing of its signatures has been verified."""
    return read_checkpoint(read_note(note).body)


def read_checkpoint(body: str) -> Checkpoint:
    """Return the checkpoint that the body of a note is."""
    lines = body.split("\n")
    if len(lines) != 4 or lines[3]:
        raise _bad_checkpoint("it has three lines: origin, size and root")
    origin, size, root = lines[:3]
    try:
        return Checkpoint(origin, _decimal(size), from_base64(root))
    except ValueError as error:
        raise _bad_checkpoint(str(error)) from error


def read_log_proof(data: bytes) -> LogProof:
    """Return the proof that a file holds; the checkpoint in it is handed on as it is."""
    if len(data) > 2 * MAX_NOTE_SIZE:
        raise _bad_proof(f"it is larger than {2 * MAX_NOTE_SIZE:,} bytes")
    head, mark, checkpoint = data.partition(b"\n\n")
    try:
        index, hashes = _read_head(head.decode("ascii").split("\n"))
    except ValueError as error:
        raise _bad_proof(str(error)) from error
    if not mark:
        raise _bad_proof("an empty line stands before the checkpoint")
    if len(hashes) > MAX_PROOF_HASHES or any(len(each) != HASH_SIZE for each in hashes):
        raise _bad_proof(f"it has at most {MAX_PROOF_HASHES} hashes of {HASH_SIZE} bytes")
    return LogProof(index, hashes, checkpoint)


def read_log_growth(data: bytes) -> LogGrowth:
    """Return the proof of growth that a file holds; the checkpoint in it is handed on as it is."""
    head, mark, checkpoint = data[: 2 * MAX_NOTE_SIZE + 1].partition(b"\n\n")
    try:
        first, *rest = head.decode("ascii").split("\n")
        size, hashes = _decimal(first.removeprefix("old ")), tuple(from_base64(line) for line in rest)
    except ValueError as error:
        raise _bad_growth(str(error)) from error
    if not first.startswith("old ") or not mark or len(data) > 2 * MAX_NOTE_SIZE:
        raise _bad_growth("a line `old N`, the hashes and an empty line come before the checkpoint")
    if len(hashes) > MAX_PROOF_HASHES or any(len(each) != HASH_SIZE for each in hashes):
        raise _bad_growth(f"it has at most {MAX_PROOF_HASHES} hashes of {HASH_SIZE} bytes")
    return LogGrowth(size, hashes, checkpoint)


def _read_head(lines: list[str]) -> tuple[int, tuple[bytes, ...]]:
    if lines.pop(0) != PROOF_HEADER:
        raise ValueError(f"its first line is {PROOF_HEADER}")
    if lines and lines[0].startswith("extra "):
        raise VerifyError(
            Reason.PROOF_EXTRA,
            "the proof carries extra data, which nothing signs",
            advice="Take the line that begins with `extra` out: the proof is the same without it.",
        )
    if not lines or not lines[0].startswith("index "):
        raise ValueError("a line `index N` comes before the hashes")
    return _decimal(lines[0].removeprefix("index ")), tuple(from_base64(line) for line in lines[1:])


def _decimal(text: str) -> int:
    if not _DECIMAL.fullmatch(text):
        raise ValueError("a number is decimal, without sign or leading zeros")
    number = int(text)
    if number > MAX_SIZE:
        raise ValueError(f"a number is at most {MAX_SIZE}")
    return number


def _bad_checkpoint(message: str) -> VerifyError:
    return VerifyError(Reason.CHECKPOINT_SHAPE, f"this is not a checkpoint: {message}")


def _bad_growth(message: str) -> VerifyError:
    return VerifyError(Reason.GROWTH_SHAPE, f"this is not a proof of consistency: {message}")


def _bad_proof(message: str) -> VerifyError:
    return VerifyError(Reason.PROOF_SHAPE, f"this is not a proof of inclusion: {message}")
