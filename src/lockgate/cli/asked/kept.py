# SPDX-License-Identifier: Apache-2.0
"""Nothing comes in; what somebody who imports runs has to know of the store goes out."""

from __future__ import annotations

from dataclasses import dataclass

from lockgate.cli.asked.desk import Desk
from lockgate.cli.said import Said
from lockgate.operations.intake.import_plan import plan_import


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What was called: nothing besides."""


def answer(words: Words, desk: Desk) -> Said:  # noqa: ARG001 -- every command is called alike
    """Say how wide buckets are, and which releases have runs."""
    return desk.said(more={"plan": plan_import(desk.place.house_to_read(), desk.place.covers).document()})
