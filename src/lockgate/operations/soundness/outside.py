# SPDX-License-Identifier: Apache-2.0
"""A house comes in; whether others remember more of its log than the store has goes out as flaws, and who was silent.

Marks outside of the store and witnesses are asked. A store that is sound in itself may still be an older copy.
"""

from __future__ import annotations

from lockgate.core.soundness.flaw import Flaw, Rule
from lockgate.errors import LockgateError, OlderStoreError
from lockgate.operations.soundness.log import LOG
from lockgate.operations.vault.high_water import Depth, refuse_older
from lockgate.operations.witness.cosign_outcome import CosignOutcome
from lockgate.operations.witness.witnessing import look
from lockgate.ports.house import House
from lockgate.ports.witness import Witnesses

ASK_S = 5.0
UNCOMPARED = "what others remember of the log is compared when what is flawed of the store itself is mended"


def outside_flaws(
    house: House, witnesses: Witnesses | None, *, has_nodes: bool = True
) -> tuple[tuple[Flaw, ...], tuple[str, ...]]:
    """Return what contradicts the store from outside, and in words who could not be asked; None asks no witness.

    Without nodes of the log that are right, only its size is compared with marks: what else differs may be the nodes.
    """
    flaws, silent = [], []
    try:
        refuse_older(house, depth=Depth.WHOLE if has_nodes else Depth.SIZE)
    except OlderStoreError as error:
        flaws.append(Flaw(Rule.AGE, LOG, error.message, index=error.index))
    except LockgateError as error:
        silent.append(error.message)
    if not has_nodes:
        silent.append(UNCOMPARED)
        return tuple(flaws), tuple(silent)
    for asked in () if witnesses is None else look(house, witnesses, ASK_S):
        if asked.outcome.is_contradiction:
            # Of another history nobody knows where it parts from this one.
            gone = asked.size if asked.outcome is CosignOutcome.AHEAD else None
            flaws.append(Flaw(Rule.AGE, LOG, asked.said, index=gone))
        elif asked.said:
            silent.append(asked.said)
    return tuple(flaws), tuple(silent)
