# SPDX-License-Identifier: Apache-2.0
"""Receipts that their own signer wrote so that they contradict each other come in; the chain of them is refused."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from lockgate.core.refusal import Reason, VerifyError
from lockgate.verify import Held, Keys, read_public_key, verify_chain, verify_log_export, verify_receipt, verify_rollout
from tests.spec.signed import KEYS as VAULT_KEYS
from tests.spec.signed import RECEIPTS, chain, vault
from tests.spec.test_verify_log_export import portion
from tools.receipt_contradictions import CONTRARY, about, going_on, put, series, signed_again
from tools.receipt_samples import RECEIPTS as SAMPLE_SIGNER

KEYS = Keys(tuple(read_public_key(each.public_key_pem) for each in (RECEIPTS, SAMPLE_SIGNER)), VAULT_KEYS.log)


def contrary(name: str) -> list[tuple[int, str, object]]:
    """Return which receipt of a series states what otherwise."""
    number, changes = CONTRARY[name]
    return [(number, path, value) for path, value in changes]


def exported(links: Sequence[bytes], since: int = 0) -> list[bytes]:
    """Return the lines of a log that holds these receipts, from an entry on."""
    return portion(since, len(links), len(links), vault(*links))


def refused(links: Sequence[bytes]) -> VerifyError:
    """Return how a chain is refused, given in its order, as files, and as the entries of an exported log."""
    with pytest.raises(VerifyError) as as_chain:
        verify_chain(links, KEYS)
    with pytest.raises(VerifyError) as as_files:
        verify_rollout([Held(f"r{number}", link) for number, link in enumerate(links)], KEYS)
    with pytest.raises(VerifyError) as as_entries:
        verify_log_export(exported(links), KEYS)
    assert (as_chain.value.reason, as_chain.value.message) == (as_files.value.reason, as_files.value.message)
    assert as_entries.value.reason is as_chain.value.reason
    assert as_chain.value.message.split(" ", 2)[2] in as_entries.value.message
    return as_chain.value


@pytest.mark.parametrize("name", ["canary", "shadow", "forty", "app", "custody"])
@pytest.mark.clause("VF-90", "VF-92", "VF-100")
def test_a_series_of_each_kind_follows_from_receipt_to_receipt(name: str) -> None:
    """Signed again without a change it verifies, so that what is refused below is refused for the change."""
    links = signed_again(series(name), 0, put("", ""))

    assert len(verify_chain(links, KEYS)) == verify_log_export(exported(links), KEYS).size == len(links)


@pytest.mark.parametrize(("number", "path", "value"), contrary("canary"))
@pytest.mark.clause("VF-90", "VF-100")
def test_a_receipt_begins_where_the_one_before_it_ended(number: int, path: str, value: object) -> None:
    """Its standing and its state are those that were left; what is on trial, against what and how never changes."""
    error = refused(signed_again(series("canary"), number, put(path, value)))

    assert error.reason is Reason.CHAIN_CONTRADICTION
    assert error.message == f"receipt 3 states another {path} than receipt 2 before it leaves"


@pytest.mark.parametrize("number", [2, 3, 6])
@pytest.mark.clause("VF-90")
def test_all_receipts_of_a_rollout_are_about_one_subject(number: int) -> None:
    """Whoever looks a receipt up by its artefact finds the rollout of that artefact."""
    error = refused(signed_again(series("canary"), number, about("otherapp@zzz")))

    assert (error.reason, "states another subject" in error.message) == (Reason.CHAIN_CONTRADICTION, True)


def ended_as(status: str) -> list[bytes]:
    """Return a chain whose last receipt leaves a rollout so."""
    return signed_again(chain(5), 5, put("to.status", status))


@pytest.mark.parametrize("ended", ["promoted", "rolled_back", "cancelled"])
@pytest.mark.parametrize("action", ["promote", "hold", "rollback", "resume", "cancel"])
@pytest.mark.parametrize("status", ["active", "promoted", "rolled_back", "cancelled"])
@pytest.mark.clause("VF-91", "VF-100")
def test_nothing_follows_an_end_but_the_rollback_of_what_was_promoted(ended: str, action: str, status: str) -> None:
    """However well the receipt behind it is chained and signed."""
    links = ended_as(ended)
    links.append(going_on(links[-1], action, status))

    if (ended, action, status) == ("promoted", "rollback", "rolled_back"):
        assert len(verify_chain(links, KEYS)) == 6
    else:
        assert refused(links).reason is Reason.CHAIN_ENDED


@pytest.mark.clause("VF-91")
def test_a_first_receipt_begins_at_no_end() -> None:
    """Else a rollout that ended would go on under a new name."""
    links = signed_again(chain(1), 1, put("from.status", "cancelled"))

    assert refused(links).reason is Reason.CHAIN_ENDED


@pytest.mark.parametrize(
    ("name", "number", "path", "value"), [(name, *each) for name in ("app", "custody") for each in contrary(name)]
)
@pytest.mark.clause("VF-92", "VF-100")
def test_an_app_and_an_organisation_begin_where_they_were_left(
    name: str, number: int, path: str, value: object
) -> None:
    """By their own receipts nothing is thawed, pruned, published or revoked unsaid."""
    assert refused(signed_again(series(name), number, put(path, value))).reason is Reason.CHAIN_CONTRADICTION


@pytest.mark.clause("VF-92")
def test_an_app_may_have_another_champion_than_its_last_receipt_left() -> None:
    """Rollouts make champions, and say so in receipts of their own."""
    links = series("app")
    for path in ("from.champion", "from.formerChampion", "baseline.release"):
        links = signed_again(links, 2, put(path, "v40"))

    assert len(verify_chain(links, KEYS)) == 2


@pytest.mark.clause("VF-93")
def test_instants_are_no_order_and_unknown_members_no_contradiction() -> None:
    """A clock may be set back between two decisions, and a later version may state more of how a rollout stands."""
    links = signed_again(series("canary"), 3, put("decidedAt", "1999-01-01T00:00:00.000Z"))
    for path in ("from.mood", "candidate.colour", "policy.name"):
        links = signed_again(links, 4, put(path, "blue"))

    assert len(verify_chain(links, KEYS)) == 6


@pytest.mark.parametrize(
    ("name", "path", "value"),
    [
        ("canary", "actor", {}),
        ("canary", "actor.type", None),
        ("canary", "actor.name", 1),
        ("canary", "actor.reason", []),
        ("canary", "engine", {}),
        ("canary", "engine.name", 1),
        ("canary", "engine.version", 2),
        ("canary", "from", {}),
        ("canary", "to", {}),
        ("canary", "to.status", "PROMOTED"),
        ("canary", "to.status", ["active"]),
        ("canary", "to.step", -1),
        ("canary", "to.weight", "5"),
        ("canary", "to.weight", 101),
        ("canary", "to.weight", True),
        ("canary", "to.wouldBeWeight", "0"),
        ("canary", "to.revision", 1.5),
        ("canary", "advisory", 0),
        ("canary", "baseline", {}),
        ("canary", "candidate", {}),
        ("canary", "candidate.attempt", "1"),
        ("canary", "candidate.digests", []),
        ("canary", "decision.step", None),
        ("canary", "decision.weight", None),
        ("canary", "decision.terminal", None),
        ("canary", "decision.target", "baseline"),
        ("canary", "policy", {}),
        ("canary", "evidence.stateBefore", None),
        ("canary", "evidence.stateAfter", {"sha256": "A" * 64}),
        ("app", "to.frozen", 1),
        ("app", "to.killed", None),
        ("app", "to.keptFrom", None),
        ("app", "to.actuator", "a"),
        ("app", "from", {}),
        ("custody", "to.receiptKey", None),
        ("custody", "to.logKey", 1),
        ("custody", "to.rawUntil", -1),
        ("custody", "to.webhooks", "a"),
    ],
)
@pytest.mark.clause("RF-21")
def test_members_that_are_read_have_the_form_that_the_page_gives_them(name: str, path: str, value: object) -> None:
    """Whatever its signer wrote ends in a refusal of the receipt, and in nothing that breaks on it later."""
    (link, *_) = signed_again(series(name), 1, put(path, value))

    with pytest.raises(VerifyError) as refused:
        verify_receipt(link, KEYS)

    assert refused.value.reason is Reason.STATEMENT_SHAPE
    assert refused.value.message.startswith(path.partition(".")[0])
