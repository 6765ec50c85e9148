# SPDX-License-Identifier: Apache-2.0
"""Servers that take runs, refuse them, fail or are away come in; what becomes of runs is held here."""

from __future__ import annotations

import logging
import time
from pathlib import Path

import pytest

from lockgate import Recorder
from lockgate.errors import UsageError
from lockgate.recorder import Bounds, Run
from lockgate.recorder.backlog import FULL, RunBacklog
from tests.recorder.receiving import answering, receiving

KEY = "rvk_0123456789abcd_secret"
DEAD = "http://127.0.0.1:9"


def _record(recorder: Recorder, count: int, app: str = "a") -> None:
    for _ in range(count):
        with recorder.record(app) as run:
            run.score("s", 1)


@pytest.mark.clause("RC-07")
def test_runs_arrive_at_a_real_server_once_each(tmp_path: Path) -> None:
    """They are kept as they were recorded, count in the bucket that is open, and none counts twice."""
    with receiving(tmp_path) as kept:
        recorder = Recorder(url=kept.url, release="v1", bounds=Bounds(batch_runs=50))
        _record(recorder, 120)
        assert recorder.close(60)

        assert recorder.counts().sent == 120
        assert kept.counted("a") == 120
        assert {run["release"] for run in kept.runs()} == {"v1"}
        assert len({run["run_id"] for run in kept.runs()}) == 120


@pytest.mark.clause("RC-07")
@pytest.mark.parametrize("fault", [None, 500, 503, 429])
def test_what_was_not_answered_is_sent_again_as_the_same_bytes(fault: int | None) -> None:
    """By its bytes a server knows a batch that it has taken already, so that it counts once."""
    with answering(fault, 200) as told:
        recorder = Recorder(url=told.url, api_key=KEY, release="v1")
        _record(recorder, 3)

        assert recorder.close(60)
        assert len(told.bodies) == 2
        assert told.bodies[0] == told.bodies[1]
        assert recorder.counts().sent == 3
        assert {each["Authorization"] for each in told.headers} == {f"Bearer {KEY}"}


@pytest.mark.clause("RC-07")
def test_batches_are_bounded_in_runs_and_in_bytes() -> None:
    """One of many small runs has as many as were asked for, and one of large runs about a mebibyte."""
    with answering(200) as told:
        recorder = Recorder(url=told.url, release="v1", bounds=Bounds(batch_runs=400, interval_s=0.2))
        _record(recorder, 1_000)
        assert recorder.flush(60)
        small = [body.count(b"\n") for body in told.bodies]
        told.bodies.clear()
        for _ in range(100):
            with recorder.record("a") as run:
                for name in range(60):
                    run.label(f"label-{name}", "x" * 1_000)
        assert recorder.close(60)

        assert sum(small) == 1_000
        assert max(small) == 400
        assert max(map(len, told.bodies)) < 2 << 20
        assert sum(body.count(b"\n") for body in told.bodies) == 100


@pytest.mark.clause("RC-07")
def test_runs_wait_for_a_full_batch_until_their_time_is_over_or_somebody_waits() -> None:
    """A service that records all the time sends whole batches, not what came while it sent the last."""
    with answering(200) as told:
        recorder = Recorder(url=told.url, release="v1", bounds=Bounds(batch_runs=100, interval_s=600))
        for _ in range(5):
            _record(recorder, 50)
            time.sleep(0.05)
        while recorder.counts().sent < 200:
            time.sleep(0.01)
        before = [body.count(b"\n") for body in told.bodies]
        assert recorder.close(60)

    assert sum(before) in (200, 250)
    assert min(before) >= 50
    assert sum(body.count(b"\n") for body in told.bodies) == 250


@pytest.mark.clause("RC-08")
def test_a_run_that_the_server_refuses_takes_no_other_with_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A batch with two of 50 refused is halved until those stand alone, and why is told."""
    with receiving(tmp_path) as kept, caplog.at_level(logging.WARNING, "lockgate"):
        recorder = Recorder(url=kept.url, release="v1")
        # What a clock that jumped a year would say; nothing that a caller says is refused.
        jumped = time.time_ns() + 366 * 86_400 * 10**9
        for number in range(50):
            with recorder.record("a") as run:
                pass
            if number in (7, 30):
                run.started_ns = jumped
        assert recorder.close(60)

        assert (recorder.counts().sent, recorder.counts().lost) == (48, 2)
        assert kept.counted("a") == 48
    # Once, and once more what was lost after that when the recorder is closed.
    told = [record.getMessage() for record in caplog.records]
    assert [message.count("in the future") for message in told] == [1, 1]
    assert "\n" not in "".join(told)


@pytest.mark.clause("RC-08")
def test_where_everything_is_refused_halving_ends() -> None:
    """A server that refuses all lines is asked a bounded number of times, and the batch is counted."""
    with answering(400) as told:
        recorder = Recorder(url=told.url, release="v1")
        _record(recorder, 500)
        assert recorder.close(60)

        assert recorder.counts().lost == 500
        assert len(told.bodies) < 100


@pytest.mark.clause("RC-08")
@pytest.mark.parametrize("status", [401, 403, 404, 302])
def test_a_key_or_address_that_is_not_right_costs_the_batch_and_is_told_without_the_key(
    status: int, caplog: pytest.LogCaptureFixture
) -> None:
    """It is sent once, counted, and said once on the logger."""
    with answering(status) as told, caplog.at_level(logging.DEBUG):
        recorder = Recorder(url=told.url, api_key=KEY, release="v1", bounds=Bounds(batch_runs=5))
        _record(recorder, 20)
        assert recorder.close(60)

        assert recorder.counts().lost == 20
        assert sum(body.count(b"\n") for body in told.bodies) == 20
    assert [str(status) in record.getMessage() for record in caplog.records if record.name == "lockgate"][:1] == [True]
    assert KEY not in caplog.text
    assert "secret" not in caplog.text


@pytest.mark.clause("RC-08")
def test_a_key_that_is_none_is_refused_without_being_told() -> None:
    """What the standard library says of such a header would hold it."""
    with pytest.raises(UsageError, match="is no key") as refused:
        Recorder(url="http://x", api_key="rvk_secret\r\nX: 1", release="v1")

    assert "secret" not in str(refused.value)


@pytest.mark.clause("RC-15")
def test_a_key_does_not_travel_unencrypted(monkeypatch: pytest.MonkeyPatch) -> None:
    """To another machine it goes by https, unless whoever runs the service says that the network is trusted."""
    with pytest.raises(UsageError, match="travel unencrypted to lockgate") as refused:
        Recorder(url="http://lockgate:7300", api_key="rvk_secret", release="v1")

    monkeypatch.setenv("LOCKGATE_INSECURE", "1")
    Recorder(url="http://lockgate:7300", api_key="rvk_secret", release="v1").close()
    assert "secret" not in str(refused.value)


@pytest.mark.clause("RC-09")
def test_while_the_server_is_away_memory_is_bounded_and_the_newest_runs_stay() -> None:
    """A thousand runs for a backlog of 100 leave the last hundred, and what was lost is counted by its reason."""
    backlog = RunBacklog(100, 1 << 30, 10_000, lambda: None)
    for number in range(1_000):
        with _of(backlog, number):
            pass

    left = backlog.take(1_000, 1 << 30)

    assert [run.app for run in left] == [f"a{number}" for number in range(900, 1_000)]
    assert backlog.counts().dropped == {FULL.format("server"): 900}


@pytest.mark.clause("WH-327")
def test_an_overflow_names_the_file_where_runs_go_to_one(tmp_path: Path) -> None:
    """Nobody looks for a server that is not asked."""
    recorder = Recorder(file=tmp_path / "absent" / "runs", release="v1", bounds=Bounds(max_runs=10))

    _record(recorder, 200)

    recorder.close(0.01)
    reasons = recorder.counts().dropped
    assert reasons["the file took them more slowly than they came"] >= 100
    assert not any("server" in reason for reason in reasons)


@pytest.mark.clause("RC-09")
def test_memory_is_bounded_in_bytes_too() -> None:
    """Runs with large texts are fewer."""
    backlog = RunBacklog(10_000, 1 << 20, 100_000, lambda: None)
    for number in range(1_000):
        with _of(backlog, number) as run:
            for name in range(20):
                run.label(f"l{name}", "x" * 1_000)

    left = backlog.take(10_000, 1 << 30)

    assert 20 < len(left) < 60
    assert sum(run.size for run in left) <= 1 << 20
    assert left[-1].app == "a999"


class _Home:
    def __init__(self, backlog: RunBacklog) -> None:
        self.backlog = backlog

    def release(self) -> str:
        return "v1"


def _of(backlog: RunBacklog, number: int) -> Run:
    home = _Home(backlog)
    return Run(f"a{number}", None, None, lambda: home)


@pytest.mark.clause("RC-09", "RC-10")
def test_a_server_that_is_away_is_waited_for_no_longer_than_asked(caplog: pytest.LogCaptureFixture) -> None:
    """Flush says that it was not in time, close ends all the same, and what was not sent is told."""
    with caplog.at_level(logging.WARNING, "lockgate"):
        recorder = Recorder(url=DEAD, release="v1")
        _record(recorder, 5)
        before = time.monotonic()
        is_done = recorder.flush(0.3)
        is_closed = recorder.close(0.3)

    assert (is_done, is_closed) == (False, False)
    assert time.monotonic() - before < 30
    assert "5 were not sent before the end" in caplog.text


@pytest.mark.clause("RC-07", "RC-09")
def test_runs_arrive_when_the_server_is_back() -> None:
    """What was recorded while nobody answered is sent once somebody does."""
    recorder = Recorder(url=DEAD, release="v1")
    _record(recorder, 10)
    assert not recorder.flush(0.2)

    with answering(200) as told:
        recorder.close(0.1)
        again = Recorder(url=told.url, release="v1")
        _record(again, 10)
        assert again.close(60)

    assert recorder.counts().sent == 0
    assert again.counts().sent == 10


@pytest.mark.clause("RC-04")
def test_what_ends_after_the_recorder_was_closed_is_counted(tmp_path: Path) -> None:
    """It raises nothing."""
    recorder = Recorder(file=tmp_path / "runs", release="v1")
    recorder.close()
    _record(recorder, 2)

    assert recorder.counts().lost == 2
    assert not (tmp_path / "runs").exists()


@pytest.mark.clause("RC-04")
@pytest.mark.parametrize("name", ["batch_runs", "interval_s", "max_runs", "max_bytes", "exit_s"])
def test_a_bound_that_lets_nothing_through_is_refused(name: str) -> None:
    """Nought would record nothing and say nothing."""
    with pytest.raises(UsageError, match=name):
        Bounds(**{name: 0})
