# SPDX-License-Identifier: Apache-2.0
"""Trust rules come in; the lines of a terminal go out."""

from __future__ import annotations

from collections.abc import Sequence

from lockgate.core.trust_rule import TrustRule
from lockgate.report.screen import Screen


def render_rules(rules: Sequence[TrustRule], screen: Screen) -> str:
    """Return rules, three lines each: whose it is, which jobs it means, and for what they get a key."""
    lines = []
    for rule in rules:
        apps = "every app" if rule.apps is None else f"only {', '.join(rule.apps)}"
        pins = ", ".join(f"{name}={text}" for name, text in rule.pinned())
        events = f", also by {', '.join(rule.events)}" if rule.events else ""
        lines.append(f"{rule.id}  {screen.text(rule.name)}  {rule.provider.value} at {rule.issuer}")
        lines.append(f"  for {screen.text(rule.audience)}: {screen.text(pins)}{events}")
        lines.append(f"  {', '.join(rule.permissions)}; {screen.text(apps)}; {rule.life_s} s")
    return "\n".join(lines) + "\n" if lines else "There is no trust rule; `lockgate trust create` makes one.\n"
