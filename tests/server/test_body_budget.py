# SPDX-License-Identifier: Apache-2.0
"""Bodies come in from many callers; how many bytes of them are held at once, and who is refused, goes out."""

from __future__ import annotations

import gzip
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockgate.core.batch import RunBatch
from lockgate.operations.asking.overview import overview
from lockgate.operations.intake.ingest import MAX_BYTES, MAX_RUNS
from lockgate.server import body
from lockgate.server.body_budget import BodyBudget, Budget, Hold
from lockgate.server.problem import ProblemError
from lockgate.server.rooms import STRANGER, Who
from lockgate.server.routes.runs import MAX_LINES
from lockgate.wiring import run_batches
from tests.server.raw import connect, head
from tests.server.served import API, NDJSON, Served, problem, served
from tests.spec.line import world

TOTAL, ORG, KEY = 400, 300, 200
RUN = b'{"app_id": "web", "release": "v1", "status": "ok"}\n'
KIB = 1 << 10
PIECES = st.lists(
    st.tuples(st.integers(0, 9), st.sampled_from("abc"), st.sampled_from("xy"), st.integers(1, 250), st.booleans()),
    max_size=80,
)


@pytest.mark.clause("SV-205")
@given(pieces=PIECES)
def test_over_all_callers_no_more_is_held_than_the_budget(pieces: list[tuple[int, str, str, int, bool]]) -> None:
    """In all, of each organisation and of each key, in any order of pieces and ends; and in the end nothing."""
    bodies, calls, held = BodyBudget(Budget(total=TOTAL, org=ORG, key=KEY)), dict[Who, Call](), Counter[Who]()
    for number, key, org, size, is_last in pieces:
        who = Who(f"{org} {key}{number % 2}", org)
        call = calls.setdefault(who, Call(bodies, who))
        held[who] += call.takes(size)
        assert sum(held.values()) <= TOTAL
        assert max(held.values()) <= KEY
        assert all(sum(held[each] for each in held if each.org == one) <= ORG for one in "xy")
        if is_last:
            calls.pop(who).ends()
            del held[who]
    for call in calls.values():
        call.ends()

    assert bodies.most <= TOTAL
    assert bodies.now == 0


class Call:
    """A call that holds what it can of its body."""

    def __init__(self, bodies: BodyBudget, who: Who) -> None:
        self._stack = ExitStack()
        self._hold: Hold = self._stack.enter_context(bodies.held(who))

    def takes(self, size: int) -> int:
        """Hold a piece, and return how much more is held."""
        try:
            self._hold(size)
        except ProblemError:
            return 0
        return size

    def ends(self) -> None:
        """Give all back."""
        self._stack.close()


@pytest.mark.clause("SV-205")
def test_the_usual_budget_takes_the_largest_body_of_each_key_and_leaves_room_for_others() -> None:
    """Packed and unpacked; no organisation has all of it, and strangers keep no caller out."""
    usual, bodies = Budget(), BodyBudget()
    assert 2 * MAX_BYTES <= usual.key < usual.org < usual.total <= 256 << 20
    with bodies.held(STRANGER) as hold:
        hold(usual.total)
        assert bodies.now == 0


@pytest.fixture
def narrow() -> Iterator[tuple[Served, BodyBudget]]:
    """Return a server that holds little, and what it holds."""
    bodies = BodyBudget(Budget(total=300 * KIB, org=200 * KIB, key=100 * KIB))
    with served(world(), bodies=bodies) as opened:
        yield opened, bodies


@pytest.mark.clause("SV-205")
@pytest.mark.parametrize("is_packed", [False, True])
def test_bodies_that_wait_are_held_within_the_budget(narrow: tuple[Served, BodyBudget], *, is_packed: bool) -> None:
    """Many large ones of one key at once: some are 429, all others count, and never was more held."""
    door, bodies = narrow
    sdk, other = door.caller("sdk"), door.caller("sdk", org="acme")
    sent = [RUN * 1_000 + b'{"app_id": "web", "release": "v%d", "status": "ok"}\n' % each for each in range(12)]
    coding = {"content-encoding": "gzip"} if is_packed else {}

    def send(one: bytes) -> httpx.Response:
        packed = gzip.compress(one) if is_packed else one
        return sdk.call("POST", f"{API}/runs", {**NDJSON, **coding}, content=packed)

    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(send, sent))
    theirs = other.call("POST", f"{API}/runs", NDJSON, content=RUN)
    codes = Counter(each.status_code for each in answers)

    assert set(codes) <= {200, 429}
    assert codes[200] >= 1
    assert 0 < bodies.most <= 100 * KIB
    assert bodies.now == 0
    assert theirs.status_code == 200


@pytest.mark.clause("SV-205")
def test_a_body_that_alone_is_more_than_a_key_may_hold_is_refused(narrow: tuple[Served, BodyBudget]) -> None:
    """By 429, and nothing of it is kept or held."""
    door, bodies = narrow
    answer = door.caller("sdk").call("POST", f"{API}/runs", NDJSON, content=RUN * 4_000)

    assert problem(answer) == (429, "rate-limited")
    assert (bodies.now, overview(door.world.house)) == (0, ())


@pytest.mark.clause("SV-206")
def test_who_sends_runs_slowly_takes_no_place_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """One key has begun more batches than are decoded at once, and a batch of another organisation is kept."""
    # Nobody who is slow is let go before the other gives up.
    monkeypatch.setattr(body, "BODY_SECONDS", 600.0)
    monkeypatch.setattr(body, "GRACE_SECONDS", 600.0)
    with served(world()) as door, ExitStack() as stack:
        slow, other = door.key("sdk").token, door.caller("sdk", org="acme")
        begun = head(
            f"POST {API}/runs HTTP/1.1",
            "Host: x",
            f"Authorization: Bearer {slow}",
            "Content-Type: application/x-ndjson",
            "Content-Length: 1000",
        )
        for _ in range(40):
            stack.enter_context(connect(door)).sendall(begun + b"{")
        answer = other.call("POST", f"{API}/runs", NDJSON, content=RUN, timeout=20)

    assert answer.status_code == 200


class Counting:
    """Decodes runs, and counts how often."""

    def __init__(self) -> None:
        self._usual, self._lock = run_batches(), threading.Lock()
        self.read = self._usual.read
        self.times = 0

    def decode(self, body: bytes, app: str | None) -> RunBatch:
        """Return the runs of a body."""
        with self._lock:
            self.times += 1
        return self._usual.decode(body, app)


@pytest.mark.clause("SV-206")
@pytest.mark.parametrize("path", ["runs", "imports/runs"])
def test_far_more_lines_than_runs_are_taken_are_not_decoded(path: str) -> None:
    """They are refused, packed as well; as many blank lines as runs beside the runs are passed over."""
    counting = Counting()
    with served(world(), batches=counting) as door:
        sdk = door.caller("sdk")
        many = gzip.compress(b"{}\n" * (MAX_LINES + 1), 1)
        refused = sdk.call("POST", f"{API}/{path}", {**NDJSON, "content-encoding": "gzip"}, content=many)
        before = counting.times
        taken = sdk.call("POST", f"{API}/{path}", NDJSON, content=RUN + b"\n" * MAX_RUNS)

    assert "lines is too large" in refused.json()["detail"]
    assert problem(refused)[0] < 500
    assert (before, counting.times) == (0, 1)
    assert taken.status_code == 200
