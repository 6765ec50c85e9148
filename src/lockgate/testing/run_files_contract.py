# SPDX-License-Identifier: Apache-2.0
"""A reader of run files and a way to write them come in; pytest says whether the reader keeps the port's promises.

class TestMine(RunFilesContract):
    def reader(self) -> RunFiles: ...
    def write(self, runs: Sequence[Run], path: Path) -> Path: ...
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from lockgate.core.bucket import Bucket, Pairs
from lockgate.core.intake import WHOLE, Intake, Question
from lockgate.core.run import Run, Score, summarize_runs
from lockgate.errors import DataError, LockgateError, UsageError
from lockgate.ports.reading import RunFiles

BASELINE, CANDIDATE, OTHER = "v36", "abc123", "v35"
MEDICAL = (("intent", "medical"),)
DENTAL_EU = (("intent", "dental"), ("region", "eu"))
QUESTION = Question(
    baseline=BASELINE,
    candidate=CANDIDATE,
    slices=(WHOLE, MEDICAL, DENTAL_EU),
    paired_fields=("error_rate", "latency_ms", "scores.groundedness"),
)


def sample_runs() -> list[Run]:
    """Return runs of three releases that use every field, and leave each out somewhere."""
    statuses = ("ok", "ok", "ok", "error", "timeout", "cancelled", None)
    runs = []
    for number in range(210):
        groundedness = Score(value=(number * 37 % 101) / 100)
        safe = Score(value=number % 11 != 0)
        runs.append(
            Run(
                release=(BASELINE, CANDIDATE, OTHER)[number % 3],
                run_id=None if number % 13 == 0 else f"run-{number}",
                app_id="claims-agent",
                started_at="2026-11-02T10:00:00Z",
                status=statuses[number % 7],
                latency_ms=None if number % 5 == 0 else number * 1.25 + 0.001,
                ttft_ms=float(number) if number % 4 else None,
                cost=Decimal(number * 7919) / Decimal(10) ** 7 if number % 3 else Decimal("0.000001"),
                currency="EUR" if number % 2 else None,
                input_tokens=number * 1_000 if number % 6 else None,
                output_tokens=number,
                scores=dict(_scores(number, groundedness, safe)),
                labels={"intent": ("medical", "dental")[number % 2], "region": ("eu", "us", "eu")[number % 3]},
                probe_id=f"probe-{number // 3}" if number % 17 else None,
            )
        )
    return runs


def _scores(number: int, groundedness: Score, safe: Score) -> list[tuple[str, Score]]:
    named = [("groundedness", groundedness)] if number % 4 else []
    return [*named, ("safe", safe)] if number % 9 else named


class RunFilesContract:
    """What every reader does with every format."""

    def reader(self) -> RunFiles:
        """Return the reader under test."""
        raise NotImplementedError

    def write(self, runs: Sequence[Run], path: Path) -> Path:
        """Write runs to a file, whose suffix may be added to the path, and return it."""
        raise NotImplementedError

    def read(self, *paths: Path, question: Question = QUESTION) -> Intake:
        """Read files without watching the progress."""
        return self.reader().read([str(path) for path in paths], question, lambda _done, _total: None)

    def test_every_run_is_tallied_as_if_counted_by_hand(self, tmp_path: Path) -> None:
        """Buckets equal the sum of runs that are counted one by one, in the whole and in each slice."""
        runs = sample_runs()

        intake = self.read(self.write(runs, tmp_path / "runs"))

        assert intake.buckets == {
            (release, part): _counted(runs, release, part)
            for release in (BASELINE, CANDIDATE)
            for part in QUESTION.slices
            if _counted(runs, release, part).runs
        }

    def test_runs_of_every_release_are_counted(self, tmp_path: Path) -> None:
        """An unknown name can be answered by those that there are."""
        intake = self.read(self.write(sample_runs(), tmp_path / "runs"))

        assert intake.releases == {BASELINE: 70, CANDIDATE: 70, OTHER: 70}

    def test_files_add(self, tmp_path: Path) -> None:
        """Runs in two files are the runs in one, in either order."""
        runs = sample_runs()
        whole = self.write(runs, tmp_path / "whole")
        first, second = self.write(runs[:99], tmp_path / "first"), self.write(runs[99:], tmp_path / "second")

        intakes = [self.read(whole), self.read(first, second), self.read(second, first)]

        assert intakes[0].buckets == intakes[1].buckets == intakes[2].buckets
        assert intakes[0].releases == intakes[1].releases == intakes[2].releases

    def test_a_run_whose_id_was_read_before_is_set_aside(self, tmp_path: Path) -> None:
        """The first run of an id counts, across files too; another release may use the same id."""
        runs = [run for run in sample_runs() if run.run_id]
        again = [replace(runs[0], latency_ms=9e9), replace(runs[1], release=runs[0].release)]

        intake = self.read(self.write([*runs, *again], tmp_path / "first"), self.write(again, tmp_path / "second"))

        assert intake.duplicates == 3
        assert intake.bucket(BASELINE) + intake.bucket(CANDIDATE) == summarize_runs(
            run for run in [*runs, again[1]] if run.release != OTHER
        )

    def test_probes_are_paired(self, tmp_path: Path) -> None:
        """The first runs of a probe in both releases make a pair, and the candidate lost where it is worse."""
        answers = [
            (BASELINE, "a", "ok", 10.0, 0.9),
            (CANDIDATE, "a", "error", 20.0, 0.5),
            (CANDIDATE, "b", "ok", 5.0, 0.9),
            (CANDIDATE, "b", "error", 500.0, 0.1),
            (BASELINE, "b", "timeout", 5.0, 0.9),
            (BASELINE, "c", "cancelled", 5.0, 0.1),
            (CANDIDATE, "c", "ok", 1.0, 0.9),
            (BASELINE, "d", "ok", 1.0, 0.9),
        ]
        runs = [
            Run(release=release, probe_id=probe, status=status, latency_ms=ms, scores={"groundedness": Score(value=g)})
            for release, probe, status, ms, g in answers
        ]

        intake = self.read(self.write(runs, tmp_path / "runs"))

        assert {name: tally for (name, part), tally in intake.pairs.items() if part == WHOLE} == {
            "error_rate": Pairs(losses=1, ties=0, wins=1),
            "latency_ms": Pairs(losses=1, ties=1, wins=1),
            "scores.groundedness": Pairs(losses=1, ties=1, wins=1),
        }
        assert set(intake.pairs) == {(name, part) for name in QUESTION.paired_fields for part in QUESTION.slices}

    def test_a_pair_belongs_to_a_slice_when_both_runs_do(self, tmp_path: Path) -> None:
        """Pairs of the slices hold what both sides label alike."""
        runs = sample_runs()
        by_probe: dict[str | None, set[str]] = {}
        for run in runs:
            if run.release != OTHER and run.status in ("ok", "error", "timeout") and run.labels["intent"] == "medical":
                by_probe.setdefault(run.probe_id, set()).add(run.release)

        intake = self.read(self.write(runs, tmp_path / "runs"))

        expected = sum(1 for probe, releases in by_probe.items() if probe and len(releases) == 2)
        assert intake.pairs["error_rate", MEDICAL].n == expected

    def test_a_flaw_is_refused_with_its_place(self, tmp_path: Path) -> None:
        """A negative duration in any release names the file and the run, and nothing is returned."""
        runs = sample_runs()
        flawed = [replace(runs[0], latency_ms=-3.0), *runs[1:4], replace(runs[5], latency_ms=-4.0)]
        path = self.write(flawed, tmp_path / "runs")

        error = self.refusal(path)

        assert isinstance(error, DataError)
        assert error.message.startswith("2 runs cannot be read\n")
        assert error.message.count(f"{path}:") == 2
        assert "latency_ms is " in error.message

    def test_costs_in_two_currencies_are_refused(self, tmp_path: Path) -> None:
        """What cannot be added is not added."""
        runs = sample_runs()
        path = self.write([replace(run, currency=("EUR", "USD")[n > 50]) for n, run in enumerate(runs)], tmp_path / "x")

        error = self.refusal(path)

        assert isinstance(error, DataError)
        assert "cost is in USD, before it was in EUR" in error.message

    def test_a_run_without_anything_measurable_is_refused(self, tmp_path: Path) -> None:
        """A run that says nothing is not read as a good one."""
        path = self.write([*sample_runs(), Run(release=OTHER, run_id="empty")], tmp_path / "runs")

        error = self.refusal(path)

        assert isinstance(error, DataError)
        assert "no measurable field" in error.message

    def test_a_path_that_is_no_file_is_refused(self, tmp_path: Path) -> None:
        """A folder and a name that leads nowhere are mistakes in the call."""
        errors = [self.refusal(tmp_path), self.refusal(self.write(sample_runs(), tmp_path / "runs").with_name("none"))]

        assert [type(error) for error in errors] == [UsageError, UsageError]

    def test_progress_ends_at_the_total(self, tmp_path: Path) -> None:
        """Bytes done never run back within one reading, and end at the size of all files."""
        runs = [replace(run, run_id=None) for run in sample_runs()]
        paths = [self.write(runs, tmp_path / "first"), self.write(runs, tmp_path / "second")]
        told: list[tuple[int, int | None]] = []

        self.reader().read([str(path) for path in paths], QUESTION, lambda done, total: told.append((done, total)))

        size = sum(path.stat().st_size for path in paths)
        assert told[-1] == (size, size)
        assert [done for done, _ in told] == sorted(done for done, _ in told)

    def refusal(self, *paths: Path) -> LockgateError:
        """Return the error that reading ends with."""
        try:
            self.read(*paths)
        except LockgateError as error:
            return error
        raise AssertionError(f"{paths} should not be read")


def _counted(runs: Sequence[Run], release: str, part: tuple[tuple[str, str], ...]) -> Bucket:
    return summarize_runs(
        run for run in runs if run.release == release and all(run.labels.get(label) == value for label, value in part)
    )
