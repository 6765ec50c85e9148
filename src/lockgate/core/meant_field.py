# SPDX-License-Identifier: Apache-2.0
"""The name of a field that nobody reads comes in; the one that is read and that it may be meant to be goes out."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches

# Longer names are no slips, and would take long to compare.
MAX_NAME = 100
# So alike that it is no other word: `latencyMs` is, and `user_id` is not `unit_id`.
ALIKE = 0.85
# Where something is missing already: what is only similar, or begins a name that is read, is then worth a question.
IN_NEED = 0.7
# What people call the fields elsewhere, where the spelling alone does not tell.
OTHER_NAMES = {
    "latency": "latency_ms",
    "ttft": "ttft_ms",
    "duration": "latency_ms",
    "duration_ms": "latency_ms",
    "elapsed_ms": "latency_ms",
    "time_to_first_token": "ttft_ms",
    "price": "cost",
    "prompt_tokens": "input_tokens",
    "completion_tokens": "output_tokens",
    "outcome": "status",
    "state": "status",
    "version": "release",
    "revision": "release",
    "variant": "release",
}


def meant_field(name: str, wanted: Collection[str], alike: float = ALIKE) -> str | None:
    """Return which of the wanted fields one of another name may be meant to be; None: it is somebody's own."""
    if len(name) > MAX_NAME:
        return None
    plain = name.strip().lower().replace("-", "_").replace(" ", "_")
    other = OTHER_NAMES.get(plain)
    if other in wanted:
        return other
    close = get_close_matches(plain, wanted, 1, alike)
    if close or alike > IN_NEED:
        return close[0] if close else None
    return next((field for field in wanted if field.startswith(f"{plain}_")), None)
