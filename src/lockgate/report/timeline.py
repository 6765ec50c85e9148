# SPDX-License-Identifier: Apache-2.0
"""A release record and what is missing beside it come in; a page that a person reads goes out.

Every text is escaped by the template; the page carries no script, and its policy forbids every request.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from markupsafe import Markup, escape

from lockgate.core.finding import Outcome
from lockgate.core.metric import parse_metric
from lockgate.core.release_metrics import Basis
from lockgate.core.rollout import Status
from lockgate.core.wording import decimals_for, duration_words
from lockgate.report import number
from lockgate.report.missing_words import missing_sentences
from lockgate.report.release_event import Record, ReleaseEvent, release_events
from lockgate.report.row import outcome_words
from lockgate.report.screen import RICH_SIGNS
from lockgate.report.self_contained import styled, template
from lockgate.report.text import printable, short_name
from lockgate.report.weight_drawing import weights_svg

SHOWN = 500
_WORD = re.compile(r"`([^`]+)`")
_TONES = {Status.PROMOTED: "clean", Status.ROLLED_BACK: "regressed"}


def render_timeline(record: Record, missing: Mapping[str, Any]) -> bytes:
    """Return the page of a release."""
    events = release_events(record)
    page = template("timeline.html.j2")
    rendered = page.render(
        **styled("page.css", "timeline.css"),
        record=record,
        status=_status(record),
        tone=_TONES.get(record["decision"]["status"], "insufficient"),
        headline=_headline(record),
        candidate=short_name(record["candidate"]["release"]),
        baseline=short_name(record["baseline"]["release"]),
        app=short_name(record["app"]),
        lasted=_lasted(record),
        digests=[*_parts(record["candidate"], ""), *_parts(record["baseline"], "baseline's ")],
        unobserved=record["weights"]["unobserved"],
        links=[(printable(name), printable(url)) for name, url in record["links"].items()],
        drawn=Markup(weights_svg(record)),  # noqa: S704 -- drawn here, every text in it escaped
        events=[_shown(event) for event in (*events[:SHOWN], *events[SHOWN:][-1:])],
        left_out=max(0, len(events) - SHOWN - 1),
        gates=[_gate(each, record) for each in record["metrics"]],
        promise=_promise(record),
        missing=[_set(sentence) for sentence in missing_sentences(missing)],
    )
    return rendered.encode("utf-8")


def _status(record: Record) -> str:
    status = str(record["decision"]["status"]).replace("_", " ")
    return f"{status}, in shadow" if record["advisory"] else status


def _headline(record: Record) -> str:
    candidate, baseline = short_name(record["candidate"]["release"]), short_name(record["baseline"]["release"])
    app, status = short_name(record["app"]), record["decision"]["status"]
    would = "would have" if record["advisory"] else "has"
    if status == Status.PROMOTED:
        return f"{candidate} {would} taken over all traffic of {app} from {baseline}"
    if status == Status.ROLLED_BACK:
        return f"{candidate} {would} been taken out of the traffic of {app}"
    if status == Status.CANCELLED:
        return f"The trial of {candidate} in {app} was cancelled"
    return f"{candidate} is on trial in {app}, against {baseline}"


def _lasted(record: Record) -> str:
    """Return from when to when, and for how long."""
    period = record["period"]
    end = period["endedAt"] or period["lastReceiptAt"]
    began, ended = (datetime.fromisoformat(at) for at in (period["startedAt"], end))
    span = duration_words(max(0, round((ended - began).total_seconds())))
    until = "" if period["endedAt"] else " so far"
    return f"{_clock(period['startedAt'])} to {_clock(end)} ({span}{until})"


def _shown(event: ReleaseEvent) -> dict[str, str]:
    at = _clock(event.at)
    return {
        "at": at if event.until is None else f"{at} to {_clock(event.until)}",
        "stamp": event.at,
        "title": event.title,
        "reason": _set(event.reason),
        "by": event.by,
        "tone": event.tone,
        "receipt": event.receipt,
    }


def _gate(each: Mapping[str, Any], record: Record) -> dict[str, str]:
    metric, outcome = parse_metric(each["metric"]), Outcome(each["outcome"])
    values = (each["baseline"]["value"], each["candidate"]["value"])
    decimals = decimals_for(metric, None, values)
    baseline, candidate = (number.write_value(metric, value, decimals) for value in values)
    return {
        "gate": printable(each["gate"]),
        "outcome": outcome.value,
        "word": f"{RICH_SIGNS.outcomes[outcome]} {outcome_words(outcome)}",
        "baseline": baseline,
        "baseline_n": f"{each['baseline']['n']:,}",
        "candidate": candidate,
        "candidate_n": f"{each['candidate']['n']:,}",
        "reason": _set(each["reason"]),
        "numbers": _set(each["inWords"] or ""),
        "basis": _basis(each, record),
        "receipt": str(each["rests"]["seq"]),
    }


def _parts(release: Mapping[str, Any], whose: str) -> list[tuple[str, str]]:
    """Return the digests that were declared of a release, or why there are none."""
    declared = [(f"{whose}{name}", f"sha256:{part['sha256']}") for name, part in release["digests"].items()]
    return declared or [(f"{whose}parts", release["undeclared"])]


def _basis(each: Mapping[str, Any], record: Record) -> str:
    """Return which runs a gate's numbers are of; nothing where it has none."""
    if not each["baseline"]["n"] and not each["candidate"]["n"]:
        return ""
    if each["basis"] == Basis.STEP:
        return "the numbers are of its step"
    is_before = record["cohort"]["earlier"] is not None
    return f"the numbers are of all steps{' and of runs from before the trial' if is_before else ''}"


def _promise(record: Record) -> list[str]:
    promise = record["promise"]
    if promise["falseRollback"] is None:
        return ["No error rate is promised: the interval was read again at each look."]
    rollback = number.write_level(promise["falseRollback"])
    said = [f"A candidate that is no worse is rolled back by its gates in at most {rollback} of such rollouts."]
    if promise["falsePromotion"] is None:
        said.append("Of promotions no error rate is promised.")
    else:
        level = number.write_level(promise["falsePromotion"])
        said.append(f"One that is worse than the gates' bounds is promoted in at most {level}.")
    return [*said, f"Independence of runs: {printable(str(promise['independence']))}."]


def _set(sentence: str) -> Markup:
    """Return a sentence as print sets it: true minus signs, units beside their numbers, words of programs as such."""
    said = number.bind_units(number.write_sentence(printable(sentence)))
    return Markup(_WORD.sub(r"<code>\1</code>", str(escape(said))))  # noqa: S704 -- escaped before the only tags come


def _clock(at: str) -> str:
    return f"{at[:10]} {at[11:19]} UTC"
