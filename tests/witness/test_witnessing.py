# SPDX-License-Identifier: Apache-2.0
"""Logs of stores come in; witnesses cosign them, and whatever a witness answers stops nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import cycle
from pathlib import Path

import pytest

from lockgate.core.checkpoint import read_log_growth
from lockgate.core.cosignature import Cosignature, WitnessKey, cosigned_message, read_cosignature
from lockgate.core.note import NoteKey, read_note
from lockgate.core.receipt import operator
from lockgate.core.voucher import VoucherKind
from lockgate.errors import UnsoundError
from lockgate.operations.access.organisations import create_organisation
from lockgate.operations.soundness.fsck import log_origin
from lockgate.operations.soundness.log_age import refuse_older_logs
from lockgate.operations.steering.pause import pause
from lockgate.operations.steering.resume import resume
from lockgate.operations.steering.rollback import rollback
from lockgate.operations.vault.sign import log_key
from lockgate.operations.vault.witnessed import vouched_size, witnessed_checkpoint
from lockgate.operations.witness.cosign_outcome import CosignOutcome
from lockgate.operations.witness.cosigning import Cosigner, cosign
from lockgate.operations.witness.vouching import Vouching
from lockgate.operations.witness.witnessing import ask_witnesses, look, refuse_contradicted
from lockgate.ports.house import House
from lockgate.ports.witness import WitnessAnswer
from lockgate.testing.world import BEGINNING, World
from lockgate.verify import is_signed, verify_checkpoint
from lockgate.wiring import memory_store, sqlite_store
from tests.spec.line import created, receipts, world
from tests.witness.witnessed import Beside, broken, silent, witness

ADA = operator("ada", "drill")
SIZE = "text/x.tlog.size"


def key_of(house: House) -> NoteKey:
    """Return the public key of a house's log."""
    return log_key(log_origin(house), house.signers.log)


def grown(here: World, folder: Path) -> tuple[str, Cosigner]:
    """Return a rollout that was just started, and a witness that knows its log."""
    made = created(here).rollout
    return made.id, witness(folder, key_of(here.house))


def outcomes(house: House, beside: Beside) -> list[tuple[CosignOutcome, str]]:
    """Return what asking came to, and what was said."""
    return [(each.outcome, each.said) for each in ask_witnesses(house, beside)]


@pytest.mark.clause("WT-06", "WT-10")
def test_cosignatures_are_kept_and_come_with_the_checkpoint(tmp_path: Path) -> None:
    """Of two witnesses, over two checkpoints; who has cosigned the latest is not asked again."""
    here = world()
    rollout, first = grown(here, tmp_path / "a")
    second = witness(tmp_path / "b", key_of(here.house), name="witness.example/w2")
    beside = Beside(first, second)

    before = outcomes(here.house, beside)
    again = outcomes(here.house, beside)
    pause(rollout, ADA, here.house)
    after = outcomes(here.house, beside)

    assert (before, again, after) == ([(CosignOutcome.COSIGNED, "")] * 2, [], [(CosignOutcome.COSIGNED, "")] * 2)
    with here.house.store.reading() as seen:
        note = witnessed_checkpoint(seen)
        assert (vouched_size(seen, 1), vouched_size(seen, 3)) == (2, None)
    assert note is not None
    assert verify_checkpoint(note, [key_of(here.house)]).size == 2
    read = read_note(note)
    for each in (first, second):
        (line,) = [line for line in read.signatures if each.key.public.is_of(line)]
        cosigned = read_cosignature(line)
        assert is_signed(each.key.public.raw, cosigned.signature, cosigned_message(read.body, cosigned.time))


@pytest.mark.clause("WT-06")
def test_whoever_knows_another_size_is_asked_once_more_from_there(tmp_path: Path) -> None:
    """A store that has lost cosignatures, or a witness that another server asks as well, is caught up with."""
    here = world()
    rollout, cosigner = grown(here, tmp_path / "a")
    outcomes(here.house, Beside(cosigner))
    pause(rollout, ADA, here.house)
    lost = World(memory_store(), 1)
    same = created(lost).rollout.id
    pause(same, ADA, lost.house)
    rollback(same, ADA, lost.house)
    beside = Beside(cosigner)

    found = outcomes(lost.house, beside)

    assert found == [(CosignOutcome.COSIGNED, "")]
    assert [body.split(b"\n", 1)[0] for body in beside.asked] == [b"old 0", b"old 1"]


@pytest.mark.clause("WT-53")
def test_a_log_that_grows_and_is_cosigned_while_a_witness_is_asked_is_no_older_copy(tmp_path: Path) -> None:
    """By another server on the same store; whoever was asked too early is asked again."""
    here = world()
    rollout, cosigner = grown(here, tmp_path / "a")
    elsewhere, verbs = Beside(cosigner), cycle((pause, resume))

    def later(body: bytes) -> WitnessAnswer:
        if len(beside.asked) == 1:
            next(verbs)(rollout, ADA, here.house)
            ask_witnesses(here.house, elsewhere)
        return cosign(body, cosigner)

    beside = Beside(cosigner, answer=later)
    seen = [each.outcome for each in look(here.house, beside)]
    beside.asked.clear()
    next(verbs)(rollout, ADA, here.house)

    assert seen == [CosignOutcome.COSIGNED]
    assert outcomes(here.house, beside) == [(CosignOutcome.COSIGNED, "")]


def answering(status: int, body: bytes = b"", kind: str = "text/plain") -> Callable[[bytes], WitnessAnswer]:
    """Return a witness that always answers the same."""
    return lambda _: WitnessAnswer(status, kind, body)


@pytest.mark.clause("WT-07")
@pytest.mark.parametrize(
    ("answer", "outcome", "said"),
    [
        (answering(200, b""), CosignOutcome.REFUSED, "without a cosignature that verifies"),
        (answering(200, "— witness.example/w1 AAAA\n".encode()), CosignOutcome.REFUSED, "without a cosignature"),
        (answering(200, b"\xff\x00" * 900), CosignOutcome.REFUSED, "without a cosignature"),
        (answering(400), CosignOutcome.REFUSED, "the request is wrong"),
        (answering(403), CosignOutcome.REFUSED, "does not know the key of this log"),
        (answering(404), CosignOutcome.REFUSED, "does not know this log"),
        (answering(302), CosignOutcome.REFUSED, "it answered 302"),
        (answering(500, b"9" * 9_000), CosignOutcome.REFUSED, "it answered 500"),
        (answering(409, b"5\n"), CosignOutcome.REFUSED, "it answered 409"),
        (answering(409, b"05\n", SIZE), CosignOutcome.REFUSED, "it answered 409"),
        (answering(409, b"0\n", SIZE), CosignOutcome.REFUSED, "names 0 entries and goes on from none"),
        (answering(409, b"1\n", SIZE), CosignOutcome.FORKED, "another history"),
        (answering(409, b"9000\n", SIZE), CosignOutcome.AHEAD, "has seen 9,000 entries of this log, which has 1"),
        (answering(422), CosignOutcome.FORKED, "does not go on"),
        (silent, CosignOutcome.UNREACHABLE, "did not answer"),
        (broken, CosignOutcome.REFUSED, "the list is wrong"),
    ],
)
def test_whatever_a_witness_answers_is_told_and_nothing_of_it_kept(
    tmp_path: Path, answer: Callable[[bytes], WitnessAnswer], outcome: CosignOutcome, said: str
) -> None:
    """By name and cause; it is asked twice at most; the line goes on."""
    here = world()
    rollout, cosigner = grown(here, tmp_path / "a")
    beside = Beside(cosigner, answer=answer)

    ((found, words),) = outcomes(here.house, beside)
    rollback(rollout, ADA, here.house)

    assert (found, said in words, words.startswith("witness w1")) == (outcome, True, True)
    assert len(beside.asked) <= 2
    assert len(receipts(here.house, rollout)) == 2
    with here.house.store.reading() as seen:
        assert seen.latest_vouchers() == ()


@pytest.mark.clause("WT-06")
def test_a_cosignature_by_another_key_or_over_another_text_is_not_kept(tmp_path: Path) -> None:
    """Also one of the right witness over an older checkpoint; lines of strangers beside its own are left out."""
    here = world()
    rollout, cosigner = grown(here, tmp_path / "a")
    stranger = witness(tmp_path / "b", key_of(here.house))
    older: list[WitnessAnswer] = []

    def keep_first(body: bytes) -> WitnessAnswer:
        older.append(cosign(body, cosigner))
        return older[0]

    def both(body: bytes) -> WitnessAnswer:
        own = cosign(body, cosigner)
        return replace(own, body=_strangers_line(stranger.key.public) + own.body) if own.status == 200 else own

    first = outcomes(here.house, Beside(cosigner, answer=lambda body: cosign(body, stranger)))
    outcomes(here.house, Beside(cosigner, answer=keep_first))
    pause(rollout, ADA, here.house)
    stale = outcomes(here.house, Beside(cosigner, answer=keep_first))
    last = outcomes(here.house, Beside(cosigner, answer=both))

    assert [found for ((found, _),) in (first, stale, last)] == [
        CosignOutcome.REFUSED,
        CosignOutcome.REFUSED,
        CosignOutcome.COSIGNED,
    ]
    with here.house.store.reading() as seen:
        (kept,) = seen.vouchers(2)
    assert (kept.kind, kept.by) == (VoucherKind.COSIGNATURE, cosigner.key.public.text)
    assert kept.body.count(b"\n") == 1


def _strangers_line(key: WitnessKey) -> bytes:
    return Cosignature(1, bytes(64)).line(key).line().encode()


@pytest.mark.clause("WT-111")
@pytest.mark.parametrize(
    ("time", "said"),
    [
        (0, "cosigned at 1970-01-01T00:00:00.000Z, when there were no cosignatures"),
        (300, "cosigned at 1970-01-01T00:05:00.000Z, when there were no cosignatures"),
        (BEGINNING // 1_000 + 86_401, "more than a day ahead of the clock here"),
        (2**63 - 1, "9223372036854775807 s, more than a day ahead"),
        (BEGINNING // 1_000 + 86_400, ""),
        (BEGINNING // 1_000 - 30 * 86_400, ""),
    ],
)
def test_a_cosignature_of_a_time_that_cannot_be_is_not_kept(tmp_path: Path, time: int, said: str) -> None:
    """It is of the right key and verifies; a witness whose clock differs by a day, or that cosigned before, is kept."""
    here = world()
    _, cosigner = grown(here, tmp_path / "a")

    def dated(body: bytes) -> WitnessAnswer:
        note = read_note(read_log_growth(body).checkpoint)
        signed = Cosignature(time, cosigner.key.sign(cosigned_message(note.body, time)))
        return WitnessAnswer(200, "text/plain", signed.line(cosigner.key.public).line().encode())

    ((outcome, told),) = outcomes(here.house, Beside(cosigner, answer=dated))

    assert (outcome, said in told) == (CosignOutcome.REFUSED if said else CosignOutcome.COSIGNED, True)
    with here.house.store.reading() as seen:
        assert len(seen.latest_vouchers()) == (0 if said else 1)


@pytest.mark.clause("WT-11")
def test_a_log_that_was_put_back_and_went_on_otherwise_is_not_cosigned(tmp_path: Path) -> None:
    """The same keys and another history of the same length, and a longer one: the fork is told by name."""
    here, forked = world(), World(memory_store(), 1)
    rollout, cosigner = grown(here, tmp_path / "a")
    pause(rollout, ADA, here.house)
    outcomes(here.house, Beside(cosigner))
    other = created(forked).rollout.id
    forked.clock.advance(7)
    pause(other, ADA, forked.house)

    same = outcomes(forked.house, Beside(cosigner))
    rollback(other, ADA, forked.house)
    longer = outcomes(forked.house, Beside(cosigner))

    assert [found for ((found, _),) in (same, longer)] == [CosignOutcome.FORKED, CosignOutcome.FORKED]
    with forked.house.store.reading() as seen:
        assert seen.latest_vouchers() == ()


@pytest.mark.clause("WT-12")
def test_a_store_that_a_witness_has_seen_larger_is_refused_at_the_start(tmp_path: Path) -> None:
    """An older copy, an empty one with the same keys, and a fork; the same store and one that grew are not."""
    here = world()
    rollout, cosigner = grown(here, tmp_path / "a")
    older, emptied = World(memory_store(), 1), World(memory_store(), 1)
    created(older)
    beside = Beside(cosigner)
    fresh = refuse_contradicted(here.house, beside, 1)
    pause(rollout, ADA, here.house)
    outcomes(here.house, beside)

    for house in (older.house, emptied.house):
        with pytest.raises(UnsoundError, match="has seen 2 entries of this log") as refused:
            refuse_contradicted(house, beside, 1)
        assert "lockgate witnesses remove w1" in refused.value.advice
    same = refuse_contradicted(here.house, beside, 1)
    rollback(rollout, ADA, here.house)
    ahead = refuse_contradicted(here.house, beside, 1)

    assert [[each.outcome for each in asked] for asked in (fresh, same, ahead)] == [[CosignOutcome.COSIGNED]] * 3


@pytest.mark.clause("WT-12")
def test_a_witness_that_does_not_answer_at_the_start_is_told_and_refuses_nothing(tmp_path: Path) -> None:
    """Nor does one that knows nothing of the log."""
    here = world()
    _, cosigner = grown(here, tmp_path / "a")

    said = [
        [each.said for each in refuse_contradicted(here.house, Beside(cosigner, answer=answer), 1)]
        for answer in (silent, answering(404))
    ]

    assert ["did not answer" in said[0][0], "does not know this log" in said[1][0]] == [True, True]
    assert look(here.house, Beside(), 1) == ()


@pytest.mark.clause("WT-12")
def test_a_start_is_kept_waiting_once_by_a_witness_that_does_not_answer(tmp_path: Path) -> None:
    """However many organisations there are; the others are asked for each of them."""
    here = world()
    _, cosigner = grown(here, tmp_path / "a")
    for org in ("acme", "zeta"):
        create_organisation(org, here.house, "ada")
    hanging, asked = Beside(cosigner, answer=silent), Beside(cosigner)

    said = refuse_older_logs(here.house, hanging)
    refuse_older_logs(here.house, asked)

    assert (len(said), len(hanging.asked), len(asked.asked)) == (1, 1, 3)


@pytest.mark.clause("WT-08")
def test_who_does_not_answer_is_asked_after_waits_that_double(tmp_path: Path) -> None:
    """Every log in between is left as it is, the others are asked, and when it answers again it catches up."""
    here = World(sqlite_store(tmp_path / "home"), 1)
    rollout, cosigner = grown(here, tmp_path / "a")
    told: list[str] = []
    beside = Beside(cosigner, answer=silent)
    vouching, counts = Vouching(beside, None, told.append), []
    for _ in range(8):
        vouching.turn(here.house)
        counts.append(len(beside.asked))
        here.clock.advance(30)
    beside.answer = None
    pause(rollout, ADA, here.house)
    here.clock.advance(900)

    vouching.turn(here.house)

    assert counts == [1, 2, 2, 3, 3, 3, 3, 4]
    assert len(told) == 4
    with here.house.store.reading() as seen:
        assert [each.size for each in seen.latest_vouchers()] == [2]
