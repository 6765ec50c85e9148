# SPDX-License-Identifier: Apache-2.0
"""A message and the endpoint that it is for come in; what carrying it out came to goes out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from lockgate.core.delivery import Carried
from lockgate.core.endpoint import Endpoint, Kind
from lockgate.core.outbox import Message


class Actuator(Protocol):
    """Reaches the endpoints of one kind.

    Duties. The bytes of the message arrive as they are; the same message may be carried out again, and is sent the
    same. It is over within the endpoint's timeout and a second, whatever the endpoint does, and leaves nothing of its
    own running. Whatever goes wrong is a fault in one sentence, never an exception, and only what the endpoint itself
    confirmed is free of fault. At most 4 KiB are kept of what it says, however much that is.
    A weight that it read back is from 0 to 100; from an acknowledging endpoint an answer without one is a fault.
    """

    def carry_out(self, endpoint: Endpoint, message: Message) -> Carried:
        """Tell an endpoint a message, and wait until it is carried out."""
        ...


# By the kind of endpoint.
Actuators = Mapping[Kind, Actuator]
