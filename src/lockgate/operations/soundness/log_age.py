# SPDX-License-Identifier: Apache-2.0
"""A house that is about to serve comes in; a store that is older than what others remember of its logs is refused."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from lockgate.core.witness_policy import Witness
from lockgate.operations.vault.high_water import Depth, refuse_older
from lockgate.operations.witness.cosign_outcome import CosignOutcome
from lockgate.operations.witness.witnessing import refuse_contradicted
from lockgate.ports.house import House
from lockgate.ports.witness import WitnessAnswer, Witnesses

# All witnesses are asked at once, so that a start is kept waiting for no longer.
ASK_S = 3.0


@dataclass(slots=True)
class _Answering:
    """Witnesses without those that have not answered, who are not asked for each organisation anew."""

    all: Witnesses
    silent: set[str] = field(default_factory=set)

    def witnesses(self) -> tuple[Witness, ...]:
        """Return who is left."""
        return tuple(each for each in self.all.witnesses() if each.name not in self.silent)

    def ask(self, witness: Witness, body: bytes, seconds: float) -> WitnessAnswer:
        """Ask one."""
        return self.all.ask(witness, body, seconds)


def refuse_older_logs(house: House, witnesses: Witnesses) -> tuple[str, ...]:
    """Refuse where a mark, or a witness, knows more of a log than the store; return in words who did not answer."""
    said, answering = list[str](), _Answering(witnesses)
    for org in sorted({house.org, *house.store.orgs()}):
        each = replace(house, org=org)
        refuse_older(each, depth=Depth.WHOLE)
        for asked in refuse_contradicted(each, answering, ASK_S):
            if asked.outcome is CosignOutcome.UNREACHABLE:
                answering.silent.add(asked.witness.name)
            said += [asked.said] if asked.said else []
    return tuple(said)
