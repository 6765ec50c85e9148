# SPDX-License-Identifier: Apache-2.0
"""Programs call a server by what is handed out here, which loads the standard library only."""

from lockgate.client.client import Client, Evaluation
from lockgate.client.transport import ProblemError, Timing

__all__ = ["Client", "Evaluation", "ProblemError", "Timing"]
