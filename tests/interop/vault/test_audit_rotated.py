# SPDX-License-Identifier: Apache-2.0
"""A bundle whose keys were followed by others comes in; the steps of docs/howto/audit.md must prove it, key by key."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lockgate.core.bundle import decode
from lockgate.core.bundle_layout import CHECKPOINT
from lockgate.core.listed_key import Use
from lockgate.core.receipt import operator
from lockgate.operations.bundle.bundle import Wanted, bundle
from lockgate.operations.bundle.saved_receipts import LOG_KEY, saved_receipts
from lockgate.operations.create import create
from lockgate.operations.steering.pause import pause
from lockgate.operations.steering.resume import resume
from lockgate.report.bundle_pages import bundle_pages
from tests.interop.vault.bundles import Handed, relisted
from tests.interop.vault.test_audit import BY_HAND, WHOLE, typed
from tests.spec.line import order
from tests.spec.test_rotation import DAY_S, WHO, line, rotated

pytestmark = [pytest.mark.interop, pytest.mark.clause("EX-103")]
OVERLAP_DAYS = 30


@pytest.fixture(params=["in the overlap", "after it"])
def state(request: pytest.FixtureRequest) -> str:
    """Return when the bundle was made."""
    return str(request.param)


@pytest.fixture
def given(tmp_path: Path, state: str) -> Handed:
    """Return what an auditor has of a rollout that two keys of each kind signed."""
    here = line(tmp_path / "keys")
    made = create(order(), here.house).rollout.id
    kept = saved_receipts(made, here.house)[CHECKPOINT]
    rotated(here, Use.LOG, OVERLAP_DAYS * DAY_S * 1_000)
    pause(made, WHO, here.house)
    rotated(here, Use.RECEIPT)
    resume(made, WHO, here.house)
    if state == "after it":
        here.clock.advance((OVERLAP_DAYS + 1) * DAY_S)
        pause(made, operator("ada", "late"), here.house)
    with bundle(Wanted(rollout_id=made, pages=bundle_pages, since=kept), here.house) as gathered:
        files = decode(b"".join(gathered.pieces()))
    saved = saved_receipts(made, here.house)
    newest, *older = (saved[name] for name in sorted(saved, key=len) if name.endswith(".pem"))
    return Handed(files, newest, saved[LOG_KEY], kept, tuple(older))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return an empty folder."""
    made = tmp_path / "audit"
    made.mkdir()
    return made


def lines(given: Handed) -> tuple[bytes, bytes]:
    """Return the lines of the log's key now and of the one before."""
    newest, former = given.log_key.splitlines(keepends=True)
    return newest, former


def test_the_page_proves_a_bundle_of_rotated_keys(given: Handed, folder: Path) -> None:
    """Script, steps by hand, OpenSSH and Sigstore take for each signature the key that it names."""
    ran = typed(WHOLE, given, folder)

    count = sum(name.startswith("receipts/") for name in given.files)
    notes = given.files[CHECKPOINT].count("\N{EM DASH} ".encode())
    beside = sum(name.startswith("sshsig/") for name in given.files)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.count("Signature Verified Successfully") == count + notes
    assert ran.stdout.count('Good "rollout-receipt@lockgate" signature') == beside
    assert ran.stdout.count("verified bundle/sigstore/") == count


def test_either_key_of_a_log_is_enough_while_both_sign(given: Handed, folder: Path, state: str) -> None:
    """Who knows the former one only is told so after the overlap, and not before."""
    newest, former = lines(given)
    (folder / "former").mkdir()

    by_newest = typed(BY_HAND, replace(given, log_key=newest), folder)
    by_former = typed(BY_HAND, replace(given, log_key=former), folder / "former", "-o")

    assert (by_newest.returncode, by_newest.stderr) == (0, "")
    wrong = "WRONG: the checkpoint is signed"
    assert (wrong in by_former.stdout, "WRONG" in by_former.stdout) == ((state == "after it",) * 2)


def test_receipts_of_a_key_that_nobody_gave_are_wrong(given: Handed, folder: Path) -> None:
    """Each is named, and those of the other key are not."""
    ran = typed(BY_HAND, replace(given, older_keys=()), folder, "-o")

    wrong = [name for name in ran.stdout.splitlines() if name.startswith("WRONG: bundle/receipts/")]
    assert wrong == ["WRONG: bundle/receipts/1.json", "WRONG: bundle/receipts/2.json"]


def test_each_signature_of_the_log_s_keys_must_verify(given: Handed, folder: Path) -> None:
    """One that is forged is not made good by another that is right."""
    note = given.files[CHECKPOINT]
    forged = note[:-9] + (b"AAAA" if note[-9:-5] != b"AAAA" else b"BBBB") + note[-5:]

    ran = typed(BY_HAND, replace(given, files=relisted({**given.files, CHECKPOINT: forged})), folder, "-o")

    assert "WRONG: the checkpoint\n" in ran.stdout
