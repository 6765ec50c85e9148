# SPDX-License-Identifier: Apache-2.0
"""Declared rules outside the statistics come in; Rules go out, their faults collected."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lockgate.core.declaration import rule_field as field
from lockgate.core.declaration.fault import Fault
from lockgate.core.declaration.reading import Field, Reading, Section
from lockgate.core.declaration.shape import shown
from lockgate.core.metric import parse_metric
from lockgate.core.policy.rule import Disagreement, Invariant, Limits, Rules, Sustained
from lockgate.errors import UsageError


def declare_rules(document: Mapping[object, object], faults: list[Fault]) -> Rules:
    """Return the rules that a declaration means."""
    invariants = _readings(document, field.INVARIANTS, field.INVARIANT_FIELDS, faults, short=field.EVENT.name)
    sustained = _readings(document, field.SUSTAINED, field.SUSTAINED_FIELDS, faults)
    disagreement = _readings(document, field.DISAGREEMENT, field.DISAGREEMENT_FIELDS, faults)
    rules = Rules(
        invariants=tuple(_invariant(reading) for reading in invariants),
        sustained=tuple(_sustained(reading) for reading in sustained),
        disagreement=tuple(_disagreement(reading) for reading in disagreement),
        limits=_limits(document.get(field.LIMITS), faults),
    )
    named = (
        (invariants, field.INVARIANT_ID, [rule.id for rule in rules.invariants]),
        (sustained, field.SUSTAINED_ID, [rule.id for rule in rules.sustained]),
        (disagreement, field.DISAGREEMENT_ID, [rule.id for rule in rules.disagreement]),
    )
    for readings, id_field, ids in named:
        _unique(readings, id_field, ids)
    return rules


def _readings(
    document: Mapping[object, object],
    section: Section,
    fields: tuple[Field[Any], ...],
    faults: list[Fault],
    short: str = "",
) -> list[Reading]:
    readings = []
    for path, item in section.items(document.get(section.name), section.name, faults):
        mapping = {short: item} if short and isinstance(item, str) else item
        if isinstance(mapping, Mapping):
            readings.append(Reading(mapping, path, fields, faults))
        else:
            names = ", ".join(each.name for each in fields)
            faults.append(Fault(path, f"{shown(item)} must be a mapping of {names}", is_structural=True))
    return readings


def _unique(readings: list[Reading], id_field: Field[Any], ids: list[str]) -> None:
    for index, reading in enumerate(readings):
        first = ids.index(ids[index])
        if first < index:
            reading.contradict(id_field, f"{shown(ids[index])} is {readings[first].path} already; give another id")


def _invariant(reading: Reading) -> Invariant:
    event = reading.value(field.EVENT)
    return Invariant(
        id=reading.value(field.INVARIANT_ID) or event or reading.path, event=event, max=reading.value(field.EVENT_MAX)
    )


def _sustained(reading: Reading) -> Sustained:
    name, (budget, in_percent) = reading.value(field.METRIC), reading.value(field.BUDGET)
    need, of = reading.value(field.NEED), reading.value(field.OF)
    if not reading.is_refused(field.METRIC):
        try:
            metric = parse_metric(name)
        except UsageError as error:
            reading.refuse(field.METRIC, f"{error.message}. {error.advice}")
        else:
            name = metric.name
            if in_percent and not metric.is_share:
                reading.contradict(field.BUDGET, f"only a share is stated in percent; write {name} in its own unit")
    if need > of:
        reading.contradict(field.NEED, f"{need} must not be above {of}, the windows that `of` counts", field.OF)
    return Sustained(
        id=reading.value(field.SUSTAINED_ID) or name or reading.path,
        metric=name,
        budget=budget,
        window_s=reading.value(field.WINDOW),
        need=need,
        of=of,
        max_reductions=reading.value(field.MAX_REDUCTIONS),
        cool_down_s=reading.value(field.COOL_DOWN),
    )


def _disagreement(reading: Reading) -> Disagreement:
    return Disagreement(
        id=reading.value(field.DISAGREEMENT_ID),
        max_excess=reading.value(field.MAX_EXCESS),
        min_pairs=reading.value(field.MIN_PAIRS),
    )


def _limits(value: object, faults: list[Fault]) -> Limits:
    if value is None:
        return Limits()
    if not isinstance(value, Mapping):
        message = f"{shown(value)} must be a mapping such as {{spend: 200 EUR, time: 7d}}"
        faults.append(Fault(field.LIMITS, message, is_structural=True))
        return Limits()
    reading = Reading(value, field.LIMITS, field.LIMIT_FIELDS, faults)
    spend, currency = reading.value(field.SPEND) or (None, None)
    return Limits(
        spend=spend,
        currency=currency,
        time_s=reading.value(field.TIME),
        units=reading.value(field.UNITS),
        runs=reading.value(field.RUNS),
        on_limit=reading.value(field.ON_LIMIT),
    )
