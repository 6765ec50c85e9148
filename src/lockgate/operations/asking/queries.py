# SPDX-License-Identifier: Apache-2.0
"""The id of a rollout comes in; where it stands, why, and what would change it go out, and nothing is written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from lockgate.core.app import App
from lockgate.core.decision.chain import decide
from lockgate.core.decision.decision import Call, Decision
from lockgate.core.decision.holds import holds
from lockgate.core.finding import Finding
from lockgate.core.instant import Instant
from lockgate.core.metric import Kind
from lockgate.core.overdue import overdue
from lockgate.core.policy.policy import Mode, Policy
from lockgate.core.rollout import Rollout
from lockgate.core.surroundings import Surroundings, situation
from lockgate.core.trial import Trial
from lockgate.core.vault import Receipt
from lockgate.core.verdict.judge import judge
from lockgate.core.verdict.needed import round_up
from lockgate.core.verdict.sequential import Shown, displayed
from lockgate.core.verdict.verdict import Verdict
from lockgate.errors import DataError
from lockgate.operations.line.pace import runs_per_hour
from lockgate.operations.line.reading import RECEIPT, kept_receipt, load, planned, read_all, receipts_in
from lockgate.operations.line.settling import settling_runs
from lockgate.operations.line.untold import why_untold
from lockgate.ports.house import House


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What a tick at this moment would decide, with all that speaks in it.

    `seals_at`: when the next bucket seals, None while none is open. `overdue`: why somebody should have looked
    before, None where nobody should. `runs_per_hour`: of the candidate at this step. `holds`: everything that keeps it
    where it is. `left_out`: how many runs of each release did not count because their ids were known, if any.
    `settling_runs`: how many of the candidate at this step are never compared, because traffic was settling.
    """

    trial: Trial
    policy: Policy
    verdict: Verdict
    decision: Decision
    seals_at: Instant | None
    overdue: str | None
    runs_per_hour: float | None
    holds: tuple[Call, ...] = ()
    left_out: Mapping[str, int] = field(default_factory=dict)
    settling_runs: int = 0

    @property
    def rollout(self) -> Rollout:
        """Return the rollout."""
        return self.trial.rollout

    @property
    def fresh_runs(self) -> int:
        """Return the candidate runs that count at this step."""
        return self.trial.fresh_runs

    def seconds_for(self, runs: int) -> int | None:
        """Return how long so many candidate runs take at this rate; None where nobody can say."""
        return round(runs / self.runs_per_hour * 3_600) if self.runs_per_hour else None

    def runs_left(self, finding: Finding) -> int | None:
        """Return how many candidate runs a gate would still take, also those that it does not read; None if unknown."""
        evidence, state = finding.evidence, self.trial.progress.state
        if evidence is None or evidence.projected_runs is None:
            return None
        if evidence.projected_runs == 0:
            return 0
        judged = evidence.judged_runs or finding.candidate.n
        is_paired = finding.metric.kind is Kind.PAIRED
        read = state.candidate_runs if is_paired else state.fresh_at(self.rollout.step)
        if judged == 0 or read == 0:
            return None
        return round_up(evidence.projected_runs * max(1.0, read / judged))

    def seconds_left(self, finding: Finding) -> int | None:
        """Return how long a gate would still take at this rate; None where nobody can say."""
        runs = self.runs_left(finding)
        return None if runs is None else self.seconds_for(runs)


def list_rollouts(house: House, app: str | None = None, *, active: bool = False) -> tuple[Rollout, ...]:
    """Return rollouts, the oldest first."""
    with house.store.reading(house.org) as seen:
        return seen.rollouts(app, active=active)


def find_rollout(rollout_id: str, house: House) -> Rollout:
    """Return a rollout as it stands."""
    with house.store.reading(house.org) as seen:
        return load(seen, rollout_id)[0].rollout


def app_of(name: str, house: House) -> str:
    """Return the app of a rollout, or of the rollout that a receipt is of, by the id of either."""
    with house.store.reading(house.org) as seen:
        rollout_id = kept_receipt(seen, name).rollout_id if name.startswith(RECEIPT) else name
        return load(seen, rollout_id)[0].rollout.app


def find_way_back(rollout: Rollout, house: House) -> str | None:
    """Return which release gets the traffic when a rollout is rolled back; None where none moves."""
    if rollout.mode is Mode.SHADOW:
        return None
    with house.store.reading(house.org) as seen:
        app = seen.app(rollout.app)
    former = None if app is None else app.former_champion
    return former if rollout.is_terminal else rollout.baseline


def overdue_rollouts(house: House, rollouts: Iterable[Rollout]) -> dict[str, str]:
    """Return why rollouts are overdue, by the ids of those that are; one whose policy cannot be read is."""
    now = house.clock.now()
    found: dict[str, str] = {}
    with house.store.reading(house.org) as seen:
        ticks = seen.last_ticks()
        for rollout in rollouts:
            if rollout.id not in ticks:
                continue
            try:
                policy = planned(seen, rollout.policy_digest).policy
                reason = overdue(rollout, policy, ticks[rollout.id], now)
            except DataError as error:
                reason = error.message
            if reason is not None:
                found[rollout.id] = reason
    return found


def receipts_of(rollout_id: str, house: House) -> tuple[Receipt, ...]:
    """Return the receipts of a rollout, or of an app's own series, in their order; by a receipt's id that one."""
    with house.store.reading(house.org) as seen:
        if rollout_id.startswith(RECEIPT):
            return (kept_receipt(seen, rollout_id),)
        return receipts_in(seen, rollout_id)


def explain(rollout_id: str, house: House) -> Explanation:
    """Return what the sealed buckets say of a rollout at this moment."""
    now = house.clock.now()
    with house.store.reading(house.org) as seen:
        trial, policy = load(seen, rollout_id)
        app = seen.app(trial.rollout.app) or App(name=trial.rollout.app)
        judged = planned(seen, trial.rollout.policy_digest)
        if not trial.rollout.is_terminal:
            trial = read_all(seen, trial, judged, now)
        still_open = seen.open_slots(app.name)
        pace = runs_per_hour(seen, trial, policy)
        unsettled = settling_runs(seen, trial, now)
        untold = why_untold(seen, trial.rollout, now)
        left_out = {name: seen.left_out(app.name, name) for name in (trial.rollout.baseline, trial.rollout.candidate)}
    rollout, progress = trial.rollout, trial.progress
    verdict = judge(progress.state, progress.totals, judged, rollout.step)
    around = situation(rollout, progress, policy, Surroundings(now=now, freeze=app.frozen, untold=untold))
    decision = decide(rollout, policy, verdict, around)
    return Explanation(
        trial=trial,
        policy=policy,
        verdict=displayed(verdict, Shown(progress.totals.at_step, progress.totals), judged),
        decision=decision,
        seals_at=next((slot.seals_at for slot in still_open if not slot.is_over(now)), None),
        overdue=overdue(rollout, policy, trial.ticked_at, now),
        runs_per_hour=pace,
        left_out={name: runs for name, runs in left_out.items() if runs},
        settling_runs=unsettled,
        holds=() if rollout.is_terminal else tuple(holds(rollout, policy, verdict, around)),
    )
