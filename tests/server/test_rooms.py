# SPDX-License-Identifier: Apache-2.0
"""More calls come in than are carried out at once; who waits for whom, and who never does, goes out."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockgate.core.batch import RunBatch
from lockgate.core.permission import Permission
from lockgate.ports.store import Store
from lockgate.server.rooms import SIZES, STRANGER, URGENT, Room, Size, Who, room_name
from lockgate.server.table import ENDPOINTS
from lockgate.testing.world import World
from lockgate.wiring import memory_store, run_batches
from tests.server.served import API, NDJSON, Caller, Served, problem, served
from tests.spec.line import APP, created

LINE = b'{"app_id": "web", "release": "v1", "status": "ok"}\n'
BEFORE = {"kill", "rollback", "freeze", "pause", "evaluate", "tick", "turn", "end"}


@pytest.mark.clause("SV-203")
def test_what_ends_a_bad_release_shares_no_room_with_anything_else() -> None:
    """Each row of the table is in one room, and those two have exactly what stops a rollout or finds that it must."""
    urgent = {row.path for row in ENDPOINTS if room_name(row) in URGENT}

    assert urgent == {row.path for row in ENDPOINTS if row.method == "POST" and row.path.rsplit("/", 1)[1] in BEFORE}
    assert {room_name(row) for row in ENDPOINTS} == set(SIZES)
    reads = [row for row in ENDPOINTS if row.permission is Permission.READ]
    assert {room_name(row) for row in reads} == {"reads", "comparisons"}


class Held:
    """A store on which whoever only looks is kept waiting, and whoever decodes runs; all others go on."""

    def __init__(self, store: Store) -> None:
        self._store, self._usual = store, run_batches()
        self.read = self._usual.read
        self.go_on = threading.Event()
        self.is_holding = False
        self.waiting = threading.Semaphore(0)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    @contextmanager
    def reading(self, org: str = "default") -> Iterator[Any]:
        """Wait in the threads of those who look."""
        self._wait("reads", "comparisons")
        with self._store.reading(org) as seen:
            yield seen

    def decode(self, body: bytes, app: str | None) -> RunBatch:
        """Wait, and decode."""
        self._wait("batches", "imports")
        return self._usual.decode(body, app)

    def _wait(self, *rooms: str) -> None:
        if self.is_holding and any(f"-{room}" in threading.current_thread().name for room in rooms):
            self.waiting.release()
            assert self.go_on.wait(60)


@dataclass(frozen=True)
class Busy:
    """A server whose looks, comparisons and batches stand still, and threads that call it."""

    door: Served
    held: Held
    pool: ThreadPoolExecutor

    def compare(self, caller: Caller, times: int) -> list[Future[httpx.Response]]:
        """Ask for comparisons at once."""
        order = {"app_id": APP, "baseline": "v36", "candidate": "abc123"}
        return [self.pool.submit(caller.post, f"{API}/compare", order) for _ in range(times)]

    def begun(self, count: int) -> None:
        """Wait until so many calls stand still."""
        for _ in range(count):
            assert self.held.waiting.acquire(timeout=60)


@pytest.fixture
def busy() -> Iterator[Busy]:
    """Return a server that lets everything go on when the test has ended."""
    held = Held(memory_store())
    here = World(held, 1)
    created(here)
    with served(here, batches=held) as door, ThreadPoolExecutor(64) as pool:
        held.is_holding = True
        try:
            yield Busy(door, held, pool)
        finally:
            held.go_on.set()


@pytest.mark.clause("SV-203")
def test_what_ends_a_bad_release_waits_for_no_look_comparison_or_batch(busy: Busy) -> None:
    """All places of those are taken, others wait for them, and every stop and turn is done meanwhile."""
    admin = busy.door.caller("admin")
    calls = []
    for org in ("default", "acme"):
        viewer, sdk = busy.door.caller("viewer", org=org), busy.door.caller("sdk", org=org)
        calls += busy.compare(viewer, 6)
        calls += [busy.pool.submit(viewer.get, f"{API}/rollouts") for _ in range(8)]
        calls += [
            busy.pool.submit(sdk.call, "POST", f"{API}/{path}", NDJSON, content=LINE)
            for path in ("runs", "imports/runs")
            for _ in range(4)
        ]
    busy.begun(SIZES["comparisons"].places + SIZES["reads"].places + SIZES["imports"].places + 1)
    with busy.held._store.reading() as seen:
        (name,) = seen.active_ids()
    place = f"{API}/rollouts/{name}"
    why: dict[str, object] = {"reason": "harm"}
    orders: tuple[tuple[str, dict[str, object]], ...] = (
        (f"{place}/evaluate", {}),
        (f"{API}/rollouts/evaluate", {}),
        (f"{place}/screens/tick", {}),
        (f"{place}/pause", why),
        (f"{API}/apps/{APP}/freeze", why),
        (f"{place}/rollback", why),
        (f"{API}/apps/{APP}/kill", why),
        (f"{API}/apps/{APP}/screens/kill", {"words": {**why, "yes": True}}),
    )
    codes = [admin.post(path, document).status_code for path, document in orders]
    still = sum(not call.done() for call in calls)
    busy.held.go_on.set()

    assert codes == [200] * len(orders)
    assert still == len(calls)
    assert {call.result().status_code for call in calls} == {200, 400, 404}


@pytest.mark.clause("SV-204")
def test_one_key_has_so_many_calls_of_a_kind_in_hand_and_no_more(busy: Busy) -> None:
    """The next is 429 at once, and whoever calls with another key is answered as before."""
    size = SIZES["comparisons"]
    viewer, other = busy.door.caller("viewer"), busy.door.caller("viewer", org="acme")
    calls = busy.compare(viewer, size.in_hand + 4)
    refused = [next(each).result() for each in [as_completed(calls)] for _ in range(4)]
    theirs = busy.compare(other, 1)
    busy.begun(2)
    kill = busy.door.caller("admin").post(f"{API}/kill", {"reason": "harm"})
    busy.held.go_on.set()

    assert {problem(each) for each in refused} == {(429, "rate-limited")}
    assert {each.headers["retry-after"] for each in refused} == {"1"}
    assert kill.status_code == 200
    assert sum(each.result().status_code == 429 for each in (*calls, *theirs)) == 4


CALLS = st.lists(st.tuples(st.sampled_from("abcde"), st.sampled_from("xyz")), max_size=60)


@pytest.mark.clause("SV-204")
@given(calls=CALLS, places=st.integers(1, 8))
def test_no_key_and_no_organisation_has_all_places(calls: list[tuple[str, str]], places: int) -> None:
    """Three quarters at most, and all but one, however many call; and everybody has a place in the end."""
    asyncio.run(_check_shares([Who(f"{org} {key}", org) for key, org in calls], places))


async def _check_shares(calls: list[Who], places: int) -> None:
    room, inside, done = Room("test", Size(places, 100)), list[Who](), list[Who]()

    async def call(who: Who) -> None:
        with room.entered(who):
            async with room.place(who):
                inside.append(who)
                assert len(inside) <= room.taken <= places
                assert max(Counter(each.key for each in inside).values()) <= max(1, places * 3 // 4)
                assert max(Counter(each.org for each in inside).values()) <= max(1, places - 1)
                await asyncio.sleep(0)
                inside.remove(who)
                done.append(who)

    await asyncio.gather(*(call(each) for each in calls))

    assert (Counter(done), room.taken) == (Counter(calls), 0)


@pytest.mark.clause("SV-204")
def test_who_has_fewest_places_goes_next() -> None:
    """Two keys have asked for twenty each; another organisation, that came last, is second; then they take turns."""
    calls = [Who("a 1", "a")] * 20 + [Who("a 2", "a")] * 20 + [Who("b 1", "b")] * 2

    assert asyncio.run(_order(calls))[:7] == ["a 1", "b 1", "a 2", "b 1", "a 1", "a 2", "a 1"]


@pytest.mark.clause("SV-204")
def test_who_gives_up_waiting_takes_no_place() -> None:
    """Of those who wait some are cancelled, before and after they were called; the places are free afterwards."""

    async def given_up() -> int:
        room, who = Room("test", Size(2, 100)), Who("a 1", "a")
        calls = [asyncio.create_task(_inside(room, who, [])) for _ in range(10)]
        await asyncio.sleep(0)
        for each in calls[::2]:
            each.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        return room.taken

    assert asyncio.run(given_up()) == 0


async def _order(calls: list[Who]) -> list[str]:
    """Return whose calls have begun, in their order, in a room of one place for each organisation."""
    room, found = Room("test", Size(1, 100)), list[str]()
    await asyncio.gather(*(_inside(room, each, found) for each in calls))
    return found


async def _inside(room: Room, who: Who, found: list[str]) -> None:
    async with room.place(who):
        found.append(who.key)
        await asyncio.sleep(0)


@pytest.mark.clause("SV-204")
def test_strangers_share_all_places_of_their_room() -> None:
    """Nobody knows them apart, so that no share keeps them waiting."""

    async def taken() -> int:
        room, most = Room("test", Size(4, 100)), 0

        async def call() -> None:
            nonlocal most
            async with room.place(STRANGER):
                most = max(most, room.taken)
                await asyncio.sleep(0)

        await asyncio.gather(*(call() for _ in range(9)))
        return most

    assert asyncio.run(taken()) == 4
