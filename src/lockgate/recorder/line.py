# SPDX-License-Identifier: Apache-2.0
"""A run that has ended comes in; the line of JSON by which it is sent goes out."""

from __future__ import annotations

from datetime import UTC, datetime
from json import JSONEncoder

from lockgate.recorder.run import Run

_NANOSECONDS = 1_000_000_000
_encode = JSONEncoder(separators=(",", ":"), allow_nan=False).encode


def line_of(run: Run, own_id: str) -> bytes:
    """Return the line of a run, which has an id of its own where it was given none."""
    second, rest = divmod(run.started_ns, _NANOSECONDS)
    fields = run.fields or {}
    record: dict[str, object] = {
        "run_id": fields.get("run_id") or own_id,
        "app_id": run.app,
        "release": run.release,
        "started_at": f"{datetime.fromtimestamp(second, UTC):%Y-%m-%dT%H:%M:%S}.{rest // 1_000:06d}Z",
        "latency_ms": round(run.latency_s * 1_000, 3),
        "status": run.state or "ok",
    }
    if run.error_type is not None:
        record["error_type"] = run.error_type
    if run.cost_amount is not None:
        record["cost"] = f"{run.cost_amount:f}"
        if run.cost_currency is not None:
            record["currency"] = run.cost_currency
    record.update((name, value) for name, value in fields.items() if name != "run_id")
    record.update((name, part) for name in ("scores", "labels", "flags") if (part := getattr(run, name)) is not None)
    return _encode(record).encode("ascii") + b"\n"
