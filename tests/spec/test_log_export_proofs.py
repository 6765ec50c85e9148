# SPDX-License-Identifier: Apache-2.0
"""Exported logs that verify, and some that nearly do, come in; what is said to be proven must be that and no more."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from lockgate.core.base64_text import to_base64
from lockgate.core.canonical import canonicalize
from lockgate.core.checkpoint import Checkpoint
from lockgate.core.envelope import open_envelope
from lockgate.core.export_line import End, end_line
from lockgate.core.listed_key import Status
from lockgate.operations.vault.sign import log_key, sign_checkpoint, sign_receipt
from lockgate.verify import Keys, Reason, VerifyError, read_public_key, verify_log_export
from tests.spec.signed import KEYS, LOG, RECEIPTS, VAULT, chain, drafted, vault
from tests.spec.test_verify_keys import LOG_KEY, RECEIPT_KEY, by, manifest
from tests.spec.test_verify_log_export import ALL, THIEF, portion, refusal

PLACED = "Each key counts where it signed, by version 3 of the key manifest."
WHOSE = "Whose keys they are: compare their ids with those that their owner has."
ELSEWHERE = replace(manifest(), origin="lockgate.example/other")


def of(*entries: bytes) -> list[bytes]:
    """Return the lines of a log that is exported whole."""
    return portion(0, len(entries), len(entries), vault(*entries))


@pytest.mark.clause("VF-51")
@pytest.mark.parametrize("place", range(5))
def test_an_entry_with_the_signature_of_another_is_refused(place: int) -> None:
    """It is in the tree and names the right key: only its signature says that nobody signed it."""
    parts = [json.loads(each) for each in VAULT.entries]
    parts[place]["signatures"] = parts[(place + 1) % 5]["signatures"]
    forged = [canonicalize(each) for each in parts]
    entries = [*VAULT.entries[:place], forged[place], *VAULT.entries[place + 1 :]]

    assert refusal(of(*entries)) is Reason.SIGNATURE


@pytest.mark.clause("VF-51")
def test_an_entry_that_was_signed_as_something_else_is_refused() -> None:
    """Its key signed it, but not as a receipt."""
    envelope = json.loads(VAULT.entries[0])
    envelope["payloadType"] = "application/json"
    opened = open_envelope(canonicalize(envelope))
    envelope["signatures"][0]["sig"] = to_base64(RECEIPTS.sign(opened.signed_bytes()))

    assert refusal(of(canonicalize(envelope))) is Reason.PAYLOAD_TYPE


@pytest.mark.clause("VF-51")
def test_portions_of_logs_of_two_names_are_refused() -> None:
    """Though their trees are one, and both checkpoints are signed."""
    origin = "lockgate.example/other"
    renamed = sign_checkpoint(Checkpoint(origin, 5, VAULT.trees[5].root), LOG)
    last = end_line(End(since=2, size=5, before=VAULT.trees[2].peaks, consistency=(), checkpoint=renamed))
    lines = [*portion(0, 2, of=2), *portion(2, 5)[:-1], last]

    assert refusal(lines, Keys(KEYS.receipt, (*KEYS.log, log_key(origin, LOG)))) is Reason.FORK


@pytest.mark.clause("VF-51")
@pytest.mark.parametrize("size", range(2, 5))
def test_a_kept_checkpoint_is_compared_at_every_size_that_the_lines_reach(size: int) -> None:
    """Also at the first and at the last, where the tree is known as well as between; the size is said."""
    first, *rest = VAULT.entries
    other = vault(first, *reversed(rest))

    found = verify_log_export(portion(2, 4), KEYS, VAULT.checkpoint(size))

    assert found.signed.compared == size
    assert refusal(portion(2, 4), checkpoint=other.checkpoint(size)) is Reason.FORK
    assert verify_log_export(portion(2, 4), KEYS).signed.compared is None


@pytest.mark.clause("VF-50")
@pytest.mark.parametrize(("since", "size"), [(0, 5), (2, 4), (4, 5), (0, 1)])
def test_what_verifies_says_how_much_it_is(since: int, size: int) -> None:
    """In its document, in words, and to whoever waits for it, entry by entry."""
    told: list[tuple[str, int]] = []

    found = verify_log_export(portion(since, size), KEYS, tell=lambda what, count: told.append((what, count)))

    document = found.document()
    assert (document["valid"], document["kind"]) == (True, "log")
    assert [document[name] for name in ("entries", "since", "size")] == [size - since, since, size]
    count = "This is the one entry" if size - since == 1 else f"These are all {size - since} entries"
    assert found.proven[0] == f"{count} of the log lockgate.example/default from entry {since} on."
    assert told == [("entries", place) for place in range(since, size)]


@pytest.mark.clause("VF-50")
@pytest.mark.parametrize(
    ("keys", "is_placed", "is_owner_open"),
    [
        (KEYS, False, True),
        (by(), True, False),
        (replace(KEYS, manifest=manifest()), False, False),
        (replace(KEYS, manifest=ELSEWHERE), False, False),
        (Keys(log=KEYS.log, manifest=ELSEWHERE), False, False),
    ],
    ids=["no manifest", "manifest", "own keys beside it", "own keys and another log", "of another log"],
)
def test_places_are_proven_by_a_manifest_of_this_log_alone(keys: Keys, is_placed: bool, is_owner_open: bool) -> None:
    """Not where the verifier trusts the keys everywhere; and whose keys they are is open without a manifest."""
    found = verify_log_export(ALL, keys)

    assert (PLACED in found.proven) is is_placed
    assert (WHOSE in found.unproven) is is_owner_open
    gaps = ("What the log holds before", "That checkpoints beyond", "What these entries say", "That these entries")
    assert [each for each in found.unproven if each.startswith(gaps)] == []


@pytest.mark.clause("VF-75")
def test_a_revoked_key_of_another_log_has_no_place_at_which_it_counts() -> None:
    """Nobody can say which of its entries are from before."""
    revoked = replace(
        manifest(replace(RECEIPT_KEY, status=Status.REVOKED, last=1), LOG_KEY), origin="lockgate.example/other"
    )

    assert refusal(ALL, Keys(log=KEYS.log, manifest=revoked)) is Reason.KEY_REVOKED


@pytest.mark.clause("VF-75")
@pytest.mark.parametrize("place", range(4))
def test_the_owner_may_go_on_from_whatever_a_stolen_key_signed_or_from_before_it(place: int) -> None:
    """However many it signed that follow the last receipt which counts."""
    first, second = chain(2)
    stolen = [
        sign_receipt(drafted(2, previous=first).replace(b'"action":"', b'"action":"%d' % number), THIEF)
        for number in range(3)
    ]
    known = [first, *stolen]
    following = sign_receipt(drafted(3, previous=known[place]), RECEIPTS) if place else second
    revoked = replace(RECEIPT_KEY, key=read_public_key(THIEF.public_key_pem), status=Status.REVOKED, last=0)

    found = verify_log_export(of(*known, following), Keys(KEYS.receipt, KEYS.log, manifest=manifest(revoked, LOG_KEY)))

    assert found.uncounted == (1, 2, 3)


@pytest.mark.clause("VF-50")
@pytest.mark.parametrize("since", range(5))
def test_an_entry_whose_series_began_before_the_lines_is_named(since: int) -> None:
    """Only it: each later one begins where the one before it ended, and so does the first receipt of a series."""
    found = verify_log_export(portion(since, 5), KEYS)

    said = [each for each in found.unproven if each.startswith("That these entries begin where")]
    assert [each.rpartition(": ")[2] for each in said] == ([f"{since}."] if since else [])
    assert ("Each begins where the one before it ended." in found.proven) is (since == 0)


@pytest.mark.clause("VF-74")
def test_two_stories_are_named_by_both_entries() -> None:
    """And whoever has the file is told what it is worth."""
    first, second = chain(2)
    other = sign_receipt(drafted(2, previous=first).replace(b'"action":"', b'"action":"x'), RECEIPTS)

    with pytest.raises(VerifyError) as refused:
        verify_log_export(of(first, second, other), KEYS)

    said = "entry 2 is receipt 2 of rol_1, and entry 1 was already receipt 2: the log tells two stories of it"
    assert (refused.value.reason, refused.value.message) == (Reason.CHAIN_DUPLICATE, said)
    assert "Keep the file" in refused.value.advice


@pytest.mark.clause("VF-77")
@pytest.mark.parametrize(
    ("count", "named"), [(8, "1, 2, 3, 4, 5, 6, 7, 8."), (9, "1, 2, 3, 4, 5, 6, 7, 8, … 9 (9 of them).")]
)
def test_up_to_eight_places_are_named_one_by_one(count: int, named: str) -> None:
    """More are said by their first eight, their last and their number."""
    found = verify_log_export(of(*chain(1 + count, last=10)), by(status=Status.REVOKED, last=0))

    assert [each for each in found.unproven if each.endswith(f"count for nothing: {named}")]
