# SPDX-License-Identifier: Apache-2.0
"""What an owner wants to try comes in; a rollout at its first step, with its first receipt, goes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from lockgate.core.app import App, Release, check_name
from lockgate.core.canonical import name_of
from lockgate.core.decision.decision import Action, Cause
from lockgate.core.declaration.policy_declaration import declare
from lockgate.core.evidence.window import lookback_of
from lockgate.core.instant import SECOND, Instant, instant_text
from lockgate.core.link import Link, check_links
from lockgate.core.policy.policy import Mode, Policy
from lockgate.core.receipt import Actor
from lockgate.core.release_digest import ReleaseDigest, check_digests
from lockgate.core.rollout import Declaration, Rollout, start
from lockgate.core.wording import listed
from lockgate.crash_point import reach
from lockgate.errors import NotPermittedError, TryAgainError, UsageError
from lockgate.operations.asking.default_gates import SLOW_END, default_gates, differences, digest_of, is_meant
from lockgate.operations.line.lookback import lookback, read_before
from lockgate.operations.line.opening import first_entry, opened, sized
from lockgate.operations.line.reading import planned
from lockgate.operations.line.unserved import check_served, unheard_words, warnings
from lockgate.operations.steering.acknowledge import awaiting
from lockgate.operations.steering.actuator import Program, put_actuator
from lockgate.operations.steering.champion import proven
from lockgate.operations.steering.intervention import act, requested
from lockgate.operations.steering.reigning import reigning
from lockgate.operations.vault.keeping import writing
from lockgate.operations.vault.record import record
from lockgate.ports.house import House
from lockgate.ports.store import Snapshot, Transaction

OWNER = Actor("person")


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What to try: a candidate of an app, against its champion by default, under a policy document.

    `since_s`: how far back runs that are already there count; None begins with the next bucket.
    `is_replacing`: whether another canary that is active is rolled back first.
    `actuator`: the program that moves the app's traffic from now on; None leaves it to whatever does.
    """

    app: str
    candidate: str
    baseline: str | None = None
    policy: Mapping[str, object]
    since_s: int | None = None
    is_replacing: bool = False
    links: tuple[Link, ...] = ()
    digests: tuple[ReleaseDigest, ...] = ()
    actuator: Program | None = None
    actor: Actor = OWNER


@dataclass(frozen=True, slots=True)
class Created:
    """The rollout, its effective policy, whether it was there already, and what its owner should know.

    `unmet`: what was asked of a rollout that was there already, and is not done.
    """

    rollout: Rollout
    policy: Policy
    is_existing: bool
    warnings: tuple[str, ...] = ()
    unmet: tuple[str, ...] = ()


def create(order: Order, house: House) -> Created:
    """Start a rollout; while an equal one is active, or its candidate has all traffic by one, return that one."""
    with writing(house) as work:
        now = house.clock.now()
        app = _app(work, order)
        app = app if order.baseline is not None else proven(work, house, app)
        order, policy = _checked(work, app, order)
        same = _equal(work, app, order)
        if same is not None:
            _set_actuator(work, house, app.name, order)
            unmet = _unmet(work, same, order, now)
            return Created(same, planned(work, same.policy_digest).policy, is_existing=True, unmet=unmet)
        _make_room(work, house, app, policy, order)
        said = (*_warnings(work, app, order, policy), *warnings(policy))
        app = _set_actuator(work, house, app.name, order) or app
        rollout = _start(work, house, order, policy, now)
        app = app if policy.mode is Mode.SHADOW else app.resting_on(rollout.baseline)
        work.put_app(sized(work, app, policy))
        for release in (rollout.baseline, rollout.candidate):
            work.put_release(Release(app=app.name, name=release, first_seen_at=now))
        trial = opened(work, rollout, policy, order.since_s, now)
        work.put_policy(policy)
        reach("create.opened")
        read = lookback(work, trial)
        chain = record(work, house, replace(first_entry(rollout, policy, trial, order.actor), lookback=read))
        work.save(replace(trial, chain=chain))
    return Created(rollout, policy, is_existing=False, warnings=(*said, *read_before(rollout, read)))


def rehearse(order: Order, house: House) -> Created:
    """Return what `create` would come to at this moment, or refuse as it would; nothing is kept."""
    with house.store.reading(house.org) as seen:
        now, app = house.clock.now(), _app(seen, order)
        order, policy = _checked(seen, app, order)
        same = _equal(seen, app, order)
        if same is not None:
            unmet = _unmet(seen, same, order, now)
            return Created(same, planned(seen, same.policy_digest).policy, is_existing=True, unmet=unmet)
        _check_room(seen, app, policy, order)
        said = (*_warnings(seen, app, order, policy), *warnings(policy))
        return Created(_start(seen, house, order, policy, now), policy, is_existing=False, warnings=said)


def _app(seen: Snapshot, order: Order) -> App:
    return seen.app(check_name("an app", order.app)) or App(name=order.app)


def _checked(seen: Snapshot, app: App, order: Order) -> tuple[Order, Policy]:
    """Return the order with the baseline that is meant, and the policy that it declares, or refuse it."""
    baseline, candidate = _baseline(seen, order, app), check_name("a release", order.candidate)
    if baseline == candidate:
        raise UsageError(f"baseline and candidate are both '{candidate}'", advice="Name the release on trial.")
    policy = declare(order.policy, default_gates(seen, app.name, baseline))
    if policy.app not in (None, app.name):
        raise UsageError(f"the policy is for {policy.app}, not {app.name}", advice="Name that app, or leave it out.")
    check_served(policy)
    links, digests = check_links(order.links), check_digests(order.digests)
    return replace(order, baseline=baseline, links=links, digests=digests), policy


def _baseline(seen: Snapshot, order: Order, app: App) -> str:
    if order.baseline is not None:
        return check_name("a release", order.baseline)
    if app.champion is None:
        raise UsageError(f"{app.name} has no champion yet", advice="Name the release that is trusted as the baseline.")
    # A job that runs again after its candidate took over means the trial that it had.
    made = reigning(seen, app) if order.candidate == app.champion else None
    return app.champion if made is None else made.baseline


def _equal(work: Snapshot, app: App, order: Order) -> Rollout | None:
    """Return the rollout of the same releases whose policy is the one that is meant, or was written the same.

    It is active, or it gave the champion its traffic: a job that runs again takes nothing from it.
    What is gated by default depends on the runs that are there, and so may be another while a rollout is active.
    """
    champion, releases = reigning(work, app), (order.baseline, order.candidate)
    for each in (*work.rollouts(app.name, active=True), champion):
        if (
            each is not None
            and (each.baseline, each.candidate) == releases
            and is_meant(each.policy_digest, each.declared, order.policy)
        ):
            return each
    return None


def _unmet(seen: Snapshot, same: Rollout, order: Order, now: Instant) -> tuple[str, ...]:
    """Return what an order asks for that a rollout which is there already does not do."""
    if same.is_terminal:
        return ()
    said = [f"{same.id} is on trial already, so nothing was replaced"] if order.is_replacing else []
    if order.since_s is None or (trial := seen.trial(same.id)) is None:
        return tuple(said)
    since, reads = now - order.since_s * SECOND, lookback_of(trial.spans)
    first = same.created_at if reads is None else reads.since
    if order.since_s * SECOND < same.created_at - first:
        said.append(f"{same.id} is on trial already, and goes on to read runs from {instant_text(first)} on")
    elif since < first and any(since <= slot.time < first for slot in seen.slots(same.app)):
        said.append(f"{same.id} is on trial already, and goes on to read no run from before {instant_text(first)}")
    return tuple(said)


def _check_room(work: Snapshot, app: App, policy: Policy, order: Order) -> Rollout | None:
    """Refuse a start where there is no room for it; return what would be rolled back to make some."""
    if app.frozen is not None:
        raise NotPermittedError(f"{app.name} is frozen: {app.frozen}", advice="Start again when it is unfrozen.")
    if policy.mode is Mode.SHADOW:
        return None
    if order.candidate == app.champion:
        raise NotPermittedError(
            f"{order.candidate} is the champion of {app.name}: a trial would take its traffic away",
            advice="Name another candidate, or try in shadow mode.",
        )
    other = next((each for each in work.rollouts(app.name, active=True) if each.mode is Mode.CANARY), None)
    if other is not None and other.candidate == order.candidate and not order.is_replacing:
        said = _unlike(work, other, order)
        raise TryAgainError(
            f"{other.id} is moving the traffic of {app.name} to {other.candidate} already, {said}",
            advice="Repeat the call as it was made, or roll that one back first (`--replace`, over HTTP `replace`).",
        )
    if other is not None and not order.is_replacing:
        raise TryAgainError(
            f"{other.id} is moving the traffic of {app.name} to {other.candidate}",
            advice="Wait for its end, roll it back first (`--replace`, over HTTP `replace`), or try in shadow mode.",
        )
    return other


def _unlike(seen: Snapshot, other: Rollout, order: Order) -> str:
    """Return in what a rollout that tries the same release is another one than is ordered."""
    if other.baseline != order.baseline:
        return f"against {other.baseline}"
    fields = differences(planned(seen, other.policy_digest).policy, order.policy)
    return f"under a policy with other {listed(fields)}"


def _make_room(work: Transaction, house: House, app: App, policy: Policy, order: Order) -> None:
    """Roll back what stands where a rollout is to begin."""
    other = _check_room(work, app, policy, order)
    if other is not None:
        actor = replace(order.actor, name=order.actor.name or "create", reason=f"replaced by {order.candidate}")
        act(work, other.id, requested(Action.ROLLBACK, actor, cause=Cause.REPLACED), actor, house)


def _set_actuator(work: Transaction, house: House, app: str, order: Order) -> App | None:
    """Let the ordered program move the app's traffic, if one is ordered, and return the app as it is then."""
    if order.actuator is None:
        return None
    actor = Actor(order.actor.kind, order.actor.name or "create", f"declared with the trial of {order.candidate}")
    return put_actuator(work, app, order.actuator, actor, house).standing.app


def _warnings(work: Snapshot, app: App, order: Order, policy: Policy) -> tuple[str, ...]:
    said, baseline = [*unheard_words(work, app.name, policy, is_moved=order.actuator is not None)], order.baseline
    if policy.mode is Mode.CANARY and app.champion not in (None, baseline):
        was = f"{app.champion} is the champion of {app.name}"
        said.append(f"{was}; its traffic goes to the baseline {baseline}, the champion from then on")
    seen = [release.name for release in work.releases(app.name)]
    if baseline not in seen:
        known = f"; releases seen: {', '.join(seen[:20])}" if seen else ""
        gated = f", and so {SLOW_END[0]} is no gate, because none is named" if order.policy.get("gates") is None else ""
        said.append(f"no run of the baseline {baseline} has been seen{gated}{known}")
    return tuple(said)


def _start(work: Snapshot, house: House, order: Order, policy: Policy, now: Instant) -> Rollout:
    earlier = [each for each in work.rollouts(order.app) if each.candidate == order.candidate]
    attempt = len(earlier) + 1
    assert order.baseline is not None
    name = name_of("rol", house.org, order.app, order.baseline, order.candidate, policy.digest(), attempt)
    declared = Declaration(id=name, app=order.app, baseline=order.baseline, candidate=order.candidate, attempt=attempt)
    read_back = awaiting(work, order.app, policy)
    started = replace(start(declared, policy, now), declared=digest_of(order.policy))
    return replace(started, org=house.org, revision=1, acknowledged=read_back, links=order.links, digests=order.digests)
