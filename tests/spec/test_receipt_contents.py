# SPDX-License-Identifier: Apache-2.0
"""Rollouts with very many gates, and runs that carry texts, come in; receipts and contents must be whole and silent."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from lockgate.adapters.stores.content import compress
from lockgate.adapters.stores.postgres.store import PostgresStore
from lockgate.adapters.stores.sqlite.store import CONTROL, SqliteStore
from lockgate.core.canonical import byte_digest
from lockgate.core.envelope import MAX_ENVELOPE_SIZE, open_envelope
from lockgate.core.named_contents import named_contents
from lockgate.core.rollout import Status
from lockgate.core.soundness.flaw import Rule
from lockgate.operations.intake.ingest import ingest
from lockgate.operations.soundness.fsck import fsck
from lockgate.operations.tick import tick
from lockgate.testing.world import World
from lockgate.wiring import run_batches
from tests.postgresql import Cluster
from tests.spec.line import APP, EQUAL, at, created, predicate, receipts, run_lines, verified, world
from tools.receipt_samples import samples

INTENTS = [f"intent-{number}" for number in range(20)]
METRICS = ("error_rate", *(f"latency_ms:p{percent}" for percent in range(5, 100, 5)))
MARKER = "xyzzy-the-patient-said"


def crowded(here: World, intents: list[str], metrics: tuple[str, ...]) -> str:
    """Return a rollout in shadow mode that was judged once, by so many gates and slices."""
    gates = [{"metric": metric, "slice": {"intent": intent}} for metric in metrics for intent in intents]
    rollout = created(here, policy={"mode": "shadow", "bucket": "1s", "gates": gates}).rollout
    for intent in intents:
        ingest(here.batch(APP, {"v36": 40, "abc123": 40}, EQUAL, (("intent", intent),)), here.house)
    here.clock.advance(60)
    tick(rollout.id, here.house)
    return rollout.id


@pytest.mark.clause("RF-02")
def test_a_receipt_names_what_it_binds_and_does_not_hold() -> None:
    """The verdict that is too long, and the key manifest that was published last; nothing else, whatever it is."""
    said = {each.name: json.loads(open_envelope(each.envelope).payload)["predicate"] for each in samples()}
    named = {name: named_contents(each) for name, each in said.items() if named_contents(each)}

    manifest = f"sha256:{said['custody-3']['to']['manifest']['sha256']}"
    assert named.pop("custody-3") == named.pop("custody-4") == (manifest,)
    assert named == {
        name: (f"sha256:{said[name]['verdict']['full']['sha256']}",) for name in ("forty-2", "four-hundred-2")
    }
    odd: tuple[Any, ...] = ({}, {"verdict": 1}, {"verdict": {"full": []}}, {"to": {"manifest": "x"}})
    assert [named_contents(each) for each in odd] == [()] * 4


@pytest.fixture(params=["memory", "files", pytest.param("PostgreSQL", marks=pytest.mark.postgres)])
def here(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """Return a world on each kind of store."""
    if request.param == "memory":
        yield world()
    elif request.param == "files":
        yield World(SqliteStore(tmp_path), 1)
    else:
        cluster: Cluster = request.getfixturevalue("postgresql")
        store = PostgresStore(cluster.new_database())
        yield World(store, 1)
        store.close()


@pytest.mark.clause("RF-06")
def test_twenty_gates_of_twenty_slices_fit_into_a_receipt(here: World) -> None:
    """The real line signs it, its findings are bound and kept, and the store is sound."""
    name = crowded(here, INTENTS, METRICS)

    receipt = receipts(here.house, name)[-1]
    said = predicate(receipt)["verdict"]
    with here.house.store.reading() as seen:
        whole = seen.content(f"sha256:{said['full']['sha256']}")
    assert whole is not None
    assert len(receipt.envelope) < MAX_ENVELOPE_SIZE
    assert verified(here.house, receipt).entry is not None
    assert len(json.loads(whole)["findings"]) == sum(said["counts"].values()) == 400
    assert {each["outcome"] for each in said["findings"]} == {said["outcome"]}
    assert fsck(here.house).is_sound


@pytest.fixture
def kept(tmp_path: Path) -> World:
    """Return a world on files with a receipt that names a content."""
    here = World(SqliteStore(tmp_path), 1)
    crowded(here, INTENTS[:4], METRICS[:8])
    return here


def changed(folder: Path, sql: str, *values: object) -> None:
    """Change contents behind the program's back."""
    with closing(sqlite3.connect(folder / CONTROL)) as link:
        triggers = link.execute("SELECT name, sql FROM sqlite_master WHERE name LIKE 'kept_content%'").fetchall()
        for name, _ in triggers:
            link.execute(f"DROP TRIGGER {name}")
        link.execute(sql, values)
        for _, made in triggers:
            link.execute(made)
        link.commit()


@pytest.mark.tampers
@pytest.mark.clause("RF-02")
@pytest.mark.parametrize(
    ("sql", "values", "said"),
    [
        ("DELETE FROM contents", (), "which is not kept"),
        ("UPDATE contents SET body = ?", (compress(b"{}"),), "are others"),
        ("UPDATE contents SET body = ?", (b"{}",), "cannot be read"),
        ("UPDATE contents SET digest = ?", (byte_digest(b"{}"),), "are others"),
    ],
)
def test_contents_that_are_gone_or_others_are_named(
    kept: World, tmp_path: Path, sql: str, values: tuple[object, ...], said: str
) -> None:
    """Each by its digest, and what a receipt names in vain by the receipt."""
    before = fsck(kept.house).is_sound
    changed(tmp_path, sql, *values)

    flaws = fsck(kept.house).flaws

    assert before
    assert any(flaw.rule is Rule.EVIDENCE and said in flaw.what and "sha256:" in flaw.what for flaw in flaws)


@pytest.mark.clause("RF-02")
def test_contents_never_change(kept: World, tmp_path: Path) -> None:
    """Neither is one written over, nor taken away."""
    for sql in ("DELETE FROM contents", "UPDATE contents SET body = x'00'"):
        with closing(sqlite3.connect(tmp_path / CONTROL)) as link, pytest.raises(sqlite3.IntegrityError):
            link.execute(sql)

    assert fsck(kept.house).is_sound


def texts(here: World) -> bytes:
    """Return everything that an organisation signed, named and told, as it stands in the store."""
    with here.house.store.reading() as seen:
        entries = seen.entries_after(-1, 10_000)
        said = [canonical for each in entries for canonical in (each.envelope, json.dumps(predicate(each)).encode())]
        named = [seen.content(digest) or b"" for digest in seen.content_digests("", 10_000)]
        told = [message.body for _, message in seen.messages_after(0, 10_000)]
        looks = [json.dumps(look.document()).encode() for look in seen.looks_after(entries[-1].rollout_id, 0, 10_000)]
    assert told
    return b"\n".join((*said, *named, *told, *looks))


def status(release: str, number: int) -> str:
    """Return how a run of a release ended."""
    return "error" if release == "abc123" and number % 2 else "ok"


@pytest.mark.clause("RF-07")
@pytest.mark.parametrize("metrics", [("error_rate",), METRICS])
def test_no_text_of_a_run_enters_what_is_signed_or_told(metrics: tuple[str, ...]) -> None:
    """Prompts, outputs, labels, error types, units and unknown fields of runs stay in the runs."""
    here = world()
    gates = [{"metric": metric, "slice": {"intent": "a"}} for metric in metrics]
    rollout = created(here, policy={"bucket": "1s", "gates": ["error_rate", *gates]}).rollout
    hostile = {
        "prompt": MARKER,
        "output": {"text": MARKER},
        "messages": [{"role": "user", "content": MARKER}],
        "error_type": MARKER,
        "unit_id": MARKER,
        "environment": MARKER,
        "labels": {"intent": "a", "prompt": MARKER, MARKER: "x"},
        "flags": {MARKER: MARKER},
    }
    for minute in range(4):
        runs = [
            {"release": release, "latency_ms": 20.5, "started_at": at(minute), "status": status(release, number)}
            | {"run_id": f"{MARKER} {release} {minute} {number}", **hostile}
            for release in ("v36", "abc123")
            for number in range(120)
        ]
        ingest(run_batches().decode(run_lines(*runs), None), here.house)
        here.clock.advance(60)
        tick(rollout.id, here.house)

    with here.house.store.reading() as seen:
        trial = seen.trial(rollout.id)
    assert trial is not None
    assert trial.rollout.status is Status.ROLLED_BACK
    assert MARKER.encode() not in texts(here)
