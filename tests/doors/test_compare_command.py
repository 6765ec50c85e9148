# SPDX-License-Identifier: Apache-2.0
"""Files and a command line come in; exit code, standard output, standard error and report must be right."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import jsonschema
import pytest
from click.shell_completion import ShellComplete

from lockgate.cli import main
from lockgate.core.comparison_schema import comparison_schema
from tests.doors.comparisons import HOSTILE

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
CLEAN, REGRESSED, THIN = (str(EXAMPLES / "runs" / name) for name in ("clean.ndjson", "regressed.csv", "thin.ndjson"))
RELEASES = ["--baseline", "v36", "--candidate", "abc123"]


def compare(*arguments: str) -> int:
    """Call the command in this process and return its exit code."""
    return main.run(["compare", *RELEASES, *arguments])


def written(folder: Path, lines: Iterable[str], name: str = "runs.ndjson") -> str:
    """Write lines into a file and return its path."""
    path = folder / name
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return str(path)


def run_lines(release: str, count: int, failures: int = 0) -> list[str]:
    """Return runs of a release, of which some failed."""
    statuses = ["error"] * failures + ["ok"] * (count - failures)
    runs = ({"run_id": f"r{number}", "release": release, "status": status} for number, status in enumerate(statuses))
    return [json.dumps(run) for run in runs]


@pytest.mark.clause("CO-40")
@pytest.mark.parametrize(
    ("file", "options", "code"),
    [
        (CLEAN, [], 0),
        (REGRESSED, [], 1),
        (REGRESSED, ["--allow-thin"], 1),
        (THIN, [], 3),
        (THIN, ["--allow-thin"], 0),
        (CLEAN, ["--metric", "scores.missing", "--allow-thin"], 65),
    ],
)
def test_the_exit_code_is_the_outcome(file: str, options: list[str], code: int) -> None:
    """A pipeline goes on, stops, or says that it cannot tell."""
    assert compare("--quiet", *options, file) == code


@pytest.mark.clause("CO-43")
def test_the_table_says_what_was_found(capsys: pytest.CaptureFixture[str]) -> None:
    """A person who runs the example reads the outcome first."""
    compare(REGRESSED)

    out, err = capsys.readouterr()
    assert out.strip().startswith("✗ REGRESSED  abc123 is worse than v36: error_rate went from ")
    assert err == ""


@pytest.mark.clause("CO-42")
@pytest.mark.parametrize("file", [CLEAN, REGRESSED, THIN])
def test_json_is_what_its_schema_says(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A program may rely on every field that the schema names."""
    compare("--json", file)

    document = json.loads(capsys.readouterr().out)
    jsonschema.Draft202012Validator(comparison_schema()).validate(document)
    assert {"outcome", "baseline", "candidate", "gates"} <= set(document)


@pytest.mark.clause("CO-42")
def test_machines_read_the_same_bytes_everywhere(tmp_path: Path) -> None:
    """Hash seed, locale, time zone and processor features change nothing in JSON, Markdown or the page."""
    plain = {"PYTHONHASHSEED": "1", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    other = {
        "PYTHONHASHSEED": "4242",
        "LC_ALL": "POSIX",
        "PYTHONUTF8": "0",
        "PYTHONCOERCECLOCALE": "0",
        "TZ": "Asia/Kolkata",
        "NPY_DISABLE_CPU_FEATURES": "AVX2 FMA3 AVX512F AVX512CD AVX512_SKX",
        "COLUMNS": "200",
        "FORCE_COLOR": "1",
    }

    answers = [_answers(tmp_path / str(number), settings) for number, settings in enumerate((plain, other))]

    assert answers[0] == answers[1]


def _answers(folder: Path, settings: dict[str, str]) -> list[bytes]:
    folder.mkdir()
    call = [sys.executable, "-W", "ignore", "-m", "lockgate", "compare", *RELEASES]
    question = ["--policy", "policy.yaml", "runs/regressed.csv"]
    report = folder / "report.html"
    environment = {"PATH": os.environ["PATH"], **settings}
    ran = [
        subprocess.run([*call, *form, *question], cwd=EXAMPLES, env=environment, capture_output=True, check=False)
        for form in (["--json"], ["--markdown", "--report", str(report)])
    ]
    assert [(each.returncode, each.stderr) for each in ran] == [(1, b"")] * 2
    return [*(each.stdout for each in ran), report.read_bytes()]


@pytest.mark.clause("CO-42")
def test_standard_input_is_read_like_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    """`-` reads NDJSON: the answer is that of the file but for its name."""
    compare("--json", CLEAN)
    expected = json.loads(capsys.readouterr().out)

    ran = subprocess.run(
        [sys.executable, "-m", "lockgate", "compare", *RELEASES, "--json", "-"],
        input=Path(CLEAN).read_bytes(),
        capture_output=True,
        check=False,
    )

    answer = json.loads(ran.stdout)
    assert (ran.returncode, ran.stderr) == (0, b"")
    assert {**answer, "files": []} == {**expected, "files": []}


@pytest.mark.clause("CO-46", "CO-47")
def test_a_report_is_written_beside_the_answer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The page says how to ask again, in words that a shell takes."""
    report = tmp_path / "report.html"

    code = compare("--report", str(report), "--quiet", "--metric", "error_rate", "--per-gate-level", ".9", CLEAN)

    assert (code, capsys.readouterr()) == (0, ("", ""))
    again = shlex.join(["lockgate", "compare", *RELEASES, "--metric", "error_rate", "--per-gate-level", "0.9", CLEAN])
    assert again in report.read_text("utf-8")


@pytest.mark.clause("CO-47")
def test_no_report_is_left_by_a_call_that_fails(tmp_path: Path) -> None:
    """Bad data leaves an old report as it was."""
    report = tmp_path / "report.html"
    report.write_text("old")

    code = compare("--report", str(report), written(tmp_path, ["{"]))

    assert (code, report.read_text()) == (65, "old")


@pytest.mark.clause("CO-45")
def test_a_hostile_release_is_compared_like_any_other(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A name may be anything that the data holds."""
    path = written(tmp_path, [*run_lines("v36", 600), *run_lines(HOSTILE, 600)])

    code = main.run(["compare", "--baseline", "v36", "--candidate", HOSTILE, path])

    out = capsys.readouterr().out
    assert code == 0
    assert all(char.isprintable() or char == "\n" for char in out)


@pytest.mark.clause("CO-40")
def test_a_metric_that_went_missing_is_not_thin(tmp_path: Path) -> None:
    """A candidate that stops saying its latency is not forgiven by --allow-thin."""
    timed = [line.replace("}", ', "latency_ms": 5}') for line in run_lines("v36", 40)]
    path = written(tmp_path, [*timed, *run_lines("abc123", 40)])

    assert compare("--quiet", "--allow-thin", path) == 3


@pytest.mark.clause("CO-51")
@pytest.mark.parametrize("target", ["runs.ndjson", "policy.yaml", "link.html", "other.csv", "other.ndjson.gz", "data"])
def test_a_report_replaces_nothing_that_is_read(
    target: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A slip in the order of arguments costs nobody their runs, by whatever name."""
    runs = written(tmp_path, RUNS)
    policy = written(tmp_path, ["gates: [error_rate]"], "policy.yaml")
    (tmp_path / "link.html").symlink_to(runs)
    (tmp_path / "data").hardlink_to(policy)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    code = compare("--policy", policy, "--report", str(tmp_path / target), runs)

    assert (code, capsys.readouterr().out) == (64, "")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.clause("CO-11")
def test_objectives_alone_need_no_baseline(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One release against fixed limits, on a screen, in a comment and on a page."""
    path = written(tmp_path, run_lines("abc123", 800, failures=200))
    policy = written(tmp_path, ["gates: [{metric: error_rate, max: 10%}]"], "policy.yaml")
    call = ["compare", "--candidate", "abc123", "--policy", policy, "--report", str(tmp_path / "report.html"), path]

    codes = [main.run([*call, *form]) for form in ([], ["--markdown"], ["--json"])]

    table, comment = capsys.readouterr().out.split("### ")
    assert codes == [1, 1, 1]
    assert table.strip().startswith("✗ REGRESSED  abc123 is beyond its limits: error_rate ≤ 10 % is 25.0 %.")
    assert "baseline" not in table
    assert "A release at its limits is called regressed at most 5 % of the time." in table
    assert "--baseline" not in comment


USAGE = {
    "an unknown metric": (["--metric", "happiness"], "unknown metric 'happiness'"),
    "two forms at once": (["--json", "--markdown"], "--json and --markdown cannot both be printed"),
    "gates named twice": (["--policy", "policy.yaml", "--metric", "cost"], "--policy and --metric both name gates"),
    "a level above one": (["--per-gate-level", "95"], "95 is not a part of one; write 95%."),
    "a level that is half of nothing": (["--per-gate-level", "40%"], "0.4 is not in the range"),
    "a metric that is misspelt": (["--metric", "eror_rate"], "; did you mean error_rate?"),
    "a field without its unit": (["--metric", "latency:p95"], "; did you mean latency_ms:p95?"),
    "a score without its prefix": (["--metric", "groundedness"], "; did you mean scores.groundedness?"),
    "an answer to nobody": (["--quiet", "--json"], "--quiet prints nothing"),
    "no baseline": (["--baseline", ""], "the baseline has no name"),
    "a policy that is not there": (["--policy", "missing.yaml"], "missing.yaml"),
    "a file that is not there": (["missing.ndjson"], "missing.ndjson"),
}


@pytest.mark.clause("CO-41")
@pytest.mark.parametrize("case", USAGE)
def test_a_call_that_cannot_be_meant_leaves_by_64(case: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The first line on standard error says what is wrong."""
    options, said = USAGE[case]

    code = compare(*options, CLEAN)

    out, err = capsys.readouterr()
    assert (code, out) == (64, "")
    assert err.startswith("error: ")
    assert said in err


RUNS = [*run_lines("v36", 40), *run_lines("abc123", 40)]
DATA = {
    "a malformed line": ([*RUNS, '{"release": "v36", '], "81"),
    "a number that is none": ([*RUNS, '{"release": "v36", "latency_ms": NaN}'], "81"),
    "an infinite number": ([*RUNS, '{"release": "v36", "latency_ms": 1e999}'], "81"),
    "a negative duration": ([*RUNS, '{"release": "v36", "latency_ms": -5}'], "81"),
    "a wrong type": ([*RUNS, '{"release": "v36", "latency_ms": "fast"}'], "81"),
    "a release that is not in it": (run_lines("v36", 40) + run_lines("def456", 40), "def456"),
    "a line without end": (
        [*RUNS, '{"release": "v36", "labels": {"x": "' + "a" * 3_000_000 + '"}}'],
        "81: the line is longer",
    ),
    "nothing at all": ([], "there are no runs in the files"),
}


@pytest.mark.clause("CO-41")
@pytest.mark.parametrize("case", DATA)
def test_bad_data_leaves_by_65(case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The message names the line, or the releases that are there; nothing is printed as if it were an answer."""
    lines, said = DATA[case]

    code = compare(written(tmp_path, lines))

    out, err = capsys.readouterr()
    assert (code, out) == (65, "")
    assert err.startswith("error: ")
    assert said in err


POLICIES = {
    "a margin inside the tolerance": ("gates:\n- {metric: error_rate, tolerance: 2pp, margin: 1pp}\n", "margin"),
    "weights that do not rise": ("gates: [error_rate]\nsteps: 25,5\n", "steps"),
    "a bomb of aliases": ("a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]\n", "alias"),
    "no mapping": ("- error_rate\n", "mapping"),
}


@pytest.mark.clause("CO-41")
@pytest.mark.parametrize("case", POLICIES)
def test_a_policy_that_cannot_be_meant_leaves_by_65(
    case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its faults are listed before any run is read."""
    text, said = POLICIES[case]
    policy = written(tmp_path, text.split("\n"), "policy.yaml")

    code = compare("--policy", policy, CLEAN)

    out, err = capsys.readouterr()
    assert (code, out) == (65, "")
    assert said in err


def test_duplicates_are_counted_and_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A run that came twice counts once, and the answer says so."""
    path = written(tmp_path, [*RUNS, *RUNS[:3]])

    compare("--json", path)

    document = json.loads(capsys.readouterr().out)
    assert document["duplicates"] == 3
    assert document["sizes"] == {"v36": 40, "abc123": 40}


@pytest.mark.clause("CO-02")
def test_a_level_may_be_in_percent(capsys: pytest.CaptureFixture[str]) -> None:
    """95% and .95 are one level."""
    compare("--json", "--per-gate-level", "95%", CLEAN)

    assert json.loads(capsys.readouterr().out)["per_gate_level"] == 0.95


@pytest.mark.parametrize(
    ("words", "incomplete", "offered"),
    [
        ("lockgate compare -b v36 ", "ex", ("file", "ex")),
        ("lockgate compare --metric ", "latency_ms:p9", ("plain", "latency_ms:p95")),
        ("lockgate policy check ", "pol", ("file", "pol")),
        ("lockgate policy show ", "pol", ("file", "pol")),
    ],
)
def test_a_shell_completes_files_and_metrics(words: str, incomplete: str, offered: tuple[str, str]) -> None:
    """Files come from the shell, names of metrics from the catalogue."""
    completion = ShellComplete(main.lockgate, {}, "lockgate", "_LOCKGATE_COMPLETE")

    items = completion.get_completions(words.split()[1:], incomplete)

    assert offered in [(item.type, item.value) for item in items]


@pytest.mark.clause("CO-49")
def test_a_reader_that_goes_away_does_not_change_the_answer() -> None:
    """`lockgate compare ... | head -1` leaves by the outcome."""
    reading, writing = os.pipe()
    os.close(reading)

    ran = subprocess.run(
        [sys.executable, "-m", "lockgate", "compare", *RELEASES, REGRESSED],
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )

    os.close(writing)
    assert (ran.returncode, ran.stderr) == (1, "")
