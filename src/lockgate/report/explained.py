# SPDX-License-Identifier: Apache-2.0
"""What a tick would decide comes in; why, what would change it and how long that takes go out in sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lockgate.core.canonical import Json
from lockgate.core.decision.decision import Action
from lockgate.core.finding import Finding, Outcome
from lockgate.core.instant import Instant
from lockgate.core.policy.policy import Inference
from lockgate.core.verdict.anytime import Anytime
from lockgate.core.wording import count_text, decimals_for, interval_text, level_text
from lockgate.operations.asking.queries import Explanation
from lockgate.report import number
from lockgate.report.plot import worse_is_right
from lockgate.report.remedy import is_apart, learning, remedies
from lockgate.report.screen import Screen
from lockgate.report.standing import standing
from lockgate.report.text import NO_BREAK, wrap

MARGIN = "  "
_VERBS = {
    Action.HOLD: "It holds",
    Action.PROMOTE: "The next tick promotes it",
    Action.ROLLBACK: "The next tick rolls it back",
    Action.REDUCE: "The next tick takes it one step back",
    Action.PAUSE: "The next tick pauses it",
}


@dataclass(frozen=True, slots=True)
class Section:
    """One heading and the sentences under it."""

    heading: str
    sentences: tuple[str, ...]


def explained(
    said: Explanation, now: Instant, ending: str = "", intervals: Sequence[Anytime] = ()
) -> tuple[Section, ...]:
    """Return what there is to say of a rollout; `ending` is why it ended, if it has.

    `intervals` are those of its gates that hold at any number of looks.
    """
    if said.rollout.is_terminal:
        parts = [
            Section("Why it ended", (ending,)),
            Section("What would change it", ("Nothing: it has ended. The same candidate may go on trial again.",)),
        ]
    else:
        parts = [
            Section("It is overdue", () if said.overdue is None else (said.overdue,)),
            Section(_VERBS[said.decision.action], tuple(_causes(said))),
            Section("What would change it", tuple(remedies(said, now))),
        ]
    parts.append(Section("Which runs do not count", tuple(_left_out(said))))
    parts.append(Section("What each gate says", tuple(_findings(said.verdict.findings))))
    parts.append(Section("What holds however often one looks", tuple(map(_always, intervals))))
    parts.append(Section("Why the plain interval does not decide", tuple(_plain(said))))
    return tuple(part for part in parts if part.sentences)


def explained_document(said: Explanation, parts: Sequence[Section], intervals: Sequence[Anytime]) -> dict[str, Json]:
    """Return the JSON form of what there is to say of a rollout."""
    return {
        "id": said.rollout.id,
        "parts": [{"heading": part.heading, "sentences": list(part.sentences)} for part in parts],
        "anytime": {interval.gate.id: interval.document() for interval in intervals},
    }


def _causes(said: Explanation) -> Iterator[str]:
    """Yield what decides, and what speaks beside it; what would only hold is no cause of anything else."""
    yield said.decision.reason
    held = () if said.decision.action is Action.HOLD else tuple(call.reason for call in said.holds)
    yield from (reason for reason in said.decision.also if reason not in held)


def _findings(findings: Sequence[Finding]) -> Iterator[str]:
    """Yield what each gate says, named where another says the same."""
    said = Counter(finding.reason for finding in findings)
    for finding in findings:
        yield finding.reason if said[finding.reason] == 1 else f"{finding.gate}: {finding.reason}"


def _left_out(said: Explanation) -> Iterator[str]:
    for release, runs in said.left_out.items():
        came = f"{count_text(runs, 'run')} of {release} came under ids that other runs had, and did not count"
        yield f"{came}; `lockgate runs` marks those that are kept."


def _always(interval: Anytime) -> str:
    gate, shown = interval.gate, interval.difference
    decimals = decimals_for(gate.metric, shown, ())
    between = f"{interval_text(gate.metric, shown, decimals)} at {level_text(shown.level)}"
    buckets = count_text(interval.buckets, "bucket")
    return f"{gate.id}: candidate - baseline lies within {between}, by {buckets} in which both ran."


def render_explained(
    said: Explanation, now: Instant, screen: Screen, ending: str = "", intervals: Sequence[Anytime] = ()
) -> str:
    """Return the explanation as lines for a terminal."""
    lines = [screen.paint(screen.text(f"{said.rollout.id}: {standing(said.rollout)}"), "bold")]
    for part in explained(said, now, ending, intervals):
        lines += ["", f"{part.heading}:"]
        for sentence in part.sentences:
            wrapped = wrap(screen.text(number.write_sentence(sentence)), max(60, screen.width) - 2 * len(MARGIN))
            lines += [f"{MARGIN}{'- ' if not index else MARGIN}{line}" for index, line in enumerate(wrapped)]
    return "\n".join(lines).replace(NO_BREAK, " ") + "\n"


def _plain(said: Explanation) -> Iterator[str]:
    """Yield why a gate does not regress although its interval for one look excludes no difference."""
    if said.policy.inference is Inference.FIXED or said.rollout.is_terminal:
        return
    for finding in said.verdict.findings:
        difference = finding.difference
        if difference is None or finding.outcome is Outcome.REGRESSED or not _excludes_zero(finding):
            continue
        # No number of looks makes runs of different times comparable.
        if is_apart(finding):
            continue
        taught = learning(said, finding)
        if taught is not None:
            yield f"{finding.gate}: {taught}."
            continue
        decimals = decimals_for(finding.metric, difference, (finding.baseline.value, finding.candidate.value))
        shown = f"{interval_text(finding.metric, difference, decimals)} at {level_text(difference.level)}"
        yield (
            f"{finding.gate}: the plain interval, {shown}, lies on the worse side, but it holds at one look only. "
            "Read at every tick it would call a good candidate worse far more often than promised, "
            "so a rollback waits for evidence that holds at any number of looks."
        )


def _excludes_zero(finding: Finding) -> bool:
    difference = finding.difference
    assert difference is not None
    return difference.low > 0.0 if worse_is_right(finding.metric) else difference.high < 0.0
