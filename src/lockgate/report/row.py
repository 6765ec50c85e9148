# SPDX-License-Identifier: Apache-2.0
"""A comparison comes in; its findings as rows of ready words, the same for screen, pull request and page, go out."""

from __future__ import annotations

from dataclasses import dataclass

from lockgate.core.comparison import Comparison
from lockgate.core.finding import Finding, Outcome
from lockgate.core.metric import Worse
from lockgate.core.policy.gate import Gate
from lockgate.core.wording import decimals_for, limit_text, subject_text
from lockgate.report import number
from lockgate.report.plot import Plot, plot_of


@dataclass(frozen=True, slots=True)
class Row:
    """One finding in words: what it is called, its numbers with units, and how to draw it."""

    finding: Finding
    label: str
    baseline: str
    candidate: str
    difference: str
    interval: str
    plot: Plot | None

    @property
    def outcome(self) -> Outcome:
        """Return what the finding says."""
        return self.finding.outcome

    @property
    def reason(self) -> str:
        """Return why, in words."""
        return number.bind_units(number.write_sentence(self.finding.reason))


def gate_rows(comparison: Comparison) -> tuple[Row, ...]:
    """Return the gates' findings as rows, in the policy's order."""
    gates = {gate.id: gate for gate in comparison.policy.gates}
    return tuple(row_of(finding, gates.get(finding.gate)) for finding in comparison.gates)


def shown_rows(comparison: Comparison) -> tuple[Row, ...]:
    """Return the metrics that are shown and gate nothing."""
    return tuple(row_of(finding, None) for finding in comparison.shown)


def row_of(finding: Finding, gate: Gate | None) -> Row:
    """Return one finding as a row; all of its numbers have the same decimals, so that they line up."""
    metric, difference = finding.metric, finding.difference
    values = (finding.baseline.value, finding.candidate.value)
    decimals = decimals_for(metric, difference, values)
    return Row(
        finding,
        label_of(finding, gate),
        number.write_value(metric, values[0], decimals),
        number.write_value(metric, values[1], decimals),
        number.MISSING if difference is None else number.write_difference(metric, difference.estimate, decimals),
        "" if difference is None else number.write_interval(metric, difference, decimals),
        plot_of(finding, gate),
    )


def outcome_words(outcome: Outcome) -> str:
    """Return an outcome as people write it."""
    return outcome.value.replace("_", " ")


def label_of(finding: Finding, gate: Gate | None) -> str:
    """Return a finding's name: its metric, with the slice that it looks at and the limit that it must keep."""
    if gate is None:
        return finding.metric.name
    if gate.limit is None:
        return subject_text(gate)
    sign = "≤" if finding.metric.worse is Worse.HIGHER else "≥"
    return f"{subject_text(gate)} {sign} {limit_text(finding.metric, gate.limit)}"
