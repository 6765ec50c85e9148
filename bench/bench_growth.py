# SPDX-License-Identifier: Apache-2.0
"""Rollouts in shadow mode come in, which sign at every tick; how many bytes a decision leaves for ever goes out.

    PYTHONPATH=. python bench/bench_growth.py [--quick]

One has two gates, and one so many that its verdicts do not fit into receipts and are contents.
Each decision is cosigned by a witness of this process, as one in the network would, and every fifteenth is stamped.
A stamp is taken to have 2,900 bytes; one of an authority of OpenSSL, with one certificate, has about a thousand.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.rounds import write
from lockgate.core.policy.policy import Mode
from lockgate.core.voucher import Voucher, VoucherKind
from lockgate.core.witness_policy import Witness
from lockgate.operations.create import Order, create
from lockgate.operations.intake.ingest import ingest
from lockgate.operations.tick import tick
from lockgate.operations.vault.origin import first_origin
from lockgate.operations.vault.sign import log_key
from lockgate.operations.witness.cosigning import Cosigner, cosign
from lockgate.operations.witness.witnessing import ask_witnesses
from lockgate.ports.witness import WitnessAnswer
from lockgate.testing.world import Law, World
from lockgate.wiring import make_witness, open_witness, sqlite_store

APP, MINUTE = "claims-agent", 60
TEAMS = 20
FEW, MANY = 0, TEAMS
TICKS, QUICK_TICKS = 600, 60
EVERY, STAMP_BYTES = 15, 2_900
MINUTES_A_YEAR = 365 * 24 * 60
CONTROL = "lockgate.db"
# What is never pruned.
KEPT = ("receipts", "nodes", "checkpoints", "contents", "vouchers")


class Beside:
    """One witness, asked without a network."""

    def __init__(self, cosigner: Cosigner) -> None:
        self._cosigner = cosigner

    def witnesses(self) -> tuple[Witness, ...]:
        """Return the witness."""
        return (Witness("w1", self._cosigner.key.public, "https://w1.example"),)

    def ask(self, _witness: Witness, body: bytes, _seconds: float) -> WitnessAnswer:
        """Let it cosign."""
        return cosign(body, self._cosigner)


def policy(teams: int) -> dict[str, Any]:
    """Return a policy with two gates for everybody and two for each of some teams."""
    slices: list[dict[str, Any]] = [{}, *({"slice": {"team": f"team-{number}"}} for number in range(teams))]
    gates = [{"metric": metric, **each} for each in slices for metric in ("error_rate", "latency_ms:p95")]
    # It comes to no end while it is measured.
    return {"mode": Mode.SHADOW.value, "gates": gates, "steps": [{"weight": 50, "min_hold": "30d"}, {"weight": 100}]}


def grown(folder: Path, teams: int, ticks: int) -> Mapping[str, Any]:
    """Return how many bytes each table took for a decision."""
    here = World(sqlite_store(folder), 1)
    rollout = create(Order(app=APP, baseline="v36", candidate="abc123", policy=policy(teams)), here.house).rollout.id
    make_witness(folder / "witness", "witness.example/w1")
    key, memory = open_witness(folder / "witness")
    house = here.house
    logs = (log_key(first_origin(house), house.signers.log),)
    beside = Beside(Cosigner(logs=logs, memory=memory, key=key, clock=here.clock))
    before = sizes(folder)
    laws = {"v36": Law(), "abc123": Law()}
    for number in range(1, ticks + 1):
        for team in range(TEAMS):
            labels = (("team", f"team-{team}"),)
            ingest(here.batch(APP, {"v36": 10, "abc123": 10}, laws, labels), house)
        here.clock.advance(MINUTE)
        tick(rollout, house)
        (asked,) = ask_witnesses(house, beside)
        assert asked.voucher is not None, asked.said
        if number % EVERY == 0:
            stamp(here, bytes(STAMP_BYTES))
    after = sizes(folder)
    with house.store.reading(house.org) as seen:
        receipts = seen.receipts(rollout)
        signed = len(receipts) - 1
    each = {name: round((after[name] - before[name]) / signed, 1) for name in KEPT}
    total = round(sum(each.values()), 1)
    return {"gates": 2 * (teams + 1), "decisions": signed, "bytesADecision": each, "total": total}


def stamp(here: World, token: bytes) -> None:
    """Keep a stamp of the latest checkpoint."""
    with here.house.store.writing(here.house.org) as work:
        size = max(each.size for each in work.latest_vouchers())
        at = here.clock.now()
        work.put_voucher(Voucher(kind=VoucherKind.TIMESTAMP, by="https://tsa.example", size=size, body=token, at=at))


def sizes(folder: Path) -> Mapping[str, int]:
    """Return how many bytes of its file each table takes."""
    with closing(sqlite3.connect(folder / CONTROL)) as link:
        asked = "SELECT sum(pgsize) FROM dbstat WHERE name IN (SELECT name FROM sqlite_master WHERE tbl_name = ?)"
        return {name: link.execute(asked, (name,)).fetchone()[0] or 0 for name in KEPT}


def main() -> None:
    """Measure both and print what a year of a decision a minute takes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the ticks; writes nothing")
    is_quick = parser.parse_args().quick
    ticks = QUICK_TICKS if is_quick else TICKS
    found: dict[str, Any] = {}
    for name, teams in (("few gates", FEW), ("many gates", MANY)):
        with TemporaryDirectory() as folder:
            found[name] = grown(Path(folder), teams, ticks)
        year = found[name]["total"] * MINUTES_A_YEAR / 1e9
        found[name] = {**found[name], "gigabytesAYearOfADecisionAMinute": round(year, 2)}
        print(name, json.dumps(found[name]))
    if not is_quick:
        print(write("growth", found))


if __name__ == "__main__":
    main()
