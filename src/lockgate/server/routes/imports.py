# SPDX-License-Identifier: Apache-2.0
"""Lines of runs come in; they join the buckets of the times at which they started, and how many counted goes out."""

from __future__ import annotations

from lockgate.core.canonical import Json
from lockgate.core.dedupe import MAX_WINDOW_S, Dedupe
from lockgate.errors import UsageError
from lockgate.operations.ingest import ingest
from lockgate.server.call import Answer, Call, check_names

PARAMETERS = ("app_id", "dedupe", "window_s")


def keep(call: Call) -> Answer:
    """Keep a batch of runs by their start; the same bytes again change nothing."""
    check_names("parameter", call.query, PARAMETERS)
    batch = call.batches.decode(call.body, call.text("app_id"))
    for app in sorted({group.app for group in batch.groups}):
        call.caller.check_app(app)
    taken = ingest(batch, call.house, by_start_time=True, dedupe=_rule(call))
    document: dict[str, Json] = {
        "digest": taken.digest,
        "runs": taken.runs,
        "duplicates": taken.duplicates,
        "repeated": taken.is_repeated,
        "other": taken.other,
        "crowded": taken.crowded,
        "undated": taken.undated,
        "apps": dict(taken.apps),
        "unlike": {app: dict(releases) for app, releases in taken.unlike.items()},
    }
    return Answer(document=document)


def _rule(call: Call) -> Dedupe | None:
    word = call.choice("dedupe", ("window", "strict"))
    if word == "window":
        default = Dedupe()
        return Dedupe(window_s=call.whole("window_s", default.window_s, MAX_WINDOW_S))
    if call.text("window_s") is not None:
        raise UsageError("window_s is of the rule `window`", advice="Send dedupe=window too.")
    return Dedupe(is_strict=True) if word == "strict" else None
