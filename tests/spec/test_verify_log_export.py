# SPDX-License-Identifier: Apache-2.0
"""Lines of an exported log come in, whole and changed; they are all entries that the checkpoint covers, or refused."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockgate.core.export_line import End, end_line, entry_line
from lockgate.core.listed_key import ListedKey, Status, Use
from lockgate.core.merkle import plan_consistency
from lockgate.operations.vault.sign import sign_receipt
from lockgate.testing.signers import SeededSigner
from lockgate.verify import Keys, Reason, VerifyError, read_public_key, verify_log_export
from tests.spec.signed import KEYS, RECEIPTS, VAULT, Vault, chain, drafted, linked, vault
from tests.spec.test_verify_keys import LOG_KEY, by, manifest

THIEF = SeededSigner("a key that was stolen")


def portion(since: int, size: int, of: int = 5, here: Vault = VAULT) -> list[bytes]:
    """Return the lines of the entries between two sizes, under the checkpoint of a size."""
    hashes = () if size == of else plan_consistency(size, of).hashes(here.kept)
    end = End(
        since=since,
        size=size,
        before=here.trees[since].peaks,
        consistency=tuple(hashes),
        checkpoint=here.checkpoint(of),
    )
    return [*(entry_line(index, here.entries[index]) for index in range(since, size)), end_line(end)]


ALL = portion(0, 5)


def refusal(lines: list[bytes], keys: Keys = KEYS, checkpoint: bytes | None = None) -> Reason:
    """Return why lines are refused."""
    with pytest.raises(VerifyError) as refused:
        verify_log_export(lines, keys, checkpoint)
    return refused.value.reason


@pytest.mark.clause("VF-50")
@pytest.mark.parametrize(
    "lines",
    [
        ALL,
        [*portion(0, 2), *portion(2, 5)],
        [*portion(0, 2, of=2), *portion(2, 3, of=4), *portion(3, 5)],
        [*portion(0, 1), *portion(1, 1), *portion(1, 5)],
    ],
)
def test_an_exported_log_is_whole(lines: list[bytes]) -> None:
    """All entries are there in their order, whether it was exported at once or went on from time to time."""
    found = verify_log_export(lines, KEYS)

    assert (found.since, found.size, found.document()["entries"]) == (0, 5, 5)
    assert found.proven[0].startswith("These are all 5 entries of the log")


@pytest.mark.clause("VF-50")
def test_an_export_from_some_entry_on_says_so() -> None:
    """What stands before it, and behind it, is named as not proven."""
    found = verify_log_export(portion(2, 4), KEYS)

    assert "What the log holds before entry 2." in found.unproven
    assert "What the log holds from entry 4 on." in found.unproven


@pytest.mark.clause("VF-50")
def test_checkpoints_that_no_line_reaches_are_left_open() -> None:
    """That two trees ahead of the last line are of one log is not proven, and said."""
    found = verify_log_export([*portion(0, 1, of=4), *portion(1, 2, of=5)], KEYS)

    assert "That checkpoints beyond the lines are of that log too, of these sizes: 4." in found.unproven


@pytest.mark.clause("VF-51")
def test_a_fork_is_shown_where_lines_reach_a_checkpoint() -> None:
    """A checkpoint from before, in the file or kept, must be of the tree that the lines make."""
    first, *rest = VAULT.entries
    other = vault(first, *reversed(rest))

    assert refusal([*portion(0, 1, of=4, here=other), *portion(1, 5)]) is Reason.FORK
    assert refusal([*portion(0, 1, of=4), *portion(1, 2, of=4, here=other)]) is Reason.FORK
    assert refusal(ALL, checkpoint=other.checkpoint(3)) is Reason.FORK
    assert refusal(portion(3, 5), checkpoint=VAULT.checkpoint(2)) is Reason.GROWTH_MISSING
    assert verify_log_export(ALL, KEYS, VAULT.checkpoint(3)).since == 0


@pytest.mark.clause("VF-51")
@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ([], Reason.LOG_EXPORT_GAP),
        (ALL[:-1], Reason.LOG_EXPORT_GAP),
        (ALL[1:], Reason.LOG_EXPORT_GAP),
        ([*ALL[:2], *ALL[3:]], Reason.LOG_EXPORT_GAP),
        ([ALL[1], ALL[0], *ALL[2:]], Reason.LOG_EXPORT_GAP),
        ([*ALL, *portion(0, 5)], Reason.LOG_EXPORT_GAP),
        ([b"{}\n"], Reason.LOG_EXPORT_SHAPE),
        ([ALL[0].replace(b'"action":"', b'"action":"x'), *ALL[1:]], Reason.LOG_EXPORT_FIELDS),
        ([*portion(0, 2)[:-1], portion(0, 3)[-1]], Reason.LOG_EXPORT_GAP),
        ([*ALL[:4], entry_line(4, sign_receipt(drafted(5), RECEIPTS)), ALL[-1]], Reason.LOG_EXPORT_TREE),
    ],
    ids=["empty", "no end", "no first", "a gap", "order", "again", "no line", "a headline", "an end", "an entry"],
)
def test_lines_that_are_not_all_of_them_are_refused(lines: list[bytes], reason: Reason) -> None:
    """A missing, moved, changed or repeated line is refused, by its reason."""
    assert refusal(lines) is reason


@pytest.mark.clause("VF-51")
def test_an_entry_of_a_strange_or_retired_key_is_refused() -> None:
    """Each entry is verified, by its own place in the log where a manifest gives keys places."""
    assert refusal(ALL, Keys(log=KEYS.log)) is Reason.KEY_UNKNOWN
    assert refusal(ALL, Keys(receipt=KEYS.receipt)) is Reason.CHECKPOINT_UNSIGNED
    assert refusal(ALL, by(first=2)) is Reason.KEY_TOO_EARLY
    assert any("key manifest" in sentence for sentence in verify_log_export(ALL, by()).proven)


@pytest.mark.clause("VF-74")
def test_a_log_that_tells_two_stories_is_refused() -> None:
    """Its owner may sign a second receipt 2 of a rollout and log it: both stand in one tree, and its lines show it."""
    first, second = chain(2)
    third = linked(3, second)
    other = sign_receipt(drafted(2, previous=first).replace(b'"action":"', b'"action":"x'), RECEIPTS)
    skipped = sign_receipt(drafted(3, previous=first), RECEIPTS)
    estranged = sign_receipt(drafted(3, previous=other), RECEIPTS)

    def whole(*entries: bytes) -> list[bytes]:
        return portion(0, len(entries), of=len(entries), here=vault(*entries))

    assert verify_log_export(whole(first, second, third), KEYS).size == 3
    assert refusal(whole(first, second, other)) is Reason.CHAIN_DUPLICATE
    assert refusal(whole(first, second, first)) is Reason.CHAIN_DUPLICATE
    assert refusal(whole(first, skipped)) is Reason.CHAIN
    assert refusal(whole(first, second, estranged)) is Reason.CHAIN
    assert refusal(whole(second)) is Reason.CHAIN


@pytest.mark.clause("VF-74")
def test_a_series_is_followed_from_portion_to_portion() -> None:
    """Where lines begin in the midst of a log the first receipt of a series may be any, and each later one follows."""
    first, second, third = chain(3)
    here = vault(first, second, second, third)

    assert refusal([*portion(0, 2, of=4, here=here), *portion(2, 4, of=4, here=here)]) is Reason.CHAIN_DUPLICATE
    assert refusal(portion(1, 4, of=4, here=here)) is Reason.CHAIN_DUPLICATE
    assert verify_log_export(portion(2, 4, of=4, here=here), KEYS).since == 2


@pytest.mark.clause("VF-75")
def test_what_a_stolen_key_signed_counts_for_nothing_and_stops_nobody() -> None:
    """The rest of the log verifies; the places are named, and nothing says that they prove anything."""
    found = verify_log_export(ALL, by(status=Status.REVOKED, last=1))

    assert any("their key was revoked, they count for nothing: 2, 3, 4." in sentence for sentence in found.unproven)
    assert any("but at entries that count for nothing" in sentence for sentence in found.proven)
    assert any("each receipt that counts names the one before it" in sentence for sentence in found.proven)
    assert found.document()["uncounted"] == [2, 3, 4]
    assert refusal(ALL, by(status=Status.RETIRED, last=1)) is Reason.KEY_EXPIRED


@pytest.mark.clause("VF-75")
def test_whoever_stole_a_key_breaks_no_series() -> None:
    """A second receipt 2 that a revoked key signed is not the owner's, nor is what it says of its verdict."""
    first, second, third = chain(3)
    other = sign_receipt(drafted(2, previous=first).replace(b'"outcome":"regressed"}', b'"outcome":"clean"}'), THIEF)
    here = vault(first, other, second, third)
    stolen = ListedKey(
        key=read_public_key(THIEF.public_key_pem), use=Use.RECEIPT, status=Status.REVOKED, first=0, last=0
    )
    trusted = Keys(receipt=KEYS.receipt, log=KEYS.log, manifest=manifest(stolen, LOG_KEY))

    found = verify_log_export(portion(0, 4, of=4, here=here), trusted)

    assert any(sentence.endswith("count for nothing: 1.") for sentence in found.unproven)


@pytest.mark.clause("VF-77")
def test_many_checkpoints_ahead_are_said_in_one_sentence() -> None:
    """A log that grew at each portion shows one more each time."""
    sizes = range(2, 40)
    entries = chain(41, last=41)
    here = vault(*entries)
    lines = [line for size in sizes for line in portion(size - 1, size, of=41 - (size % 2), here=here)]
    ahead = [*portion(0, 1, of=3, here=here), *(line for n in sizes[2:] for line in portion(1, 1, of=n, here=here))]

    found = verify_log_export([*portion(0, 1, of=41, here=here), *lines], KEYS)
    [said] = [each for each in verify_log_export(ahead, KEYS).unproven if each.startswith("That checkpoints")]

    assert found.size == 39
    assert said.endswith("of these sizes: 3, 4, 5, 6, 7, 8, 9, 10, … 38 (36 of them).")


@pytest.mark.clause("RF-13")
def test_an_entry_whose_verdict_is_not_the_one_that_it_names_is_refused() -> None:
    """Its signer may have signed it: the receipt contradicts itself."""
    forged = vault(sign_receipt(drafted().replace(b'"outcome":"regressed"}', b'"outcome":"clean"}'), RECEIPTS))

    assert refusal(portion(0, 1, of=1, here=forged)) is Reason.VERDICT_DIGEST


@settings(deadline=None, max_examples=400)
@given(st.integers(0, sum(map(len, ALL)) - 1), st.integers(0, 7))
@pytest.mark.clause("VF-51")
def test_a_bit_of_any_line_counts(at: int, bit: int) -> None:
    """One bit changed anywhere in the file is refused, as the reader of a file splits it."""
    changed = bytearray(b"".join(ALL))
    changed[at] ^= 1 << bit
    lines = [line + b"\n" for line in bytes(changed).split(b"\n")[:-1]]
    if not changed.endswith(b"\n"):
        lines.append(bytes(changed).rpartition(b"\n")[2])

    assert refusal(lines) in Reason


@settings(deadline=None)
@given(
    st.lists(
        st.one_of(st.binary(max_size=60), st.sampled_from([b"[" * 50_000, b"9" * 5_000, b'{"index":'])), max_size=4
    )
)
@pytest.mark.clause("VF-51")
def test_noise_is_refused(lines: list[bytes]) -> None:
    """Whatever the lines are, they end in a refusal."""
    assert refusal(lines) in Reason
