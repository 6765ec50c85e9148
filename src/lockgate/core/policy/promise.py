# SPDX-License-Identifier: Apache-2.0
"""A policy comes in; what it promises, and what it does not, goes out in sentences."""

from __future__ import annotations

from lockgate.core.metric import Kind, Worse
from lockgate.core.policy.decimal_text import number_text
from lockgate.core.policy.gate import Gate, Margin
from lockgate.core.policy.margin_text import margin_words
from lockgate.core.policy.policy import Inference, Mode, Policy, Promote
from lockgate.core.policy.rule import Limits

UNJUDGED = (
    "No gate ever speaks: no baseline runs beside the candidate at any step, so nothing is compared, nobody is rolled "
    "back for being worse, and no error rate is promised."
)


def promises(policy: Policy) -> tuple[str, ...]:
    """Return the sentences that an owner should have read before relying on a policy."""
    sentences = [_mode(policy)]
    if policy.is_judged:
        sentences += [_rollback(policy), _promotion(policy)]
        sentences += [_gate(policy, gate) for gate in policy.gates]
        sentences += _clipped(policy)
        sentences += _uncompared(policy)
    else:
        sentences.append(UNJUDGED)
    rules = policy.rules
    if rules.invariants or rules.sustained or rules.disagreement or rules.limits != Limits():
        sentences.append(
            "Invariants, sustained budgets, disagreement and limits act by themselves, outside that error rate."
        )
    return tuple(sentences)


def _mode(policy: Policy) -> str:
    if policy.mode is Mode.SHADOW:
        return "Shadow: every verdict is signed and nothing is changed; `mode: canary` acts."
    return "Canary: decisions move traffic."


def _rollback(policy: Policy) -> str:
    alpha = _percent(policy.alpha)
    held = f"a candidate that keeps within every tolerance is called worse with probability at most {alpha}"
    if policy.inference is Inference.FIXED:
        return f"At one look {held}; over repeated looks nothing is promised."
    return f"During the whole rollout, however often it looks, {held}, all gates together."


def _promotion(policy: Policy) -> str:
    rung = "margin, over all traffic," if policy.promote is Promote.PROVEN else "detect"
    looks = " at one look; over repeated looks nothing is promised" if policy.inference is Inference.FIXED else ""
    return (
        f"A candidate that is worse than a gate's {rung} from its first runs on leaves a step "
        f"with probability at most {_percent(policy.alpha_promote)}{looks}; "
        "harm that begins later is looked for at every step, but may be promoted before enough of its runs are there."
    )


def _gate(policy: Policy, gate: Gate) -> str:
    breach = f"{gate.id}: {_worse(gate, gate.tolerance)} is a breach ({gate.breach})"
    if policy.promote is Promote.PROVEN and gate.margin is not None:
        return f"{breach}; proven once {_worse(gate, gate.margin)} is excluded."
    if gate.detect is None:
        return f"{breach}; clean after {gate.min_runs:,} runs without a breach, which promises nothing (detect: none)."
    return f"{breach}; clean once {_worse(gate, gate.detect)} is excluded."


def _worse(gate: Gate, margin: Margin) -> str:
    words = margin_words(margin, gate.metric)
    if gate.limit is None:
        return f"worse {words}"
    side = "maximum" if gate.metric.worse is Worse.HIGHER else "minimum"
    limit = f"worse than its {side} of {'-' if gate.limit < 0 else ''}{number_text(abs(gate.limit))}"
    return limit if margin.is_zero else f"{limit} {words}"


def _clipped(policy: Policy) -> list[str]:
    """Return what is judged of means, where that is less than all of their values, or promises less."""
    means = [gate for gate in policy.gates if gate.metric.kind is Kind.MEAN]
    if policy.inference is Inference.FIXED:
        lost = "at one look two arms of a few dozen runs may both have missed a rare tail"
        said = f"{lost}; clean is then wrong more often than that."
    else:
        means = [gate for gate in means if gate.extent is None]
        judged = "a mean of values clipped to the range that the baseline shows and the margins need"
        said = f"{judged}; a rare tail beyond it counts as its end."
    return [f"{', '.join(gate.id for gate in means)}: {said}"] if means else []


def _uncompared(policy: Policy) -> list[str]:
    last = len(policy.steps) - 1
    silent = [
        step.label()
        for index, step in enumerate(policy.steps)
        if not step.has_concurrent_baseline and not (index == last and step.ends_on_arrival)
    ]
    if not silent:
        return []
    return [
        f"Without a holdback no baseline runs beside the candidate at {', '.join(silent)}: nothing is compared there."
    ]


def _percent(value: float) -> str:
    return f"{number_text(value, hundredths=True)} %"
