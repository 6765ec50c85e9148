# SPDX-License-Identifier: Apache-2.0
"""A folder and a nemesis come in; servers behind HAProxy are called by many clients while it rages.

What is left to look at goes out.
"""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import httpx

from lockgate.demo.router import free_port
from lockgate.testing.history import CallOutcome, History, Kind
from tests.servers import clients
from tests.servers.aftermath import TOLD
from tests.servers.clients import API, Fleet
from tests.servers.haproxy import balanced
from tests.servers.process import Server
from tests.servers.receiver import Receiver, receiving

# Some are heard by a program of the server's machine, others by a webhook.
BY_PROGRAM = tuple(f"app-{letter}" for letter in "abc")
BY_WEBHOOK = tuple(f"app-{letter}" for letter in "def")
TICKERS, SENDERS, LOOKERS = 8, 2, 3
# So many revisions, which clients were told of, are enough to look at.
ENOUGH, PATIENCE_S = 30, 150.0
# So many answers come between two harms where the time is over and not enough has happened.
BREATH = 60
# What it gets it appends whole to the journal of its app, on a line of its own also after one that was killed.
PROGRAM = f'echo >> "$HOME/$LOCKGATE_APP.{TOLD}"; cat >> "$HOME/$LOCKGATE_APP.{TOLD}"'


@dataclass
class Nemesis:
    """Does one harm after another, drawn in the same order in every run, and counts them."""

    servers: tuple[Server, ...]
    draw: Random = field(default_factory=lambda: Random(11))  # noqa: S311 -- the same draws in every run
    counts: Counter[str] = field(default_factory=Counter)

    def rage(
        self,
        crew: Fleet,
        seconds: float,
        harms: Mapping[str, Callable[[Nemesis], None]],
        is_enough: Callable[[], bool],
    ) -> None:
        """Do harm until the time is over and enough has happened; a busy machine takes longer, and has an end too."""
        ends = time.monotonic() + seconds
        gives_up = ends + PATIENCE_S
        while (now := time.monotonic()) < ends or (not is_enough() and now < gives_up):
            time.sleep(self.draw.uniform(0.2, 1.0))
            name = self.draw.choice(sorted(harms))
            harms[name](self)
            self.counts[name] += 1
            if now >= ends:
                # Where harm comes faster than answers nothing is ever enough.
                _breathe(crew, gives_up)


def _breathe(crew: Fleet, until: float) -> None:
    """Wait until clients were answered so often."""
    wanted = crew.count(CallOutcome.DONE) + BREATH
    while crew.count(CallOutcome.DONE) < wanted and time.monotonic() < until:
        time.sleep(0.1)


def kill_one(nemesis: Nemesis) -> None:
    """End a server by force, and begin it again a little later."""
    server = nemesis.draw.choice(nemesis.servers)
    server.kill()
    time.sleep(nemesis.draw.uniform(0, 0.5))
    server.begin()
    server.wait()


def kill_all(nemesis: Nemesis) -> None:
    """End every server at once."""
    for server in nemesis.servers:
        server.kill()
    for server in nemesis.servers:
        server.begin()
    for server in nemesis.servers:
        server.wait()


def freeze_one(nemesis: Nemesis) -> None:
    """Let a server stand still in the middle of whatever it does, and go on later."""
    server = nemesis.draw.choice(nemesis.servers)
    server.freeze()
    time.sleep(nemesis.draw.uniform(0.2, 2.5))
    server.thaw()


@contextmanager
def fleet(
    folder: Path, settings: Mapping[str, str], *, tick_every: str | None = None
) -> Iterator[tuple[Fleet, Nemesis]]:
    """Give two servers behind HAProxy, with their keys and receivers, and clients that have not begun yet."""
    own = {"HOME": str(folder), "LOCKGATE_WEBHOOK_ALLOW": "127.0.0.0/8", **settings}
    one = Server(folder / "one", free_port(), own, tick_every)
    is_shared = "LOCKGATE_STORE" not in settings
    two = Server(one.home if is_shared else folder / "two", free_port(), own, tick_every)
    servers = (one, two)
    try:
        one.begin()
        one.wait()
        if not is_shared:
            two.home.mkdir(mode=0o700)
            shutil.copytree(one.home / "keys", two.home / "keys")
        two.begin()
        two.wait()
        with balanced(folder, [server.port for server in servers]) as front, receiving(folder, TOLD) as receiver:
            _declare(one, receiver)
            yield Fleet(front, one.token, (*BY_PROGRAM, *BY_WEBHOOK)), Nemesis(servers)
            assert receiver.forged == []
    finally:
        for server in servers:
            if server.is_running:
                server.kill()


def _declare(server: Server, receiver: Receiver) -> None:
    """Let somebody hear of each app."""
    for app in BY_PROGRAM:
        words = ("--app-id", app, "--timeout", "2s", "--", "/bin/sh", "-c", PROGRAM)
        made = server.lockgate("actuator", "set", *words)
        assert made.returncode == 0, made.stderr
    for app in BY_WEBHOOK:
        shared = httpx.post(
            f"{server.address}{API}/webhooks",
            json={"url": receiver.url(app), "app_id": app},
            headers={"authorization": f"Bearer {server.token}"},
            trust_env=False,
            timeout=60,
        )
        assert shared.status_code == httpx.codes.CREATED, shared.text
        receiver.secrets[app] = shared.json()["secret"]


@contextmanager
def at_work(crew: Fleet) -> Iterator[None]:
    """Let every client call until the block ends."""
    try:
        _start(crew)
        yield
    finally:
        crew.stop()


def _start(crew: Fleet) -> None:
    crew.start(clients.put_on_trial, "trials")
    crew.start(clients.step_in, "operator")
    for number in range(TICKERS):
        crew.start(clients.tick, f"ticker-{number}")
    for number in range(SENDERS):
        crew.start(clients.send, f"sender-{number}")
    for number in range(LOOKERS):
        crew.start(clients.look, f"looker-{number}")


def has_enough(crew: Fleet) -> bool:
    """Say whether clients were told of enough that changed."""
    seen = {(call.rollout, call.standing.revision) for call in list(crew.calls) if call.standing is not None}
    return len(seen) >= ENOUGH


def tell(count: Callable[[str, int], None], where: str, crew: Fleet, nemesis: Nemesis, history: History) -> None:
    """Count what a drill came to."""
    moved = sum(len({each.after.revision for each in receipts}) for receipts in history.receipts.values())
    found = {
        "calls acknowledged": crew.count(CallOutcome.DONE),
        "turns among them": crew.count(CallOutcome.DONE, Kind.TURN),
        "calls asked again": crew.retries,
        "calls in doubt to the end": crew.count(CallOutcome.IN_DOUBT),
        "revisions": moved,
        "messages at receivers": len(history.told),
        **nemesis.counts,
    }
    for what, number in found.items():
        count(f"{what} ({where})", number)
