# SPDX-License-Identifier: Apache-2.0
"""A store comes in; what an import has to know of it beforehand goes out, also as a document for one of elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from lockgate.core.canonical import Json
from lockgate.core.dedupe import Dedupe
from lockgate.core.instant import Instant
from lockgate.operations.intake.counted_again import There, what_is_there
from lockgate.ports.house import House


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The time of the store, how wide the buckets of each app are, and what is there of it."""

    now: Instant
    widths: Mapping[str, int]
    there: Mapping[str, There]

    def document(self) -> dict[str, Json]:
        """Return the JSON form."""
        return {
            "now": self.now,
            "apps": {
                name: {
                    "bucket_s": self.widths[name],
                    "strict": each.dedupe.is_strict,
                    "window_s": each.dedupe.window_s,
                    "releases": sorted(each.releases),
                }
                for name, each in self.there.items()
            },
        }


def plan_import(house: House, covers: Callable[[str], bool] = lambda _: True) -> Plan:
    """Return what is there before an import, of the apps that the caller may see."""
    with house.store.reading(house.org) as seen:
        widths = {app.name: app.bucket_s for app in seen.apps() if covers(app.name)}
    there = {name: each for name, each in what_is_there(house).items() if name in widths}
    return Plan(now=house.clock.now(), widths=widths, there=there)


def read_plan(document: Mapping[str, object]) -> Plan:
    """Return the plan that a document is."""
    now, apps = document["now"], document["apps"]
    if not isinstance(now, int) or not isinstance(apps, dict):
        raise TypeError("no plan of an import")
    there = {
        name: There(Dedupe(is_strict=each["strict"], window_s=each["window_s"]), frozenset(each["releases"]))
        for name, each in apps.items()
    }
    return Plan(now=now, widths={name: each["bucket_s"] for name, each in apps.items()}, there=there)
