# SPDX-License-Identifier: Apache-2.0
"""Names of files come in; what is offered to be verified, and of which kind it is, goes out.

The kind follows from what the files hold, unless it is said.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

from lockgate.cli.bundle_files import bundle_files
from lockgate.cli.trusted import PEM, STDIN, read
from lockgate.core.bundle_layout import GROWTH, MANIFEST
from lockgate.core.checkpoint import PROOF_HEADER
from lockgate.core.export_line import MAX_LINE
from lockgate.core.manifest_body import PAYLOAD_TYPE as MANIFEST_TYPE
from lockgate.errors import UsageError
from lockgate.verify import Held

ZIP, ENVELOPE, LINES = b"PK", b'{"payload":', (b'{"index":', b'{"since":')
SIGNATURE_LINE = "\n\n\N{EM DASH} ".encode()
PROOF_ENDING = ".tlog-proof"
MAX_FILES = 100_000
_CHUNK = 1 << 20


class Kind(StrEnum):
    """What can be verified."""

    RECEIPT = "receipt"
    ROLLOUT = "rollout"
    BUNDLE = "bundle"
    LOG = "log"
    MANIFEST = "manifest"
    CHECKPOINT = "checkpoint"


# Without slots: what is verified, and what is said of it then, is read from the disk once.
@dataclass(frozen=True, kw_only=True)
class Offered:
    """What is to be verified: its kind, the names that were given, and of one file what was read to know the kind.

    That is all of a small file, and the beginning of a large one.
    """

    kind: Kind
    names: tuple[str, ...]
    data: bytes = b""

    def files(self) -> Mapping[str, bytes]:
        """Return the files of a bundle."""
        return self._files

    def held(self) -> Sequence[Held]:
        """Return the receipts of a rollout, each with the proof that has its name."""
        return self._held

    @cached_property
    def _files(self) -> Mapping[str, bytes]:
        return bundle_files(Path(self.names[0]))

    @cached_property
    def _held(self) -> Sequence[Held]:
        read_once = {name: read(name) for name in _receipts_and_proofs(self.names)}
        proofs = {Path(name).with_suffix(""): name for name, data in read_once.items() if _is_proof(data)}
        held = []
        for name, data in read_once.items():
            if not _is_proof(data):
                proof = proofs.pop(Path(name).with_suffix(""), None)
                held.append(Held(name, data, None if proof is None else read_once[proof]))
        if proofs:
            raise UsageError(
                f"{next(iter(proofs.values()))} is the proof of a receipt that is not given",
                advice="A proof has its receipt's name, with another ending.",
            )
        return held

    def growth(self) -> bytes | None:
        """Return the proof that the log has only grown, where it lies beside the receipts of a rollout."""
        for name in self.names:
            if (Path(name) / GROWTH).is_file():
                return read(str(Path(name) / GROWTH))
        return None

    def lines(self) -> Iterator[bytes]:
        """Yield the lines of an exported log, each with its line break, as many bytes at once as a line may have."""
        if self.names == (STDIN,):
            yield from _lines(self.data, sys.stdin.buffer)
            return
        try:
            with open(self.names[0], "rb") as file:  # noqa: PTH123 -- the name goes to the system as it was given
                yield from _lines(b"", file)
        except OSError as error:
            raise UsageError(f"cannot read {self.names[0]}: {error.strerror}") from error


def offered(names: Sequence[str], kind: Kind | None = None) -> Offered:
    """Return what some names offer."""
    first = names[0]
    if len(names) > 1 or (first != STDIN and Path(first).is_dir()):
        return Offered(kind=_kind_of_many(names, kind), names=tuple(names))
    head = read(first)
    found = kind or _kind_of(head, first)
    if found is Kind.BUNDLE and first == STDIN:
        raise UsageError("a bundle is no stream", advice="Write it into a file, and name that.")
    return Offered(kind=found, names=tuple(names), data=head)


def _kind_of_many(names: Sequence[str], kind: Kind | None) -> Kind:
    is_bundle = len(names) == 1 and (Path(names[0]) / MANIFEST).is_file()
    found = kind or (Kind.BUNDLE if is_bundle else Kind.ROLLOUT)
    # Versions of a key manifest are several files too.
    if kind is None and len(names) > 1 and all(Path(name).is_file() and _is_manifest(read(name)) for name in names):
        return Kind.MANIFEST
    if found not in (Kind.ROLLOUT, Kind.MANIFEST) and not (found is Kind.BUNDLE and len(names) == 1):
        raise UsageError(f"a {found} is one file", advice="Name one file, or the receipts of one rollout.")
    return found


def _kind_of(head: bytes, name: str) -> Kind:
    if head.startswith(ZIP) or name.endswith(".zip"):
        return Kind.BUNDLE
    if head.startswith(LINES):
        return Kind.LOG
    if _is_manifest(head):
        return Kind.MANIFEST
    if _is_proof(head):
        raise UsageError(
            f"{name} is a proof, which is verified with its receipt", advice="Name the receipt, and this with --proof."
        )
    if head.lstrip().startswith(PEM):
        raise UsageError(f"{name} is a key", advice="Name a receipt, a folder or a bundle, and keys with --key.")
    # A receipt has no line breaks.
    return Kind.CHECKPOINT if SIGNATURE_LINE in head and not head.startswith(b"{") else Kind.RECEIPT


def _is_proof(data: bytes) -> bool:
    return data.startswith(PROOF_HEADER.encode("ascii"))


def _is_manifest(data: bytes) -> bool:
    return data.startswith(ENVELOPE) and f'"payloadType":"{MANIFEST_TYPE}"'.encode("ascii") in data


def _receipts_and_proofs(names: Sequence[str]) -> Iterator[str]:
    """Yield the names of files; of a folder those that are receipts or proofs, among keys and checkpoints."""
    for name in names:
        folder = Path(name)
        if not folder.is_dir():
            yield name
            continue
        inner = sorted(path for path in folder.iterdir() if path.is_file())
        if len(inner) > MAX_FILES:
            raise UsageError(f"{name} holds more than {MAX_FILES:,} files", advice="Export a bundle of the rollout.")
        for path in inner:
            if path.suffix == PROOF_ENDING or (path.suffix == ".json" and read(str(path)).startswith(ENVELOPE)):
                yield str(path)


def _lines(head: bytes, file: BinaryIO) -> Iterator[bytes]:
    rest = head
    while True:
        *whole, rest = rest.split(b"\n")
        yield from (line + b"\n" for line in whole)
        # What is longer is no line, and is refused as what it is.
        chunk = b"" if len(rest) > MAX_LINE else file.read(_CHUNK)
        if not chunk:
            break
        rest += chunk
    if rest:
        yield rest
