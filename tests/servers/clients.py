# SPDX-License-Identifier: Apache-2.0
"""The address of servers comes in; clients that call them until they are told to stop write down what they were told.

A client that gets no answer asks again, in the same words and with the same Idempotency-Key, as a job would.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

import httpx

from lockgate.testing.history import Call, CallOutcome, Kind, Standing

API = "/api/v1"
TIMEOUT_S, TRIES, PAUSE_S = 3.0, 40, 0.15
BASELINE = "v0"
NDJSON = {"content-type": "application/x-ndjson"}
STEPS = [{"weight": round(100 * number / 12, 1)} for number in range(1, 13)]
POLICY = {"bucket": "1s", "min_runs": 20, "gates": [{"metric": "error_rate", "detect": "none"}], "steps": STEPS}
# Every so many-th candidate fails so often.
BAD_EVERY, BAD = 3, 0.6
BATCH = 60
# So often a turn that was answered is asked for again.
AGAIN = 0.1
# What the proxy or a server answers where nobody can tell what was done.
UNSURE = 500


@dataclass
class Reply:
    """What a call came to: no status where nobody answered, after so many tries."""

    began: float
    ended: float
    status: int = 0
    body: bytes = b""

    @property
    def outcome(self) -> CallOutcome:
        """Return what is known of what was done."""
        if self.status == 0 or self.status >= UNSURE:
            return CallOutcome.IN_DOUBT
        return CallOutcome.DONE if self.status < 300 or self.is_rolled_back else CallOutcome.REFUSED

    @property
    def is_rolled_back(self) -> bool:
        """Say whether a turn rolled its candidate back."""
        return self.status == httpx.codes.UNPROCESSABLE_ENTITY

    @property
    def document(self) -> Mapping[str, Any]:
        """Return what was answered, where something was done."""
        found: Mapping[str, Any] = json.loads(self.body) if self.outcome is CallOutcome.DONE else {}
        return found


@dataclass
class Fleet:
    """What clients share: where they call, what they put on trial, and what all of them were told."""

    front: str
    token: str
    apps: tuple[str, ...]
    calls: list[Call] = field(default_factory=list)
    rollouts: dict[str, str] = field(default_factory=dict)
    candidates: dict[str, str] = field(default_factory=dict)
    app_of: dict[str, str] = field(default_factory=dict)
    is_over: threading.Event = field(default_factory=threading.Event)
    faults: list[str] = field(default_factory=list)
    retries: int = 0
    _threads: list[threading.Thread] = field(default_factory=list)

    def start(self, work: Callable[[Client], None], name: str) -> None:
        """Let a client do something again and again."""

        def run() -> None:
            try:
                with httpx.Client(base_url=self.front, timeout=TIMEOUT_S, trust_env=False) as http:
                    client = Client(self, name, http, Random(name))  # noqa: S311 -- the same draws in every run
                    while not self.is_over.is_set():
                        work(client)
            except Exception as error:  # noqa: BLE001 -- the test that started it tells of it
                self.faults.append(f"{name}: {type(error).__name__}: {error}")

        self._threads.append(threading.Thread(target=run, name=name))
        self._threads[-1].start()

    def stop(self) -> None:
        """Let every client end what it has begun."""
        self.is_over.set()
        for thread in self._threads:
            thread.join(TRIES * TIMEOUT_S)
            assert not thread.is_alive(), thread.name

    def count(self, outcome: CallOutcome, *kinds: Kind) -> int:
        """Return how many calls came to something."""
        return sum(call.outcome is outcome and (not kinds or call.kind in kinds) for call in list(self.calls))


@dataclass
class Client:
    """One client, which makes one call at a time."""

    fleet: Fleet
    name: str
    http: httpx.Client
    draw: Random
    _keys: Any = field(default_factory=lambda: itertools.count(1))

    def ask(self, method: str, path: str, *, tries: int = 1, key: str = "", **sent: Any) -> Reply:
        """Make a call until somebody answers what was done, or so many times."""
        headers = {"authorization": f"Bearer {self.fleet.token}", **({"idempotency-key": key} if key else {})}
        headers |= sent.pop("headers", {})
        reply = Reply(began=time.monotonic(), ended=0.0)
        for number in range(tries):
            try:
                got = self.http.request(method, f"{API}{path}", headers=headers, **sent)
                reply.status, reply.body = got.status_code, got.content
            except httpx.TransportError:
                reply.status, reply.body = 0, b""
            if reply.outcome is not CallOutcome.IN_DOUBT and reply.status != httpx.codes.TOO_MANY_REQUESTS:
                break
            if number + 1 < tries:
                self.fleet.retries += 1
                time.sleep(PAUSE_S)
        reply.ended = time.monotonic()
        return reply

    def note(self, kind: Kind, reply: Reply, **said: Any) -> None:
        """Write down what a call came to."""
        self.fleet.calls.append(self.noted(kind, reply, **said))

    def noted(self, kind: Kind, reply: Reply, **said: Any) -> Call:
        """Return what a call came to."""
        answer = hashlib.sha256(b"%d " % reply.status + reply.body).hexdigest()
        return Call(
            client=self.name,
            kind=kind,
            began=reply.began,
            ended=reply.ended,
            outcome=reply.outcome,
            answer=answer,
            **said,
        )

    def key(self) -> str:
        """Return a key of its own."""
        return f"{self.name}-{next(self._keys)}"

    def app(self) -> str:
        """Return some app."""
        return self.draw.choice(self.fleet.apps)


def standing(document: Mapping[str, Any]) -> Standing:
    """Return where a document says that a rollout stands."""
    return Standing(document["revision"], document["step"], document["weight"], document["status"])


def _seen(document: Mapping[str, Any]) -> dict[str, Any]:
    if "revision" not in document:
        return {}
    return {"standing": standing(document), "receipt": document.get("receipt")}


def seen_app(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a document says of an app, for what is written down of a call."""
    return {"is_killed": document.get("killed"), "version": document.get("version")}


def tick(client: Client) -> None:
    """Take a turn of one rollout; a turn whose answer was lost is asked for again by the same key."""
    app = client.app()
    rollout = client.fleet.rollouts.get(app)
    if rollout is None:
        time.sleep(PAUSE_S)
        return
    key = client.key()
    reply = client.ask("POST", f"/rollouts/{rollout}/evaluate", tries=TRIES, key=key)
    client.note(Kind.TURN, reply, app=app, rollout=rollout, key=key, **_seen(reply.document))
    if client.draw.random() < AGAIN:
        again = client.ask("POST", f"/rollouts/{rollout}/evaluate", key=key)
        # What it says is where the rollout stood then.
        client.note(Kind.LOOK, again, app=app, key=key)
    time.sleep(client.draw.uniform(0, 0.1))


def look(client: Client) -> None:
    """Look at a rollout or at an app."""
    app = client.app()
    rollout = client.fleet.rollouts.get(app)
    if rollout is None or client.draw.random() < 0.3:
        reply = client.ask("GET", f"/apps/{app}")
        client.note(Kind.LOOK, reply, app=app, **seen_app(reply.document))
    else:
        reply = client.ask("GET", f"/rollouts/{rollout}")
        client.note(Kind.LOOK, reply, app=app, rollout=rollout, **_seen(reply.document))
    time.sleep(client.draw.uniform(0, 0.1))


def send(client: Client) -> None:
    """Send runs of what is on trial; a batch whose answer was lost comes again."""
    app = client.app()
    candidate = client.fleet.candidates.get(app)
    if candidate is None:
        time.sleep(PAUSE_S)
        return
    name = client.key()
    failing = BAD if int(candidate[1:]) % BAD_EVERY == 0 else 0.01
    lines = [
        {
            "app_id": app,
            "release": candidate if number % 2 else BASELINE,
            "run_id": f"{name}-{number}",
            "status": "error" if number % 2 and client.draw.random() < failing else "ok",
        }
        for number in range(BATCH)
    ]
    body = "".join(json.dumps(line) + "\n" for line in lines).encode()
    reply = client.ask("POST", "/runs", tries=TRIES, content=body, headers=NDJSON)
    said = reply.document
    runs = said.get("runs", BATCH)
    client.note(
        Kind.SEND,
        reply,
        app=app,
        batch=hashlib.sha256(body).hexdigest(),
        runs=runs,
        is_repeated=said.get("repeated", False),
    )
    time.sleep(client.draw.uniform(0, 0.05))


def put_on_trial(client: Client) -> None:
    """Begin the next rollout of each app whose last one has ended."""
    for app in client.fleet.apps:
        rollout = client.fleet.rollouts.get(app)
        if rollout is not None:
            reply = client.ask("GET", f"/rollouts/{rollout}")
            client.note(Kind.LOOK, reply, app=app, rollout=rollout, **_seen(reply.document))
            if not reply.document.get("terminal", False):
                continue
        number = int(client.fleet.candidates.get(app, "c0")[1:]) + 1
        order = {"app_id": app, "candidate": f"c{number}", "baseline": BASELINE, "mode": "canary", "policy": POLICY}
        made = client.ask("POST", "/rollouts", tries=TRIES, key=client.key(), json=order)
        if made.outcome is CallOutcome.DONE:
            found = made.document["id"]
            client.fleet.app_of[found] = app
            client.fleet.candidates[app], client.fleet.rollouts[app] = f"c{number}", found
        # An app that is killed starts nothing.
    time.sleep(PAUSE_S)


def step_in(client: Client) -> None:
    """Roll back, or kill an app, look at it, and let it go on."""
    time.sleep(client.draw.uniform(1, 3))
    app = client.app()
    rollout, because = client.fleet.rollouts.get(app), {"reason": "a drill"}
    if rollout is not None and client.draw.random() < 0.4:
        reply = client.ask("POST", f"/rollouts/{rollout}/rollback", json=because)
        client.note(Kind.ACT, reply, app=app, rollout=rollout, **_seen(reply.document))
        return
    killed = client.ask("POST", f"/apps/{app}/kill", json=because)
    client.note(Kind.KILL, killed, app=app, version=killed.document.get("version"))
    for _ in range(3):
        reply = client.ask("GET", f"/apps/{app}")
        client.note(Kind.LOOK, reply, app=app, **seen_app(reply.document))
    unfrozen = client.ask("POST", f"/apps/{app}/unfreeze", tries=TRIES, json=because)
    client.note(Kind.UNFREEZE, unfrozen, app=app, version=unfrozen.document.get("version"))
