# SPDX-License-Identifier: Apache-2.0
"""What to try comes in; a rollout's id, and what its policy promises, go out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from lockgate.cli.asked.desk import Desk
from lockgate.cli.said import Said
from lockgate.cli.typed import anew, typed
from lockgate.core.foresight import NOTHING_FORESEEN, Foresight
from lockgate.core.rollout import Rollout
from lockgate.errors import NotPermittedError
from lockgate.operations.asking.earlier import earlier
from lockgate.operations.asking.foresee import foresee
from lockgate.operations.create import Created, Order, create, rehearse
from lockgate.operations.steering.actuator import Program
from lockgate.ports.house import House
from lockgate.report.created import created_document, render_created, unread
from lockgate.report.signed import FIRST, with_signed

Told = TypeVar("Told")


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What was called: what is to be tried, which program moves its traffic, and the call as it was typed."""

    app_id: str
    candidate: str
    baseline: str | None = None
    policy: dict[str, object]
    since_s: int | None = None
    is_replacing: bool = False
    links: list[tuple[str, str]]
    digests: list[tuple[str, str]] = field(default_factory=list)
    program: dict[str, object] | None = None
    is_rehearsal: bool = False
    quiet: bool = False
    as_json: bool = False
    typed: dict[str, object]


def answer(words: Words, desk: Desk) -> Said:
    """Put a candidate on trial against a baseline, under a policy that is then frozen."""
    order = _order(words, desk)
    if words.is_rehearsal:
        house = desk.place.rehearsal_house()
        _say(words, order, rehearse(order, house), house, desk)
        return desk.said()
    house = desk.place.new_house()
    created = create(order, house)
    untold = desk.place.deliver(house, created.rollout.app)
    _say(words, order, created, house, desk)
    desk.tell(*untold)
    return desk.said()


def _order(words: Words, desk: Desk) -> Order:
    if words.program is not None and not desk.place.is_local:
        raise NotPermittedError("no call names a program", advice="Call `lockgate actuator set` on the server.")
    return Order(
        app=words.app_id,
        candidate=words.candidate,
        baseline=words.baseline,
        policy=words.policy,
        since_s=words.since_s,
        is_replacing=words.is_replacing,
        links=tuple(words.links),
        digests=tuple(words.digests),
        actuator=None if words.program is None else _program(words.program),
        actor=desk.place.actor(),
    )


def _program(named: Mapping[str, object]) -> Program:
    argv, timeout_s = named["argv"], named["timeout_s"]
    assert isinstance(argv, list)
    assert isinstance(timeout_s, float)
    return Program(
        argv=tuple(argv),
        folder=str(named["folder"]),
        timeout_s=timeout_s,
        is_acknowledging=bool(named["is_acknowledging"]),
    )


def _say(words: Words, order: Order, created: Created, house: House, desk: Desk) -> None:
    rollout = created.rollout
    if words.quiet:
        desk.say(f"{rollout.id}\n")
    elif words.as_json:
        document = _beside(
            desk, "what is promised", lambda: created_document(created, _foresight(created, house, desk))
        )
        told = {**(document or {"id": rollout.id}), "dry_run": words.is_rehearsal}
        seq = None if words.is_rehearsal or created.is_existing else FIRST
        desk.emit_json(_beside(desk, "what was signed", lambda: with_signed(told, rollout.id, seq, house)) or told)
    else:
        foresight = _foresight(created, house, desk)
        said = _beside(
            desk,
            "what is promised",
            lambda: render_created(created, foresight, desk.screen, is_rehearsal=words.is_rehearsal),
        )
        desk.say(said or f"{rollout.id}\n")
    desk.tell(*(f"warning: {sentence}" for sentence in created.warnings))
    _tell_of_unmet(words, created, desk)
    if order.since_s is None and not created.is_existing:
        _beside(desk, "which runs are there already", lambda: _tell_of_earlier(words, rollout, house, desk))


def _foresight(created: Created, house: House, desk: Desk) -> Foresight:
    found = _beside(desk, "what answers take", lambda: foresee(created.rollout, created.policy, house))
    return found or NOTHING_FORESEEN


def _beside(desk: Desk, what: str, say: Callable[[], Told]) -> Told | None:
    """Return what is told beside an answer, or warn that it is not known."""
    try:
        return say()
    except Exception as error:  # noqa: BLE001 -- the rollout is on trial by then, whatever fails here
        desk.tell(f"warning: {what} cannot be said: {error!r}; nothing decides by it")
    return None


def _tell_of_unmet(words: Words, created: Created, desk: Desk) -> None:
    """Say what was asked of a rollout that was there already and is not done, and how to begin anew."""
    desk.tell(*(f"note: {sentence}" for sentence in created.unmet))
    if created.unmet:
        desk.tell(f"To begin anew: {anew(created.rollout, words.typed, {})}")


def _tell_of_earlier(words: Words, rollout: Rollout, house: House, desk: Desk) -> None:
    """Say that runs are there which the rollout does not read, and by which commands one would."""
    found = earlier(rollout.app, (rollout.baseline, rollout.candidate), house)
    if found is not None:
        said, since = unread(found, rollout.created_at)
        command = typed(words.typed, since) if words.is_rehearsal else anew(rollout, words.typed, since)
        desk.tell(f"note: {said}; to read them: {command}")
