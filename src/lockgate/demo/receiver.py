# SPDX-License-Identifier: Apache-2.0
"""The demonstration's folder comes in as the argument; signed webhooks move the router there, and only they do.

It is run as `python -m lockgate.demo.receiver FOLDER PORT`. Each weight that the router then says it has is written
down, and acknowledged to the server that LOCKGATE_URL names.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from lockgate.client import Client, Timing
from lockgate.demo.choice import ROUTER, chosen_in
from lockgate.demo.router import HOST, Router
from lockgate.errors import LockgateError
from lockgate.webhooks import Applied, Event
from lockgate.webhooks.receiver import Receiver, listening

# Within the time for which the sender waits.
ANSWER_S = 3.0
SECRET, APPLIED, JOURNAL = "secret", "applied.json", "applied.ndjson"


def journal_of(folder: Path) -> list[tuple[str, int, float]]:
    """Return what was carried out: rollout, number of its receipt, and the weight that the router then had."""
    path = folder / JOURNAL
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return [(told["rollout"], told["seq"], told["weight"]) for told in map(json.loads, lines)]


def move(event: Event, router: Router) -> float:
    """Give the candidate its weight and the rest to what is trusted, and return what the router says."""
    assert event.weight is not None
    assert event.candidate is not None
    weight = round(event.weight)
    rest = {} if event.target is None else {event.target: 100 - weight}
    router.move({**rest, event.candidate: weight})
    return float(router.weight(event.candidate))


def acknowledge(event: Event, weight: float, server: Client) -> None:
    """Tell the server what is live; a server that does not listen hears of the next one."""
    assert event.rollout_id is not None
    assert event.revision is not None
    try:
        server.acknowledge(event.rollout_id, weight, revision=event.revision)
    except LockgateError as error:
        sys.stderr.write(f"not acknowledged: {error}\n")


def main(folder: Path, port: int) -> None:
    """Receive until the process is ended."""
    router, server = chosen_in(folder / ROUTER), Client(timing=Timing(ANSWER_S, ANSWER_S, ANSWER_S))

    def shift(event: Event) -> float:
        live = move(event, router)
        with (folder / JOURNAL).open("a", encoding="utf-8") as journal:
            journal.write(json.dumps({"rollout": event.rollout_id, "seq": event.seq, "weight": live}) + "\n")
        acknowledge(event, live, server)
        return live

    secrets = (folder / SECRET).read_text(encoding="ascii").split()
    listening(Receiver(secrets, Applied(folder / APPLIED), shift), HOST, port).serve_forever(poll_interval=0.1)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
