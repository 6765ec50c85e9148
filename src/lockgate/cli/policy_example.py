# SPDX-License-Identifier: Apache-2.0
"""The name of an app comes in; the text of a commented policy for it goes out."""

from __future__ import annotations

import json

_EXAMPLE = """\
# What must hold before a release of this app takes more traffic.
# Every field has a default; `lockgate policy show` spells them all out.
app: {app}

mode: shadow            # signs every verdict and changes nothing; canary acts
promote: clean          # or proven, which needs a margin for every gate
alpha: 0.05             # false rollbacks over the whole rollout, all gates together
min_runs: 30            # fresh candidate runs at each step

gates:
  - metric: error_rate              # any regression rolls back
  # - metric: latency_ms:p95
  #   tolerance: 5%                 # a little slower is allowed; beyond it, rollback
  #   detect: 50%                   # clean once worse than this is excluded
  #   margin: 10%                   # proven once worse than this is excluded
  # - metric: scores.groundedness   # an evaluator's score, worse when lower
  #   slice: {{intent: medical}}
  #   breach: pause
  # - metric: error_rate
  #   max: 1%                       # an objective: needs no baseline

# Exposure, in percent of traffic. Each step needs its runs and its time.
steps:
  - {{weight: 1, min_hold: 30m, settle: 5m}}
  - {{weight: 5, min_hold: 30m}}
  - {{weight: 25, min_hold: 1h}}
  - {{weight: 50, min_hold: 1h}}      # approval: manual asks a person first
  - {{weight: 100, soak: 1h}}         # watched at full exposure before it counts as promoted

# Rules outside the statistics, each obeyed at once.
# invariants:
#   - {{id: pii_leak, event: pii_leak, max: 0}}
# limits: {{spend: 200 EUR, time: 7d}}
"""


def policy_example(app: str) -> str:
    """Return a policy file for an app, with the ramp 1, 5, 25, 50, 100 and explicit holds."""
    return _EXAMPLE.format(app=json.dumps(app))
