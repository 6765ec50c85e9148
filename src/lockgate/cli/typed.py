# SPDX-License-Identifier: Apache-2.0
"""A call of `create` comes in; the command lines that ask the same, or ask it of a new rollout, go out."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from lockgate.core.policy.policy import Mode
from lockgate.core.rollout import Rollout

# In the order of the help; of each the name as it is typed.
WITH_VALUE = {
    "app_id": "--app-id",
    "baseline": "--baseline",
    "candidate": "--candidate",
    "mode": "--mode",
    "steps": "--steps",
    "min_runs": "--min-runs",
    "metrics": "--metric",
    "since": "--since",
    "links": "--link",
    "digests": "--digest",
    "actuator": "--actuator",
    "policy": "--policy",
    "file": "--file",
}
FLAGS = {"require_pairwise": "--require-pairwise", "is_replacing": "--replace", "is_rehearsal": "--dry-run"}


def typed(call: Mapping[str, object], instead: Mapping[str, object]) -> str:
    """Return the command line of a call, some of its values being others."""
    meant, words = {**call, **instead}, ["lockgate", "create"]
    for name, option in WITH_VALUE.items():
        value = meant.get(name)
        values = value if isinstance(value, list | tuple) else () if value is None else (value,)
        for each in values:
            words += [option, f"{each:.12g}" if isinstance(each, float) else str(each)]
    return shlex.join([*words, *(option for name, option in FLAGS.items() if meant.get(name))])


def anew(rollout: Rollout, call: Mapping[str, object], instead: Mapping[str, object]) -> str:
    """Return the command lines that end a rollout and begin another by the same call."""
    verb, yes = ("cancel", "") if rollout.mode is Mode.SHADOW else ("rollback", " --yes")
    end = f"lockgate {verb} --id {rollout.id} --reason 'to begin anew'{yes}"
    return f"{end} && {typed(call, {'is_replacing': False, 'is_rehearsal': False, **instead})}"
