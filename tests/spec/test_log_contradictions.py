# SPDX-License-Identifier: Apache-2.0
"""Logs whose owner signed receipts that contradict each other come in; that they are refused, and how far, goes out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from lockgate.core.contradiction import contradiction, footing
from lockgate.core.envelope import open_envelope
from lockgate.core.listed_key import ListedKey, Status, Use
from lockgate.core.statement import Statement, read_statement, receipt_name
from lockgate.testing.signers import SeededSigner
from lockgate.verify import Keys, Reason, VerifiedExport, VerifyError, read_public_key, verify_log_export
from tests.spec.signed import KEYS as VAULT_KEYS
from tests.spec.signed import chain, linked, vault
from tests.spec.test_verify_keys import LOG_KEY, manifest
from tests.spec.test_verify_log_export import portion
from tools.receipt_contradictions import CONTRARY, put, series, signed_again
from tools.receipt_samples import RECEIPTS

KEYS = Keys((read_public_key(RECEIPTS.public_key_pem),), VAULT_KEYS.log)
THIEF = SeededSigner("a key that was stolen")
CANARY, APP = series("canary"), series("app")
# Another rollout of the same log stands between its receipts.
MIXED = [CANARY[0], APP[0], CANARY[1], APP[1], *CANARY[2:]]


def lines(entries: list[bytes], since: int = 0, size: int | None = None) -> list[bytes]:
    """Return the lines of the entries of a log between two sizes."""
    return portion(since, size or len(entries), len(entries), vault(*entries))


def verified(entries: list[bytes], since: int = 0, keys: Keys = KEYS) -> VerifiedExport:
    """Return what the lines of a log prove from an entry on."""
    return verify_log_export(lines(entries, since), keys)


def refusal(entries: list[bytes], since: int = 0) -> VerifyError:
    """Return how the lines of a log are refused from an entry on."""
    with pytest.raises(VerifyError) as refused:
        verified(entries, since)
    return refused.value


def stated(envelope: bytes) -> Statement:
    """Return what a receipt states."""
    return read_statement(open_envelope(envelope).payload)


@pytest.mark.clause("VF-100")
def test_a_contradiction_is_named_with_both_entries() -> None:
    """Whatever stands between the two: whoever looks for them finds them by their places."""
    contrary = signed_again(CANARY, 3, put("from.weight", 99))
    entries = [contrary[0], APP[0], contrary[1], APP[1], *contrary[2:]]

    error = refusal(entries)

    assert error.reason is Reason.CHAIN_CONTRADICTION
    assert error.message.startswith("entry 4, of ")
    assert error.message.endswith(
        ": receipt 3 states another from.weight than receipt 2 before it leaves, which is entry 2"
    )
    assert "keep them" in error.advice


@pytest.mark.clause("VF-100")
def test_a_log_of_several_series_follows_in_each() -> None:
    """Each begins where it ended itself, and where another series ended is nothing to it."""
    found = verified(MIXED)

    assert "Each begins where the one before it ended." in found.proven
    assert not any("not here or counts for nothing" in each for each in found.unproven)


@pytest.mark.clause("VF-100")
def test_a_series_of_another_organisation_is_another_series() -> None:
    """A name alone makes nothing its next receipt: of the other organisation the log holds none before it."""
    said = stated(CANARY[1])

    def moved(statement: dict[str, Any]) -> None:
        named = {"org": "another", "receiptId": receipt_name("another", said.rollout_id, said.seq)}
        statement["predicate"] |= named

    error = refusal(signed_again(CANARY[:2], 2, moved))

    assert (error.reason, error.message.endswith("and the log holds none before it")) == (Reason.CHAIN, True)


@pytest.mark.clause("VF-101")
def test_contradictions_are_found_from_portion_to_portion() -> None:
    """A file that was appended to is one log."""
    contrary = signed_again(CANARY, 4, put("from.revision", 77))

    with pytest.raises(VerifyError) as refused:
        verify_log_export([*lines(contrary, 0, 3), *lines(contrary, 3)], KEYS)

    assert refused.value.reason is Reason.CHAIN_CONTRADICTION


@pytest.mark.clause("VF-101")
def test_where_lines_begin_in_the_midst_it_is_said_what_was_not_compared() -> None:
    """Of the first receipt here of a series nobody knows where the one before it ended; of each later one it is."""
    contrary = signed_again(CANARY, 3, put("from.weight", 99))

    found = verified(contrary, since=2)

    assert "Each begins where the one before it ended, but where that is named as not proven." in found.proven
    [said] = [each for each in found.unproven if each.startswith("That these entries begin")]
    assert said.endswith("the one before them in their series ended, which is not here or counts for nothing: 2.")
    assert refusal(contrary, since=1).reason is Reason.CHAIN_CONTRADICTION


@pytest.mark.clause("VF-101")
def test_the_first_receipt_of_a_series_needs_no_other() -> None:
    """It is not named, wherever the lines begin."""
    found = verified([APP[0], *CANARY], since=1)

    assert not any(each.startswith("That these entries begin") for each in found.unproven)


@pytest.mark.clause("VF-100", "VF-101")
def test_what_counts_for_nothing_contradicts_nobody() -> None:
    """Whoever stole a key may have ended the rollout by it; who goes on from that is named, and compared with none."""
    stolen = ListedKey(
        key=read_public_key(THIEF.public_key_pem), use=Use.RECEIPT, status=Status.REVOKED, first=0, last=0
    )
    trusted = Keys(VAULT_KEYS.receipt, VAULT_KEYS.log, manifest(stolen, LOG_KEY))
    first, second = chain(2)
    theirs = linked(3, second, last=3, signer=THIEF)
    ours = linked(4, theirs)

    found = verified([first, second, theirs, ours], keys=trusted)

    assert found.uncounted == (2,)
    assert any(each.endswith("counts for nothing: 3.") for each in found.unproven)


@pytest.mark.clause("VF-102")
def test_what_is_remembered_of_a_series_has_one_size() -> None:
    """However much its owner declared; and it says the same of the next receipt as the whole one before it."""
    parts = {f"part-{number}": {"sha256": "0" * 64} for number in range(16)}
    large, small = (stated(signed_again(CANARY[:2], 2, put("candidate.digests", each))[1]) for each in (parts, {}))

    assert len(footing(large).digests) == len(footing(small).digests) < 1_000


@pytest.mark.clause("VF-102")
@pytest.mark.parametrize("name", CONTRARY)
def test_a_footing_says_what_the_whole_receipt_would(name: str) -> None:
    """Of each member that is compared."""
    number, changes = CONTRARY[name]
    for path, value in changes:
        before, said = (stated(each) for each in signed_again(series(name), number, put(path, value))[number - 2 :][:2])
        by_whole, by_footing = contradiction(before, said), contradiction(footing(before), said)
        assert by_whole is not None
        assert by_footing is not None
        assert (by_whole.reason, by_whole.path) == (by_footing.reason, by_footing.path)


@pytest.mark.clause("VF-120")
def test_what_python_calls_equal_may_contradict() -> None:
    """A truth and a number are written otherwise, and so are two receipts that state one each."""
    first, second = (stated(each) for each in CANARY[:2])
    before = replace(first, predicate={**first.predicate, "advisory": False})
    said = replace(second, predicate={**second.predicate, "advisory": 0})

    for known in (before, footing(before)):
        found = contradiction(known, said)
        assert found is not None
        assert (found.path, found.stated) == ("advisory", 0)
