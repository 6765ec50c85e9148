# SPDX-License-Identifier: Apache-2.0
"""What a tick would decide comes in; the screen that shows a rollout, still or live, goes out."""

from __future__ import annotations

from lockgate.core.finding import Finding, Outcome
from lockgate.core.instant import SECOND, Instant
from lockgate.core.policy.policy import Promote
from lockgate.core.rollout import Status
from lockgate.core.wording import count_text, decimals_for, duration_words, value_text
from lockgate.operations.asking.queries import Explanation
from lockgate.report import number
from lockgate.report.meter import LEFT_LABEL, draw_meter, draw_share
from lockgate.report.ramp import draw_ramp
from lockgate.report.row import label_of, outcome_words
from lockgate.report.screen import TONES, Screen
from lockgate.report.standing import TONES as STATUS_TONES
from lockgate.report.standing import standing, status_words
from lockgate.report.text import NO_BREAK, pad, width, wrap

MARGIN = "  "
# What a gate's name may take: so many columns, or that part of a wide screen.
MAX_LABEL, LABEL_SHARE = 24, 3
METER_SHARE, MIN_METER, MAX_METER = 3, 19, 41
HEAD = 13
SIGN = 18
# A person who looks once reads the worst; `lockgate explain` has them all.
MAX_ALSO = 3
_SIGNS = {Status.PROMOTED: Outcome.CLEAN, Status.ROLLED_BACK: Outcome.REGRESSED}


def render_view(
    said: Explanation,
    now: Instant,
    screen: Screen,
    ending: str = "",
    untold: tuple[str, ...] = (),
    left_s: int | None = None,
) -> str:
    """Return a rollout as lines for a terminal.

    `ending` is why it ended, `untold` what its router was not told, `left_s` for how long it is watched.
    """
    screen = screen.bounded()
    is_over = said.rollout.is_terminal
    parts = [_headline(said, screen)]
    parts.append([MARGIN + line for line in draw_ramp(said.rollout, said.policy, screen.width - 4, screen)])
    parts.append([] if is_over else _progress(said, now, screen))
    parts.append(_gates(said, screen))
    parts.append(_words(screen, "ended", [ending]) if is_over else _decision(said, screen))
    parts.append(_links(said, screen))
    parts.append(_words(screen, "router", list(untold)))
    is_watched = left_s is not None and not is_over
    parts.append(_words(screen, "watched", [f"for {duration_words(left_s or 0)} more"]) if is_watched else [])
    parts.append([MARGIN + screen.paint(screen.text(_foot(said), screen.width - len(MARGIN)), "dim")])
    lines = [line.rstrip() for part in parts if part for line in ["", *part]]
    return "\n".join(lines).replace(NO_BREAK, " ") + "\n"


def _headline(said: Explanation, screen: Screen) -> list[str]:
    status = said.rollout.status
    sign = screen.signs.outcomes[_SIGNS[status]] if status in _SIGNS else screen.signs.point
    word = f"{sign} {status_words(said.rollout).upper()}"
    indent = " " * (len(MARGIN) + len(word) + 2)
    first, *rest = wrap(screen.text(standing(said.rollout)), screen.width - len(indent))
    head = f"{MARGIN}{screen.paint(word, STATUS_TONES[status], 'bold')}  {screen.paint(first, 'bold')}"
    return [head, *(indent + screen.paint(line, "bold") for line in rest)]


def _progress(said: Explanation, now: Instant, screen: Screen) -> list[str]:
    fresh, at = said.fresh_runs, said.rollout.at(said.policy)
    rate = "" if said.runs_per_hour is None else f", {said.runs_per_hour:,.0f} an hour"
    count = f"{fresh:,} of {at.min_runs:,}{rate}"
    columns = min(meter_columns(screen), screen.width - len(MARGIN) - HEAD - 2 - len(count))
    lines = [_line(screen, "fresh runs", f"{draw_share(fresh, at.min_runs, columns, screen)}  {count}")]
    lines += _words(screen, "next bucket", [seal_words(said, now)])
    left_out = [f"{runs:,} of {release}, whose ids other runs had" for release, runs in said.left_out.items()]
    lines += _words(screen, "not counted", left_out) if left_out else []
    aside = aside_words(said)
    lines += _words(screen, "not compared", [aside]) if aside else []
    if said.overdue:
        lines += _words(screen, "overdue", [said.overdue])
    return lines


def seal_words(said: Explanation, now: Instant) -> str:
    """Return when the next bucket seals."""
    if said.seals_at is None:
        return "none is open: no run has come since the last one was sealed"
    left = max(0, -(-(said.seals_at - now) // SECOND))
    return f"seals in {duration_words(left)}" if left else "is over; the next tick seals it"


def aside_words(said: Explanation) -> str:
    """Return how many runs are never compared, where nothing else counts at a step yet; nothing where some does."""
    if not said.settling_runs or said.fresh_runs:
        return ""
    runs = count_text(said.settling_runs, "run")
    if said.rollout.at(said.policy).settle_s:
        return f"{runs} of the candidate came while the traffic of this step still settled, and are never compared"
    when = "in the first bucket of this step, during which its traffic may still have moved"
    return f"{runs} of the candidate came {when}, and are never compared"


def meter_columns(screen: Screen) -> int:
    """Return how wide a meter is on a screen."""
    return min(MAX_METER, max(MIN_METER, screen.width // METER_SHARE))


def _gates(said: Explanation, screen: Screen) -> list[str]:
    gates = {gate.id: gate for gate in said.policy.gates}
    findings = said.verdict.findings
    if not findings:
        return []
    most = max(MAX_LABEL, screen.width // LABEL_SHARE)
    labels = [screen.text(label_of(finding, gates.get(finding.gate)), most) for finding in findings]
    columns, longest = meter_columns(screen), max([HEAD - 2, *(width(label) for label in labels)])
    lines = []
    if any(finding.evidence is not None for finding in findings):
        goal = said.policy.promote.value
        head = pad(LEFT_LABEL, columns - len(goal)) + goal
        lines.append(f"{MARGIN}{' ' * longest}  {screen.paint(head, 'dim')}")
    for finding, label in zip(findings, labels, strict=True):
        lines += _gate(finding, pad(label, longest), said.policy.promote, screen)
    return lines


def _gate(finding: Finding, label: str, promote: Promote, screen: Screen) -> list[str]:
    """Return a gate's meter, outcome and values; what does not fit beside the meter stands below it."""
    columns = meter_columns(screen)
    sign = f"{screen.signs.outcomes[finding.outcome]} {outcome_words(finding.outcome)}"
    values = screen.text(_values(finding))
    head = f"{MARGIN}{label}  {draw_meter(finding, promote, columns, screen)}  "
    before = len(MARGIN) + width(label) + columns + 4
    if values and before + SIGN + width(values) > screen.width:
        indent = " " * (len(MARGIN) + width(label) + 2)
        return [head + screen.paint(sign, TONES[finding.outcome]), indent + values]
    return [head + screen.paint(pad(sign, SIGN), TONES[finding.outcome]) + values]


def _values(finding: Finding) -> str:
    baseline, candidate = finding.overall or (finding.baseline, finding.candidate)
    if candidate.value is None or (baseline.value is None and not finding.is_objective):
        return ""
    values = (baseline.value, candidate.value)
    decimals = decimals_for(finding.metric, finding.difference, values)
    before, after = (value_text(finding.metric, value, decimals) for value in values)
    return after if finding.is_objective else f"{before} → {after}"


def _decision(said: Explanation, screen: Screen) -> list[str]:
    decision = said.decision
    lines = _words(screen, decision.action.value, [decision.reason])
    if decision.also:
        more = len(decision.also) - MAX_ALSO
        also = [*decision.also[:MAX_ALSO], *([f"and {count_text(more, 'more reason')}"] if more > 0 else [])]
        lines += _words(screen, "also", also)
    return lines


def _links(said: Explanation, screen: Screen) -> list[str]:
    """Return where more is to be read; an address is broken where it must be, and never rewritten."""
    room = screen.width - len(MARGIN) - HEAD
    lines = [line for name, url in said.rollout.links for line in wrap(screen.text(f"{name}: {url}"), room)]
    return [_line(screen, "" if index else "links", line) for index, line in enumerate(lines)]


def _words(screen: Screen, head: str, sentences: list[str]) -> list[str]:
    lines = []
    for sentence in sentences:
        said = wrap(screen.text(number.write_sentence(sentence)), screen.width - len(MARGIN) - HEAD)
        lines += [_line(screen, head if not index else "", line) for index, line in enumerate(said)]
        head = ""
    return lines


def _line(screen: Screen, head: str, text: str) -> str:
    return f"{MARGIN}{screen.paint(pad(head, HEAD), 'dim')}{text}"


def _foot(said: Explanation) -> str:
    rollout = said.rollout
    receipts = count_text(said.trial.chain.seq, "receipt")
    attempt = f", attempt {rollout.attempt}" if rollout.attempt > 1 else ""
    return f"{rollout.id}, {rollout.mode.value} mode, revision {rollout.revision}, {receipts}{attempt}"
