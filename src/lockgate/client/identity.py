# SPDX-License-Identifier: Apache-2.0
"""The environment of a CI job comes in; keys go out, each got for a token of the job's own and renewed before it ends.

GitHub gives a job as many tokens as it asks for. GitLab makes one for each job, and a token is good for one key.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from urllib.parse import quote, urlsplit

from lockgate.bearer import check_key
from lockgate.client.transport import API, Reply, Timing, Transport, check
from lockgate.errors import NotPermittedError, UnreachableError, UsageError

GITHUB_URL, GITHUB_TOKEN = "ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"
GIVEN = "LOCKGATE_ID_TOKEN"
AUDIENCE, ORG = "LOCKGATE_AUDIENCE", "LOCKGATE_ORG"
EXCHANGE = f"{API}/oidc/token"
# A key is renewed so long before it ends, or at three quarters of a shorter life.
MARGIN_S, MARGIN = 60.0, 0.25
TRIES, WAIT_S, TIMEOUT_S = 3, 1.0, 10.0
MAX_TOKEN = 16 * 1024

Exchange = Callable[[str], Reply]


class JobKeys:
    """Gives the key that a job's token was exchanged for; where it can have another token, another key in time."""

    def __init__(
        self, token: Callable[[], str], exchange: Exchange, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._token, self._exchange, self._clock = token, exchange, clock
        self._lock = threading.Lock()
        self._key = ""
        self._until = float("-inf")

    def __call__(self) -> str:
        """Return a key that does not end at once."""
        with self._lock:
            asked_at = self._clock()
            if asked_at >= self._until:
                document = self._exchange(self._token()).document()
                life = _life(document)
                self._key, self._until = str(document["token"]), asked_at + life - min(MARGIN_S, life * MARGIN)
            return self._key


def job_keys(environment: Mapping[str, str], url: str, timing: Timing, *, is_insecure: bool) -> JobKeys | None:
    """Return what gets keys for the job that this is; None where it is none."""
    token = job_token(environment, url)
    if token is None:
        return None
    place = {"org": environment[ORG]} if environment.get(ORG) else {}

    def exchange(given: str) -> Reply:
        check_key(given, urlsplit(url), is_insecure=is_insecure)
        body = json.dumps({"token": given, **place}).encode()
        with_no_key = Transport(url, None, timing)
        try:
            return check(with_no_key.call("POST", EXCHANGE, body, {"Content-Type": "application/json"}))
        finally:
            with_no_key.close()

    return JobKeys(token, exchange)


def job_token(environment: Mapping[str, str], audience: str) -> Callable[[], str] | None:
    """Return what gets tokens of the job that this is; None where it is none, or may have no token."""
    if environment.get(GIVEN):
        return _given_once(environment[GIVEN].strip())
    url, bearer = environment.get(GITHUB_URL), environment.get(GITHUB_TOKEN)
    if not url or not bearer:
        return None
    wanted = quote(environment.get(AUDIENCE) or audience.rstrip("/"), safe="")
    return lambda: _from_github(f"{url}{'&' if urlsplit(url).query else '?'}audience={wanted}", bearer)


def _given_once(token: str) -> Callable[[], str]:
    left = [token]

    def give() -> str:
        if not left:
            raise NotPermittedError(
                f"the key that this job got for {GIVEN} has ended, and the token is good for one key",
                advice="Give a job that takes longer a key of its own in LOCKGATE_API_KEY.",
            )
        return left.pop()

    return give


def _from_github(url: str, bearer: str) -> str:
    """Return a new token of a job of GitHub Actions."""
    import urllib.request  # noqa: PLC0415 -- only a job of GitHub needs it

    if urlsplit(url).scheme not in ("http", "https"):
        raise UsageError(f"{GITHUB_URL} is no address", advice="GitHub sets it where a job may write id-token.")
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {bearer}", "Accept": "application/json"})  # noqa: S310 -- its scheme is one of two
    reason = ""
    for left in reversed(range(TRIES)):
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310 -- as above
                return str(json.loads(answer.read(4 * MAX_TOKEN))["value"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            reason = str(getattr(error, "reason", None) or type(error).__name__)
            if left:
                time.sleep(WAIT_S)
    raise UnreachableError(f"GitHub gave this job no token: {reason}", advice="Does it have `id-token: write`?")


def _life(document: Mapping[str, object]) -> float:
    """Return for how long a new key is; the clock of the server need not be that of the job."""
    from datetime import datetime  # noqa: PLC0415 -- only where a job has no key

    begun, ended = (datetime.fromisoformat(str(document[name])) for name in ("created_at", "expires_at"))
    return (ended - begun).total_seconds()
