# SPDX-License-Identifier: Apache-2.0
"""A router's folder comes in as the argument, and a weight as Lockgate hands it to an actuator; the router is moved.

It is declared by `lockgate actuator set --app-id APP -- python -m lockgate.demo.weight_mover FOLDER`. The weight that
the router then says it has is printed, so that Lockgate knows what is live.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from lockgate.demo.choice import chosen_in


def main() -> None:
    """Send the candidate its weight, and the baseline the rest; say what is live."""
    weight, candidate = round(float(os.environ["LOCKGATE_WEIGHT"])), os.environ["LOCKGATE_CANDIDATE"]
    router = chosen_in(Path(sys.argv[1]))
    router.move({os.environ["LOCKGATE_BASELINE"]: 100 - weight, candidate: weight})
    live = router.weight(candidate)
    if live is not None:
        sys.stdout.write(json.dumps({"weight": live}) + "\n")


if __name__ == "__main__":
    main()
