# SPDX-License-Identifier: Apache-2.0
"""Receipts come in; what each gate said when it last applied goes out, with its numbers."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from lockgate.core.canonical import Json
from lockgate.core.finding import Outcome
from lockgate.core.metric import Kind, parse_metric
from lockgate.core.policy.policy import Inference
from lockgate.core.policy.step import StepKind
from lockgate.core.release_sources import Entry, Part


class Basis(StrEnum):
    """Which runs a gate's numbers are of."""

    STEP = "step"
    ALL_STEPS = "all_steps"


class Metrics:
    """Of each gate what it said when it last applied, and in which receipt."""

    def __init__(self, policy: Part) -> None:
        self._policy = policy
        self._latest: dict[str, tuple[Part, Entry]] = {}

    def add(self, entry: Entry) -> None:
        """Take what the gates say in a receipt; one that does not apply any more takes nothing back."""
        for finding in entry.findings:
            if finding["outcome"] != Outcome.NOT_APPLICABLE or finding["gate"] not in self._latest:
                self._latest[finding["gate"]] = (finding, entry)

    def documents(self) -> list[Json]:
        """Return it in the order in which the policy declares gates."""
        order = {gate["id"]: place for place, gate in enumerate(self._policy["gates"])}
        gates = sorted(self._latest, key=lambda gate: (order.get(gate, len(order)), gate))
        return [_metric(*self._latest[gate], self._policy) for gate in gates]


def _metric(finding: Part, entry: Entry, policy: Part) -> Json:
    read = finding.get("overall", finding)
    return {
        **{name: finding[name] for name in ("gate", "metric", "outcome", "reason")},
        "baseline": read["baseline"],
        "candidate": read["candidate"],
        "basis": _basis(finding, entry, policy).value,
        "estimate": _estimate(read),
        "difference": finding.get("difference"),
        "evidence": finding.get("evidence"),
        "inWords": _in_words(finding),
        "at": entry.at,
        "rests": entry.rests(),
    }


def _basis(finding: Part, entry: Entry, policy: Part) -> Basis:
    """Return which runs the numbers are of: pairs, and runs whose interval is read at each look, are of all steps."""
    steps: Sequence[Part] = policy["steps"]
    if steps[entry.part("from")["step"]]["kind"] == StepKind.OFFLINE:
        return Basis.STEP
    is_paired = parse_metric(finding["metric"]).kind is Kind.PAIRED
    is_pooled = is_paired or policy["inference"] == Inference.FIXED or "overall" in finding
    return Basis.ALL_STEPS if is_pooled else Basis.STEP


def _estimate(read: Part) -> Json:
    """Return the candidate's value less the baseline's, where both are known."""
    before, after = read["baseline"]["value"], read["candidate"]["value"]
    return None if before is None or after is None else after - before


def _in_words(finding: Part) -> str | None:
    """Return the interval that a finding states, or where it states none how high its log-evidence stood."""
    difference, evidence = finding.get("difference"), finding.get("evidence")
    if difference is not None:
        low, high = (_digits(difference[end], "no bound") for end in ("low", "high"))
        level = f"{100 * difference['level']:g} %"
        return f"candidate less baseline between {low} and {high} at {level}, read at one look ({difference['method']})"
    if evidence is None:
        return None
    harm, level, due = (_digits(evidence[name], "no height") for name in ("harm", "harmLevel", "harmThreshold"))
    said = [f"log-evidence of harm was {harm} at its highest and stood at {level}; {due} rolls back"]
    for name, what in (("clean", "that harm beyond `detect` is excluded"), ("proven", "that harm beyond `margin` is")):
        if evidence[name] is not None:
            said.append(f"{what}: {_digits(evidence[name])} of {_digits(evidence['promoteThreshold'])}")
    return f"{'; '.join(said)}. Natural logarithms, valid at every look; no interval decides."


def _digits(value: float | None, unbounded: str = "unknown") -> str:
    return unbounded if value is None else f"{value:.6g}"
