# SPDX-License-Identifier: Apache-2.0
"""What operations need from the outside comes in as protocols; adapters fulfil them and wiring chooses the adapter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from lockgate.core.intake import Intake, Question

# How many bytes are read, and of how many if that is known.
Progress = Callable[[int, int | None], None]


class RunFiles(Protocol):
    """Reads runs from files.

    `read` tallies every run of the two releases asked for, exactly, and counts the runs of every release.
    A run whose id was read before in the same release is set aside and counted.
    Of several runs of one probe in one release the first is paired.
    The same runs give the same intake in every format and any order of files, with two exceptions that follow the
    order given: which of several runs with one id, or one probe, is the first.

    Duties: whatever is malformed raises a DataError that names file and line, at most ten of them and then a count;
    nothing is skipped, and nothing is returned after a fault. A path that names no file, a folder, or a format that is
    not known raises a UsageError. Memory is bounded whatever the size of a file, but for the ids of runs and probes.
    `progress` is told bytes done and, where the size is known, of how many; a second reading starts again at 0.
    """

    def read(self, paths: Sequence[str], question: Question, progress: Progress) -> Intake:
        """Read all files as one call; `-` is standard input."""
        ...


class Signer(Protocol):
    """Signs bytes by one Ed25519 key.

    Duties: the same bytes get the same signature (RFC 8032, without a random part), so that a redo after a crash is
    the same receipt. A signature is checked against the public key before it is handed out; one that does not verify
    raises a LockgateError, and nothing was signed. The private key is in no message, log or representation.
    A key has one role: receipts and checkpoints of the log are never signed by the same key.
    """

    @property
    def key_id(self) -> str:
        """Return the SHA-256 of the public key's SubjectPublicKeyInfo in DER, in lower-case hexadecimal."""
        ...

    @property
    def public_key_pem(self) -> bytes:
        """Return the public key as OpenSSL writes it."""
        ...

    def sign(self, message: bytes) -> bytes:
        """Return the 64 bytes of the signature."""
        ...
