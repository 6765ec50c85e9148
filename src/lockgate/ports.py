# SPDX-License-Identifier: Apache-2.0
"""What operations need from the outside comes in as protocols; adapters fulfil them and wiring chooses the adapter."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from lockgate.core.app import DEFAULT_ORG, App, Release
from lockgate.core.batch import Ingested, RunBatch
from lockgate.core.instant import Instant
from lockgate.core.intake import Intake, Question
from lockgate.core.merkle import Node, Tree
from lockgate.core.outbox import Message
from lockgate.core.policy.policy import Policy
from lockgate.core.rollout import Rollout
from lockgate.core.spine import Cell, Slot
from lockgate.core.trial import Look, Trial
from lockgate.core.vault import Receipt

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


class RunBatches(Protocol):
    """Decodes runs to be kept.

    Duties: as RunFiles about what is malformed. A file is looked through whole before its first batch comes out, so
    that of a file with a fault nothing is kept. The same bytes are cut into the same batches.
    A run without `app_id` is of the app that is given; without either it is malformed.
    """

    def read(self, paths: Sequence[str], app: str | None, progress: Progress) -> Iterator[RunBatch]:
        """Yield the runs of all files; `-` is standard input."""
        ...

    def decode(self, body: bytes, app: str | None) -> RunBatch:
        """Return the runs of one body, a run on each line."""
        ...


class Clock(Protocol):
    """Says what time it is."""

    def now(self) -> Instant:
        """Return the time; it may go back, and nobody may rest an order on it."""
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


class Signers(Protocol):
    """The two keys of a vault: one for receipts, one for checkpoints of the log."""

    @property
    def receipt(self) -> Signer:
        """Return the signer of receipts."""
        ...

    @property
    def log(self) -> Signer:
        """Return the signer of checkpoints."""
        ...


class Snapshot(Protocol):
    """Everything that an organisation has stored, as it was at one moment; nobody's writing shows through it."""

    def app(self, name: str) -> App | None:
        """Return an app."""

    def apps(self) -> tuple[App, ...]:
        """Return all apps by name."""

    def releases(self, app: str) -> tuple[Release, ...]:
        """Return the releases of an app, the first seen first."""

    def slots(self, app: str, after: int = -1) -> tuple[Slot, ...]:
        """Return the slots of an app with a higher number, in order."""

    def last_slot(self, app: str) -> Slot | None:
        """Return the slot with the highest number."""

    def open_slots(self, app: str) -> tuple[Slot, ...]:
        """Return the slots that are not sealed, in order."""

    def cells(self, app: str, first: int, last: int) -> tuple[Cell, ...]:
        """Return the cells of the slots from one number to another."""

    def segments(self, app: str, number: int) -> tuple[str, ...]:
        """Return the digests of the batches that went into a slot."""

    def segment(self, digest: str) -> bytes | None:
        """Return the bytes of a batch as they came."""

    def ingested(self, digest: str) -> Ingested | None:
        """Return what became of a batch."""

    def policy(self, digest: str) -> Policy | None:
        """Return the policy of a digest."""

    def rollouts(self, app: str | None = None, *, active: bool = False) -> tuple[Rollout, ...]:
        """Return rollouts, the oldest first; `active` leaves out those that have ended."""

    def trial(self, rollout_id: str) -> Trial | None:
        """Return a rollout with its progress."""

    def folded(self, rollout_id: str, after: int) -> tuple[str, ...]:
        """Return the digests of the buckets that a rollout has read, after one by number, in order."""

    def looks(self, rollout_id: str, after: int = 0) -> tuple[Look, ...]:
        """Return the looks of a rollout after one by number, in order."""

    def receipts(self, rollout_id: str, after: int = 0) -> tuple[Receipt, ...]:
        """Return the receipts of a rollout after one by seq, in order."""

    def receipt(self, receipt_id: str) -> Receipt | None:
        """Return a receipt."""

    def tree(self) -> Tree:
        """Return the tree of the log."""

    def nodes(self, wanted: Iterable[Node]) -> Mapping[Node, bytes]:
        """Return the hashes of whole nodes of the log."""

    def checkpoint(self, size: int | None = None) -> bytes | None:
        """Return the signed checkpoint of the log at a size; by default the latest."""

    def messages(self, *, due: bool = True) -> tuple[Message, ...]:
        """Return messages in the order of their commits; `due` leaves out what was delivered."""


class Transaction(Snapshot, Protocol):
    """A snapshot that sees its own writes. What is added must not be there yet; what is put may be."""

    def put_app(self, app: App) -> None:
        """Keep an app."""

    def put_release(self, release: Release) -> None:
        """Keep a release; one that is known stays as it was first seen."""

    def put_slot(self, app: str, slot: Slot) -> None:
        """Keep a slot; a sealed one never changes again, and neither do its cells."""

    def put_cells(self, app: str, cells: Iterable[Cell]) -> None:
        """Keep cells of open slots."""

    def add_batch(self, ingested: Ingested, body: bytes, slots: Iterable[tuple[str, int]]) -> None:
        """Keep a batch, its bytes, and which slots (app, number) it went into.

        The bytes are durable before anything that names them; bytes that nothing names do no harm.
        """

    def put_policy(self, policy: Policy) -> None:
        """Keep a policy under its digest."""

    def save(self, trial: Trial) -> None:
        """Keep a trial whose `turn` is one more than the stored one's (1: none is stored), or raise TryAgainError."""

    def add_folded(self, rollout_id: str, buckets: Iterable[tuple[int, str]]) -> None:
        """Keep numbers and digests of buckets that a rollout has read."""

    def add_look(self, rollout_id: str, look: Look) -> None:
        """Keep a look."""

    def append(self, receipt: Receipt, nodes: Iterable[tuple[Node, bytes]], checkpoint: bytes) -> None:
        """Append a receipt to its rollout and to the log, with the checkpoint that covers it; for ever."""

    def put_message(self, message: Message) -> None:
        """Keep a message; one that is known is kept as it is now."""


class Store(Protocol):
    """Keeps everything that Lockgate knows, by organisation.

    Duties. Atomicity: a transaction is kept whole on leaving its block, or not at all when the block raises.
    Isolation: transactions run one after another, also those of other processes, and nothing of one is visible before
    it is kept. Durability: what was kept survives the end of the process and of power.
    A store that cannot do what is asked says so by a LockgateError: TryAgainError where another holds it,
    NotPermittedError where it may not be written, UnreachableError where the disk fails or is full,
    DataError where it is not a store, or one of a later version.
    Nothing that decides is kept in memory from one transaction to the next, so that processes may share a store.
    """

    def reading(self, org: str = DEFAULT_ORG) -> AbstractContextManager[Snapshot]:
        """Open a snapshot."""

    def writing(self, org: str = DEFAULT_ORG) -> AbstractContextManager[Transaction]:
        """Open a transaction."""


@dataclass(frozen=True, slots=True)
class House:
    """What the operations of one organisation work with."""

    store: Store
    clock: Clock
    signers: Signers
    org: str = DEFAULT_ORG
