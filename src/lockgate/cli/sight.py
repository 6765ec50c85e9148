# SPDX-License-Identifier: Apache-2.0
"""A rollout's id and what was named of it come in; where its operator saw it stand goes out."""

from __future__ import annotations

import sys

from lockgate.cli import local, output
from lockgate.core.decision.intervention import Seen
from lockgate.errors import UsageError
from lockgate.ports.house import House


def sight(rollout_id: str, known: House, step: int | None, revision: int | None) -> tuple[Seen, bool]:
    """Return what was seen, and whether it was shown just now, because nothing was named."""
    if step is not None and revision is not None:
        return Seen(step, revision), False
    if (step, revision) != (None, None) or not sys.stdin.isatty():
        raise UsageError(
            "name the step and the revision that you saw, both",
            advice="`lockgate show` has them: --step N --revision N.",
        )
    return _shown(rollout_id, known), True


def _shown(rollout_id: str, known: House) -> Seen:
    from lockgate.operations.queries import explain
    from lockgate.report.view import render_view

    said = explain(rollout_id, known)
    output.say(render_view(said, known.clock.now(), local.screen()))
    return Seen(said.rollout.step, said.rollout.revision)
