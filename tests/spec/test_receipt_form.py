# SPDX-License-Identifier: Apache-2.0
"""What a receipt holds, what it only names, and what never enters it: docs/spec.md, Receipts: the full form."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockgate.core.app import App
from lockgate.core.app_receipt import AppAct, draft_app
from lockgate.core.canonical import canonicalize
from lockgate.core.canonical_reading import read_canonical
from lockgate.core.clipped_text import clipped
from lockgate.core.decision.decision import Action, Cause
from lockgate.core.decision.intervention import Outlook, Request, intervene
from lockgate.core.envelope import MAX_ENVELOPE_SIZE, MAX_PAYLOAD_SIZE
from lockgate.core.finding import Evidence, Outcome
from lockgate.core.link import MAX_LINKS_SIZE
from lockgate.core.policy.gate import Breach
from lockgate.core.receipt import Actor, draft
from lockgate.core.rollout import Rollout, Status, Waiver
from lockgate.core.stated_verdict import MAX_INLINE, stated_verdict
from lockgate.core.transition import apply
from lockgate.core.verdict.verdict import Verdict
from lockgate.errors import UsageError
from lockgate.operations.vault.sign import sign_receipt
from lockgate.verify import verify_receipt
from tests.spec.ramp import START, finding, gate, policy, rollout, situation, turn, verdict
from tests.spec.signed import BINDINGS, KEYS, RECEIPTS, transition

OUTCOMES = {
    "regressed": "regressed",
    "unavailable": "unavailable",
    "insufficient": "insufficient",
    "clean": "clean",
    "proven": "proven",
    "not_applicable": "notApplicable",
}
# One letter of each size that a name may be made of: of one byte, escaped, of three and of four bytes.
LETTERS = ("a", '"', "\\", "語", "\U0001f512")
# What only reasons and claims may hold besides.
ANY = (*LETTERS, "\x01", "\n")
NUMBERS = Evidence(1.5, -2.25, 3.0, None, 1e-9, 4.0, 10**6, 400, 4000)


def stated(said: Verdict) -> tuple[dict[str, Any], tuple[bytes, ...]]:
    """Return what a receipt states of a verdict, and the contents that it names."""
    drafted = draft(transition(), said, policy(), BINDINGS, Actor())
    document: Any = read_canonical(drafted.payload, "payload")
    return document["predicate"]["verdict"], drafted.contents


def many(*counts: tuple[Outcome, int], reason: str = "as it was") -> Verdict:
    """Return a verdict of many gates, so many of each outcome."""
    return verdict(
        *(
            finding(outcome, gate=f"{outcome.value} {number}", reason=reason, evidence=NUMBERS)
            for outcome, count in counts
            for number in range(count)
        )
    )


@pytest.mark.clause("RF-03")
@pytest.mark.parametrize("gates", [1, 100])
def test_a_receipt_counts_what_the_gates_said(gates: int) -> None:
    """Of every outcome, however many findings it has room for."""
    said, _ = stated(many((Outcome.CLEAN, gates), (Outcome.NOT_APPLICABLE, 2), (Outcome.INSUFFICIENT, 3)))

    expected = dict.fromkeys(OUTCOMES.values(), 0) | {"clean": gates, "notApplicable": 2, "insufficient": 3}
    assert said["counts"] == expected
    assert said["outcome"] == "insufficient"


@pytest.mark.clause("RF-03", "RF-04")
def test_a_short_verdict_stands_in_its_receipt_whole() -> None:
    """Worst first; without its digest and what was omitted it is the text that the digest is of."""
    said, contents = stated(many((Outcome.CLEAN, 3), (Outcome.REGRESSED, 2), reason="long " * 190))

    full, omitted = said.pop("full"), said.pop("findingsOmitted")
    whole = canonicalize(said)
    assert [each["outcome"] for each in said["findings"]] == ["regressed"] * 2 + ["clean"] * 3
    assert (omitted, contents, full["inline"]) == (0, (), True)
    assert (full["sha256"], full["size"]) == (hashlib.sha256(whole).hexdigest(), len(whole))
    assert full["mediaType"] == "application/vnd.lockgate.verdict.v1+json"


@pytest.mark.clause("RF-03", "RF-04")
def test_of_a_long_verdict_a_receipt_holds_what_decided() -> None:
    """The findings with the verdict's own outcome, as they stand in the whole, which is named and handed out."""
    said, contents = stated(many((Outcome.CLEAN, 60), (Outcome.REGRESSED, 5), (Outcome.PROVEN, 10)))

    (whole,) = contents
    document = json.loads(whole)
    assert [each["outcome"] for each in said["findings"]] == ["regressed"] * 5
    assert said["findings"] == document["findings"][:5]
    assert (said["findingsOmitted"], len(document["findings"])) == (70, 75)
    assert said["full"]["sha256"] == hashlib.sha256(whole).hexdigest()
    assert (said["full"]["size"], said["full"]["inline"]) == (len(whole), False)
    assert {name: said[name] for name in ("outcome", "inference", "counts")} == {
        name: document[name] for name in ("outcome", "inference", "counts")
    }
    assert canonicalize(document) == whole


@pytest.mark.clause("RF-03")
def test_a_verdict_is_inline_below_8000_bytes_alone() -> None:
    """The findings of a longer one take no more than as many bytes together."""
    sizes = {True: list[int](), False: list[int]()}
    for count in range(1, 60):
        said, _ = stated(many((Outcome.CLEAN, count)))
        sizes[said["full"]["inline"]].append(said["full"]["size"])
        assert sum(len(canonicalize(each)) + 1 for each in said["findings"]) <= MAX_INLINE

    assert max(sizes[True]) < MAX_INLINE <= min(sizes[False])


@pytest.mark.clause("RF-04")
def test_the_order_of_gates_of_one_outcome_is_the_policys() -> None:
    """So that the text of a verdict follows from the verdict alone."""
    ranked = stated_verdict(many((Outcome.PROVEN, 2), (Outcome.CLEAN, 3))).ranked

    assert [each.gate for each in ranked] == ["clean 0", "clean 1", "clean 2", "proven 0", "proven 1"]


def longest(letter: str, size: int) -> str:
    """Return a text of one letter repeated."""
    return letter * size


@st.composite
def extremes(draw: st.DrawFn) -> dict[str, Any]:
    """Return everything that a receipt states, each as long as it may be."""
    name, text = draw(st.sampled_from(LETTERS)), draw(st.sampled_from(ANY))
    return {
        "name": longest(name, 256),
        "text": longest(text, draw(st.sampled_from([0, 1, 399, 800, 5_000]))),
        "gates": draw(st.integers(0, 400)),
        "gate": longest(name, draw(st.sampled_from([1, 200, 3_600]))),
        "links": draw(st.booleans()),
        "also": draw(st.integers(0, 100)),
        "waived": draw(st.booleans()),
        "worst": draw(st.sampled_from(list(Outcome))),
    }


def payload_of(case: dict[str, Any]) -> tuple[bytes, tuple[bytes, ...]]:
    """Return the payload of a receipt, and its contents."""
    moved, name, text = transition(), case["name"], case["text"]
    # What the door lets in altogether: 16 links, 16 digests, and waivers that have room.
    links = tuple((f"l{number:02}" + "n" * 61, "https://e/" + "u" * 426) for number in range(16))
    assert sum(len(part) for link in links for part in link) == MAX_LINKS_SIZE
    digests = tuple((f"d{number:02}" + "n" * 61, "f" * 64) for number in range(16))
    waived = tuple(Waiver(what="w" * 970, harm=1.5) for _ in range(4)) if case["waived"] else ()
    extra: dict[str, Any] = {"links": links, "digests": digests} if case["links"] else {}
    after = replace(moved.after, app=name, baseline=name, candidate=name, org=name, **extra)
    decision = replace(moved.decision, reason=text, also=(text,) * case["also"], waived=waived)
    findings = [finding(case["worst"], gate=case["gate"], reason=text, evidence=NUMBERS) for _ in range(case["gates"])]
    bindings = replace(BINDINGS, seq=2**53 - 1, previous="sha256:" + "e" * 64, engine="0" * 32)
    claims = tuple((claim, text) for claim in ("sub", "project_id", "pipeline_id", "job_id", "sha"))
    actor = Actor("ci", name, text, claims)
    drafted = draft(
        replace(moved, after=after, decision=decision),
        Verdict(tuple(findings), policy().inference),
        policy(),
        bindings,
        actor,
    )
    return drafted.payload, drafted.contents


@given(extremes())
@pytest.mark.clause("RF-05")
def test_whatever_is_decided_can_be_signed(case: dict[str, Any]) -> None:
    """With the longest names, reasons, links, digests and claims the envelope fits the log, and binds every finding."""
    payload, contents = payload_of(case)

    envelope = sign_receipt(payload, RECEIPTS)
    predicate: Any = verify_receipt(envelope, KEYS).statement.predicate
    said = predicate["verdict"]
    assert len(payload) <= MAX_PAYLOAD_SIZE
    assert len(envelope) < MAX_ENVELOPE_SIZE
    assert len(said["findings"]) + said["findingsOmitted"] == sum(said["counts"].values()) == case["gates"]
    assert len(predicate["decision"]["also"]) + predicate["decision"]["alsoOmitted"] == case["also"]
    named = [] if said["full"]["inline"] else [said["full"]["sha256"]]
    assert [hashlib.sha256(each).hexdigest() for each in contents] == named


@pytest.mark.clause("RF-05")
def test_the_longest_of_everything_at_once_can_be_signed() -> None:
    """No choice of chance is needed to meet the worst case."""
    worst = {"gates": 60, "links": True, "also": 100, "waived": True, "worst": Outcome.REGRESSED}
    sizes = [
        len(payload_of({"name": longest(name, 256), "text": text * 5_000, "gate": name * 200, **worst})[0])
        for name in LETTERS
        for text in ANY
    ]

    assert max(sizes) <= MAX_PAYLOAD_SIZE


@pytest.mark.clause("RF-05")
@pytest.mark.parametrize("letter", LETTERS)
def test_what_is_done_to_an_app_can_be_signed_whatever_its_names(letter: str) -> None:
    """With the longest names, reasons and claims before and after."""
    name, text = longest(letter, 256), clipped(longest(letter, 5_000), 800, 2_400)
    app = App(name=name, champion=name, former_champion=name, frozen=text, actuator="sha256:" + "a" * 64)
    act = AppAct(
        org=name,
        before=app,
        after=app,
        action=Action.FREEZE,
        cause=Cause.KILL,
        reason=text,
        at=START,
        seq=2**53 - 1,
        previous="sha256:" + "e" * 64,
        engine="0" * 32,
    )
    claims = tuple((claim, longest(letter, 1_024)) for claim in ("sub", "project_id", "pipeline_id", "job_id", "sha"))

    envelope = sign_receipt(draft_app(act, Actor("job", text, text, claims)).payload, RECEIPTS)

    assert verify_receipt(envelope, KEYS).statement.predicate["to"] == app.standing()


@pytest.mark.clause("RF-05")
@pytest.mark.parametrize("letter", ANY)
def test_a_text_that_was_cut_says_so(letter: str) -> None:
    """By its last sign; and cutting it again changes nothing."""
    payload, _ = payload_of(
        {**dict.fromkeys(("links", "waived"), False), "name": "n", "text": letter * 5_000, "gate": "g", "gates": 0}
        | {"also": 0, "worst": Outcome.CLEAN}
    )

    predicate: Any = json.loads(payload)["predicate"]
    reason, claim = predicate["decision"]["reason"], predicate["actor"]["claims"]["sub"]
    assert (reason[-1], claim[-1]) == ("…", "…")
    assert (len(reason) <= 800, len(claim) <= 300) == (True, True)
    assert (sized(reason) <= 2_400, sized(claim) <= 600) == (True, True)


def sized(text: str) -> int:
    """Return how many bytes a text takes between its quotes."""
    return len(canonicalize(text)) - 2


def breached(*gates: str) -> Verdict:
    """Return the verdict of gates whose breach pauses."""
    return verdict(*(finding(Outcome.REGRESSED, gate=name, breach=Breach.PAUSE, evidence=NUMBERS) for name in gates))


def resumed(at: Rollout, said: Verdict) -> Rollout:
    """Return a rollout after somebody resumed it."""
    decision = intervene(
        at, policy(), Request(action=Action.RESUME, reason="seen"), Outlook(verdict=said, situation=situation())
    )
    assert decision is not None
    return apply(at, decision, START).after


@pytest.mark.clause("RF-08")
def test_a_resume_lets_pass_what_its_receipt_can_name() -> None:
    """What it cannot name pauses again at the next tick, and is let pass by the resume after that."""
    names = [f"{number:03}{'g' * 150}" for number in range(40)]
    of, said = policy(*(gate(id=name, share=0.02, breach=Breach.PAUSE) for name in names)), breached(*names)

    once = resumed(rollout(of, status=Status.PAUSED), said)
    again = turn(once, of, said)
    twice = resumed(replace(once, status=Status.PAUSED), said)

    let_pass = [each.what for each in once.waived]
    assert let_pass == names[: len(let_pass)]
    assert 10 < len(let_pass) < 40
    assert again.action is Action.PAUSE
    assert [each.what for each in twice.waived] == names
    assert turn(twice, of, said).action is not Action.PAUSE


@pytest.mark.clause("RF-08")
def test_a_breach_that_no_receipt_can_name_is_not_let_pass() -> None:
    """Whoever resumes is told, and nothing changes."""
    with pytest.raises(UsageError, match="cannot name"):
        resumed(rollout(policy(), status=Status.PAUSED), breached("g" * 4_000))
