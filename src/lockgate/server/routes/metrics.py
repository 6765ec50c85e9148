# SPDX-License-Identifier: Apache-2.0
"""A scraper calls; what this server did, and what the store of the caller's organisation holds, goes out as metrics."""

from __future__ import annotations

from lockgate.operations.store_gauges import store_gauges
from lockgate.server.call import Answer, Call, check_names


def show(call: Call) -> Answer:
    """Return metrics in the text format of Prometheus, or as OpenMetrics where the scraper takes it."""
    check_names("parameter", call.query, ())
    body, kind = call.meter.exposition(store_gauges(call.house), call.headers.get("accept", ""))
    return Answer(body=body, kind=kind)
