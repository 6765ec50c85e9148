# SPDX-License-Identifier: Apache-2.0
"""Files of runs and two release names come in; one look at both releases, judged by gates, goes out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from lockgate.core.bucket import Bucket
from lockgate.core.comparison import Comparison, Stored
from lockgate.core.comparison_note import policy_notes, reading_notes
from lockgate.core.comparison_unknown import carried_text, carries, unknowns
from lockgate.core.declaration.gate_field import GATES
from lockgate.core.declaration.nearest import suggestion
from lockgate.core.declaration.policy_declaration import declare
from lockgate.core.evidence.sealed import Arms
from lockgate.core.evidence.totals import Cohorts
from lockgate.core.finding import Finding, Outcome
from lockgate.core.intake import WHOLE, Intake, Question, Slice
from lockgate.core.metric import SCORE_PREFIX, Kind, Metric, parse_metric
from lockgate.core.policy.gate import Gate
from lockgate.core.policy.policy import Policy
from lockgate.core.verdict.fixed import Levels, fixed_finding, judge_fixed
from lockgate.core.verdict.reason import change_sentence
from lockgate.core.wording import count_text, listed
from lockgate.errors import DataError, UsageError
from lockgate.ports.reading import Progress, RunFiles

DEFAULT_SHARE = "error_rate"
DEFAULT_QUANTILE = "latency_ms:p95"
SHOWN = (DEFAULT_SHARE, "latency_ms:p50", DEFAULT_QUANTILE, "latency_ms:p99", "cost", "pass_rate")
# More names than this are counted, not listed.
MAX_LISTED = 20
# A name that is longer is shown by its beginning.
MAX_NAME = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is asked: two releases, and the gates by policy or by metric; neither asks for the defaults.

    Only a policy whose every gate is an objective needs no baseline.
    """

    baseline: str | None
    candidate: str
    policy: Policy | None = None
    metrics: tuple[str, ...] = ()
    per_gate_level: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Where runs were read: in words, which stored buckets if any, and what should be known of them."""

    where: str = "in the files"
    stored: Stored | None = None
    notes: tuple[str, ...] = ()


def compare(request: Request, reader: RunFiles, paths: Sequence[str], progress: Progress | None = None) -> Comparison:
    """Return what one look at the runs in the files says of the candidate."""
    declared = declared_policy(request)
    intake = reader.read(paths, question_of(request, declared), progress or _silent)
    return judge(request, declared, intake, Provenance())


def declared_policy(request: Request) -> Policy | None:
    """Return the policy that is asked for, None for the defaults; refuse a request that cannot be meant."""
    _check(request)
    declared = request.policy or (_policy_of(request.metrics) if request.metrics else None)
    _check_baseline(request, declared)
    return declared


def judge(request: Request, declared: Policy | None, intake: Intake, provenance: Provenance) -> Comparison:
    """Return what one look at the runs that were read says of the candidate."""
    _check_releases(request, declared, intake, provenance.where)
    arms = _bucket(request.baseline, intake), _bucket(request.candidate, intake)
    policy = declared or _policy_of(_default_gates(arms))
    _check_names(policy, intake, arms)
    names = [name for name in (request.baseline, request.candidate) if name is not None]
    cohorts = _cohorts(request, intake)
    levels = Levels(policy.alpha, request.per_gate_level)
    verdict = judge_fixed(cohorts, policy.gates, levels)
    return Comparison(
        baseline=request.baseline,
        candidate=request.candidate,
        gates=verdict.findings,
        shown=_shown(policy, cohorts, levels),
        sizes={name: intake.bucket(name).runs for name in names},
        policy=policy,
        level=levels.shown,
        alpha=policy.alpha,
        per_gate_level=request.per_gate_level,
        verdict_levels={gate.id: levels.of(gate) for gate in policy.gates},
        buckets=arms,
        duplicates=intake.duplicates,
        releases=dict(sorted(intake.releases.items())),
        files=intake.files,
        stored=provenance.stored,
        notes=(*reading_notes(intake, policy.gates, names), *policy_notes(policy, verdict.findings), *provenance.notes),
    )


def _silent(_done: int, _of: int | None) -> None:
    """Take progress that nobody looks at."""


def _check(request: Request) -> None:
    for role, name in (("baseline", request.baseline), ("candidate", request.candidate)):
        if name is not None and not name.strip():
            raise UsageError(f"the {role} has no name", advice="Name the release as its runs do.")
    if request.baseline == request.candidate:
        raise UsageError(
            f"baseline and candidate are both '{request.candidate}'", advice="Name two releases; one is not compared."
        )
    if request.policy is not None and request.metrics:
        raise UsageError(
            "a policy and metrics both name gates", advice="Name the metrics in the policy, or leave it out."
        )
    if len(request.metrics) > GATES.most:
        raise UsageError(f"there are {len(request.metrics):,} metrics", advice=f"At most {GATES.most} are judged.")
    level = request.per_gate_level
    if level is not None and not 0.5 < level < 1.0:
        raise UsageError(
            f"a level of {level:g} cannot be meant", advice="Write a level between 0.5 and 1, such as 0.95."
        )


def _policy_of(metrics: Sequence[str]) -> Policy:
    names = dict.fromkeys(parse_metric(name).name for name in metrics)
    return declare({"gates": [{"metric": name} for name in names]})


def _needs_baseline(policy: Policy | None) -> bool:
    return policy is None or not all(gate.is_objective for gate in policy.gates)


def _check_baseline(request: Request, policy: Policy | None) -> None:
    if request.baseline is None and _needs_baseline(policy):
        raise UsageError(
            "no baseline is named",
            advice="Name it by `--baseline` or as `baseline`; only gates that all have `max` or `min` need none.",
        )


def _bucket(release: str | None, intake: Intake, part: Slice = WHOLE) -> Bucket:
    return Bucket() if release is None else intake.bucket(release, part)


def question_of(request: Request, policy: Policy | None) -> Question:
    """Return what is to be read: the tallies and pairs that the gates look at."""
    gates = () if policy is None else policy.gates
    return Question(
        baseline=request.candidate if request.baseline is None else request.baseline,
        candidate=request.candidate,
        slices=tuple(dict.fromkeys([WHOLE, *(gate.slice for gate in gates)])),
        paired_fields=tuple(dict.fromkeys(gate.metric.field for gate in gates if gate.metric.kind is Kind.PAIRED)),
    )


def _check_releases(request: Request, policy: Policy | None, intake: Intake, where: str) -> None:
    """Refuse a release without runs, and say which ones there are."""
    found = {name: runs for name, runs in intake.releases.items() if runs > 0}
    if not found:
        raise DataError(f"there are no runs {where}", advice="Each run is one line or row with a `release`.")
    wanted = [request.baseline, request.candidate] if _needs_baseline(policy) else [request.candidate]
    missing = [name for name in wanted if name not in found]
    if not missing:
        return
    names = " or ".join(f"'{name}'" for name in missing)
    nearest = "".join(f"For '{name}'{text[1:]} " for name in missing if (text := suggestion(name, found)))
    ranked = sorted(found.items(), key=lambda item: (-item[1], item[0]))
    listed = ", ".join(f"{name[:MAX_NAME]} ({count_text(runs, 'run')})" for name, runs in ranked[:MAX_LISTED])
    more = f" and {len(ranked) - MAX_LISTED} more" if len(ranked) > MAX_LISTED else ""
    raise DataError(f"no run of release {names}", advice=f"{nearest}Releases {where}: {listed}{more}.")


def _check_names(policy: Policy, intake: Intake, arms: tuple[Bucket, Bucket]) -> None:
    """Refuse what no run carries, because a slip in a name would otherwise never gate anything."""
    said = unknowns(intake, policy.gates, arms)
    if said:
        labels = f" Their labels: {listed(sorted(intake.labels)[:MAX_LISTED])}." if intake.labels else ""
        raise DataError("\n".join(said), advice=f"{carried_text(arms)}{labels}")


def _default_gates(arms: tuple[Bucket, Bucket]) -> list[str]:
    """Return what gates when nobody says: failures, and the slow end of latency, where either release has it."""
    gates = [
        name for name in (DEFAULT_SHARE, DEFAULT_QUANTILE) if any(carries(arm, parse_metric(name)) for arm in arms)
    ]
    if not gates:
        raise UsageError(
            "the runs carry neither status nor latency_ms, so no gate goes without saying",
            advice=f"{carried_text(arms)} Name what gates by `--metric`, or `metrics` of a call.",
        )
    return gates


def _cohorts(request: Request, intake: Intake) -> Cohorts:
    parts = {part for _, part in intake.buckets}
    arms = {
        part: Arms(_bucket(request.baseline, intake, part), intake.bucket(request.candidate, part)) for part in parts
    }
    return Cohorts(arms, intake.pairs)


def _shown(policy: Policy, cohorts: Cohorts, levels: Levels) -> tuple[Finding, ...]:
    """Return the metrics that the runs carry and no gate looks at, as they are."""
    arms = cohorts.arm()
    scores = sorted(name for name in {*arms.baseline.values, *arms.candidate.values} if name.startswith(SCORE_PREFIX))
    yes_no = {*arms.baseline.events, *arms.candidate.events}
    names = [*SHOWN, *(f"{name}:pass" if name in yes_no else name for name in scores)]
    gated = {gate.metric.name for gate in policy.gates if not gate.slice}
    metrics = [parse_metric(name) for name in names if name not in gated]
    both = (arms.baseline, arms.candidate)
    return tuple(
        _display(metric, cohorts, levels) for metric in metrics if any(carries(bucket, metric) for bucket in both)
    )


def _display(metric: Metric, cohorts: Cohorts, levels: Levels) -> Finding:
    gate = Gate(id=metric.name, metric=metric, share=0.0, min_runs=1)
    # What is only shown has no share of alpha to be judged at.
    finding = fixed_finding(gate, cohorts, replace(levels, per_gate=levels.shown))
    is_compared = finding.difference is not None
    reason = f"{change_sentence(finding, gate)}; shown only" if is_compared else f"{finding.reason}; shown only"
    return replace(finding, outcome=Outcome.NOT_APPLICABLE, reason=reason)
