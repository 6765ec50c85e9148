# SPDX-License-Identifier: Apache-2.0
"""Notes, checkpoints and proofs of inclusion come in as text; the published ones are read, others are refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockgate.core.checkpoint import Checkpoint, LogProof, read_checkpoint, read_log_proof
from lockgate.core.envelope import open_envelope
from lockgate.core.merkle import EMPTY_ROOT, Tree, check_inclusion, leaf_hash
from lockgate.core.note import NoteKey, read_note, read_note_key
from lockgate.core.refusal import Reason, VerifyError
from lockgate.verify import Keys, read_public_key, verify_checkpoint, verify_receipt
from lockgate.verify.checkpoint import verify_note

VECTORS = Path(__file__).resolve().parents[1] / "vectors"
NOTES = json.loads((VECTORS / "trust_signed_note.json").read_text(encoding="utf-8"))["cases"]
VAULT = json.loads((VECTORS / "trust_receipt_e2e.json").read_text(encoding="utf-8"))
ROOT_LINE = "nZgDoI3Yw8oh5wgSe2hQNgXqTsnFgv9KaxOmE48BU0Y="


def note_refusal(text: str) -> Reason:
    """Return why a note is refused."""
    with pytest.raises(VerifyError) as refused:
        read_note(text.encode("utf-8", "surrogateescape"))
    return refused.value.reason


@pytest.mark.clause("RE-12")
@pytest.mark.parametrize("case", NOTES, ids=lambda case: case["note"][:24])
def test_published_notes_verify_as_published(case: dict[str, Any]) -> None:
    """A note is read, written back byte for byte, and its signature holds or not as others found."""
    note, key = read_note(case["note"].encode()), read_note_key(case["vkey"])

    assert note.encode() == case["note"].encode()
    assert key.text == case["vkey"]
    if case["ok"]:
        verify_note(note, [key])
    else:
        with pytest.raises(VerifyError) as refused:
            verify_note(note, [key])
        assert refused.value.reason is Reason.CHECKPOINT_SIGNATURE


@pytest.mark.clause("RE-10", "RE-12")
def test_a_published_vault_is_read_from_end_to_end() -> None:
    """Five receipts of another maker give the published root, checkpoint and proof, and the checkpoint is signed."""
    entries = [leaf.encode() for leaf in VAULT["leaves"]]
    tree = Tree()
    for entry in entries:
        tree, _ = tree.append(leaf_hash(entry))
    proof = read_log_proof(VAULT["tlog_proof_index3"].encode())

    checkpoint = verify_checkpoint(VAULT["checkpoint"].encode(), [read_note_key(VAULT["log_vkey"])])
    check_inclusion(leaf_hash(entries[3]), proof.index, checkpoint.tree, proof.hashes)

    assert leaf_hash(entries[3]).hex() == VAULT["leaf_hash_index3"]
    assert (checkpoint.size, checkpoint.root.hex()) == (5, VAULT["root_hex"])
    assert checkpoint.tree == (tree.size, tree.root)
    assert proof.encode() == VAULT["tlog_proof_index3"].encode()
    assert proof.checkpoint == VAULT["checkpoint"].encode()
    assert [open_envelope(entry).encode() for entry in entries] == entries


@pytest.mark.clause("RE-06")
def test_another_makers_receipt_is_signed_but_is_not_ours() -> None:
    """A good signature over another predicate is no decision of Lockgate."""
    keys = Keys((read_public_key(VAULT["receipt_pub_pem"].encode()),))

    with pytest.raises(VerifyError) as refused:
        verify_receipt(VAULT["leaves"][3].encode(), keys)

    assert refused.value.reason is Reason.PREDICATE_TYPE


@pytest.mark.clause("RE-12")
@pytest.mark.parametrize(
    "text",
    [
        "",
        "body\n",
        "body\n\n",
        "body\n\n— a AAAAAAA=",
        "body\n\n- a AAAAAAA=\n",
        "body\n\n— AAAAAAA=\n",
        "body\n\n— a+b AAAAAAA=\n",
        "body\n\n— a AAAAAA==\n",
        "body\n\n— a AAAAAAB=\n",
        "body\n\n— a  AAAAAAA=\n",
        "body\n\n— a AAAAAAA= \n",
        "body\r\n\n— a AAAAAAA=\n",
        "body\x00\n\n— a AAAAAAA=\n",
        "body\udcff\n\n— a AAAAAAA=\n",
        "body\n\n" + "— a AAAAAAA=\n" * 65,
        "b" * 100_001 + "\n\n— a AAAAAAA=\n",
    ],
)
def test_what_is_no_note_is_refused(text: str) -> None:
    """A note has one spelling."""
    assert note_refusal(text) is Reason.NOTE_SHAPE


@pytest.mark.clause("RE-12")
def test_what_has_no_text_before_its_signatures_is_a_note_of_one_line() -> None:
    """The last empty line parts body and signatures, so a body may hold empty lines itself."""
    note = read_note("one\n\ntwo\n\n— a AAAAAAA=\n".encode())

    assert note.body == "one\n\ntwo\n"


@pytest.mark.clause("RE-12")
@pytest.mark.parametrize(
    "text",
    [
        "",
        "a+b",
        "a+00000000+AAAA",
        VAULT["log_vkey"].replace("7d2e4763", "7d2e4764"),
        VAULT["log_vkey"].replace("vault", "vaulx"),
        VAULT["witness_vkey"],
        VAULT["log_vkey"] + "=",
        " +" + VAULT["log_vkey"].partition("+")[2],
    ],
)
def test_what_is_no_key_of_a_log_is_refused(text: str) -> None:
    """The key's own hash must be in it, and its kind must be Ed25519."""
    with pytest.raises(VerifyError) as refused:
        read_note_key(text)

    assert refused.value.reason is Reason.LOG_KEY


@pytest.mark.clause("RE-12")
@pytest.mark.parametrize(
    "body",
    [
        "",
        f"log\n5\n{ROOT_LINE}",
        f"log\n5\n{ROOT_LINE}\nextension\n",
        f"\n5\n{ROOT_LINE}\n",
        f"lo g\n5\n{ROOT_LINE}\n",
        f"lo+g\n5\n{ROOT_LINE}\n",
        f"log\n05\n{ROOT_LINE}\n",
        f"log\n+5\n{ROOT_LINE}\n",
        f"log\n5 \n{ROOT_LINE}\n",
        f"log\n٥\n{ROOT_LINE}\n",
        f"log\n{2**63}\n{ROOT_LINE}\n",
        f"log\n{10**40}\n{ROOT_LINE}\n",
        "log\n5\nAAAA\n",
        f"log\n5\n{ROOT_LINE.replace('U0Y=', 'U0Z=')}\n",
        f"log\n0\n{ROOT_LINE}\n",
    ],
)
def test_what_is_no_checkpoint_is_refused(body: str) -> None:
    """A checkpoint has three lines and one spelling."""
    with pytest.raises(VerifyError) as refused:
        read_checkpoint(body)

    assert refused.value.reason is Reason.CHECKPOINT_SHAPE


@pytest.mark.clause("RE-12")
def test_an_empty_log_has_a_checkpoint() -> None:
    """A log begins with the root of no entries."""
    checkpoint = Checkpoint("log", 0, EMPTY_ROOT)

    assert read_checkpoint(checkpoint.body()) == checkpoint


@pytest.mark.clause("RE-12")
@pytest.mark.parametrize(
    "head",
    [
        "",
        "c2sp.org/tlog-proof@v2\nindex 1",
        "c2sp.org/tlog-proof@v1",
        "c2sp.org/tlog-proof@v1\nindex",
        "c2sp.org/tlog-proof@v1\nindex 01",
        "c2sp.org/tlog-proof@v1\nindex -1",
        "c2sp.org/tlog-proof@v1\nindex 1\nAAAA",
        f"c2sp.org/tlog-proof@v1\nindex 1\n{ROOT_LINE} ",
        "c2sp.org/tlog-proof@v1\nindex 1\nextra AAAA",
        "c2sp.org/tlog-proof@v1\nindex 1\n" + "\n".join([ROOT_LINE] * 64),
        "c2sp.org/tlog-proof@v1\nindex é",
    ],
)
@pytest.mark.parametrize("tail", ["\n\ncheckpoint", ""])
def test_what_is_no_proof_is_refused(head: str, tail: str) -> None:
    """A proof has one spelling, and a checkpoint after an empty line."""
    with pytest.raises(VerifyError) as refused:
        read_log_proof((head + tail).encode())

    assert refused.value.reason is Reason.PROOF_SHAPE


@pytest.mark.clause("RE-12")
def test_a_proof_without_a_checkpoint_or_without_end_is_refused() -> None:
    """The empty line stands before a checkpoint, and a file has a bound."""
    for data in (b"c2sp.org/tlog-proof@v1\nindex 1\n", b"c2sp.org/tlog-proof@v1\nindex 1\n\n" + b"x" * 200_000):
        with pytest.raises(VerifyError) as refused:
            read_log_proof(data)
        assert refused.value.reason is Reason.PROOF_SHAPE


@pytest.mark.clause("VF-15")
def test_extra_data_in_a_proof_is_refused() -> None:
    """Nothing signs it, so that a bit of it could be changed without a trace."""
    plain = VAULT["tlog_proof_index3"]

    with pytest.raises(VerifyError) as refused:
        read_log_proof(plain.replace("\nindex", "\nextra AAAA\nindex", 1).encode())

    assert refused.value.reason is Reason.PROOF_EXTRA


@given(st.integers(0, 2**63 - 1), st.lists(st.binary(min_size=32, max_size=32), max_size=63), st.binary(max_size=50))
@pytest.mark.clause("RE-12")
def test_a_proof_is_read_as_it_was_written(index: int, hashes: list[bytes], checkpoint: bytes) -> None:
    """Writing and reading undo each other."""
    proof = LogProof(index, tuple(hashes), checkpoint)

    assert read_log_proof(proof.encode()) == proof


@given(st.integers(1, 2**63 - 1), st.binary(min_size=32, max_size=32))
@pytest.mark.clause("RE-12")
def test_a_checkpoint_is_read_as_it_was_written(size: int, root: bytes) -> None:
    """Writing and reading undo each other."""
    checkpoint = Checkpoint("lockgate.example/default", size, root)

    assert read_checkpoint(checkpoint.body()) == checkpoint


@pytest.mark.parametrize(("name", "raw"), [("a b", bytes(32)), ("a+b", bytes(32)), ("", bytes(32)), ("a", bytes(31))])
def test_a_keys_name_can_stand_in_a_line(name: str, raw: bytes) -> None:
    """Spaces and + part the fields of a line."""
    with pytest.raises(ValueError):
        NoteKey(name, raw)
