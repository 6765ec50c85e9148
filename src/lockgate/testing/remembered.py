# SPDX-License-Identifier: Apache-2.0
"""What a store held at one moment and later come in; what must not have changed in between, and did, goes out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from lockgate.testing.contents import Contents


@dataclass(slots=True)
class Remembered:
    """Sealed buckets, receipts and ends of rollouts, as they were when they were last looked at."""

    sealed: dict[tuple[str, int], str | None] = field(default_factory=dict)
    written: dict[int, bytes] = field(default_factory=dict)
    revisions: dict[str, int] = field(default_factory=dict)
    told: dict[str, bytes] = field(default_factory=dict)

    def changed(self, contents: Contents) -> Iterator[str]:
        """Yield what is other than it was, or gone, and remember what is there now."""
        sealed = {
            (app, slot.number): slot.digest for app, slots in contents.slots.items() for slot in slots if slot.is_sealed
        }
        pruned = {app.name: app.kept_from for app in contents.apps}
        for (app, number), digest in self.sealed.items():
            if number >= pruned[app] and sealed.get((app, number)) != digest:
                yield f"seal: bucket {number} of {app} was sealed as {digest} and is {sealed.get((app, number))}"
        written = {said.receipt.index: said.receipt.envelope for said in contents.log}
        for index, envelope in self.written.items():
            if written.get(index) != envelope:
                yield f"I6: the receipt at {index} of the log is another than it was"
        revisions = {trial.rollout.id: trial.rollout.revision for trial in contents.trials}
        for name, revision in self.revisions.items():
            if revisions.get(name, -1) < revision:
                yield f"I5: {name} was at revision {revision} and is at {revisions.get(name)}"
        told = {message.id: message.body for message in contents.messages}
        for name, body in self.told.items():
            if told.get(name) != body:
                yield f"I8: the bytes of {name} are others than they were"
        self.sealed, self.written, self.revisions, self.told = sealed, written, revisions, told
