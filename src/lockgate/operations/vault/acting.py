# SPDX-License-Identifier: Apache-2.0
"""Who acts comes in; whoever a receipt can name goes out, with what their token claims."""

from __future__ import annotations

from dataclasses import replace

from lockgate.core.receipt import Actor, operator


def checked_actor(actor: Actor) -> Actor:
    """Return who acts and why, or refuse what a receipt would have to cut."""
    return replace(operator(actor.name or "", actor.reason or "", actor.kind), claims=actor.claims)
