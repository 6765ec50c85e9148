# SPDX-License-Identifier: Apache-2.0
"""A case comes in; what it folds to, is judged, decided and drafted to, by the functions of a tick, goes out.

Whoever reads buckets in portions folds each by `fold_on`, and then remakes the decision once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from lockgate.core.decision.chain import decide
from lockgate.core.decision.decision import Action, Decision
from lockgate.core.decision.intervention import Outlook, Request, Seen, intervene
from lockgate.core.evidence.plan import Plan
from lockgate.core.evidence.progress import Progress, advance
from lockgate.core.evidence.sealed import SealedBucket
from lockgate.core.evidence.state import clear_ratio_alarm
from lockgate.core.notice import noticed
from lockgate.core.receipt import Bindings, draft
from lockgate.core.refusal import Reason, VerifyError
from lockgate.core.replay.case import Act, Case, Circumstances, Looks
from lockgate.core.rollout import Status
from lockgate.core.situation import WayBack
from lockgate.core.surroundings import situation
from lockgate.core.transition import Transition, apply, begun
from lockgate.core.trial import Chain, looked
from lockgate.core.verdict.judge import judge
from lockgate.core.verdict.sequential import ratio_alarm
from lockgate.core.verdict.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Folded:
    """What had been read at one receipt with what was read since, and the digests of the buckets since."""

    progress: Progress
    digests: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Remade:
    """A decision that was made again: its receipt's payload, how the rollout moved, and what it has read.

    `state` is the digest of the latter; `contents` are what the receipt names and does not hold.
    """

    payload: bytes
    state: str
    verdict: Verdict
    transition: Transition
    progress: Progress
    contents: tuple[bytes, ...]


def replay(case: Case) -> bytes:
    """Return the payload that the receipt of a case must hold."""
    return remade(case).payload


def remade(case: Case) -> Remade:
    """Return the decision of a case, made again; refuse a case of which the engine can make none."""
    try:
        _refuse_contradictions(case.circumstances)
        folded = fold_on(Folded(case.before), case.buckets, case.circumstances.plan)
        return decided(case.circumstances, case.before.digest(), folded)
    except VerifyError:
        raise
    except Exception as error:
        # What a stranger's case claims may be out of every range.
        raise VerifyError(
            Reason.CASE_UNDECIDED, f"of what the case claims the engine makes no decision: {error}"
        ) from error


def _refuse_contradictions(circumstances: Circumstances) -> None:
    """Refuse circumstances that say different things, because a receipt binds one of them only."""
    rollout, looks = circumstances.rollout, circumstances.looks
    if circumstances.policy.digest() != rollout.policy_digest:
        raise VerifyError(Reason.CASE_UNDECIDED, "the case's policy is not the one that its rollout names")
    if looks.rows is not None and (len(looks.rows), _chain(looks).looks_digest) != (looks.count, looks.digest):
        raise VerifyError(Reason.CASE_UNDECIDED, "the case's looks are others than it counts and digests")
    if circumstances.act is not None and circumstances.act.target is not None and rollout.status is not Status.PROMOTED:
        raise VerifyError(Reason.CASE_UNDECIDED, "the case gives back traffic that was never given")


def fold_on(folded: Folded, buckets: Iterable[SealedBucket], plan: Plan) -> Folded:
    """Return what was read with further buckets in it."""
    progress, digests = folded.progress, list(folded.digests)
    for sealed in buckets:
        progress = advance(progress, sealed, plan)
        digests.append(sealed.digest())
    return Folded(progress, tuple(digests))


def decided(circumstances: Circumstances, before: str, folded: Folded) -> Remade:
    """Return the decision made again on what was read; `before` is the digest of what had been before."""
    verdict = _verdict(circumstances, folded.progress)
    transition = _transition(circumstances, verdict, folded.progress)
    progress = with_cleared(folded.progress, transition.decision)
    chain, state = _chain(circumstances.looks), progress.digest()
    bindings = Bindings(
        seq=circumstances.seq,
        previous=circumstances.previous,
        state_before=before,
        state_after=state,
        buckets=folded.digests,
        lookback=circumstances.lookback,
        looks=chain.looks,
        looks_digest=chain.looks_digest,
        engine=circumstances.engine,
    )
    drafted = draft(transition, verdict, circumstances.policy, bindings, circumstances.actor)
    return Remade(drafted.payload, state, verdict, transition, progress, drafted.contents)


def with_cleared(progress: Progress, decision: Decision) -> Progress:
    """Return what was read as it stands after a decision, which may have cleared an alarm."""
    if decision.action is not Action.CLEAR:
        return progress
    return replace(progress, state=clear_ratio_alarm(progress.state))


def _verdict(circumstances: Circumstances, progress: Progress) -> Verdict:
    if circumstances.seq == 1:
        return Verdict((), circumstances.policy.inference)
    return judge(progress.state, progress.totals, circumstances.plan, circumstances.rollout.step)


def _transition(circumstances: Circumstances, verdict: Verdict, progress: Progress) -> Transition:
    rollout, policy = circumstances.rollout, circumstances.policy
    if circumstances.seq == 1:
        return begun(rollout, policy)
    if circumstances.act is not None:
        return apply(rollout, _asked(circumstances, circumstances.act, verdict, progress), circumstances.around.now)
    decision = decide(rollout, policy, verdict, situation(rollout, progress, policy, circumstances.around))
    return noticed(apply(rollout, decision, circumstances.around.now), policy)


def _asked(circumstances: Circumstances, act: Act, verdict: Verdict, progress: Progress) -> Decision:
    """Return what an operator's request decides, who saw the rollout as it stood."""
    rollout, policy = circumstances.rollout, circumstances.policy
    around = situation(rollout, progress, policy, circumstances.around)
    if act.target is not None:
        around = replace(around, ways_back=(WayBack(act.target, act.release),))
    outlook = Outlook(
        verdict=verdict,
        situation=around,
        may_return=rollout.status is Status.PROMOTED,
        ratio_alarm=ratio_alarm(progress.state),
    )
    seen = Seen(rollout.step, rollout.revision)
    request = Request(action=act.action, reason=act.reason, cause=act.cause, seen=seen)
    decision = intervene(rollout, policy, request, outlook)
    if decision is None:
        raise VerifyError(Reason.CASE_UNDECIDED, f"nothing of the rollout changes by what was asked: {act.action}")
    return decision


def _chain(looks: Looks) -> Chain:
    """Return how the next receipt binds the looks since the one before."""
    if looks.rows is None:
        return Chain(state="", looks=looks.count, looks_digest=looks.digest)
    chain = Chain(state="")
    for look in looks.rows:
        chain = looked(chain, look)
    return chain
