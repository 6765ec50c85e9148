# SPDX-License-Identifier: Apache-2.0
"""Seconds come in; the words that people use for them go out."""

from __future__ import annotations


def duration_text(seconds: int) -> str:
    """Write seconds as people say them: `45 s`, `30 min`, `2 h 5 min`, `3 d`."""
    for unit, name, smaller, smaller_name in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if seconds >= unit:
            rest = (seconds % unit) // smaller
            return f"{seconds // unit} {name}" + (f" {rest} {smaller_name}" if rest else "")
    return f"{seconds} s"
