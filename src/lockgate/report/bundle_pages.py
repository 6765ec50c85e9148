# SPDX-License-Identifier: Apache-2.0
"""A release record and what is missing beside it come in; the files of a bundle that are for people go out."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from typing import Any

from lockgate.core.bundle_layout import AUDIT, README, TIMELINE
from lockgate.report.missing_words import missing_sentences
from lockgate.report.timeline import render_timeline


def bundle_pages(record: Mapping[str, Any], missing: Mapping[str, Any]) -> dict[str, bytes]:
    """Return the timeline, the script that checks a bundle without Lockgate, and what to read first."""
    templates = resources.files("lockgate.report").joinpath("templates")
    return {
        TIMELINE: render_timeline(record, missing),
        AUDIT: templates.joinpath("audit.sh").read_bytes(),
        README: templates.joinpath("bundle-readme.txt").read_bytes() + _lacks(missing),
    }


def _lacks(missing: Mapping[str, Any]) -> bytes:
    """Return what is to be read first of what is not there; nothing where everything is."""
    sentences = "".join(f"  {sentence}\n" for sentence in missing_sentences(missing))
    return f"\nNot in this bundle:\n\n{sentences}".encode() if sentences else b""
