# SPDX-License-Identifier: Apache-2.0
"""A scraper calls; what this server did, and what the store of the caller's organisation holds, goes out as metrics.

What a process counts is of all organisations together: it is told to the one that runs the server alone.
"""

from __future__ import annotations

from lockgate.core.app import DEFAULT_ORG
from lockgate.operations.soundness.store_gauges import store_gauges
from lockgate.server.call import Answer, Call


def show(call: Call) -> Answer:
    """Return metrics of every app in the text format of Prometheus, or as OpenMetrics where the scraper takes it."""
    call.caller.check_every_app()
    is_owner = call.caller.org == DEFAULT_ORG
    body, kind = call.meter.exposition(store_gauges(call.house), call.headers.get("accept", ""), has_process=is_owner)
    return Answer(body=body, kind=kind)
