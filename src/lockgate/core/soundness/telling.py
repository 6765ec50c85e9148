# SPDX-License-Identifier: Apache-2.0
"""Deliveries come in as they stand; states that no sender leaves behind go out, in words."""

from __future__ import annotations

from collections.abc import Iterator

from lockgate.core.delivery import Delivery, State


def dishonest(delivery: Delivery) -> Iterator[str]:
    """Yield, in words, what of a delivery's state no attempt comes to."""
    state = delivery.state
    if state in (State.DELIVERED, State.DEAD) and delivery.attempts == 0:
        yield f"it is {state.value}, and was never tried"
    if state is State.DELIVERED and delivery.error:
        yield f"it is delivered, and its last attempt came to: {delivery.error}"
    if state in (State.DEAD, State.SUPERSEDED) and not delivery.error:
        yield f"it is {state.value}, and nothing says why"
    if state is not State.DUE and delivery.leased_until:
        yield f"it is {state.value}, and somebody is still sending it"
