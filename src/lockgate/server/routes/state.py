# SPDX-License-Identifier: Apache-2.0
"""Questions about the server itself come in; whether it lives, and whether it can serve, goes out."""

from __future__ import annotations

from lockgate import __version__
from lockgate.core.canonical import Json
from lockgate.operations.soundness.readiness import refuse_left, unopened, unsigned
from lockgate.operations.vault.high_water import refuse_older
from lockgate.server.call import Answer, Call
from lockgate.server.problem import KEYLESS, ProblemError


def alive(_call: Call) -> Answer:
    """Say that the process answers."""
    return Answer(document={"status": "ok", "version": __version__})


def ready(call: Call) -> Answer:
    """Say that calls can be answered here, and whether this server takes turns of the loop; else a problem."""
    refuse_left(call.house)
    if unsigned(call.house) is not None:
        # Why is not everybody's business: the server says it when it starts.
        raise ProblemError(
            KEYLESS,
            "the keys of this server did not sign its store, or are not there",
            "Put the keys folder of the store's other servers here, and start this one again.",
        )
    refuse_older(call.house)
    has_secrets = call.receivers is None or not unopened(call.house, call.receivers)
    said: dict[str, Json] = {
        "status": "ready",
        "version": __version__,
        "store": "readable",
        "ticks": call.is_ticking,
        "signs": True,
        "webhooks": has_secrets,
    }
    return Answer(document=said)
