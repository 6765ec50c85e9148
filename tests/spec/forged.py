# SPDX-License-Identifier: Apache-2.0
"""A store and SQL past its barriers come in; its log goes out changed: clumsily, or made whole again with the keys."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg

from lockgate.adapters.stores.packing import pack
from lockgate.adapters.stores.sqlite.store import CONTROL
from lockgate.core.canonical import canonicalize
from lockgate.core.checkpoint import Checkpoint, checkpoint_of
from lockgate.core.envelope import open_envelope
from lockgate.core.merkle import Tree, leaf_hash
from lockgate.core.vault import Receipt
from lockgate.operations.vault.sign import sign_checkpoint, sign_receipt
from lockgate.ports.house import House

Statement = tuple[str, tuple[Any, ...]]
ByHand = Callable[[Iterable[Statement]], None]


def in_files(folder: Path) -> ByHand:
    """Return what changes rows of a store in files; its triggers are there again afterwards."""

    def by_hand(statements: Iterable[Statement]) -> None:
        with closing(sqlite3.connect(folder / CONTROL, isolation_level=None)) as link:
            triggers = link.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
            for name, _ in triggers:
                link.execute(f"DROP TRIGGER {name}")
            for sql, values in statements:
                link.execute(sql, values)
            for _, sql in triggers:
                link.execute(sql)

    return by_hand


def in_postgres(url: str) -> ByHand:
    """Return what changes rows of a store on PostgreSQL, as a superuser may: no trigger fires and no policy holds."""

    def by_hand(statements: Iterable[Statement]) -> None:
        with psycopg.connect(url) as link:
            link.execute("SET LOCAL session_replication_role = replica")
            link.execute("SET LOCAL search_path = lockgate")
            for sql, values in statements:
                link.execute(sql.replace("?", "%s").encode(), values)

    return by_hand


def entries(house: House) -> list[Receipt]:
    """Return the receipts of the log in its order."""
    with house.store.reading(house.org) as seen:
        return list(seen.entries_after(-1, 1_000))


def edited(old: Receipt, house: House) -> Receipt:
    """Return a receipt that says something else, signed by its own key."""
    statement = json.loads(open_envelope(old.envelope).payload)
    statement["predicate"]["decision"]["reason"] = "nothing was wrong"
    return replace(old, envelope=sign_receipt(canonicalize(statement), house.signers.receipt))


def rewritten(log: Sequence[Receipt]) -> list[Statement]:
    """Return what makes these the receipts of a store, each at its own index, and leaves the rest of the log alone."""
    rows = [
        ("INSERT INTO receipts VALUES (?, ?, ?, ?, ?, ?)", ("default", *_key(each), each.index, pack(each)))
        for each in log
    ]
    return [("DELETE FROM receipts", ()), *rows]


def made_whole(log: Sequence[Receipt], house: House) -> list[Statement]:
    """Return what also makes nodes and checkpoints those of these receipts: what whoever has the keys can do."""
    with house.store.reading(house.org) as seen:
        note = seen.checkpoint()
    assert note is not None
    origin, tree = checkpoint_of(note).origin, Tree()
    done: list[Statement] = [("DELETE FROM nodes", ()), ("DELETE FROM checkpoints", ())]
    for receipt in log:
        tree, made = tree.append(leaf_hash(receipt.envelope))
        done += [("INSERT INTO nodes VALUES (?, ?, ?, ?)", ("default", *node, hashed)) for node, hashed in made]
        signed = sign_checkpoint(Checkpoint(origin, tree.size, tree.root), house.signers.log)
        done.append(("INSERT INTO checkpoints VALUES (?, ?, ?)", ("default", tree.size, signed)))
    return [*rewritten(log), *done]


def _key(receipt: Receipt) -> tuple[str, int, str]:
    return receipt.rollout_id, receipt.seq, receipt.id
