# SPDX-License-Identifier: Apache-2.0
"""The name of an organisation comes in; snapshots and transactions of all that it has stored go out."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from lockgate.core.api_key import ApiKey
from lockgate.core.app import DEFAULT_ORG
from lockgate.ports.api_keys import ApiKeysReading, ApiKeysWriting
from lockgate.ports.evidence import EvidenceReading, EvidenceWriting
from lockgate.ports.listing import ListingReading
from lockgate.ports.outbox import OutboxReading, OutboxWriting
from lockgate.ports.probes import ProbesReading, ProbesWriting
from lockgate.ports.replies import RepliesReading, RepliesWriting
from lockgate.ports.retention import RetentionReading, RetentionWriting
from lockgate.ports.run_ids import RunIdsReading, RunIdsWriting
from lockgate.ports.soundness import SoundnessReading
from lockgate.ports.trials import TrialsReading, TrialsWriting
from lockgate.ports.trust import TrustReading, TrustWriting
from lockgate.ports.vault import VaultReading, VaultWriting


class Snapshot(
    TrustReading,
    EvidenceReading,
    ProbesReading,
    TrialsReading,
    VaultReading,
    OutboxReading,
    SoundnessReading,
    RetentionReading,
    RunIdsReading,
    ApiKeysReading,
    RepliesReading,
    ListingReading,
    Protocol,
):
    """Everything that an organisation has stored, as it was at one moment; nobody's writing shows through it."""


class Transaction(
    Snapshot,
    TrustWriting,
    EvidenceWriting,
    ProbesWriting,
    TrialsWriting,
    VaultWriting,
    OutboxWriting,
    RunIdsWriting,
    RetentionWriting,
    ApiKeysWriting,
    RepliesWriting,
    Protocol,
):
    """A snapshot that sees its own writes. What is added must not be there yet; what is put may be."""

    def part(self) -> AbstractContextManager[None]:
        """Open a part; when its block raises, what it wrote is undone alone. Parts do not stand in each other.

        Where the store itself fails, no further part opens and nothing of the transaction is kept.
        """


class Store(Protocol):
    """Keeps everything that Lockgate knows, by organisation.

    Duties. Atomicity: a transaction is kept whole on leaving its block, or not at all when the block raises.
    Isolation: transactions run one after another, also those of other processes, but for those of different spines, and
    nothing of one is visible before it is kept. Durability: what was kept survives the end of process and power.
    Cover: a transaction that leaves a receipt in the log without a checkpoint that covers it is not kept.
    A store that cannot do what is asked says so by a LockgateError: TryAgainError where another holds it,
    NotPermittedError where it may not be written, UnreachableError where the disk fails or is full,
    DataError where it is not a store, or one of a later version.
    Nothing that decides is kept in memory from one transaction to the next, so that processes may share a store.
    """

    def reading(self, org: str = DEFAULT_ORG) -> AbstractContextManager[Snapshot]:
        """Open a snapshot."""

    def writing(
        self, org: str = DEFAULT_ORG, spines: Sequence[str] | None = None
    ) -> AbstractContextManager[Transaction]:
        """Open a transaction.

        One that names the apps whose spines alone it writes may run beside others that name other apps, and beside
        nothing else; it decides nothing, so that a rollout that is saved in it, or a receipt, is refused.
        """

    def api_key(self, key_id: str) -> ApiKey | None:
        """Return an API key of whichever organisation has it; None where none has."""

    def orgs(self) -> tuple[str, ...]:
        """Return the organisations that have an API key, by name."""

    def give_back(self) -> None:
        """Give room that nothing takes any more back to the disk, where that is possible."""
