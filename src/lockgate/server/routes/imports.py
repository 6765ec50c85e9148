# SPDX-License-Identifier: Apache-2.0
"""Lines of runs come in; they join the buckets of the times at which they started, and how many counted goes out."""

from __future__ import annotations

from lockgate.core.canonical import Json
from lockgate.core.dedupe import MAX_WINDOW_S, Dedupe
from lockgate.core.misnamed import misnamed
from lockgate.errors import UsageError
from lockgate.operations.intake.ingest import ingest
from lockgate.server.call import Answer, Call
from lockgate.server.routes.runs import check_apps, check_lines, ingested_document

PARAMETERS = ("app_id", "dedupe", "window_s")


def keep(call: Call) -> Answer:
    """Keep a batch of runs by their start; the same bytes again change nothing."""
    check_lines(call.body)
    batch = call.batches.decode(call.body, call.text("app_id"))
    check_apps(call, batch)
    taken = ingest(batch, call.house, by_start_time=True, dedupe=_rule(call))
    call.meter.ingested(taken.runs)
    unlike: Json = {app: dict(releases) for app, releases in taken.unlike.items()}
    notes: Json = [*misnamed(call.body, by_start_time=True)]
    return Answer(document={**ingested_document(taken), "undated": taken.undated, "unlike": unlike, "notes": notes})


def _rule(call: Call) -> Dedupe | None:
    word = call.choice("dedupe", ("window", "strict"))
    if word == "window":
        default = Dedupe()
        return Dedupe(window_s=call.whole("window_s", default.window_s, MAX_WINDOW_S))
    if call.text("window_s") is not None:
        raise UsageError("window_s is of the rule `window`", advice="Send dedupe=window too.")
    return Dedupe(is_strict=True) if word == "strict" else None
