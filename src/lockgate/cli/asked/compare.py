# SPDX-License-Identifier: Apache-2.0
"""An app with kept runs and two releases come in; a table, a document or a page goes out."""

from __future__ import annotations

from dataclasses import dataclass

from lockgate.cli import exit_codes
from lockgate.cli.asked.desk import Desk
from lockgate.cli.said import Said
from lockgate.core.comparison import Comparison
from lockgate.core.declaration.policy_declaration import declare
from lockgate.operations.asking.compare import Request
from lockgate.operations.asking.compare_stored import Window, compare_stored
from lockgate.report.form import Form
from lockgate.report.markdown import render_markdown
from lockgate.report.page import render_page
from lockgate.report.table import render_table


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What was called; `command` asks the same again, and `has_page` asks for a page as well."""

    app_id: str
    candidate: str
    command: str
    baseline: str | None = None
    since_s: int | None = None
    policy: dict[str, object] | None = None
    metrics: list[str]
    per_gate_level: float | None = None
    form: Form = "table"
    has_page: bool = False
    allow_thin: bool = False


def answer(words: Words, desk: Desk) -> Said:
    """Say from kept runs whether the candidate is worse."""
    request = Request(
        baseline=words.baseline,
        candidate=words.candidate,
        policy=None if words.policy is None else declare(words.policy),
        metrics=tuple(words.metrics),
        per_gate_level=words.per_gate_level,
    )
    comparison = compare_stored(request, Window(words.app_id, words.since_s), desk.place.house_to_read())
    if words.has_page:
        desk.files["page"] = render_page(comparison, words.command).encode()
    _say(comparison, words, desk)
    return desk.said(exit_codes.of_outcome(comparison.outcome, allow_thin=words.allow_thin))


def _say(comparison: Comparison, words: Words, desk: Desk) -> None:
    if words.form == "json":
        desk.emit_json(comparison.document())
    elif words.form == "markdown":
        desk.emit(render_markdown(comparison, words.command))
    elif words.form == "table":
        desk.say(render_table(comparison, desk.screen))
