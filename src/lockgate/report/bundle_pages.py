# SPDX-License-Identifier: Apache-2.0
"""A release record and what is missing beside it come in; the files of a bundle that are for people go out."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from typing import Any

from lockgate.core.bundle_layout import AUDIT, README, TIMELINE
from lockgate.report.timeline import render_timeline


def bundle_pages(record: Mapping[str, Any], missing: Mapping[str, Any]) -> dict[str, bytes]:
    """Return the timeline, the script that checks a bundle without Lockgate, and what to read first."""
    templates = resources.files("lockgate.report").joinpath("templates")
    return {
        TIMELINE: render_timeline(record, missing),
        AUDIT: templates.joinpath("audit.sh").read_bytes(),
        README: templates.joinpath("bundle-readme.txt").read_bytes(),
    }
