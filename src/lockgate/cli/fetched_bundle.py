# SPDX-License-Identifier: Apache-2.0
"""The id of a rollout comes in; its bundle, as the server that LOCKGATE_URL names makes it, goes out."""

from __future__ import annotations

from contextlib import closing

# A server gathers a bundle before it sends the first byte.
GATHER_S = 600.0


def fetched_bundle(rollout_id: str, since: bytes | None = None) -> bytes:
    """Return the zip of a rollout; `since`: the log must only have grown from this checkpoint on."""
    from lockgate.cli.remote_door import explained
    from lockgate.client import Client
    from lockgate.client.environment import transport
    from lockgate.client.transport import ProblemError, Timing

    with Client(timing=Timing(answer_s=GATHER_S, total_s=GATHER_S)) as client:
        try:
            return client.bundle(rollout_id, since=since)
        except ProblemError as error:
            with closing(transport()) as sent_by:
                raise explained(error, sent_by) from error
