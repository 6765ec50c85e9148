# SPDX-License-Identifier: Apache-2.0
"""Blocks of code come in; what is recorded of each of them is held here."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import numpy as np
import pytest

import lockgate
from tests.recorder.conftest import Filed

APP = "claims-agent"


class ToolError(Exception):
    """A failure of the application's own."""


@pytest.mark.clause("RC-01")
def test_a_block_is_a_run_with_its_time_and_what_was_said_of_it(filed: Filed) -> None:
    """Every field of the record has its own word, and latency and status need none."""
    before = time.time()
    with filed.recorder.record(APP, probe_id="case-7", environment="prod", labels={"intent": "medical"}) as run:
        run.score("groundedness", 0.93)
        run.score("safe", True, evaluator="guard", version="3")
        run.cost("0.01", "EUR")
        run.tokens(input=120, output=45)
        run.ttft(12.5)
        run.label("region", "eu")
        run.unit("user-1")
        run.flag("new-index", "on")
        time.sleep(0.002)

    found = filed.run()

    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}", found.pop("run_id"))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", started := found.pop("started_at"))
    assert started[:16] in {time.strftime("%Y-%m-%dT%H:%M", time.gmtime(each)) for each in (before, time.time())}
    assert 2 <= found.pop("latency_ms") < 10_000
    assert found == {
        "app_id": APP,
        "release": "v1",
        "status": "ok",
        "probe_id": "case-7",
        "environment": "prod",
        "unit_id": "user-1",
        "cost": "0.01",
        "currency": "EUR",
        "input_tokens": 120,
        "output_tokens": 45,
        "ttft_ms": 12.5,
        "scores": {"groundedness": 0.93, "safe": {"value": True, "evaluator": "guard", "version": "3"}},
        "labels": {"intent": "medical", "region": "eu"},
        "flags": {"new-index": "on"},
    }


@pytest.mark.clause("RC-01")
def test_costs_and_tokens_add_up_and_the_first_token_comes_once(filed: Filed) -> None:
    """An agent that calls a model three times says so three times."""
    with filed.recorder.record(APP) as run:
        for _ in range(3):
            run.cost(Decimal("0.1"), "EUR")
            run.cost(0.2)
            run.tokens(input=np.int64(5), output=2.0)
            run.ttft()
        run.cost(1, "USD")

    found = filed.run()

    assert (found["cost"], found["currency"]) == ("0.9", "EUR")
    assert (found["input_tokens"], found["output_tokens"]) == (15, 6)
    assert 0 <= found["ttft_ms"] <= found["latency_ms"]
    assert sum(filed.recorder.counts().left_out.values()) == 1


@pytest.mark.clause("RC-02")
@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ToolError("secret text"), "error"),
        (TimeoutError(), "timeout"),
        (asyncio.CancelledError(), "cancelled"),
        (KeyboardInterrupt(), "cancelled"),
    ],
)
def test_an_exception_ends_the_run_and_goes_on(filed: Filed, error: BaseException, status: str) -> None:
    """The status is the kind of exception's, its class is the error's type, and its text is nobody's."""
    with pytest.raises(type(error)) as raised, filed.recorder.record(APP):
        raise error

    found = filed.run()

    assert raised.value is error
    assert (found["status"], found["error_type"]) == (status, type(error).__name__)
    assert "secret" not in str(found)


@pytest.mark.clause("RC-02")
def test_a_failure_that_nobody_raises_is_said(filed: Filed) -> None:
    """A service that answers 500 itself says that the run failed."""
    with filed.recorder.record(APP) as run:
        run.fail("BadGateway", status="timeout")

    assert (filed.run()["status"], filed.run()["error_type"]) == ("timeout", "BadGateway")


@pytest.mark.clause("RC-01")
def test_an_id_that_is_asked_for_is_the_one_that_is_recorded(filed: Filed) -> None:
    """An application may write the id into its own log."""
    with filed.recorder.record(APP) as one:
        asked = one.run_id
    with filed.recorder.record(APP, run_id="mine") as two:
        given = two.run_id

    assert [run["run_id"] for run in filed.runs()] == [asked, given]
    assert (one.run_id, given) == (asked, "mine")


def _said() -> None:
    run = lockgate.current_run()
    assert run is not None
    run.label("of", run.app)


@pytest.mark.clause("RC-05")
def test_a_call_of_a_decorated_function_is_a_run(filed: Filed) -> None:
    """It does what it did, has its name, and its code finds the run; a coroutine is no other."""

    @filed.recorder.record("plain")
    def plain(number: int) -> int:
        _said()
        return number + 1

    @filed.recorder.record("coroutine")
    async def coroutine(number: int) -> int:
        _said()
        await asyncio.sleep(0)
        return number + 1

    answers = [plain(1), plain(2), asyncio.run(coroutine(1))]

    assert answers == [2, 3, 2]
    assert plain.__name__ == "plain"
    runs = [(run["app_id"], run["labels"]["of"], run["status"]) for run in filed.runs()]
    assert runs == [(name, name, "ok") for name in ("plain", "plain", "coroutine")]
    assert lockgate.current_run() is None


@pytest.mark.clause("RC-05")
def test_a_generator_is_a_run_until_it_ends(filed: Filed) -> None:
    """One that nobody reads to its end is cancelled."""

    @filed.recorder.record("steps")
    def steps() -> Iterator[int]:
        _said()
        yield 1
        yield 2

    @filed.recorder.record("stream")
    async def stream() -> AsyncIterator[int]:
        _said()
        yield 1
        yield 2

    async def drained() -> list[int]:
        return [number async for number in stream()]

    answers = [list(steps()), asyncio.run(drained())]
    stopped = steps()
    next(stopped)
    del stopped

    assert answers == [[1, 2], [1, 2]]
    runs = [(run["app_id"], run["labels"]["of"], run["status"]) for run in filed.runs()]
    assert runs == [("steps", "steps", "ok"), ("stream", "stream", "ok"), ("steps", "steps", "cancelled")]
    assert lockgate.current_run() is None


@pytest.mark.clause("RC-05")
def test_runs_in_runs_and_tasks_keep_apart(filed: Filed) -> None:
    """What a task or an inner block says is of its own run, and the outer one is back after it."""

    async def task(number: int) -> None:
        async with filed.recorder.record(APP) as run:
            await asyncio.sleep(0)
            assert lockgate.current_run() is run
            run.score("number", number)
            with filed.recorder.record("tool"):
                await asyncio.sleep(0)
                assert lockgate.current_run() is not run
            assert lockgate.current_run() is run

    async def both() -> None:
        async with asyncio.timeout(30):
            await asyncio.gather(*map(task, range(20)))

    asyncio.run(both())

    runs = filed.runs()
    assert sorted(run["scores"]["number"] for run in runs if run["app_id"] == APP) == list(range(20))
    assert sum(run["app_id"] == "tool" for run in runs) == 20


@pytest.mark.clause("RC-14")
def test_runs_of_many_threads_arrive_once_each(filed: Filed) -> None:
    """None is lost, none comes twice, and no two have one id."""

    def hammer(thread: int) -> None:
        for number in range(500):
            with filed.recorder.record(APP) as run:
                run.score("which", thread * 1_000 + number)

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(hammer, range(16)))

    runs = filed.runs()
    assert sorted(run["scores"]["which"] for run in runs) == sorted(
        t * 1_000 + n for t in range(16) for n in range(500)
    )
    assert len({run["run_id"] for run in runs}) == 8_000
    assert filed.recorder.counts().sent == filed.recorder.counts().ended == 8_000
