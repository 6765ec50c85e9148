# SPDX-License-Identifier: Apache-2.0
"""A snapshot of a store comes in; all that it holds, with receipts opened, goes out as one value for checks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lockgate.core.app import App, series_name
from lockgate.core.custody import custody_series
from lockgate.core.envelope import open_envelope
from lockgate.core.outbox import Message
from lockgate.core.spine import Slot
from lockgate.core.trial import Trial
from lockgate.core.vault import Receipt
from lockgate.ports.store import Snapshot


@dataclass(frozen=True, slots=True)
class Said:
    """A receipt with the predicate that it states."""

    receipt: Receipt
    predicate: Mapping[str, Any]

    @property
    def is_of_app(self) -> bool:
        """Say whether it is of what was done to an app, or to the store itself."""
        return not self.predicate["evidence"]

    @property
    def is_roll_up(self) -> bool:
        """Say whether nothing changed: it only binds what was looked at."""
        return not self.is_of_app and self.predicate["from"] == self.predicate["to"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """Everything that an organisation has stored; `log` is all receipts in the order of the log."""

    org: str
    apps: tuple[App, ...]
    trials: tuple[Trial, ...]
    series: Mapping[str, tuple[Said, ...]]
    messages: tuple[Message, ...]
    slots: Mapping[str, tuple[Slot, ...]]

    @property
    def log(self) -> tuple[Said, ...]:
        """Return all receipts in the order of the log."""
        every = (said for series in self.series.values() for said in series)
        return tuple(sorted(every, key=lambda said: said.receipt.index))


class Reader:
    """Reads stores, and opens each receipt once."""

    def __init__(self) -> None:
        self._opened: dict[bytes, Said] = {}

    def read(self, seen: Snapshot, org: str) -> Contents:
        """Return what an organisation has stored."""
        apps = seen.apps()
        trials = tuple(seen.trial(rollout.id) for rollout in seen.rollouts())
        found = tuple(trial for trial in trials if trial is not None)
        ids = (trial.rollout.id for trial in found)
        names = [*ids, *(series_name(org, app.name) for app in apps), custody_series(org)]
        return Contents(
            org=org,
            apps=apps,
            trials=found,
            series={name: tuple(map(self._open, seen.receipts(name))) for name in names},
            messages=seen.messages(),
            slots={app.name: seen.slots(app.name) for app in apps},
        )

    def _open(self, receipt: Receipt) -> Said:
        if receipt.envelope not in self._opened:
            statement = json.loads(open_envelope(receipt.envelope).payload)
            self._opened[receipt.envelope] = Said(receipt, statement["predicate"])
        return self._opened[receipt.envelope]
