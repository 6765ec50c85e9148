# SPDX-License-Identifier: Apache-2.0
"""What happened comes in; the headers and bytes of its webhook go out, signed by the library of Standard Webhooks."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from standardwebhooks import Webhook

NOW = 1_795_168_800
SECRET = "whsec_AQIDBAECAwQBAgMEAQIDBAECAwQBAgMEAQIDBAECAwQ="  # noqa: S105 -- published with the vectors
OLD_SECRET = "whsec_b2xkLXNlY3JldC1mb3Itcm90YXRpb24tMzItYnl0ZXM="  # noqa: S105 -- as above


def body(kind: str = "rollout.promote", **changed: object) -> bytes:
    """Return the body of a webhook about a canary, with other data where that is said."""
    data = {
        "app": "claims-agent",
        "mode": "canary",
        "rollout_id": "rol_01",
        "baseline_release": "v36",
        "candidate_release": "abc123",
        "weight": 25,
        "target": None,
        "terminal": False,
        "revision": 2,
        "seq": 3,
        "log_index": 7,
        "decision_event_id": "rcp_01",
    }
    return json.dumps({"event": kind, "type": kind, "data": {**data, **changed}}).encode()


def headers(sent: bytes, *secrets: str, name: str = "evt_01", at: float = NOW) -> dict[str, str]:
    """Return the headers that sign a body."""
    when = datetime.fromtimestamp(at, UTC)
    signatures = (Webhook(secret).sign(name, when, sent.decode()) for secret in secrets or (SECRET,))
    return {"webhook-id": name, "webhook-timestamp": str(int(at)), "webhook-signature": " ".join(signatures)}
