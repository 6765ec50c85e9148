# SPDX-License-Identifier: Apache-2.0
"""Two releases of an app come in; one look at the runs that are kept of both, judged by gates, goes out."""

from __future__ import annotations

from collections.abc import Mapping

from lockgate.core.declaration.policy_declaration import declare
from lockgate.core.policy.policy import Policy
from lockgate.errors import UsageError
from lockgate.operations.asking.compare import Request
from lockgate.operations.asking.compare_stored import Window, compare_stored
from lockgate.server.call import Answer, Call, names_of, needed, seconds_of, text_of

FIELDS = ("app_id", "baseline", "candidate", "policy", "metrics", "per_gate_level", "since")


def compare_kept(call: Call) -> Answer:
    """Compare by gates that the body names; always 200, with the outcome in the body."""
    document = call.document(*FIELDS)
    app = needed("app_id", text_of(document, "app_id"))
    call.caller.check_app(app)
    request = Request(
        baseline=text_of(document, "baseline"),
        candidate=needed("candidate", text_of(document, "candidate")),
        policy=_policy(document),
        metrics=names_of(document, "metrics"),
        per_gate_level=_level(document),
    )
    return Answer(document=compare_stored(request, Window(app, seconds_of(document, "since")), call.house).document())


def _policy(document: Mapping[str, object]) -> Policy | None:
    policy = document.get("policy")
    if policy is None:
        return None
    if not isinstance(policy, dict):
        raise UsageError("policy is not an object", advice="Send what a policy file holds, as JSON.")
    return declare(policy)


def _level(document: Mapping[str, object]) -> float | None:
    level = document.get("per_gate_level")
    if level is not None and (isinstance(level, bool) or not isinstance(level, int | float)):
        raise UsageError("per_gate_level is no number", advice="Send a level between 0.5 and 1, such as 0.95.")
    return None if level is None else float(level)
