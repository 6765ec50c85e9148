# SPDX-License-Identifier: Apache-2.0
"""Rollouts of which something is not known come in; the records of their releases must say why, and what else is."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from lockgate.core.bundle_layout import BASELINE, BASELINE_PROOF, RELEASE_RECORD
from lockgate.core.refusal import Reason, VerifyError
from lockgate.core.release_record_schema import release_record_schema
from lockgate.ports.house import House
from lockgate.report.number import write_sentence
from lockgate.testing.world import World
from lockgate.verify import Keys, read_note_key, read_public_key
from lockgate.verify.bundle import VerifiedBundle, verify_bundle
from tests.spec.bundled import listed
from tests.spec.bundles import MODEL, bundled, promoted, record_of
from tests.spec.line import EQUAL, GOOD, created, world
from tests.spec.routing import READS_BACK, routed
from tests.spec.test_release_record import read_back, shadow

OLDER = "b" * 64


def succeeded() -> tuple[World, str, str]:
    """Return a world in which a promoted candidate, tried again without digests, is the baseline of the next."""
    here, first = promoted()
    again = created(here, baseline="v36", candidate="abc123", policy={"mode": "shadow"}).rollout.id
    nxt = created(here, baseline="abc123", candidate="def456", digests=(("model", f"sha256:{OLDER}"),)).rollout.id
    here.walk(nxt, {**EQUAL, "def456": GOOD}, runs=400, minutes=30)
    assert again != first
    return here, first, nxt


def verified(here: World, files: dict[str, bytes]) -> VerifiedBundle:
    """Verify a bundle by the keys of its world."""
    log = read_note_key(files["keys/log-key.txt"].decode().splitlines()[0])
    return verify_bundle(files, Keys((read_public_key(here.house.signers.receipt.public_key_pem),), (log,)))


def about(files: dict[str, bytes]) -> dict[str, Any]:
    """Return what a bundle's own manifest says that it is of."""
    told = json.loads(files["manifest.json"])
    return {name: value for name, value in told.items() if name not in ("files", "format")}


@pytest.mark.clause("EX-73")
def test_a_baseline_has_the_digests_that_were_declared_of_it_as_a_candidate() -> None:
    """By the receipt that put it on trial, which stands in the bundle; a later trial without any takes none back."""
    here, first, rollout = succeeded()

    files, _ = bundled(here.house, rollout)

    baseline = record_of(files)["baseline"]
    assert (baseline["release"], baseline["digests"], baseline["undeclared"]) == (
        "abc123",
        {"model": {"sha256": MODEL}},
        None,
    )
    assert (baseline["rolloutId"], baseline["rests"]["seq"]) == (first, 1)
    assert verified(here, files).document()["kind"] == "bundle"
    jsonschema.Draft202012Validator(release_record_schema()).validate(record_of(files))


@pytest.mark.clause("EX-73")
def test_a_record_says_why_a_release_has_no_digests() -> None:
    """One was never a candidate here, of the other nothing was declared."""
    here = world()
    rollout = created(here).rollout.id
    second = created(here, baseline="abc123", candidate="def456", policy={"mode": "shadow"}).rollout.id

    files, others = (record_of(bundled(here.house, each)[0]) for each in (rollout, second))

    assert files["baseline"]["undeclared"].startswith("no receipt of a trial of it is beside this record")
    assert files["candidate"]["undeclared"] == "no digest was declared when it was put on trial"
    assert others["baseline"]["undeclared"] == "no digest was declared when it was put on trial"
    assert (files["baseline"]["rests"], others["baseline"]["rolloutId"]) == (None, rollout)


@pytest.mark.clause("EX-74")
@pytest.mark.parametrize("other", ["the rollout's own", "without a proof", "without a receipt"])
def test_another_receipt_in_place_of_the_baselines_is_refused(other: str) -> None:
    """It must be the first of a rollout of that release, which began before, and its proof must be there."""
    here, _, rollout = succeeded()
    files, _ = bundled(here.house, rollout)
    own = {BASELINE: files["receipts/1.json"], BASELINE_PROOF: files["proofs/1.tlog-proof"]}
    swapped: dict[str, tuple[dict[str, bytes | None], Reason]] = {
        "the rollout's own": ({**own}, Reason.BUNDLE_MISNAMED),
        "without a proof": ({BASELINE_PROOF: None}, Reason.BUNDLE_FILE_MISSING),
        "without a receipt": ({BASELINE: None}, Reason.BUNDLE_MISNAMED),
    }
    changes, reason = swapped[other]
    changed = {name: data for name, data in {**files, **changes}.items() if data is not None}

    with pytest.raises(VerifyError) as refused:
        verified(here, listed(changed, **about(files)))

    assert refused.value.reason is reason


@pytest.mark.clause("EX-75")
def test_a_record_says_why_no_weight_was_read_back() -> None:
    """Nobody reads them, in shadow mode none is moved, and what is awaited may not have come yet."""
    here, rollout = promoted()
    watched = world()
    routed(watched, program=READS_BACK)
    waiting = created(watched).rollout.id

    nobody = record_of(bundled(here.house, rollout)[0])["weights"]
    moved = shadow()
    none, awaited = (
        record_of(bundled(each.house, name)[0])["weights"] for each, name in ((moved[0], moved[1]), (watched, waiting))
    )

    assert nobody["unobserved"] == "no router reads weights back: no receipt states one, and none was awaited"
    assert none["unobserved"] == "in shadow mode no weight is moved, so that none is read back"
    assert awaited["unobserved"] == "a weight was to be read back, and none was by the last receipt"
    assert {each["unobserved"] for each in nobody["planned"]} == {nobody["unobserved"]}
    assert awaited["planned"][1]["unobserved"] == "the rollout has not been at this step"


@pytest.mark.clause("EX-75")
def test_each_planned_weight_has_what_was_read_back_of_it() -> None:
    """The last is stated by no receipt where the rollout ended by entering it."""
    here, rollout = read_back()

    weights = record_of(bundled(here.house, rollout)[0])["weights"]

    seen = [None if each["observed"] is None else each["observed"]["weight"] for each in weights["planned"]]
    assert (seen, weights["unobserved"]) == ([5, 25, 50, None], None)
    assert weights["planned"][3]["unobserved"].startswith("the rollout ended by entering this step")


@pytest.mark.clause("EX-76")
@pytest.mark.parametrize("inference", ["sequential", "fixed"])
def test_a_metric_says_in_words_by_what_it_was_judged(inference: str) -> None:
    """An interval where one was read, else how high log-evidence stood and had to be."""
    here = world()
    rollout = created(here, policy={"inference": inference}).rollout.id
    here.walk(rollout, EQUAL, runs=400, minutes=20)

    (metric,) = record_of(bundled(here.house, rollout)[0])["metrics"]

    expected = "log-evidence of harm was " if inference == "sequential" else "candidate less baseline between "
    assert metric["inWords"].startswith(expected)
    assert ("Natural logarithms, valid at every look" in metric["inWords"]) is (inference == "sequential")


@pytest.mark.clause("EX-76")
def test_the_timeline_says_the_same() -> None:
    """What was read back, what was declared of both releases, and by what each gate was judged."""
    here, _, rollout = succeeded()

    files, _ = bundled(here.house, rollout)

    page, record = files["timeline.html"].decode(), json.loads(files[RELEASE_RECORD])
    assert f"Read back: nothing, because {record['weights']['unobserved']}." in page
    assert f'baseline&#39;s model</dt><dd class="hex">sha256:{MODEL}</dd>' in page
    judged, _ = bundled(*promoted_house())
    metric = record_of(judged)["metrics"][0]
    assert write_sentence(metric["inWords"].partition("`")[0]) in judged["timeline.html"].decode()


def promoted_house() -> tuple[House, str]:
    """Return the house of a promoted rollout, and its id."""
    here, rollout = promoted()
    return here.house, rollout
