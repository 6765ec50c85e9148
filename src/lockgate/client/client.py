# SPDX-License-Identifier: Apache-2.0
"""The address of a server and a key come in; a client whose calls are methods, and whose answers are typed, goes out.

It needs the standard library only. Calls that may be made again without harm are made again by themselves: those that
only look, runs, which are known by their bytes, and those that send an `Idempotency-Key`, which they make.
"""

from __future__ import annotations

import json
import os
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Self, Unpack, cast

from lockgate.client.administering import Administering
from lockgate.client.calling import as_json, as_query, said
from lockgate.client.environment import transport
from lockgate.client.place import place_of
from lockgate.client.transport import API, Reply, Timing, check

if TYPE_CHECKING:
    from types import TracebackType

    from lockgate.client.answers import (
        Acted,
        AppActed,
        AppTaken,
        Comparison,
        Created,
        Explanation,
        Kept,
        Overview,
        Receipt,
        Release,
        Rollout,
        SignedReceipt,
        Standing,
        Trial,
        Turn,
        Turns,
    )
    from lockgate.client.asked import Filters, NewRollout, Question

ROLLED_BACK = 422


class Evaluation(NamedTuple):
    """What one turn came to; `has_rolled_back` says that this turn took the candidate out of traffic."""

    rollout: Turn
    has_rolled_back: bool
    is_replayed: bool


class Client(Administering):
    """Calls a server; without a URL and a key it takes those of LOCKGATE_URL and LOCKGATE_API_KEY.

    A CI job that has no key gets some for its own token. `org` is the organisation that is meant, LOCKGATE_ORG without
    it; a key of another one is refused.
    """

    def __init__(
        self,
        url: str | None = None,
        api_key: str | None = None,
        *,
        timing: Timing | None = None,
        is_insecure: bool | None = None,
        new_key: Callable[[], str] | None = None,
        org: str | None = None,
    ) -> None:
        self._transport = transport(url, api_key, timing=timing, is_insecure=is_insecure, org=org)
        self._new_key = new_key or _new_key

    def __repr__(self) -> str:
        return f"{type(self).__name__} by {self._transport!r}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._transport.close()

    def create(
        self,
        app_id: str,
        candidate: str,
        *,
        baseline: str | None = None,
        policy: Mapping[str, Any] | None = None,
        **fields: Unpack[NewRollout],
    ) -> Created:
        """Put a candidate on trial; `fields` are further ones of the route, such as `mode`, `steps` and `metrics`."""
        document = {"app_id": app_id, "candidate": candidate, "baseline": baseline, "policy": policy, **fields}
        return cast("Created", self._post(f"{API}/rollouts", said(document)))

    def rollouts(
        self, app_id: str | None = None, *, is_active: bool = False, **filters: Unpack[Filters]
    ) -> Iterator[Rollout]:
        """Yield rollouts, the oldest first, a page at a time; those of a mode, a status or a candidate where asked."""
        query = {"app_id": app_id, "active": "true" if is_active else None, **filters}
        pages = self._pages(f"{API}/rollouts", "rollouts", cast("dict[str, str | None]", query))
        yield from cast("Iterator[Rollout]", pages)

    def rollout(self, rollout_id: str) -> Trial:
        """Return where a rollout stands and what a turn would decide, without one."""
        return cast("Trial", self._get(_rollout(rollout_id)))

    def verdict(self, rollout_id: str) -> Standing:
        """Return the verdict alone."""
        return cast("Standing", self._get(f"{_rollout(rollout_id)}/verdict"))

    def explain(self, rollout_id: str) -> Explanation:
        """Return in sentences why a rollout holds, and what would change that."""
        return cast("Explanation", self._get(f"{_rollout(rollout_id)}/explain"))

    def compare(
        self, app_id: str, candidate: str, *, baseline: str | None = None, **question: Unpack[Question]
    ) -> Comparison:
        """Compare two releases of an app by the runs that are kept."""
        document = {"app_id": app_id, "candidate": candidate, "baseline": baseline, **question}
        return cast("Comparison", self._ask(f"{API}/compare", said(document), is_safe=True))

    def evaluate(self, rollout_id: str, *, key: str | None = None) -> Evaluation:
        """Take one turn of a rollout; by the same key the same answer comes again, and no second turn is taken."""
        sent = as_json({"Idempotency-Key": key or self._new_key()})
        reply = self._transport.call("POST", f"{_rollout(rollout_id)}/evaluate", b"{}", sent, is_safe=True)
        # The one status above 400 that is an answer.
        found = (reply if reply.status == ROLLED_BACK and _is_answer(reply) else check(reply)).document()
        is_replayed = reply.headers.get("idempotency-replayed") == "true"
        return Evaluation(cast("Turn", found), reply.status == ROLLED_BACK, is_replayed)

    def evaluate_all(self) -> Turns:
        """Take one turn of every active rollout that the key is for."""
        # It is many transactions; a turn that is taken again finds what is there.
        return cast("Turns", self._ask(f"{API}/rollouts/evaluate", {}, is_safe=True))

    def pause(self, rollout_id: str, reason: str) -> Acted:
        """Let nothing be promoted; a breach still rolls back."""
        return self._act(rollout_id, "pause", {"reason": reason})

    def resume(self, rollout_id: str, reason: str) -> Acted:
        """Let a paused rollout go on."""
        return self._act(rollout_id, "resume", {"reason": reason})

    def cancel(self, rollout_id: str, reason: str) -> Acted:
        """End a rollout that users have not met."""
        return self._act(rollout_id, "cancel", {"reason": reason})

    def rollback(self, rollout_id: str, reason: str) -> Acted:
        """Take a candidate out of traffic for good."""
        return self._act(rollout_id, "rollback", {"reason": reason})

    def clear_alarm(self, rollout_id: str, reason: str) -> Acted:
        """Clear a sample-ratio alarm whose cause is known."""
        return self._act(rollout_id, "clear-alarm", {"reason": reason})

    def approve(self, rollout_id: str, reason: str, *, step: int, revision: int) -> Acted:
        """Let a rollout leave the step that was seen."""
        return self._act(rollout_id, "approve", {"reason": reason, "step": step, "revision": revision})

    def promote(self, rollout_id: str, reason: str, *, step: int, revision: int) -> Acted:
        """Move a rollout one step forward from where it was seen."""
        return self._act(rollout_id, "promote", {"reason": reason, "step": step, "revision": revision})

    def acknowledge(self, rollout_id: str, weight: float, *, revision: int) -> Rollout:
        """Say which weight is live, as seen by who had been told of a revision."""
        document = {"weight": weight, "revision": revision}
        return cast("Rollout", self._post(f"{_rollout(rollout_id)}/weight", document))

    def receipts(self, rollout_id: str) -> Iterator[Receipt]:
        """Yield a rollout's receipts in their order, a page at a time."""
        yield from cast("Iterator[Receipt]", self._pages(f"{_rollout(rollout_id)}/receipts", "receipts", {}))

    def receipt(self, rollout_id: str, seq: int) -> SignedReceipt:
        """Return a signed receipt with all that verifies it."""
        return cast("SignedReceipt", self._get(f"{_rollout(rollout_id)}/receipts/{seq:d}"))

    def bundle(self, rollout_id: str, since: bytes | None = None) -> bytes:
        """Return the zip of a rollout's receipts, and of all that proves and explains them.

        `since`: a checkpoint that was kept, since which the log must only have grown.
        """
        kept = None if since is None else urlsafe_b64encode(since).decode("ascii")
        path = f"{_rollout(rollout_id)}/bundle{as_query({'checkpoint': kept})}"
        return check(self._transport.call("GET", path, is_safe=True)).body

    def send_runs(self, runs: bytes | Iterable[Mapping[str, Any]], app_id: str | None = None) -> Kept:
        """Keep runs, one JSON object a line; the same bytes again change nothing."""
        body = runs if isinstance(runs, bytes) else b"".join(json.dumps(run).encode() + b"\n" for run in runs)
        path = f"{API}/runs{as_query({'app_id': app_id})}"
        kind = {"Content-Type": "application/x-ndjson"}
        return cast("Kept", check(self._transport.call("POST", path, body, kind, is_safe=True)).document())

    def apps(self) -> Iterator[Overview]:
        """Yield where each app stands, by name, a page at a time."""
        yield from cast("Iterator[Overview]", self._pages(f"{API}/apps", "apps", {}))

    def app(self, name: str) -> Overview:
        """Return where an app stands."""
        return cast("Overview", self._get(_app(name)))

    def releases(self, app: str) -> Iterator[Release]:
        """Yield an app's releases, the first seen first, a page at a time."""
        yield from cast("Iterator[Release]", self._pages(f"{API}/releases", "releases", {"app_id": app}))

    def freeze(self, app: str, reason: str, *, version: int | None = None) -> AppActed:
        """Let nothing of an app start or be promoted; with the version that was seen, only where it is so still."""
        return cast("AppActed", self._post(f"{_app(app)}/freeze", {"reason": reason}, version))

    def unfreeze(self, app: str, reason: str, *, version: int | None = None) -> AppActed:
        """End an app's freeze; with the version that was seen, only where it is so still."""
        return cast("AppActed", self._post(f"{_app(app)}/unfreeze", {"reason": reason}, version))

    def freeze_all(self, reason: str) -> Sequence[AppTaken]:
        """Let nothing of any app that is known by now start or be promoted; one that is named later may."""
        return cast("list[AppTaken]", self._post(f"{API}/freeze", {"reason": reason})["apps"])

    def unfreeze_all(self, reason: str) -> Sequence[AppTaken]:
        """End the freeze of every app that is known by now."""
        return cast("list[AppTaken]", self._post(f"{API}/unfreeze", {"reason": reason})["apps"])

    def kill(self, app: str, reason: str, *, version: int | None = None) -> AppActed:
        """Roll back everything on trial in an app, and freeze it; with the version that was seen, only where it is so.

        In an emergency leave it out.
        """
        return cast("AppActed", self._post(f"{_app(app)}/kill", {"reason": reason}, version))

    def kill_all(self, reason: str) -> Sequence[AppTaken]:
        """Do that to every app that is known by now; one that is named later starts."""
        return cast("list[AppTaken]", self._post(f"{API}/kill", {"reason": reason})["apps"])

    def _act(self, rollout_id: str, verb: str, document: Mapping[str, object]) -> Acted:
        return cast("Acted", self._post(f"{_rollout(rollout_id)}/{verb}", document))


def _new_key() -> str:
    return os.urandom(16).hex()


def _is_answer(reply: Reply) -> bool:
    return "problem" not in reply.headers.get("content-type", "")


def _rollout(rollout_id: str) -> str:
    return f"{API}/rollouts/{place_of(rollout_id)}"


def _app(name: str) -> str:
    return f"{API}/apps/{place_of(name)}"
