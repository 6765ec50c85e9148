# SPDX-License-Identifier: Apache-2.0
"""Lines of runs come in; they join the buckets that are open now, and how many counted goes out."""

from __future__ import annotations

from functools import partial

import numpy as np

from lockgate.core.batch import Ingested, RunBatch
from lockgate.core.canonical import Json
from lockgate.core.misnamed import misnamed
from lockgate.errors import TooManyRunsError
from lockgate.operations.intake.ingest import MAX_BYTES, MAX_RUNS
from lockgate.server.call import Answer, Call
from lockgate.server.gathering import Notes, SentBatch

NDJSON_TYPES = ("application/x-ndjson", "application/ndjson", "application/jsonl")
MAX_BODY = MAX_BYTES
# Lines may be blank, so that there may be more of them than of runs.
MAX_LINES = 2 * MAX_RUNS
_BREAK = ord("\n")


def take(call: Call) -> Answer:
    """Keep a batch of runs, one JSON object a line; the same bytes again change nothing."""
    sent = SentBatch(
        lines=check_lines(call.body), size=len(call.body), decode=partial(_decoded, call), tell=partial(_told, call)
    )
    return call.gathering.take(sent, call.house)


def _decoded(call: Call) -> RunBatch:
    batch = call.batches.decode(call.body, call.text("app_id"))
    check_apps(call, batch)
    return batch


def _told(call: Call, taken: Ingested, notes_of: Notes) -> Answer:
    call.meter.ingested(taken.runs)
    left_out: Json = {app: dict(releases) for app, releases in taken.left_out.items()}
    notes: Json = [*notes_of(tuple(taken.apps)), *misnamed(call.body)]
    return Answer(document={**ingested_document(taken), "left_out": left_out, "notes": notes})


def check_lines(body: bytes) -> int:
    """Return how many lines a batch has; one of far more runs than are taken is refused before it is decoded.

    To decode it takes many times its memory.
    """
    # Several times as fast as the bytes themselves count.
    lines = int(np.count_nonzero(np.frombuffer(body, np.uint8) == _BREAK))
    if lines > MAX_LINES:
        raise TooManyRunsError(
            f"a batch of {lines:,} lines is too large",
            advice=f"At most {MAX_RUNS:,} runs are taken at once; send several.",
        )
    return lines


def check_apps(call: Call, batch: RunBatch) -> None:
    """Refuse a batch with runs of an app that the key is not for."""
    for app in sorted({group.app for group in batch.groups}):
        call.caller.check_app(app)


def ingested_document(taken: Ingested) -> dict[str, Json]:
    """Return what became of a batch."""
    return {
        "digest": taken.digest,
        "runs": taken.runs,
        "duplicates": taken.duplicates,
        "repeated": taken.is_repeated,
        "other": taken.other,
        "crowded": taken.crowded,
        "apps": dict(taken.apps),
    }
