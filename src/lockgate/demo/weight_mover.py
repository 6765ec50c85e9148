# SPDX-License-Identifier: Apache-2.0
"""A router's folder comes in as the argument, and a weight as Lockgate hands it to an actuator; the router is moved.

lockgate actuator set --app-id APP -- python -m lockgate.demo.weight_mover FOLDER
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from lockgate.demo.choice import chosen_in


def main() -> None:
    """Send the candidate its weight, and the baseline the rest."""
    weight = round(float(os.environ["LOCKGATE_WEIGHT"]))
    shares = {os.environ["LOCKGATE_BASELINE"]: 100 - weight, os.environ["LOCKGATE_CANDIDATE"]: weight}
    chosen_in(Path(sys.argv[1])).move(shares)


if __name__ == "__main__":
    main()
