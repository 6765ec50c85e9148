# SPDX-License-Identifier: Apache-2.0
"""A comparison and the command that made it come in; one self-contained HTML page goes out.

Every text is escaped by the template; the page carries no script, and its policy forbids every request.
"""

from __future__ import annotations

import json

from markupsafe import Markup

from lockgate import __version__
from lockgate.core.bucket import Bucket
from lockgate.core.comparison import Comparison
from lockgate.core.metric import Kind, parse_metric
from lockgate.core.wording import decimals_for
from lockgate.report import number
from lockgate.report.distribution import is_yes_or_no, spread_of
from lockgate.report.drawing import emblem_svg, interval_svg, small_svg, spread_svg
from lockgate.report.headline import headline, verdict_rule
from lockgate.report.row import Row, gate_rows, outcome_words, shown_rows
from lockgate.report.screen import RICH_SIGNS
from lockgate.report.self_contained import styled, template
from lockgate.report.text import printable

Entry = dict[str, object]


def render_page(comparison: Comparison, command: str) -> str:
    """Return the page; the command is shown so that a reader can make it again."""
    gates = gate_rows(comparison)
    return template("page.html.j2").render(
        version=__version__,
        **styled("page.css"),
        outcome=comparison.outcome.value,
        word=outcome_words(comparison.outcome),
        emblem=Markup(emblem_svg(comparison.outcome)),  # noqa: S704 -- drawn here, every text in it escaped
        headline=headline(comparison),
        baseline=_arm(comparison, "baseline", comparison.baseline, comparison.buckets[0]),
        candidate=_arm(comparison, "candidate", comparison.candidate, comparison.buckets[1]),
        notes=[printable(note) for note in comparison.notes],
        gates=[_gate(row, comparison) for row in gates],
        shown=[_shown(row) for row in shown_rows(comparison)],
        spreads=_spreads(comparison),
        level=number.write_level(comparison.level),
        rule=verdict_rule(comparison),
        policy=json.dumps(comparison.policy.document(), indent=2, sort_keys=True),
        policy_digest=comparison.policy.digest(),
        command=printable(command),
    )


def _arm(comparison: Comparison, role: str, name: str | None, bucket: Bucket) -> Entry:
    statuses = ", ".join(f"{count:,} {status}" for status, count in bucket.statuses.items() if count)
    runs = number.write_count(comparison.sizes.get(name or "", 0), "run")
    shown = number.MISSING if name is None else printable(name)
    return {"role": role, "name": shown, "runs": runs, "statuses": statuses, "is_named": name is not None}


def _gate(row: Row, comparison: Comparison) -> Entry:
    level = number.write_level(comparison.level)
    title = f"{printable(row.label)}: difference {row.difference}, {level} interval {row.interval}"
    drawn = interval_svg(row.plot, row.finding.metric, row.outcome.value, title) if row.plot else ""
    return {
        **_texts(row),
        "outcome": row.outcome.value,
        "word": outcome_words(row.outcome),
        "sign": RICH_SIGNS.outcomes[row.outcome],
        "reason": printable(row.reason),
        "figure": Markup(drawn),  # noqa: S704 -- drawn here, every text in it escaped
        "baseline_n": f"{row.finding.baseline.n:,}",
        "candidate_n": f"{row.finding.candidate.n:,}",
        "noun": "pairs" if row.finding.metric.kind is Kind.PAIRED else "runs",
        "judged_at": number.write_level(comparison.verdict_levels.get(row.finding.gate, comparison.level)),
        "method": row.finding.difference.method if row.finding.difference else "",
    }


def _shown(row: Row) -> Entry:
    title = f"{printable(row.label)}: {row.interval}"
    drawn = small_svg(row.plot, "shown", title) if row.plot else ""
    return {**_texts(row), "figure": Markup(drawn)}  # noqa: S704 -- drawn here, every text in it escaped


def _texts(row: Row) -> Entry:
    return {
        "label": printable(row.label),
        "baseline": row.baseline,
        "candidate": row.candidate,
        "difference": row.difference,
        "interval": row.interval,
    }


def _spreads(comparison: Comparison) -> list[Entry]:
    """Return one entry per numeric field that both releases carry, gated fields first."""
    before, after = (bucket.values for bucket in comparison.buckets)
    gated = [finding.metric.field for finding in comparison.gates]
    fields = [name for name in dict.fromkeys([*gated, *sorted(before)]) if name in before and name in after]
    return [entry for field in fields if (entry := _spread(comparison, field)) is not None]


def _spread(comparison: Comparison, field: str) -> Entry | None:
    before, after = (bucket.values[field] for bucket in comparison.buckets)
    spread = None if is_yes_or_no(before + after) else spread_of(before, after)
    if spread is None:
        return None
    metric = parse_metric(field)
    unit = number.write_unit(metric)
    title = f"{printable(field)}{', on a logarithmic axis' if spread.is_log else ''}"
    columns = list(zip(*spread.percentiles, strict=True))
    decimals = decimals_for(metric, None, tuple(columns[1]))
    return {
        "title": title,
        "figure": Markup(spread_svg(spread, unit, _quantiles(comparison, field), title)),  # noqa: S704 -- drawn here, every text in it escaped
        "percents": [f"p{percent}" for percent in columns[0]],
        "baseline": [number.write_value(metric, value, decimals) for value in columns[1]],
        "candidate": [number.write_value(metric, value, decimals) for value in columns[2]],
    }


def _quantiles(comparison: Comparison, field: str) -> list[tuple[str, float, float]]:
    """Return the quantiles of a field that were compared, to be marked on its distribution."""
    found: dict[str, tuple[float, float]] = {}
    for finding in (*comparison.gates, *comparison.shown):
        before, after = finding.baseline.value, finding.candidate.value
        is_quantile = finding.metric.field == field and finding.metric.quantile is not None
        if is_quantile and before is not None and after is not None:
            found[finding.metric.name.partition(":")[2]] = (before, after)
    return [(name, before, after) for name, (before, after) in sorted(found.items())]
