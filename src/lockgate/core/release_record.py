# SPDX-License-Identifier: Apache-2.0
"""The receipts of a rollout and what they bind come in; the record of the release goes out as a JSON document.

Each line of it names the receipt that it rests on, and nothing in it is from anywhere else, so that whoever verifies
the receipts makes the same record again and refuses another one.
"""

from __future__ import annotations

from collections.abc import Iterable

from lockgate.core.canonical import Json
from lockgate.core.release_alerts import Alerts
from lockgate.core.release_metrics import Metrics
from lockgate.core.release_sources import Entry, Part
from lockgate.core.release_weights import Weights
from lockgate.core.rollout import TERMINAL, Status

FORMAT = "lockgate-release-record/v1"
# What an operator links the record of a release to.
EXPERIMENT, EVALUATION_CARD = "experiment", "evaluation-card"
UNDECLARED = "no digest was declared when it was put on trial"
# Whoever leaves that receipt out of a bundle must not have made the record claim more.
UNTRIED = "no receipt of a trial of it is beside this record, and digests are declared of candidates only"
SELECTION = (
    "Every run of baseline and candidate that was sent counts, each once, in the bucket that was open when it came, "
    "from the rollout's first bucket on"
)


def release_record(
    receipts: Iterable[Entry], policy: Part, related: Iterable[Entry] = (), baseline: Entry | None = None
) -> dict[str, Json]:
    """Return the record of a release, from all receipts of its rollout in their order, which are read once.

    `policy` is the document whose digest they name; `related` are receipts of the app's own series and of the
    organisation's, and are read after those; `baseline` is the receipt that put the baseline on trial, where that was.
    """
    told = _Told(policy)
    for entry in receipts:
        told.add(entry)
    return {
        **_names(told.first),
        "baseline": _baseline(told.first, baseline),
        "candidate": _candidate(told.first),
        "engine": told.last.part("engine"),
        "cohort": _cohort(told.first, policy),
        "policy": told.first.part("policy"),
        "promise": told.last.part("promise"),
        "period": {
            "startedAt": told.first.at,
            "endedAt": None if told.ended is None else told.ended.at,
            "lastReceiptAt": told.last.at,
        },
        "weights": told.weights.document(policy["steps"]),
        "metrics": told.metrics.documents(),
        "alerts": told.alerts.documents(),
        "operatorActions": told.operated,
        "related": [{**_operated(entry), "series": entry.statement.rollout_id} for entry in related],
        "decision": _decided(told),
        **_links(told.first),
        "receipts": {"count": told.count, "first": told.first.rests(), "last": told.last.rests()},
    }


class _Told:
    """What the receipts so far say."""

    def __init__(self, policy: Part) -> None:
        self.count = 0
        self.alerts = Alerts()
        self.weights = Weights()
        self.operated: list[Json] = []
        self.metrics = Metrics(policy)
        self.ended: Entry | None = None
        self.was_promoted = False

    def add(self, entry: Entry) -> None:
        """Take the next receipt."""
        if not self.count:
            self.first = self.moved = entry
        self.count, self.last = self.count + 1, entry
        self.alerts.add(entry)
        self.metrics.add(entry)
        self.weights.add(entry)
        if entry.is_move:
            self.moved = entry
        if not entry.is_by_loop:
            self.operated.append(_operated(entry))
        if self.ended is None and entry.part("to")["status"] in TERMINAL:
            self.ended = entry
        self.was_promoted |= entry.part("to")["status"] == Status.PROMOTED


def _names(first: Entry) -> dict[str, Json]:
    predicate, candidate = first.statement.predicate, first.part("candidate")
    release = str(candidate["release"])
    return {
        "format": FORMAT,
        "org": first.statement.org,
        "app": first.statement.subjects[0][0].removesuffix(f"@{release}"),
        "rolloutId": first.statement.rollout_id,
        "mode": predicate["mode"],
        "advisory": predicate["advisory"],
        "attempt": candidate["attempt"],
    }


def _candidate(first: Entry) -> dict[str, Json]:
    candidate = first.part("candidate")
    digests = dict(candidate.get("digests", {}))
    return {"release": candidate["release"], "digests": digests, "undeclared": None if digests else UNDECLARED}


def _baseline(first: Entry, tried: Entry | None) -> dict[str, Json]:
    """Return the baseline with the digests that were declared when it was a candidate itself."""
    release = first.part("baseline")["release"]
    if tried is None:
        return {"release": release, "digests": {}, "undeclared": UNTRIED, "rolloutId": None, "rests": None}
    as_candidate = {**_candidate(tried), "release": release}
    return {**as_candidate, "rolloutId": tried.statement.rollout_id, "rests": tried.rests()}


def _links(first: Entry) -> dict[str, Json]:
    links = dict(first.part("links")) if "links" in first.statement.predicate else {}
    return {"links": links, "experiment": links.get(EXPERIMENT), "evaluationCard": links.get(EVALUATION_CARD)}


def _cohort(first: Entry, policy: Part) -> dict[str, Json]:
    """Return whose runs are compared, how they were chosen, and in which slices."""
    earlier = first.part("evidence").get("earlier")
    return {
        "unit": policy["unit"],
        "independence": first.part("promise").get("independence"),
        "selection": f"{SELECTION}." if earlier is None else f"{SELECTION}, and those kept from before that it names.",
        "earlier": earlier,
        "slices": _distinct(gate["slice"] for gate in policy["gates"] if gate["slice"]),
        "steps": len(policy["steps"]),
    }


def _distinct(slices: Iterable[Part]) -> list[Json]:
    found: list[Json] = []
    for each in slices:
        if dict(each) not in found:
            found.append(dict(each))
    return found


def _operated(entry: Entry) -> dict[str, Json]:
    """Return what a person or a job did, and why."""
    actor, decision = entry.part("actor"), entry.part("decision")
    return {
        "at": entry.at,
        "action": decision["action"],
        "cause": decision["cause"],
        "by": {"type": actor["type"], "name": actor["name"], "claims": dict(actor.get("claims", {}))},
        "reason": actor["reason"] if actor["reason"] is not None else decision["reason"],
        "rests": entry.rests(),
    }


def _decided(told: _Told) -> dict[str, Json]:
    """Return what the release came to: the last receipt that changed the rollout decides."""
    to, said = told.last.part("to"), told.moved.part("decision")
    return {
        "status": to["status"],
        "isFinal": to["status"] in TERMINAL,
        "wasPromoted": told.was_promoted,
        "at": told.moved.at,
        "action": said["action"],
        "cause": said["cause"],
        "reason": said["reason"],
        "target": said["target"],
        "weight": to["weight"],
        "wouldBeWeight": to["wouldBeWeight"],
        "rests": told.moved.rests(),
    }
