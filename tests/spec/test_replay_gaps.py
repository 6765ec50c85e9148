# SPDX-License-Identifier: Apache-2.0
"""A bundle without the cases in its middle comes in; what is replayed of it must follow from what receipts state."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode

import pytest

from lockgate.core.canonical import canonicalize
from lockgate.core.replay.outcome import Why
from lockgate.operations.replay.bundle import replay_bundle
from lockgate.verify.bundle import verify_bundle
from tests.spec.bundled import changed, keys
from tests.spec.line import world
from tests.spec.replayed import lived
from tests.spec.test_replay_stored import bundled, untold, whys


@pytest.mark.clause("EX-71")
def test_behind_a_gap_a_receipt_begins_with_what_the_one_before_it_states() -> None:
    """A bundle without cases in its middle is replayed on both sides of it; another receipt in the gap is found."""
    here = world()
    files = bundled(here, lived(here)[0])
    gap = {name: data for name, data in files.items() if name not in ("replay/2.json", "replay/3.json")}

    found = replay_bundle(gap, untold)
    forged = replay_bundle({**gap, "receipts/3.json": files["receipts/2.json"]}, untold)
    swapped = replay_bundle({**gap, "receipts/3.json": restated(files["receipts/3.json"])}, untold)

    assert (found.left(), found.is_whole) == ([(2, 3)], True)
    assert whys(found)[:4] == [None, Why.GONE, Why.GONE, None]
    assert whys(forged)[2] is Why.SUCCESSION
    assert whys(swapped)[2:4] == [Why.GONE, Why.SUCCESSION]


def restated(envelope: bytes) -> bytes:
    """Return a receipt that leads to another state, unsigned."""
    document = json.loads(envelope)
    statement = json.loads(b64decode(document["payload"]))
    statement["predicate"]["evidence"]["stateAfter"]["sha256"] = "0" * 64
    return canonicalize({**document, "payload": b64encode(canonicalize(statement)).decode()})


@pytest.mark.clause("EX-72")
def test_who_verifies_is_told_of_which_receipts_evidence_is_not_there() -> None:
    """By their numbers, as the bundle's own files say, whatever missing.json does."""
    without = changed({"replay/1.json": None, "replay/2.json": None})

    verified = verify_bundle(without, keys())

    whole = len(verified.rollout.links)
    assert verified.found["replay"] == (whole - 2, whole)
    said = "Of the evidence that decisions are made again from 2 are not there: those of receipts 1 to 2."
    assert said in verified.unproven
