# SPDX-License-Identifier: Apache-2.0
"""Notes, proofs and keys of a log come in, with every small change of their text; each is read back or refused."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterator

import pytest

from lockgate.core.checkpoint import (
    MAX_PROOF_HASHES,
    MAX_SIZE,
    Checkpoint,
    LogGrowth,
    LogProof,
    checkpoint_of,
    read_log_growth,
    read_log_proof,
)
from lockgate.core.merkle import EMPTY_ROOT
from lockgate.core.note import MAX_NOTE_SIZE, MAX_SIGNATURES, Note, NoteKey, NoteSignature, read_note, read_note_key
from lockgate.core.refusal import Reason, VerifyError

ROOT, ORIGIN = bytes(range(32)), "lockgate.example/default"
CHECKPOINT = Checkpoint(ORIGIN, 1042, ROOT)
SIGNATURES = (NoteSignature(ORIGIN, b"abcd", bytes(64)), NoteSignature("witness", b"efgh", b"\xff"))
NOTE = Note(CHECKPOINT.body(), SIGNATURES)
HASHES = (ROOT, ROOT[::-1])
KEY = NoteKey(ORIGIN, (b"k" * 32))
LETTERS = ("", " ", "\n", "\n\n", "\t", "\r", "\x00", "=", "+", "A", "0", "9", "-", "/", "é", "\N{EM DASH} ")


def _checkpoint_again(data: bytes) -> bytes:
    return Note(checkpoint_of(data).body(), read_note(data).signatures).encode()


READERS: dict[str, tuple[bytes, Callable[[bytes], bytes]]] = {
    "note": (NOTE.encode(), lambda data: read_note(data).encode()),
    "checkpoint": (NOTE.encode(), _checkpoint_again),
    "proof": (LogProof(17, HASHES, NOTE.encode()).encode(), lambda data: read_log_proof(data).encode()),
    "growth": (LogGrowth(17, HASHES, NOTE.encode()).encode(), lambda data: read_log_growth(data).encode()),
    "key": (KEY.text.encode(), lambda data: read_note_key(data.decode()).text.encode()),
}


def _changed(text: str) -> Iterator[str]:
    """Yield a text with each of its letters and lines changed, left out and doubled."""
    for place, letter in enumerate(text):
        yield from (text[:place] + other + text[place + 1 :] for other in (*LETTERS, 2 * letter, letter.swapcase()))
    lines = text.split("\n")
    for place in range(len(lines)):
        yield "\n".join(lines[:place] + lines[place + 1 :])
        yield "\n".join([*lines[:place], lines[place], *lines[place:]])


@pytest.mark.clause("VF-141")
@pytest.mark.parametrize("kind", READERS)
def test_whatever_is_changed_of_a_text_it_is_refused_or_written_as_it_was_read(kind: str) -> None:
    """What is read has one form; what is not is refused by a reason, and never by a fault of ours."""
    good, again = READERS[kind]
    assert again(good) == good

    refused = 0
    for other in _changed(good.decode()):
        data = other.encode()
        try:
            # Blanks around a key are of who pasted it.
            assert again(data) == (data.strip() if kind == "key" else data)
        except VerifyError:
            refused += 1
    assert refused > 100


def _reason(read: Callable[[bytes], object], data: bytes) -> Reason | None:
    try:
        read(data)
    except VerifyError as error:
        return error.reason
    return None


@pytest.mark.clause("VF-141")
def test_a_note_has_a_largest_size_and_number_of_signatures() -> None:
    """The largest is read, and no larger one."""
    line = SIGNATURES[0]
    body = "x" * (MAX_NOTE_SIZE - len(Note("\n", (line,)).encode())) + "\n"

    assert len(Note(body, (line,)).encode()) == MAX_NOTE_SIZE
    assert _reason(read_note, Note(body, (line,)).encode()) is None
    assert _reason(read_note, Note("x" + body, (line,)).encode()) is Reason.NOTE_SHAPE
    assert _reason(read_note, Note("a\n", (line,) * MAX_SIGNATURES).encode()) is None
    assert _reason(read_note, Note("a\n", (line,) * (MAX_SIGNATURES + 1)).encode()) is Reason.NOTE_SHAPE
    assert _reason(read_note, Note("a\n", (NoteSignature("a", b"abcd", b""),)).encode()) is Reason.NOTE_SHAPE
    assert _reason(read_note, b"a\xff\n\n") is Reason.NOTE_SHAPE


@pytest.mark.clause("VF-141")
@pytest.mark.parametrize(("proof", "read"), [(LogProof, read_log_proof), (LogGrowth, read_log_growth)])
def test_a_proof_has_a_largest_number_count_and_size(
    proof: type[LogProof | LogGrowth], read: Callable[[bytes], LogProof | LogGrowth]
) -> None:
    """So many hashes lead to every root there is, each of them 32 bytes."""
    refusal = Reason.PROOF_SHAPE if proof is LogProof else Reason.GROWTH_SHAPE
    most = proof(MAX_SIZE, (ROOT,) * MAX_PROOF_HASHES, b"")
    rest = 2 * MAX_NOTE_SIZE - len(most.encode())

    assert read(most.encode()) == most
    assert read(most.encode() + b"x" * rest).checkpoint == b"x" * rest
    assert _reason(read, most.encode() + b"x" * (rest + 1)) is refusal
    assert _reason(read, proof(MAX_SIZE + 1, (), b"").encode()) is refusal
    assert _reason(read, proof(0, (ROOT,) * (MAX_PROOF_HASHES + 1), b"").encode()) is refusal
    assert {_reason(read, proof(0, (ROOT, ROOT[:size]), b"").encode()) for size in (1, 31)} == {refusal}
    assert _reason(read, proof(0, (ROOT, ROOT + b"x"), b"").encode()) is refusal


@pytest.mark.clause("RE-12")
def test_a_checkpoint_is_of_a_size_that_a_log_can_have() -> None:
    """One of no entries has the empty root."""
    assert Checkpoint(ORIGIN, MAX_SIZE, ROOT).tree == (MAX_SIZE, ROOT)
    assert Checkpoint(ORIGIN, 0, EMPTY_ROOT).size == 0
    for size, root in ((-1, EMPTY_ROOT), (MAX_SIZE + 1, ROOT), (0, ROOT), (1, ROOT[:31]), (1, ROOT + b"x")):
        with pytest.raises(ValueError, match=r"32 bytes|empty root"):
            Checkpoint(ORIGIN, size, root)


@pytest.mark.clause("RE-12")
def test_a_key_of_a_log_is_its_own_and_no_weak_one() -> None:
    """Neither one of another kind nor one by which anybody can sign is read."""
    weak = NoteKey(ORIGIN, (1).to_bytes(32, "little"))
    kind = b64encode(b"\x04" + KEY.raw).decode()
    other = f"{ORIGIN}+{KEY.key_hash.hex()}+{kind}"

    for text in (weak.text, other, KEY.text.replace(KEY.key_hash.hex(), "0" * 8), KEY.text[:-4], ""):
        assert _reason(lambda data: read_note_key(data.decode()), text.encode()) is Reason.LOG_KEY
    for name, raw in (("a b", KEY.raw), ("", KEY.raw), (ORIGIN, KEY.raw[:31]), (ORIGIN, KEY.raw + b"x")):
        with pytest.raises(ValueError, match="32 bytes"):
            NoteKey(name, raw)
