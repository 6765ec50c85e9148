# SPDX-License-Identifier: Apache-2.0
"""What a policy's answers will take comes in; the promises in numbers, and their document, go out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from lockgate.core.bucket import Events
from lockgate.core.canonical import Json
from lockgate.core.declaration.policy_declaration import declare
from lockgate.core.foresight import Foreseen, Foresight
from lockgate.core.policy.margin_text import margin_words
from lockgate.core.policy.policy import Mode, Policy, Promote
from lockgate.core.wording import count_text

# How often a doubling from 5 % reached all traffic in the study of the default flow (docs/statistics.md): the least
# and the most of its rows, as bench/results/studies.json has them.
MEASURED_SHARE, MEASURED_MISSES = 0.05, (0.0067, 0.0333)
# Shares that are told with two digits are doubled within this.
DOUBLED = (1.995, 2.005)
# The study is of this rate and speaks for its surroundings.
NEAR = 0.01


def foreseen_sentences(policy: Policy, foresight: Foresight) -> tuple[str, ...]:
    """Return in numbers what a policy promises, and about how many candidate runs that takes."""
    return tuple(_sentences(policy, foresight))


def foreseen_document(policy: Policy, foresight: Foresight) -> dict[str, Json]:
    """Return the JSON form; runs are of the candidate."""
    missed = policy.alpha_promote
    return {
        "runs_to_full_exposure": foresight.to_full,
        "gates": [
            {
                "gate": each.gate,
                "baseline_share": None if each.share is None else round(each.share, 6),
                "is_measured": each.is_measured,
                "harm": None if each.harm is None else round(each.harm, 6),
                "missed_at_most": None if each.harm is None or each.to_clean is None else missed,
                "runs_to_clean": each.to_clean,
                "runs_to_breach": each.to_rollback,
                "runs_to_prove": each.to_prove,
            }
            for each in foresight.gates
        ],
    }


def _sentences(policy: Policy, foresight: Foresight) -> Iterator[str]:
    for each in foresight.gates:
        if each.share is not None and (each.to_clean is not None or each.to_rollback is not None):
            yield _of_harm(policy, each)
        yield from _of_none(policy, each)
    if foresight.to_full is not None:
        would = "would reach" if policy.mode is Mode.SHADOW else "reaches"
        runs = count_text(foresight.to_full, "candidate run")
        yield f"A candidate without harm {would} all traffic after about {runs}."


def _of_harm(policy: Policy, each: Foreseen) -> str:
    """Return how often a harmful candidate is missed, and how soon it is seen."""
    assert each.share is not None
    assert each.harm is not None
    known = _known(each.seen, _percent(each.share))
    change = f"from {_percent(each.share)} bad runs ({known}) to {_percent(each.harm)}, there from the first run on,"
    rise = f"{each.gate}: a {'doubling' if DOUBLED[0] < each.harm / each.share < DOUBLED[1] else 'rise'} {change}"
    missed = ""
    if each.to_clean is not None:
        would = "would reach" if policy.mode is Mode.SHADOW else "reaches"
        missed = f" {would} all traffic in at most {_percent(policy.alpha_promote)} of rollouts"
        missed += _measured(policy, each)
    seen = (
        "" if each.to_rollback is None else f" is a breach after about {count_text(each.to_rollback, 'candidate run')}"
    )
    return f"{rise}{' and'.join(part for part in (missed, seen) if part)}."


def _known(seen: Events | None, taken: str) -> str:
    """Return how a share is known; of few events what was counted, because it is taken for a little more."""
    if seen is None:
        return "assumed, since too few of its runs are stored"
    is_it = _percent(seen.events / seen.n) == taken
    return "as measured" if is_it else f"taken for the {seen.events:,} of {seen.n:,} that were counted"


def _measured(policy: Policy, each: Foreseen) -> str:
    assert each.share is not None
    if not (is_default(policy) and abs(each.share - MEASURED_SHARE) <= NEAR):
        return ""
    least, most = (f"{100 * share:.1f}" for share in MEASURED_MISSES)
    return f" (measured at 5 %: {least} % to {most} %)"


def is_default(policy: Policy) -> bool:
    """Say whether a policy is the one that was studied: the default for runs that carry a status and nothing else."""
    plain = declare({"mode": policy.mode.value}, ("error_rate",))
    return replace(plain, app=policy.app) == policy


def _of_none(policy: Policy, each: Foreseen) -> Iterator[str]:
    """Yield how soon a candidate without harm is clean and proven."""
    if each.to_clean is None:
        return
    clean = f"{each.gate}: without harm it is clean after about {count_text(each.to_clean, 'candidate run')}"
    if each.to_prove is None or each.margin is None:
        yield f"{clean}."
        return
    metric = next(gate.metric for gate in policy.gates if gate.id == each.gate)
    proof = f"proving that it is not worse {margin_words(each.margin, metric)}"
    takes = "takes" if policy.promote is Promote.PROVEN else "would take"
    yield f"{clean}; {proof} over all traffic {takes} about {each.to_prove:,}."


def _percent(share: float) -> str:
    return f"{float(f'{100 * share:.2g}'):g} %"
