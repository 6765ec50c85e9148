# SPDX-License-Identifier: Apache-2.0
"""Whether a signed receipt verifies, and why not: docs/spec.md, Receipts and log."""

from __future__ import annotations

import copy
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from lockgate.adapters.signers.ed25519_file import Ed25519FileSigner
from lockgate.core.canonical import canonicalize
from lockgate.core.canonical_reading import read_canonical
from lockgate.core.checkpoint import Checkpoint, LogGrowth
from lockgate.core.envelope import Envelope, open_envelope
from lockgate.core.finding import Finding, Outcome, Reading
from lockgate.core.merkle import plan_consistency
from lockgate.core.metric import parse_metric
from lockgate.core.note import NoteKey, read_note
from lockgate.core.public_key import PublicKey, read_public_key
from lockgate.core.receipt import Actor, draft
from lockgate.core.refusal import Reason, VerifyError
from lockgate.operations.vault.sign import log_key, sign_checkpoint, sign_receipt
from lockgate.verify import Keys, verify_checkpoint, verify_newer_checkpoint, verify_receipt
from tests.spec.ramp import policy, verdict
from tests.spec.signed import BINDINGS, KEYS, LOG, ORIGIN, RECEIPTS, VAULT, Vault, drafted, transition, vault

ORDER = 2**252 + 27742317777372353535851937790883648493
INDEX = 2
RECEIPT = VAULT.entries[INDEX]
PROOF = VAULT.proof(INDEX)


def refusal(envelope: bytes, keys: Keys = KEYS, proof: bytes | None = None, kept: bytes | None = None) -> Reason:
    """Return why a receipt is refused."""
    with pytest.raises(VerifyError) as refused:
        verify_receipt(envelope, keys, proof, kept)
    return refused.value.reason


def signed(change: Callable[[Any], object], seq: int = 3) -> bytes:
    """Return an envelope of our own key over a changed statement."""
    statement: Any = copy.deepcopy(read_canonical(drafted(seq), "payload"))
    change(statement)
    return sign_receipt(canonicalize(statement), RECEIPTS)


def put(name: str, value: object) -> Callable[[Any], object]:
    """Return a change that sets a member, at a path of names."""
    *path, last = name.split(".")

    def change(statement: Any) -> None:
        for part in path:
            statement = statement[part]
        statement[last] = value

    return change


@pytest.mark.clause("RE-01", "RE-08")
def test_a_receipt_verifies_alone_and_in_its_log() -> None:
    """What is proven grows with what was handed over, and what is left open shrinks."""
    alone = verify_receipt(RECEIPT, KEYS)
    logged = verify_receipt(RECEIPT, KEYS, PROOF, VAULT.checkpoint())

    assert (alone.statement.seq, alone.key_id, alone.entry) == (3, RECEIPTS.key_id, None)
    assert logged.entry is not None
    assert (logged.entry.index, logged.entry.checkpoint.size) == (INDEX, 5)
    assert set(alone.proven) < set(logged.proven)
    assert any("no proof of inclusion" in sentence for sentence in alone.unproven)
    assert not any("no proof of inclusion" in sentence for sentence in logged.unproven)


@pytest.mark.clause("RE-05")
def test_every_reason_is_tested() -> None:
    """A reason that no test meets may not be the one that it says."""
    tests = Path(__file__).resolve().parents[1]
    written = "".join(path.read_text(encoding="utf-8") for path in tests.rglob("test_*.py"))

    assert [reason.name for reason in Reason if f"Reason.{reason.name}" not in written] == []


@pytest.mark.clause("RE-08")
def test_what_stays_open_is_said() -> None:
    """Whose key it is, what the evidence was and when it was: no signature proves that."""
    first = verify_receipt(VAULT.entries[0], KEYS, VAULT.proof(0))

    assert [sentence.split(":")[0].split(",")[0] for sentence in first.unproven] == [
        "Whose key it is",
        "That the log shows everybody the same tree",
        "That the decision follows from its evidence",
        "When it was",
    ]


@pytest.mark.clause("RE-02")
def test_a_receipt_of_an_unknown_key_is_refused() -> None:
    """The id in the envelope selects among the verifier's own keys."""
    assert refusal(RECEIPT, Keys((PublicKey(bytes(32)),))) is Reason.KEY_UNKNOWN
    assert refusal(RECEIPT, Keys(())) is Reason.KEY_UNKNOWN


@pytest.mark.clause("RE-02")
def test_an_id_that_names_another_trusted_key_is_refused() -> None:
    """The id is not trusted: the signature must be of the key that it names."""
    other = read_public_key(LOG.public_key_pem)
    moved = replace(open_envelope(RECEIPT), key_id=other.key_id).encode()

    assert refusal(moved, Keys((*KEYS.receipt, other))) is Reason.SIGNATURE


@pytest.mark.clause("RE-02")
def test_a_key_that_is_no_point_verifies_nothing() -> None:
    """32 bytes that are no point of the curve are a key that nobody has."""
    no_point = PublicKey(b"\x02" + bytes(31))
    envelope = replace(open_envelope(RECEIPT), key_id=no_point.key_id).encode()

    assert refusal(envelope, Keys((no_point,))) is Reason.SIGNATURE


@pytest.mark.clause("RE-05")
def test_a_second_form_of_a_signature_is_refused() -> None:
    """S and S plus the order of the group sign the same; only the smaller is a signature."""
    envelope = open_envelope(RECEIPT)
    s = int.from_bytes(envelope.signature[32:], "little") + ORDER
    malleated = replace(envelope, signature=envelope.signature[:32] + s.to_bytes(32, "little"))

    assert refusal(malleated.encode()) is Reason.SIGNATURE_MALLEATED


@pytest.mark.clause("RE-05", "RE-06")
@pytest.mark.parametrize(
    ("payload", "payload_type", "reason"),
    [
        (b"{", None, Reason.PAYLOAD_NOT_JSON),
        (b'{"a":1,"a":1}', None, Reason.PAYLOAD_DUPLICATE_KEY),
        (drafted() + b"\n", None, Reason.PAYLOAD_NOT_CANONICAL),
        (drafted(), "application/json", Reason.PAYLOAD_TYPE),
        (b"[]", None, Reason.STATEMENT_TYPE),
        (b"{}", None, Reason.STATEMENT_TYPE),
    ],
)
def test_a_signed_payload_that_is_no_statement_is_refused(
    payload: bytes, payload_type: str | None, reason: Reason
) -> None:
    """A good signature does not make a statement; the type is signed too."""
    envelope = Envelope(payload_type or "application/vnd.in-toto+json", payload, RECEIPTS.key_id, bytes(64))
    signed_envelope = replace(envelope, signature=RECEIPTS.sign(envelope.signed_bytes())).encode()

    assert refusal(signed_envelope) is reason


@pytest.mark.clause("RE-04", "RE-06")
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (put("_type", "https://in-toto.io/Statement/v0.1"), Reason.STATEMENT_TYPE),
        (put("predicateType", "urn:lockgate:attestation:rollout-decision:v2"), Reason.PREDICATE_TYPE),
        (put("more", 1), Reason.STATEMENT_SHAPE),
        (put("predicate", []), Reason.STATEMENT_SHAPE),
        (put("predicate.decision", None), Reason.STATEMENT_SHAPE),
        (put("predicate.decision.reason", None), Reason.STATEMENT_SHAPE),
        (put("predicate.org", 1), Reason.STATEMENT_SHAPE),
        (put("predicate.seq", 0), Reason.STATEMENT_SHAPE),
        (put("predicate.seq", True), Reason.STATEMENT_SHAPE),
        (put("predicate.seq", 1.5), Reason.STATEMENT_SHAPE),
        (put("predicate.schemaVersion", 2), Reason.SCHEMA_VERSION),
        (put("predicate.schemaVersion", True), Reason.SCHEMA_VERSION),
        (put("predicate.receiptId", "rcp_x"), Reason.RECEIPT_ID),
        (put("predicate.seq", 4), Reason.RECEIPT_ID),
        (put("predicate.org", "other"), Reason.RECEIPT_ID),
        (put("predicate.prevReceipt", None), Reason.PREVIOUS_RECEIPT),
        (put("predicate.prevReceipt", "a" * 64), Reason.PREVIOUS_RECEIPT),
        (put("predicate.prevReceipt.sha256", "A" * 64), Reason.PREVIOUS_RECEIPT),
        (put("subject", []), Reason.SUBJECT),
        (put("subject", [{"name": "x", "digest": {"sha256": "a" * 64, "gitCommit": "b" * 40}}]), Reason.SUBJECT),
        (put("subject", [{"name": "x", "digest": {"sha512": "a" * 128}}]), Reason.SUBJECT),
        (put("subject", [{"name": 1, "digest": {"sha256": "a" * 64}}]), Reason.SUBJECT),
        (put("subject", ["x"]), Reason.SUBJECT),
        (put("subject", "x"), Reason.SUBJECT),
    ],
)
def test_a_signed_statement_that_is_no_receipt_is_refused(change: Callable[[Any], object], reason: Reason) -> None:
    """What our own key signed by mistake is refused as well, each by its reason."""
    assert refusal(signed(change)) is reason


@pytest.mark.clause("RE-06")
def test_a_first_receipt_names_none_before_it() -> None:
    """A chain has one beginning."""
    envelope = signed(put("predicate.prevReceipt", {"sha256": "a" * 64}), seq=1)

    assert refusal(envelope) is Reason.PREVIOUS_RECEIPT


@pytest.mark.clause("RF-83")
@pytest.mark.parametrize("seq", [1, 2])
def test_a_receipt_says_whether_one_is_before_it(seq: int) -> None:
    """A member that was left out could have been lost: the first says that there is none."""
    envelope = signed(lambda statement: statement["predicate"].pop("prevReceipt"), seq=seq)

    assert refusal(envelope) is Reason.PREVIOUS_RECEIPT


@pytest.mark.clause("RE-06")
def test_a_later_member_of_the_predicate_is_let_pass() -> None:
    """The type carries the major version only: a receipt that says more still verifies."""
    assert verify_receipt(signed(put("predicate.more", 1)), KEYS).statement.predicate["more"] == 1


@pytest.mark.clause("RE-12")
def test_a_checkpoint_of_an_unknown_log_is_refused() -> None:
    """A key of another origin, or no key, verifies no checkpoint of this one."""
    raw = KEYS.log[0].raw

    for keys in ((), (NoteKey("other.example", raw),), (NoteKey(ORIGIN, bytes(32)),)):
        assert refusal(RECEIPT, replace(KEYS, log=keys), PROOF) is Reason.CHECKPOINT_UNSIGNED


@pytest.mark.clause("RE-12")
def test_lines_of_other_keys_are_left_out() -> None:
    """A log changes its key by signing with both for a while; a witness adds its own line."""
    later = Ed25519FileSigner(Ed25519PrivateKey.from_private_bytes(b"n" * 32))
    tree = VAULT.trees[-1]
    note = VAULT.checkpoint() + sign_checkpoint(Checkpoint(ORIGIN, 5, tree.root), later).partition(b"\n\n")[2]

    assert verify_checkpoint(note, KEYS.log).size == 5
    assert verify_checkpoint(note, (log_key(ORIGIN, later),)).size == 5


@pytest.mark.clause("RE-12")
def test_every_line_of_a_trusted_key_must_verify() -> None:
    """One good line does not excuse a bad one."""
    line = read_note(VAULT.checkpoint(4)).signatures[0].line().encode()

    with pytest.raises(VerifyError) as refused:
        verify_checkpoint(VAULT.checkpoint() + line, KEYS.log)

    assert refused.value.reason is Reason.CHECKPOINT_SIGNATURE


@pytest.mark.clause("RE-11")
def test_a_proof_of_another_receipt_is_refused() -> None:
    """Each receipt has its own place."""
    assert refusal(VAULT.entries[1], proof=PROOF) is Reason.INCLUSION


@pytest.mark.clause("RE-13")
def test_a_log_that_shows_two_trees_is_caught() -> None:
    """A kept checkpoint of the same size with another root is a fork, and so is another log's."""
    forked = vault(*VAULT.entries[:4], VAULT.entries[0])
    elsewhere = sign_checkpoint(Checkpoint("other.example", 5, VAULT.trees[-1].root), LOG)
    keys = replace(KEYS, log=(*KEYS.log, log_key("other.example", LOG)))

    assert refusal(RECEIPT, KEYS, PROOF, forked.checkpoint()) is Reason.FORK
    assert refusal(RECEIPT, keys, PROOF, elsewhere) is Reason.FORK


def grown(size: int, log: Vault) -> bytes:
    """Return the proof that a log begins with what it was at a size."""
    last = len(log.entries)
    return LogGrowth(size, plan_consistency(size, last).hashes(log.kept), log.checkpoint()).encode()


@pytest.mark.clause("RE-11", "RE-13")
def test_a_log_grows_from_every_earlier_checkpoint() -> None:
    """A newer checkpoint is shown to begin with each older one, and a forged past is refused."""
    for size in range(1, 6):
        kept, growth = VAULT.checkpoint(size), grown(size, VAULT)
        assert verify_newer_checkpoint(VAULT.checkpoint(), KEYS, kept, growth).checkpoint.size == 5

    forged = vault(VAULT.entries[1], *VAULT.entries[1:])
    with pytest.raises(VerifyError) as refused:
        verify_newer_checkpoint(forged.checkpoint(), KEYS, VAULT.checkpoint(3), grown(3, forged))
    assert refused.value.reason is Reason.CONSISTENCY


@pytest.mark.clause("RE-13")
def test_two_logs_do_not_grow_into_each_other() -> None:
    """The origin is the log's name for its life."""
    elsewhere = sign_checkpoint(Checkpoint("other.example", 5, VAULT.trees[-1].root), LOG)

    with pytest.raises(VerifyError) as refused:
        verify_newer_checkpoint(elsewhere, Keys(log=(*KEYS.log, log_key("other.example", LOG))), VAULT.checkpoint())

    assert refused.value.reason is Reason.FORK


@given(st.integers(0, 8 * len(RECEIPT) - 1))
@pytest.mark.clause("RE-07")
def test_a_bit_changed_in_a_receipt_is_refused(bit: int) -> None:
    """No bit of the file is free."""
    with pytest.raises(VerifyError):
        verify_receipt(flipped(RECEIPT, bit), KEYS)


@pytest.mark.clause("RE-07")
@pytest.mark.parametrize("part", ["proof", "checkpoint"])
def test_every_bit_changed_in_a_proof_or_checkpoint_is_refused(part: str) -> None:
    """No bit of the proof and of a kept checkpoint is free."""
    whole = PROOF if part == "proof" else VAULT.checkpoint()
    accepted = []

    for bit in range(8 * len(whole)):
        try:
            if part == "proof":
                verify_receipt(RECEIPT, KEYS, flipped(whole, bit))
            else:
                verify_checkpoint(flipped(whole, bit), KEYS.log)
            accepted.append(bit)
        except VerifyError:
            continue

    assert accepted == []


@pytest.mark.slow
@pytest.mark.clause("RE-07")
def test_every_bit_changed_in_a_receipt_is_refused() -> None:
    """The same without chance."""
    reasons = {refusal(flipped(RECEIPT, bit)) for bit in range(8 * len(RECEIPT))}

    assert Reason.SIGNATURE in reasons


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
@pytest.mark.clause("RE-05", "RE-12")
def test_whatever_is_read_is_verified_or_refused(data: bytes) -> None:
    """No input ends in another way than by a VerifyError."""
    for proof in (None, data):
        with pytest.raises(VerifyError):
            verify_receipt(data if proof is None else RECEIPT, KEYS, proof)


@pytest.mark.clause("RE-03", "RE-04")
@pytest.mark.parametrize("filler", ["x", "é", "\U0001f512", "\x01", '"'])
def test_the_longest_decision_can_be_signed(filler: str) -> None:
    """Many gates, long reasons and long names leave an envelope that the log takes, with the worst finding in it."""
    long = filler * 5_000
    worst = finding_of("worst", Outcome.REGRESSED, long)
    findings = [*(finding_of(f"gate {number}", Outcome.CLEAN, long) for number in range(200)), worst]
    moved = transition()
    # A name has no control characters; a reason may have what somebody typed.
    name = (filler if filler.isprintable() else "x") * 256
    moved = replace(
        moved,
        after=replace(moved.after, app=name, baseline=name, candidate=name, org="o" * 64, id="r" * 64),
        decision=replace(moved.decision, reason=long, also=(long,) * 100),
    )
    bindings = replace(BINDINGS, buckets=("sha256:" + "d" * 64,) * 10_000)

    payload = draft(moved, verdict(*findings), policy(), bindings, Actor("operator", name, long)).payload
    predicate = verify_receipt(sign_receipt(payload, RECEIPTS), KEYS).statement.predicate

    said: Any = predicate["verdict"]
    assert said["findings"][0]["gate"] == "worst"
    assert said["findingsOmitted"] == 201 - len(said["findings"])


def finding_of(gate: str, outcome: Outcome, reason: str) -> Finding:
    """Return a finding with a reason."""
    nobody = Reading(None, 0)
    return Finding(
        gate=gate, metric=parse_metric("error_rate"), outcome=outcome, reason=reason, baseline=nobody, candidate=nobody
    )


@pytest.mark.clause("RE-03")
def test_what_was_left_out_is_bound() -> None:
    """Two verdicts that differ only in a finding that did not fit have different receipts."""
    many = [finding_of(f"gate {number}", Outcome.CLEAN, "x" * 700) for number in range(100)]
    other = [*many[:-1], replace(many[-1], reason="y")]

    assert drafted(1, *many) != drafted(1, *other)


@pytest.mark.clause("RE-04")
def test_members_of_the_predicate_are_lower_camel_case() -> None:
    """No member at any depth has an underscore, as in-toto wants it."""
    statement: Any = read_canonical(drafted(), "payload")

    assert [name for name in names_of(statement["predicate"]) if not name.isalnum() or not name[0].islower()] == []


def names_of(value: Any) -> list[str]:
    """Return the names of all members at any depth."""
    if isinstance(value, dict):
        return [*value, *(name for part in value.values() for name in names_of(part))]
    return [name for part in value for name in names_of(part)] if isinstance(value, list) else []


@pytest.mark.clause("RE-04")
def test_a_release_named_by_its_digest_is_the_subject() -> None:
    """Who verifies an artefact looks for the artefact's own digest."""
    moved = transition()
    named = replace(moved, after=replace(moved.after, candidate=f"registry.example/app@sha256:{'7' * 64}"))

    payload = draft(named, verdict(Outcome.REGRESSED), policy(), BINDINGS, Actor()).payload

    statement: Any = read_canonical(payload, "payload")
    assert statement["subject"][0]["digest"] == {"sha256": "7" * 64}


@pytest.mark.clause("RE-30")
def test_the_verifier_loads_no_engine() -> None:
    """An auditor needs the verifier, cryptography and RFC 8785's form, and nothing of what decides."""
    script = (
        "import sys, lockgate.verify; "
        "print(sorted({'numpy', 'duckdb', 'click', 'msgspec', 'rich', 'yaml', 'sqlite3'} & set(sys.modules)), "
        "'lockgate.core.rollout' in sys.modules)"
    )

    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert ran.stdout.strip() == "[] False"


@pytest.mark.clause("RE-31")
def test_the_sample_receipt_is_what_its_script_makes(tmp_path: Path) -> None:
    """The documentation's sample is current: else run `examples/make_receipt.py examples/receipts`."""
    examples = Path(__file__).resolve().parents[2] / "examples"

    subprocess.run([sys.executable, str(examples / "make_receipt.py"), str(tmp_path)], check=True)

    made = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert made == {path.name: path.read_bytes() for path in (examples / "receipts").iterdir()}


def flipped(data: bytes, bit: int) -> bytes:
    """Return some bytes with one bit changed."""
    at, mask = bit // 8, 1 << bit % 8
    return data[:at] + bytes([data[at] ^ mask]) + data[at + 1 :]
