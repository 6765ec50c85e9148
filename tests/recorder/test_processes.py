# SPDX-License-Identifier: Apache-2.0
"""Processes that end, fork, or write to one file come in; that their runs arrive once is held here."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from lockgate.recorder.sink import FileSink

HEAD = "import os, sys, lockgate\n"


def _ran(script: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", HEAD + script],
        env={"LOCKGATE_RELEASE": "v1", **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def _runs(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


@pytest.mark.clause("RC-10")
@pytest.mark.parametrize("end", ["", "sys.exit(3)", "raise RuntimeError('x')"])
def test_runs_are_sent_when_the_process_ends(tmp_path: Path, end: str) -> None:
    """However it ends of itself, nobody has to say flush."""
    _ran(
        f"for _ in range(10):\n    with lockgate.record('a'): pass\n{end}",
        LOCKGATE_RUNS_FILE=str(tmp_path / "runs"),
    )

    assert len(_runs(tmp_path / "runs")) == 10


@pytest.mark.clause("RC-10")
def test_a_process_whose_server_is_away_ends_all_the_same() -> None:
    """After some seconds, and says what was not sent."""
    before = time.monotonic()

    ran = _ran("with lockgate.record('a'): pass", LOCKGATE_URL="http://127.0.0.1:9")

    assert ran.returncode == 0
    assert time.monotonic() - before < 50
    assert "1 were not sent before the end" in ran.stderr


@pytest.mark.clause("RC-11")
def test_a_forked_process_sends_its_own_runs_and_not_its_parent_s(tmp_path: Path) -> None:
    """What waits in the parent, and a run that began there, are sent by the parent alone, and ids never meet."""
    script = (
        "with lockgate.record('before'): pass\n"
        "with lockgate.record('around'):\n"
        "    child = os.fork()\n"
        "    if child == 0:\n"
        "        with lockgate.record('child'): pass\n"
        "if child: os.waitpid(child, 0)\n"
        "with lockgate.record('child-after' if child == 0 else 'parent-after'): pass\n"
    )

    ran = _ran(script, LOCKGATE_RUNS_FILE=str(tmp_path / "runs"))

    runs = _runs(tmp_path / "runs")
    assert ran.stderr == ""
    assert sorted(run["app_id"] for run in runs) == ["around", "before", "child", "child-after", "parent-after"]
    assert len({run["run_id"] for run in runs}) == 5


@pytest.mark.clause("RC-11")
def test_a_fork_in_the_midst_of_recording_threads_hangs_nothing(tmp_path: Path) -> None:
    """No lock that a thread of the parent held is waited for in the child."""
    script = (
        "import threading\n"
        "with lockgate.record('parent'): pass\n"
        "over = threading.Event()\n"
        "def hammer():\n"
        "    while not over.is_set():\n"
        "        with lockgate.record('parent'): pass\n"
        "threads = [threading.Thread(target=hammer) for _ in range(4)]\n"
        "for each in threads: each.start()\n"
        "for number in range(20):\n"
        "    child = os.fork()\n"
        "    if child == 0:\n"
        "        with lockgate.record('child'): pass\n"
        "        from lockgate import recorder\n"
        "        os._exit(0 if recorder.flush(20) else 1)\n"
        "    if os.waitpid(child, 0)[1]: print('hung')\n"
        "over.set()\n"
        "for each in threads: each.join()\n"
    )

    ran = _ran(script, LOCKGATE_RUNS_FILE=str(tmp_path / "runs"))

    runs = _runs(tmp_path / "runs")
    assert ran.stdout == ""
    assert sum(run["app_id"] == "child" for run in runs) == 20
    assert len({run["run_id"] for run in runs}) == len(runs)


@pytest.mark.clause("RC-11", "RC-04")
def test_what_is_recorded_nowhere_is_so_after_a_fork_as_well() -> None:
    """It is counted in the child by the same reason, once each."""
    script = (
        "from lockgate import recorder\n"
        "with lockgate.record('a'): pass\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    with lockgate.record('a'): pass\n"
        "    told = recorder.counts()\n"
        "    print(told.ended, list(told.dropped.items()))\n"
        "    sys.stdout.flush()\n"
        "    os._exit(0)\n"
        "os.waitpid(child, 0)\n"
    )

    assert "1 [('neither LOCKGATE_URL nor LOCKGATE_RUNS_FILE" in _ran(script).stdout


@pytest.mark.clause("RC-10", "RC-11")
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_process_of_multiprocessing_sends_what_it_recorded(tmp_path: Path, method: str) -> None:
    """Such a process ends without atexit."""
    path = tmp_path / "work.py"
    path.write_text(
        HEAD + "import multiprocessing\n"
        "def work(number):\n"
        "    with lockgate.record('child'): pass\n"
        "if __name__ == '__main__':\n"
        "    with lockgate.record('parent'): pass\n"
        f"    context = multiprocessing.get_context({method!r})\n"
        "    some = [context.Process(target=work, args=(n,)) for n in range(3)]\n"
        "    for each in some: each.start()\n"
        "    for each in some: each.join()\n",
        encoding="utf-8",
    )

    subprocess.run(
        [sys.executable, str(path)],
        env={"LOCKGATE_RELEASE": "v1", "LOCKGATE_RUNS_FILE": str(tmp_path / "runs")},
        check=True,
        timeout=60,
    )

    assert sorted(run["app_id"] for run in _runs(tmp_path / "runs")) == ["child", "child", "child", "parent"]


def in_a_pool(tmp_path: Path, method: str, before: str = "") -> list[str]:
    """Record twenty runs in two workers of a pool, and return the apps of all runs that came."""
    path = tmp_path / "work.py"
    path.write_text(
        HEAD + f"import multiprocessing\n{before}"
        "def work(number):\n"
        "    with lockgate.record('child'): pass\n"
        "if __name__ == '__main__':\n"
        f"    with multiprocessing.get_context({method!r}).Pool(2) as pool:\n"
        "        pool.map(work, range(20))\n"
        "        pool.close()\n"
        "        pool.join()\n",
        encoding="utf-8",
    )
    environment = {"LOCKGATE_RELEASE": "v1", "LOCKGATE_RUNS_FILE": str(tmp_path / "runs")}
    subprocess.run([sys.executable, str(path)], env=environment, check=True, timeout=60)
    return [run["app_id"] for run in _runs(tmp_path / "runs")]


@pytest.mark.clause("WH-310")
@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_workers_of_a_pool_that_is_closed_send_what_they_recorded(tmp_path: Path, method: str) -> None:
    """They end by themselves then; who leaves the block at once has them ended by a signal."""
    assert in_a_pool(tmp_path, method) == ["child"] * 20


@pytest.mark.clause("WH-326")
@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_workers_whose_main_module_records_as_it_is_imported_send_what_they_recorded(
    tmp_path: Path, method: str
) -> None:
    """Also what a worker records before multiprocessing begins its process, and each run once."""
    recorded = in_a_pool(tmp_path, method, "with lockgate.record('main'): pass\n")

    assert recorded.count("child") == 20
    assert recorded.count("main") == (1 if method == "fork" else 3)


@pytest.mark.clause("RC-12")
def test_processes_that_append_to_one_file_tear_no_line(tmp_path: Path) -> None:
    """Each batch is written whole."""
    script = "for n in range(3_000):\n    with lockgate.record('a') as run: run.label('l', 'x' * 300)\n"
    environment = {"LOCKGATE_RELEASE": "v1", "LOCKGATE_RUNS_FILE": str(tmp_path / "runs")}
    some = [subprocess.Popen([sys.executable, "-c", HEAD + script], env=environment) for _ in range(4)]
    for each in some:
        assert each.wait(60) == 0

    runs = _runs(tmp_path / "runs")
    assert len({run["run_id"] for run in runs}) == len(runs) == 12_000


@pytest.mark.clause("RC-12")
def test_a_full_disk_leaves_no_half_line(tmp_path: Path) -> None:
    """Lines that could not be written whole are taken back, and tried again later."""
    sink = FileSink(tmp_path / "runs")
    sink.send(b"{}\n")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, before[1]))
    try:
        outcome = sink.send(b"x" * 5_000 + b"\n")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    assert outcome.fate.value == "later"
    assert (tmp_path / "runs").read_bytes() == b"{}\n"
