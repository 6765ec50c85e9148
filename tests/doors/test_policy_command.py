# SPDX-License-Identifier: Apache-2.0
"""`lockgate policy` is called as a person calls it; files, output and exit codes must be right."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import pytest

from lockgate.adapters.decoders.policy_file import decode_policy
from lockgate.cli.main import run
from lockgate.core.declaration.policy_declaration import declare
from lockgate.core.declaration.schema import policy_schema

BAD = "mode: canry\nsteps: [5, 5, 100]\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.clause("PO-11")
def test_init_writes_a_policy_that_is_legal_and_explained(folder: Path) -> None:
    """The example climbs 1, 5, 25, 50, 100 with explicit holds, and says what each field is for."""
    code = run(["policy", "init", "--app", "claims agent: v2"])

    text = (folder / "policy.yaml").read_text(encoding="utf-8")
    policy = declare(decode_policy(text))
    assert (code, policy.app) == (0, "claims agent: v2")
    assert [step.weight for step in policy.steps] == [1.0, 5.0, 25.0, 50.0, 100.0]
    assert [step.min_hold_s for step in policy.steps] == [1800, 1800, 3600, 3600, 0]
    assert policy.steps[-1].soak_s == 3600
    assert text.count("#") > 20


@pytest.mark.clause("PO-11")
def test_what_init_comments_out_is_legal_too(folder: Path) -> None:
    """Taking a comment away does not take a policy apart."""
    run(["policy", "init"])
    text = (folder / "policy.yaml").read_text(encoding="utf-8")

    policy = declare(decode_policy(re.sub(r"(?m)^( *)# (?![A-Z])", r"\1", text)))

    assert len(policy.gates) == 4
    assert policy.rules.invariants
    assert policy.rules.limits.time_s == 604_800


@pytest.mark.clause("PO-11")
def test_init_does_not_replace_a_file_unless_forced(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An owner's policy is not lost to a second call."""
    (folder / "mine.yaml").write_text("app: mine\n", encoding="utf-8")

    refused = run(["policy", "init", "mine.yaml"])
    kept = (folder / "mine.yaml").read_text(encoding="utf-8")
    forced = run(["policy", "init", "mine.yaml", "--force"])

    assert (refused, kept, forced) == (64, "app: mine\n", 0)
    assert "--force" in capsys.readouterr().err
    assert "my-app" in (folder / "mine.yaml").read_text(encoding="utf-8")


@pytest.mark.clause("PO-11")
def test_check_lists_every_fault(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Bad data leaves by 65, and each fault stands on a line with its path."""
    (folder / "policy.yaml").write_text(BAD, encoding="utf-8")

    code = run(["policy", "check", "policy.yaml"])

    error = capsys.readouterr().err
    assert code == 65
    assert "2 faults" in error
    assert "  mode: 'canry' must be shadow or canary; did you mean 'canary'?\n" in error
    assert "  steps[1].weight: 5 must be above 5, the weight before it\n" in error


@pytest.mark.clause("PO-11")
def test_check_answers_machines(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same faults as JSON, with the same exit code."""
    (folder / "policy.yaml").write_text(BAD, encoding="utf-8")

    code = run(["policy", "check", "policy.yaml", "--json"])

    answer = json.loads(capsys.readouterr().out)
    assert (code, answer["valid"], answer["digest"]) == (65, False, None)
    assert [fault["path"] for fault in answer["faults"]] == ["mode", "steps[1].weight"]


@pytest.mark.clause("PO-11")
@pytest.mark.parametrize("options", [[], ["--json"]])
def test_check_says_that_there_are_no_faults(
    folder: Path, capsys: pytest.CaptureFixture[str], options: list[str]
) -> None:
    """A legal policy leaves by 0 with its digest."""
    (folder / "policy.yaml").write_text("app: x\n", encoding="utf-8")

    code = run(["policy", "check", "policy.yaml", *options])

    assert code == 0
    assert declare({"app": "x"}).digest() in capsys.readouterr().out


@pytest.mark.clause("PO-11")
def test_check_reads_standard_input(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A policy may come through a pipe."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"a: &x 1\nb: *x\n")))

    code = run(["policy", "check", "-"])

    assert code == 65
    assert "standard input, line 1, column 4: anchors and aliases" in capsys.readouterr().err


@pytest.mark.clause("PO-11")
@pytest.mark.parametrize("command", ["check", "show"])
def test_a_file_that_is_not_there_is_a_usage_error(folder: Path, command: str) -> None:
    """The call names what does not exist."""
    assert run(["policy", command, str(folder / "none.yaml")]) == 64


@pytest.mark.clause("PO-02")
def test_show_prints_a_policy_that_means_the_same(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The output is a legal policy with the digest of the file, and its promises as comments."""
    text = "gates: [error_rate, {metric: pass_rate, detect: none}]\nsteps: [{ring: '1e1'}, 5, 100]\n"
    (folder / "policy.yaml").write_text(text, encoding="utf-8")

    code = run(["policy", "show", "policy.yaml"])

    shown = capsys.readouterr().out
    assert code == 0
    assert declare(decode_policy(shown)) == declare(decode_policy(text))
    assert shown.startswith(f"# {declare(decode_policy(text)).digest()}\n")


@pytest.mark.clause("PO-12")
def test_show_says_what_the_policy_promises(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Machines get the promises as sentences, the policy and the digest."""
    text = "gates: [{metric: error_rate, detect: none}]\nsteps: [{ring: internal}, 5, 100]\n"
    (folder / "policy.yaml").write_text(text, encoding="utf-8")

    code = run(["policy", "show", "policy.yaml", "--json"])

    answer = json.loads(capsys.readouterr().out)
    assert (code, declare(answer["policy"]).digest()) == (0, answer["digest"])
    assert any("promises nothing (detect: none)" in sentence for sentence in answer["promises"])
    assert any("nothing is compared there" in sentence for sentence in answer["promises"])


@pytest.mark.clause("PO-11")
def test_schema_prints_what_editors_read(capsys: pytest.CaptureFixture[str]) -> None:
    """An installed wheel has no docs folder, and its faults name this command."""
    assert run(["policy", "schema"]) == 0

    assert json.loads(capsys.readouterr().out) == policy_schema()


@pytest.mark.clause("PO-11")
def test_policy_alone_prints_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever looks around is shown around, as by lockgate alone."""
    assert run(["policy"]) == 0

    out, err = capsys.readouterr()
    assert out.startswith("Usage: lockgate policy")
    assert err == ""


@pytest.mark.clause("PO-11")
def test_an_error_rate_in_whole_percent_is_understood(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`alpha: 5` asks whether it is meant to be 5%."""
    (folder / "policy.yaml").write_text("alpha: 5\n", encoding="utf-8")

    assert run(["policy", "check", "policy.yaml"]) == 65

    assert "alpha: 5 must be a number above 0 and at most 0.5; did you mean 5%?" in capsys.readouterr().err
