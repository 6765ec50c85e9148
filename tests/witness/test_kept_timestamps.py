# SPDX-License-Identifier: Apache-2.0
"""Timestamps that a store keeps come in; fsck verifies them by certificates that are named, or says that it did not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lockgate.core.refusal import Reason, VerifyError
from lockgate.core.retention import Retention
from lockgate.core.soundness.flaw import Rule
from lockgate.errors import NotPermittedError, UsageError
from lockgate.operations.retention.prune import prune
from lockgate.operations.soundness.fsck import fsck
from lockgate.operations.soundness.vouchers import OUTSIDE
from lockgate.operations.steering.pause import pause
from lockgate.operations.witness.stamping import EVERY_S, stamp
from lockgate.ports.timestamps import Stamp
from lockgate.testing.world import World
from lockgate.wiring import stamp_reader
from tests.spec.line import created, world
from tests.witness.test_timestamps import Counting
from tests.witness.test_witnessing import ADA

HOUR_S = 3_600


class Knowing:
    """Reads the tokens of `Counting`, which name how many bytes they are over."""

    def read(self, answer: bytes, data: bytes) -> Stamp:
        """Return a stamp if the token is over so many bytes."""
        if answer != b"token over %d" % len(data):
            raise VerifyError(Reason.TIMESTAMP, "this is no timestamp of these bytes")
        return Stamp(0, "CN=tsa")


def stamped(times: int) -> World:
    """Return a world whose log was stamped so often, at a new size each time."""
    here = world()
    rollout = created(here).rollout.id
    for _ in range(times):
        stamp(here.house, Counting())
        pause(rollout, ADA, here.house)
        here.clock.advance(EVERY_S)
    return here


@pytest.mark.clause("WT-65")
def test_kept_timestamps_are_verified_where_certificates_are_named() -> None:
    """Each over the checkpoint of its size."""
    found = fsck(stamped(1).house, stamps=Knowing())

    assert (found.flaws, found.unknown, found.counted["timestamps"]) == ((), (), 1)


@pytest.mark.clause("WT-65")
def test_a_timestamp_of_something_else_is_a_flaw() -> None:
    """Somebody put another token in its place, or the authority is none that is known."""
    here = stamped(1)
    with here.house.store.reading() as seen:
        (kept,) = seen.latest_vouchers()
    with here.house.store.writing() as work:
        work.put_voucher(replace(kept, body=b"token over 7"))

    found = fsck(here.house, stamps=Knowing())

    (flaw,) = found.flaws
    assert (flaw.rule, flaw.where) == (Rule.SIGNATURE, OUTSIDE)
    assert flaw.what.startswith("the timestamp of https://tsa.example over 1 entry does not verify over that")


@pytest.mark.clause("WT-65")
def test_without_certificates_it_is_said_that_timestamps_were_not_verified() -> None:
    """The store is sound as far as it was looked at; a store without timestamps leaves nothing open."""
    twice, never = fsck(stamped(2).house), fsck(stamped(0).house)

    assert (twice.flaws, never.unknown) == ((), ())
    assert twice.unknown == ("who made 2 timestamps, because no certificates of authorities are trusted",)


@pytest.mark.clause("WT-66")
def test_what_others_signed_is_never_pruned() -> None:
    """An earlier stamp proves what no later one does: that the log was there by then."""
    here = stamped(2)
    here.clock.advance(10 * 365 * 86_400)
    with here.house.store.reading() as seen:
        before = [seen.vouchers(size) for size in seen.vouched_after(0, 10)]

    prune(here.house, Retention(raw_s=HOUR_S, buckets_s=2 * HOUR_S))

    with here.house.store.reading() as seen:
        assert [seen.vouchers(size) for size in seen.vouched_after(0, 10)] == before
    assert len(before) == 2


@pytest.mark.clause("WT-65")
def test_a_file_that_holds_no_certificates_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever names one wants it to be used."""
    none = stamp_reader()
    monkeypatch.setenv("LOCKGATE_TSA_CA", str(tmp_path / "none"))
    with pytest.raises(NotPermittedError, match="cannot be read"):
        stamp_reader()
    (tmp_path / "none").write_bytes(b"nothing")
    with pytest.raises(UsageError, match="no file of certificates"):
        stamp_reader()

    assert none is None
