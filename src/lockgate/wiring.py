# SPDX-License-Identifier: Apache-2.0
"""What a door needs comes in by name; the adapter that does it goes out. The only importer of adapters.

An adapter is imported when it is first asked for, because each brings a library of its own.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path

from lockgate.adapters.issuers import issuer_choice
from lockgate.adapters.marks import mark_choice
from lockgate.adapters.stores import store_choice
from lockgate.adapters.timestamps import authority_choice
from lockgate.adapters.witnesses import witness_choice
from lockgate.core.app import DEFAULT_ORG
from lockgate.core.endpoint import Kind
from lockgate.ports.actuator import Actuators
from lockgate.ports.copying import Source, Target
from lockgate.ports.house import Clock, House
from lockgate.ports.mending import Mendings
from lockgate.ports.news import News
from lockgate.ports.reading import RunBatches, RunFiles
from lockgate.ports.signing import KeyRing, Signer
from lockgate.ports.store import Store
from lockgate.ports.webhooks import Receivers
from lockgate.ports.witness import WitnessList

HOME = "LOCKGATE_HOME"
DEFAULT_HOME = "~/.lockgate"
KEYS = "keys"
WEBHOOK_KEY = "webhook.key"

memory_store, sqlite_store = store_choice.memory_store, store_choice.sqlite_store
postgres_store, store_url = store_choice.postgres_store, store_choice.store_url
database_place = store_choice.database_place
timestamp_authority, read_timestamp = authority_choice.timestamp_authority, authority_choice.read_timestamp
stamp_reader = authority_choice.stamp_reader
make_witness, open_witness = witness_choice.make_witness, witness_choice.open_witness
high_water = mark_choice.high_water
id_tokens, check_issuer = issuer_choice.id_tokens, issuer_choice.check_issuer


def read_policy_file(path: str) -> Mapping[str, object]:
    """Return the mapping that a policy file holds, YAML or JSON; `-` is standard input."""
    from lockgate.adapters.decoders import policy_file

    return policy_file.read_policy_file(path)


def encode_policy(document: Mapping[str, object]) -> str:
    """Return a policy document as YAML."""
    from lockgate.adapters.decoders import policy_file

    return policy_file.encode_policy(document)


def run_files() -> RunFiles:
    """Return the reader of run files; a format's library is loaded when a file of it is read."""
    from lockgate.adapters.decoders.batch import Decoder
    from lockgate.adapters.decoders.local_files import LocalRunFiles

    def ndjson() -> Decoder:
        from lockgate.adapters.decoders.ndjson import Ndjson

        return Ndjson()

    def json() -> Decoder:
        from lockgate.adapters.decoders.json_runs import JsonRuns

        return JsonRuns()

    def csv() -> Decoder:
        from lockgate.adapters.decoders.csv_runs import CsvRuns

        return CsvRuns()

    def parquet() -> Decoder:
        from lockgate.adapters.decoders.parquet import Parquet

        return Parquet()

    by_suffix = {".ndjson": ndjson, ".jsonl": ndjson, ".json": json, ".csv": csv, ".tsv": csv, ".parquet": parquet}
    return LocalRunFiles(by_suffix, other=ndjson)


def run_batches() -> RunBatches:
    """Return the reader of runs to be kept."""
    from lockgate.adapters.decoders.records import Records
    from lockgate.adapters.decoders.stored_files import StoredFiles
    from lockgate.adapters.decoders.stored_runs import SUFFIXES, StoredRuns

    def json() -> Records:
        from lockgate.adapters.decoders.json_records import JsonRecords

        return JsonRecords()

    def csv() -> Records:
        from lockgate.adapters.decoders.csv_records import CsvRecords

        return CsvRecords()

    def parquet() -> Records:
        from lockgate.adapters.decoders.parquet_records import ParquetRecords

        return ParquetRecords()

    others = {".json": json, ".csv": csv, ".tsv": csv, ".parquet": parquet}
    return StoredFiles(StoredRuns(), SUFFIXES, others)


def home() -> Path:
    """Return the folder of this machine's store and keys."""
    return Path(os.environ.get(HOME) or DEFAULT_HOME).expanduser()


def local_house(
    folder: Path | None = None,
    org: str = DEFAULT_ORG,
    on_wait: Callable[[], None] = lambda: None,
    *,
    has_new_keys: bool = False,
) -> House:
    """Return what operations work with on this machine; store and keys are made where they are not there.

    Keys of a store in which something was signed are made only where `has_new_keys` says that they were renounced.
    `on_wait` is called where another process holds the store for long.
    """
    at = folder or home()
    # A folder that a program names is its own; how far its log had come is its own business as well.
    mark = high_water() if folder is None else None
    store = store_choice.own_store(at, on_wait) if folder is None else sqlite_store(at, on_wait)

    def may_make() -> bool:
        if has_new_keys:
            return True
        return not any(_has_signed(store, each) for each in {org, DEFAULT_ORG, *store.orgs()})

    found = House(store, system_clock(), signers(at / KEYS, may_make), org, mark)
    _make_webhook_key(at / KEYS, may_make)
    return found


def has_webhook_key(folder: Path | None = None) -> bool:
    """Say whether the key that seals the secrets of webhooks is in the keys folder."""
    return ((folder or home() / KEYS) / WEBHOOK_KEY).exists()


def _make_webhook_key(folder: Path, may_make: Callable[[], bool]) -> None:
    """Make the key that seals the secrets of webhooks with those that sign, so that one copy has them all."""
    if not has_webhook_key(folder) and may_make():
        from lockgate.adapters.webhooks.secret_box import make_key

        make_key(folder)


def _has_signed(store: Store, org: str) -> bool:
    with store.reading(org) as seen:
        return seen.latest_receipt() is not None


def house_to_read(on_wait: Callable[[], None] = lambda: None, *, is_empty: bool = False) -> House:
    """Return what operations that change and sign nothing work with on this machine."""
    from lockgate.adapters.signers.known_keys import KnownKeys

    store = memory_store() if is_empty else store_choice.own_store(home(), on_wait, is_only_read=True)
    return House(store, system_clock(), KnownKeys(home() / KEYS))


def mendings() -> Mendings:
    """Return what makes again what can be made of this machine's store."""
    return store_choice.own_mendings(home())


def witness_list() -> WitnessList:
    """Return the witnesses that this machine asks."""
    return witness_choice.witness_list(home())


def has_store(folder: Path | None = None) -> bool:
    """Say whether a folder, or the database that LOCKGATE_STORE names, holds a store already, whole or not."""
    return store_choice.has_own_store(home()) if folder is None else store_choice.has_sqlite_store(folder)


def back_up(target: Path, *, has_keys: bool) -> tuple[Path, ...]:
    """Copy this machine's store and public keys, and where asked the private ones, into a new folder; return its files.

    Others go on writing meanwhile.
    """
    from lockgate.adapters.signers.key_folder import public_keys
    from lockgate.adapters.stores.sqlite.backup import back_up_keys, back_up_store

    store_choice.refuse_copying_files()
    copied = back_up_store(home(), target)
    return (*copied, *back_up_keys(home() / KEYS, target / KEYS, public_keys(home() / KEYS), has_private=has_keys))


def actuators(folder: Path | None = None, *, is_dev: bool = False) -> Actuators:
    """Return what reaches each kind of endpoint."""
    from lockgate.adapters.actuators.command import Command

    return {Kind.COMMAND: Command(), Kind.WEBHOOK: receivers(folder, is_dev=is_dev)}


def receivers(folder: Path | None = None, *, is_dev: bool = False) -> Receivers:
    """Return what reaches webhooks, by this machine's settings; `is_dev` lets it reach this machine itself."""
    from lockgate.adapters.webhooks.sender import open_sender

    return open_sender((folder or home()) / KEYS, system_clock(), is_dev=is_dev)


def system_clock() -> Clock:
    """Return the clock of this machine."""
    from lockgate.adapters.system_clock import SystemClock

    return SystemClock()


def signers(folder: Path, may_make: Callable[[], bool] = lambda: True) -> KeyRing:
    """Return the signers of a folder's keys; a key that is not there is made where it may be."""
    from lockgate.adapters.signers.key_folder import open_signers

    return open_signers(folder, may_make)


def make_root(file: Path, passphrase_file: Path | None) -> str:
    """Make a root key in a file, and its public half beside it; return its id."""
    from lockgate.adapters.signers.root_key import make_root as make

    return make(file, passphrase_file)


def root_signer(file: Path, passphrase_file: Path | None) -> Signer:
    """Return the signer of a root key."""
    from lockgate.adapters.signers.root_key import read_root

    return read_root(file, passphrase_file)


def news() -> News | None:
    """Return what hears of other servers' commits; None where the store tells nobody."""
    url = store_url()
    if url is None:
        return None
    from lockgate.adapters.stores.postgres.news import PostgresNews

    return PostgresNews(url)


def is_url(place: str) -> bool:
    """Say whether a store is named by an address and not by a folder."""
    return "://" in place


def house_at(place: str, keys: Path, org: str) -> House:
    """Return the store that an address or a folder names to who only looks, with the public keys of a folder."""
    from lockgate.adapters.signers.known_keys import KnownKeys

    store = postgres_store(place) if is_url(place) else sqlite_store(Path(place), is_only_read=True)
    return House(store, system_clock(), KnownKeys(keys), org)


def copy_source(place: str) -> AbstractContextManager[Source]:
    """Open a store to be copied; others wait who want to write to it."""
    from lockgate.adapters.stores.busy_seconds import busy_seconds
    from lockgate.adapters.stores.postgres import tables as postgres_tables
    from lockgate.adapters.stores.sqlite import tables as sqlite_tables

    if is_url(place):
        return postgres_tables.tables_of(place, busy_seconds())
    return sqlite_tables.source_of(Path(place), busy_seconds())


def copy_target(place: str) -> AbstractContextManager[Target]:
    """Open an empty store to be copied to."""
    from lockgate.adapters.stores.busy_seconds import busy_seconds
    from lockgate.adapters.stores.postgres import tables as postgres_tables
    from lockgate.adapters.stores.sqlite import tables as sqlite_tables

    if is_url(place):
        return postgres_tables.tables_of(place, busy_seconds())
    return sqlite_tables.target_of(Path(place), busy_seconds())
