# SPDX-License-Identifier: Apache-2.0
"""The environment of a CI job comes in; keys go out, each got for a token of the job's own and renewed before it ends.

GitHub gives a job as many tokens as it asks for. GitLab makes as many as the job declares, and a token is good for one
key: one that another command of the job has used is passed over.
"""

from __future__ import annotations

import http.client
import itertools
import json
import threading
import time
from collections.abc import Callable, Mapping
from typing import Protocol
from urllib.parse import quote, urlsplit

from lockgate.bearer import check_key
from lockgate.client.patience import AWAY, FIRST_WAIT_S, OWN_S
from lockgate.client.transport import AGAIN, API, MAX_WAIT_S, QUIET_S, ProblemError, Reply, Timing, Transport, check
from lockgate.errors import LockgateError, NotPermittedError, TryAgainError, UnreachableError, UsageError

GITHUB_URL, GITHUB_TOKEN = "ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"
# More of them are LOCKGATE_ID_TOKEN_2 and so on.
GIVEN = "LOCKGATE_ID_TOKEN"
AUDIENCE, ORG = "LOCKGATE_AUDIENCE", "LOCKGATE_ORG"
EXCHANGE = f"{API}/oidc/token"
# A key is renewed so long before it ends, or at three quarters of a shorter life.
MARGIN_S, MARGIN = 60.0, 0.25
# How long GitHub takes for a token, and for how long it is asked at least.
TIMEOUT_S, GITHUB_S = 10.0, 30.0
# So many tokens that were exchanged before are passed over: more than those of a day.
MAX_TOKEN, MAX_USED = 16 * 1024, 100
# What GitHub answers a job that may have no token, now or later.
REFUSED = frozenset({400, 401, 403, 404})
USED, LEFT = "urn:lockgate:problem:token-used", "urn:lockgate:problem:store-left"

Say = Callable[[str], None]
Exchange = Callable[[str, Timing, Say | None], Reply]


class Tokens(Protocol):
    """Gives the tokens of a job."""

    def token(self) -> str:
        """Return a token that may not have been exchanged yet."""
        ...

    def drop(self) -> None:
        """Give the last token no more, because it is exchanged."""
        ...


class JobKeys:
    """Gives the key that a job's token was exchanged for; where it can have another token, another key in time."""

    def __init__(self, tokens: Tokens, exchange: Exchange, clock: Callable[[], float] = time.monotonic) -> None:
        self._tokens, self._exchange, self._clock = tokens, exchange, clock
        self._lock = threading.Lock()
        self._key = ""
        self._renew_at = self._ends = float("-inf")

    def __call__(self, timing: Timing, say: Say | None = None) -> str:
        """Return a key that does not end at once; `timing` bounds the wait for one, which `say` hears of."""
        with self._lock:
            if self._clock() >= self._renew_at:
                try:
                    self._renew(timing, say)
                except LockgateError:
                    # The key that there is, which may be the job's last, opens as much until its end.
                    if self._clock() >= self._ends:
                        raise
            return self._key

    def fetch(self, timing: Timing, say: Say | None = None) -> dict[str, object]:
        """Return what the server says of a new key, with its token."""
        with self._lock:
            return self._renew(timing, say)

    def _renew(self, timing: Timing, say: Say | None) -> dict[str, object]:
        """Exchange a token, and again where nobody knows whether it was: a key that was lost on its way ends unused."""
        begun, wait, used = self._clock(), FIRST_WAIT_S, 0
        while True:
            asked_at = self._clock()
            spent = asked_at - begun
            left = timing._replace(total_s=max(0.0, timing.total_s - spent), away_s=max(0.0, timing.away_s - spent))
            try:
                return self._kept(check(self._exchange(self._tokens.token(), left, say)).document(), asked_at)
            except LockgateError as error:
                if isinstance(error, ProblemError) and error.type == USED and used < MAX_USED:
                    self._tokens.drop()
                    used += 1
                    continue
                spent = self._clock() - begun + wait
                if spent > _patience(error, timing):
                    raise
                if say is not None and spent > QUIET_S:
                    say(f"this job has no key yet, and asks again: {error.message}")
                    say = None
            timing.sleep(wait)
            wait = min(MAX_WAIT_S, 2 * wait)

    def _kept(self, document: dict[str, object], asked_at: float) -> dict[str, object]:
        self._tokens.drop()
        life = _life(document)
        self._key, self._ends = str(document["token"]), asked_at + life
        self._renew_at = self._ends - min(MARGIN_S, life * MARGIN)
        return document


def job_keys(environment: Mapping[str, str], url: str, *, is_insecure: bool) -> JobKeys | None:
    """Return what gets keys for the job that this is; None where it is none."""
    tokens = job_tokens(environment, url)
    if tokens is None:
        return None
    place = {"org": environment[ORG]} if environment.get(ORG) else {}

    def exchange(given: str, timing: Timing, say: Say | None) -> Reply:
        check_key(given, urlsplit(url), is_insecure=is_insecure)
        body = json.dumps({"token": given, **place}).encode()
        with_no_key = Transport(url, None, timing)
        with_no_key.on_wait = say
        try:
            return with_no_key.call("POST", EXCHANGE, body, {"Content-Type": "application/json"})
        finally:
            with_no_key.close()

    return JobKeys(tokens, exchange)


def job_tokens(environment: Mapping[str, str], audience: str) -> Tokens | None:
    """Return what gets tokens of the job that this is; None where it is none, or may have no token."""
    if environment.get(GIVEN):
        names = itertools.chain([GIVEN], (f"{GIVEN}_{number}" for number in itertools.count(2)))
        return GivenTokens([environment[name].strip() for name in itertools.takewhile(environment.get, names)])
    url, bearer = environment.get(GITHUB_URL), environment.get(GITHUB_TOKEN)
    if not url or not bearer:
        return None
    wanted = quote(environment.get(AUDIENCE) or audience.rstrip("/"), safe="")
    return _TokensOfGitHub(f"{url}{'&' if urlsplit(url).query else '?'}audience={wanted}", bearer)


class GivenTokens:
    """Tokens that a job was started with."""

    def __init__(self, tokens: list[str]) -> None:
        self._left = tokens

    def token(self) -> str:
        """Return the first that is left."""
        if not self._left:
            raise NotPermittedError(
                "each token of this job has been exchanged, and one is good for one key",
                advice="Exchange one for all commands: LOCKGATE_API_KEY=$(lockgate keys exchange). A job that outlives "
                f"that key declares more of them, {GIVEN}_2 and so on, or has a key of its own.",
            )
        return self._left[0]

    def drop(self) -> None:
        """Give the first that is left no more."""
        del self._left[:1]


class _TokensOfGitHub:
    """Tokens that a job of GitHub Actions asks for, each a new one."""

    def __init__(self, url: str, bearer: str) -> None:
        self._url, self._bearer = url, bearer

    def token(self) -> str:
        import urllib.error  # noqa: PLC0415 -- only a job of GitHub needs it
        import urllib.request  # noqa: PLC0415 -- the same

        if urlsplit(self._url).scheme not in ("http", "https"):
            raise UsageError(f"{GITHUB_URL} is no address", advice="GitHub sets it where a job may write id-token.")
        headers = {"Authorization": f"Bearer {self._bearer}", "Accept": "application/json"}
        request = urllib.request.Request(self._url, headers=headers)  # noqa: S310 -- its scheme is one of two
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310 -- as above
                return str(json.loads(answer.read(4 * MAX_TOKEN))["value"])
        except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError) as error:
            reason = str(getattr(error, "reason", None) or type(error).__name__)
            if getattr(error, "code", None) in REFUSED:
                raise UnreachableError(
                    f"GitHub gave this job no token: {reason}", advice="Does it have `id-token: write`?"
                ) from error
            raise _NoTokenYetError(
                f"GitHub gives no tokens just now: {reason}", advice="Run the job again when it does."
            ) from error

    def drop(self) -> None:
        pass


class _NoTokenYetError(UnreachableError):
    """GitHub gave no token just now."""


def _patience(error: LockgateError, timing: Timing) -> float:
    """Return for how long another exchange is tried after such an error, from the first one on."""
    if isinstance(error, _NoTokenYetError):
        return max(timing.away_s, min(GITHUB_S, timing.total_s))
    if isinstance(error, TryAgainError):
        return timing.away_s
    # An error of any other kind would come again, or was waited for.
    if not isinstance(error, ProblemError) or error.status not in AGAIN or error.type == LEFT:
        return 0.0
    if error.status not in AWAY:
        return timing.total_s
    return max(timing.away_s, min(OWN_S, timing.total_s)) if error.type else timing.away_s


def _life(document: Mapping[str, object]) -> float:
    """Return for how long a new key is; the clock of the server need not be that of the job."""
    from datetime import datetime  # noqa: PLC0415 -- only where a job has no key

    begun, ended = (datetime.fromisoformat(str(document[name])) for name in ("created_at", "expires_at"))
    return (ended - begun).total_seconds()
