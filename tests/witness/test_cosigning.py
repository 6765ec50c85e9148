# SPDX-License-Identifier: Apache-2.0
"""Requests of logs come in; a witness of our own cosigns what only grew, and nothing that contradicts it."""

from __future__ import annotations

import multiprocessing
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockgate.core.checkpoint import Checkpoint, LogGrowth
from lockgate.core.cosignature import cosigned_message, read_cosignature
from lockgate.core.merkle import EMPTY_ROOT
from lockgate.core.note import Note, read_note
from lockgate.errors import DataError, LockgateError, NotPermittedError, UsageError
from lockgate.operations.vault.sign import log_key, sign_checkpoint
from lockgate.operations.witness.cosigning import Cosigner, cosign
from lockgate.ports.witness import Tree, WitnessAnswer, WitnessMemory
from lockgate.testing.signers import seeded_signers
from lockgate.verify import is_signed
from lockgate.wiring import make_witness, open_witness
from tests.witness.witnessed import KEY, ORIGIN, SIGNERS, body_of, log_of, witness

pytestmark = pytest.mark.clause("WT-03")


def cosigned(answer: WitnessAnswer, note: bytes, cosigner: Cosigner) -> int:
    """Return when a witness cosigned a checkpoint, if its answer is that."""
    assert (answer.status, answer.kind) == (200, "text/plain; charset=utf-8")
    (line,) = read_note(f"{body_of(note)}\n".encode() + answer.body).signatures
    read = read_cosignature(line)
    assert cosigner.key.public.is_of(line)
    assert is_signed(cosigner.key.public.raw, read.signature, cosigned_message(body_of(note), read.time))
    return read.time


def test_a_log_that_only_grows_is_cosigned_each_time(tmp_path: Path) -> None:
    """From nothing, by any step, again at the same size, and by a checkpoint with lines that it does not know."""
    here, log = witness(tmp_path / "w"), log_of(9)

    times = [
        cosigned(cosign(log.request(old, new), here), log.checkpoint(new), here)
        for old, new in ((0, 1), (1, 2), (2, 2), (2, 7), (7, 9))
    ]

    assert times == [1_790_000_000] * 5


def test_an_empty_log_and_a_checkpoint_with_more_lines_are_cosigned_as_they_are(tmp_path: Path) -> None:
    """What is signed is the whole body."""
    here, log = witness(tmp_path / "w"), log_of(3)
    body = body_of(log.checkpoint()) + "extension\n"
    line = read_note(sign_checkpoint(Checkpoint(ORIGIN, 0, EMPTY_ROOT), SIGNERS.log)).signatures[0]
    signed = replace(line, signature=SIGNERS.log.sign(body.encode()))
    longer = Note(body, (signed,)).encode()

    cosigned(cosign(log.request(0, 0), here), log.checkpoint(0), here)
    cosigned(cosign(LogGrowth(0, (), longer).encode(), here), longer, here)


@pytest.mark.parametrize("old", [0, 3, 4, 6])
def test_another_old_size_is_answered_by_the_one_that_is_known(tmp_path: Path, old: int) -> None:
    """Whoever asks goes on from there."""
    here, log = witness(tmp_path / "w"), log_of(9)
    cosign(log.request(0, 5), here)

    answer = cosign(log.request(old), here)

    assert answer == WitnessAnswer(409, "text/x.tlog.size", b"5\n")


def test_another_root_at_the_size_that_is_known_is_a_conflict(tmp_path: Path) -> None:
    """A log that was restored and went on otherwise to the same size."""
    here = witness(tmp_path / "w")
    cosign(log_of(5).request(0), here)

    answer = cosign(log_of(4).grow(b"other").request(5), here)

    assert (answer.status, answer.body) == (409, b"5\n")


def test_a_log_that_went_another_way_is_refused_whatever_proof_it_sends(tmp_path: Path) -> None:
    """The same key and other entries; also a proof too many where nothing was cosigned."""
    here, forked = witness(tmp_path / "w"), log_of(4).grow(b"other", b"more", b"and more")
    first = LogGrowth(0, (b"\x00" * 32,), log_of(2).checkpoint()).encode()
    statuses = [cosign(first, here).status, cosign(log_of(5).request(0), here).status]

    statuses.append(cosign(forked.request(5), here).status)

    assert statuses == [422, 200, 422]
    assert here.memory.latest(ORIGIN) == (5, log_of(5).tree.root)


def test_what_is_no_request_of_a_known_log_is_refused(tmp_path: Path) -> None:
    """Each by its own status, and nothing is kept."""
    here, log = witness(tmp_path / "w"), log_of(3)
    stranger = sign_checkpoint(Checkpoint(ORIGIN, 3, log.tree.root), seeded_signers(8).log)
    unknown = log.checkpoint(origin="log.example/two")
    changed = log.request(0).replace(b"\n3\n", b"\n4\n")
    requests = {
        b"": 400,
        b"old 00\n\n" + log.checkpoint(): 400,
        b"old 0\n\nno note": 400,
        b"old 0\n" + b"A" * 43 + b"=\n" * 64 + b"\n" + log.checkpoint(): 400,
        log.request(0).replace(b"old 0", b"old 4"): 400,
        b"old 0\n\n" + unknown: 404,
        b"old 0\n\n" + stranger: 403,
        changed: 403,
    }

    assert {request: cosign(request, here).status for request in requests} == requests
    assert here.memory.latest(ORIGIN) is None


def test_one_of_several_signatures_suffices_and_those_of_strangers_are_left_out(tmp_path: Path) -> None:
    """A log that changes its key signs by both."""
    here, log = witness(tmp_path / "w", KEY, log_key(ORIGIN, seeded_signers(9).log)), log_of(2)
    own = read_note(log.checkpoint())
    body, tree = own.body, log.tree
    others = [read_note(sign_checkpoint(Checkpoint(ORIGIN, 2, tree.root), seeded_signers(n).log)) for n in (8, 9)]
    note = Note(body, tuple(each.signatures[0] for each in (others[0], others[1])))

    cosigned(cosign(LogGrowth(0, (), note.encode()).encode(), here), note.encode(), here)


@pytest.mark.clause("WT-04")
@settings(deadline=None, max_examples=20)
@given(steps=st.lists(st.tuples(st.integers(0, 1), st.integers(0, 8), st.integers(0, 8)), max_size=25))
def test_no_two_trees_that_contradict_are_ever_cosigned(steps: list[tuple[int, int, int]]) -> None:
    """Whatever two histories of one log are shown, in any order and by any old size, also after a new start."""
    logs = (log_of(8), log_of(3).grow(*(f"fork {number}".encode() for number in range(5))))
    seen: list[tuple[int, bytes]] = []
    with TemporaryDirectory() as folder:
        here = witness(Path(folder) / "w")
        for which, old, new in steps:
            log = logs[which]
            if cosign(log.request(min(old, new), new), here).status == 200:
                seen.append((new, log.trees[new].root))
            here = witness(Path(folder) / "w")

    assert [size for size, _ in seen] == sorted(size for size, _ in seen)
    assert any(all(log.trees[size].root == root for size, root in seen) for log in logs)


@pytest.mark.clause("WT-04")
def test_of_callers_at_once_only_trees_of_one_history_are_cosigned(tmp_path: Path) -> None:
    """Two histories race; who is overtaken is told the size."""
    here = witness(tmp_path / "w")
    logs = (log_of(20), log_of(0, "x").grow(*(f"fork {n}".encode() for n in range(20))))

    def push(place: int) -> list[tuple[int, int]]:
        won, old = [], 0
        for size in range(1, 21):
            answer = cosign(logs[place % 2].request(min(old, size), size), here)
            old = int(answer.body) if answer.status == 409 else size
            won += [(place % 2, size)] if answer.status == 200 else []
        return won

    with ThreadPoolExecutor(4) as pool:
        won = [each for part in pool.map(push, range(4)) for each in part]

    assert len({which for which, _ in won}) == 1


@pytest.mark.clause("WT-04")
@pytest.mark.parametrize("is_kept", [False, True])
def test_a_witness_that_is_killed_cosigns_nothing_that_contradicts_it(tmp_path: Path, *, is_kept: bool) -> None:
    """Before the tree is kept the fork may still be the log; once it is kept it never is, answered or not."""
    folder = tmp_path / "w"
    witness(folder)

    killed = multiprocessing.get_context("fork").Process(target=_die, args=(folder, is_kept))
    killed.start()
    killed.join(20)
    answer = cosign(log_of(3, "fork").request(0), witness(folder))

    assert killed.exitcode == -signal.SIGKILL
    assert answer.status == (409 if is_kept else 200)


class _Dying:
    """A memory at whose door the process is killed, before or after it has kept a tree."""

    def __init__(self, memory: WitnessMemory, is_kept: bool) -> None:
        self._memory, self._is_kept = memory, is_kept

    def latest(self, origin: str) -> Tree | None:
        """Return what is kept."""
        return self._memory.latest(origin)

    def advance(self, origin: str, before: Tree | None, after: Tree) -> bool:
        """Die."""
        if self._is_kept:
            self._memory.advance(origin, before, after)
        os.kill(os.getpid(), signal.SIGKILL)
        return True


def _die(folder: Path, is_kept: bool) -> None:
    here = witness(folder)
    cosign(log_of(3).request(0), replace(here, memory=_Dying(here.memory, is_kept)))


@pytest.mark.clause("WT-05")
def test_a_witness_without_its_memory_cosigns_nothing(tmp_path: Path) -> None:
    """A new file would let it cosign a second history; garbage in its place is told as such."""
    folder = tmp_path / "w"
    here = witness(folder)
    (folder / "witness.db").unlink()

    with pytest.raises(DataError, match="is not there"):
        open_witness(folder)
    with pytest.raises(LockgateError, match="cannot be read or written"):
        cosign(log_of(1).request(0), here)
    (folder / "witness.db").write_bytes(b"garbage" * 1000)
    with pytest.raises(DataError, match="is not what a witness keeps"):
        open_witness(folder)


@pytest.mark.clause("WT-05")
def test_the_key_of_a_witness_is_made_once_and_read_by_its_owner_alone(tmp_path: Path) -> None:
    """A second one is refused, and so are a key that others may read, another one in its place, and none."""
    folder = tmp_path / "w"
    made = make_witness(folder, "witness.example/w1")

    assert open_witness(folder)[0].public == made.public
    assert (folder / "witness.pem").stat().st_mode & 0o777 == 0o600
    assert (folder / "witness-key.txt").read_text() == f"{made.public.text}\n"
    with pytest.raises(UsageError, match="already"):
        make_witness(folder, "witness.example/w1")
    with pytest.raises(UsageError, match="no name"):
        make_witness(tmp_path / "x", "two words")
    with pytest.raises(UsageError, match="no key of a witness"):
        open_witness(tmp_path / "x")
    make_witness(tmp_path / "y", "witness.example/w1")
    (tmp_path / "y" / "witness.pem").write_bytes((folder / "witness.pem").read_bytes())
    with pytest.raises(DataError, match="is not the public key"):
        open_witness(tmp_path / "y")
    (tmp_path / "y" / "witness.pem").write_text("-----BEGIN PRIVATE KEY-----\n", encoding="ascii")
    with pytest.raises(DataError, match="holds no Ed25519 key"):
        open_witness(tmp_path / "y")
    (folder / "witness.pem").chmod(0o640)
    with pytest.raises(NotPermittedError, match="others than its owner"):
        open_witness(folder)
