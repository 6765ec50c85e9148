# SPDX-License-Identifier: Apache-2.0
"""The examples for CI systems come in; run by a local shell, they must end as the candidate does."""

from __future__ import annotations

import http.server
import itertools
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from lockgate.testing.world import Law
from tests.docs.served import BASELINE, CANDIDATE, served
from tests.packaging.jobs import Ended, github_steps, gitlab_step, run
from tests.packaging.running import Running, running
from tests.server.issuer import Issuer, issuing, public_jwk

ROOT = Path(__file__).resolve().parents[2]
CI = ROOT / "examples" / "ci"
OWN = str(Path(sys.executable).parent / "lockgate")
AUDIENCE = "https://lockgate.example.com"
PINNED_IN_GITLAB = {"project_id": "74", "ref": "main", "ref_protected": "true"}
PINNED = {"repository_id": "74", "repository_owner_id": "74", "ref": "refs/heads/main"}
MADE = itertools.count(1)
FATES = [(Law(error_rate=0.01), 0), (Law(error_rate=0.2), 1)]


def workflow(name: str) -> dict[str, Any]:
    """Return what an example says."""
    found: dict[str, Any] = yaml.safe_load((CI / name).read_text(encoding="utf-8"))
    return found


@contextmanager
def server_of(candidate: Law, folder: Path, issuer: Issuer | None = None) -> Iterator[Running]:
    """Serve a store in which the candidate of the job has run for two hours; an issuer of this machine may be asked."""
    served(folder, candidate)
    home = {"LOCKGATE_HOME": str(folder / "home"), "LOCKGATE_STATE": str(folder / "state")}
    if issuer is not None:
        home |= {"LOCKGATE_OIDC_ALLOW": "127.0.0.1/32", "SSL_CERT_FILE": str(folder / "issuer" / "issuer.pem")}
    with running([OWN, "serve"], home, folder) as server:
        yield server


@pytest.mark.clause("PK-04")
@pytest.mark.parametrize(("candidate", "code"), FATES)
def test_the_job_of_gitlab_ends_as_the_candidate_deserves(candidate: Law, code: int, tmp_path: Path) -> None:
    """Its script creates by a key and waits; a rollback fails the job, and time that ran out is a warning."""
    job = workflow("gitlab-rollout.yml")["rollout"]

    with server_of(candidate, tmp_path) as server:
        runner = {"CI_COMMIT_SHA": CANDIDATE, "CI_JOB_URL": "https://gitlab.example.com/j/1", "BASELINE": BASELINE}
        given = {**runner, **server.environment}
        ended = run(iter([gitlab_step(job)]), given, tmp_path)

    assert ended.code == code, ended.said
    assert job["allow_failure"] == {"exit_codes": 2}


@pytest.mark.clause("PK-04", "CL-85")
@pytest.mark.parametrize(("candidate", "code"), FATES)
@pytest.mark.parametrize("is_alone", [False, True], ids=["as many as it declares", "one token"])
def test_the_job_of_gitlab_needs_no_secret(*, candidate: Law, code: int, is_alone: bool, tmp_path: Path) -> None:
    """Its tokens, or one, do for the whole script by the rule that the example names, and nothing prints the key."""
    job = workflow("gitlab-rollout.yml")["rollout"]
    (tmp_path / "issuer").mkdir()
    with issuing(tmp_path / "issuer") as issuer, server_of(candidate, tmp_path, issuer) as server:
        trust(issuer, tmp_path, "gitlab-rollout.yml")
        tokens = {
            name: token_of(issuer, stated["aud"], {**PINNED_IN_GITLAB, "sub": "project_path:acme/claims"})
            for name, stated in job["id_tokens"].items()
        }
        runner = {
            "CI_COMMIT_SHA": CANDIDATE,
            "CI_JOB_URL": "https://gitlab.example.com/j/1",
            "BASELINE": BASELINE,
            "LOCKGATE_URL": server.url,
            **(dict(list(tokens.items())[:1]) if is_alone else tokens),
        }
        ended = run(iter([gitlab_step(job)]), runner, tmp_path)

    assert ended.code == code, ended.said
    assert not re.search(r"rvk_\w+_\w+", ended.said)


@pytest.mark.clause("PK-04")
@pytest.mark.parametrize(("runs", "code", "word"), [("clean.ndjson", 0, "clean"), ("regressed.csv", 1, "regressed")])
def test_the_comparison_of_github_comments_whatever_it_finds(runs: str, code: int, word: str, tmp_path: Path) -> None:
    """The job ends by the verdict, and its comment holds it."""
    ended = compared(runs, tmp_path)

    assert ended.code == code, ended.said
    sent = json.loads((tmp_path / "gh.json").read_text(encoding="utf-8"))
    assert sent["arguments"] == ["pr", "comment", "7", "--body-file", "comment.md"]
    assert word in sent["comment"]
    assert (tmp_path / "report.html").is_file()


@pytest.mark.clause("PK-04")
def test_a_comparison_that_fails_says_so_on_the_pull_request(tmp_path: Path) -> None:
    """A fault is a failure and a comment, never a silence."""
    ended = compared("thin.ndjson", tmp_path, baseline="nobody")

    assert ended.code not in (0, 1)
    assert "no verdict" in json.loads((tmp_path / "gh.json").read_text(encoding="utf-8"))["comment"]


def compared(runs: str, folder: Path, baseline: str = "v36") -> Ended:
    """Run the comparison of a pull request over some example runs."""
    (folder / "runs").mkdir()
    if runs.endswith(".csv"):
        as_ndjson(ROOT / "examples" / "runs" / runs, folder / "runs" / "all.ndjson")
    else:
        shutil.copy(ROOT / "examples" / "runs" / runs, folder / "runs" / "all.ndjson")
    stand_in(folder)
    given = {
        "github.event.pull_request.base.sha": baseline,
        "github.event.pull_request.head.sha": CANDIDATE,
        "github.event.pull_request.number": "7",
        "github.token": "none",
        "github.repository": "example/claims",
    }
    return run(github_steps(workflow("github-compare.yml"), "compare"), given, folder)


def as_ndjson(source: Path, target: Path) -> None:
    """Write the runs of a CSV file as NDJSON."""
    import duckdb

    duckdb.sql(f"COPY (FROM read_csv('{source}')) TO '{target}' (FORMAT json)")


def stand_in(folder: Path) -> None:
    """Put a `gh` on the path that writes down what it was asked to send."""
    (folder / "bin").mkdir()
    script = folder / "bin" / "gh"
    script.write_text(
        f"#!{sys.executable}\nimport json, sys\n"
        "json.dump({'arguments': sys.argv[1:], 'comment': open(sys.argv[-1]).read()}, open('gh.json', 'w'))\n",
        encoding="utf-8",
    )
    script.chmod(0o700)
    subprocess.run([script, __file__], cwd=folder, check=True, timeout=30)


@pytest.mark.clause("PK-04", "CL-60")
@pytest.mark.parametrize(("candidate", "code"), FATES)
def test_the_job_of_github_needs_no_secret(candidate: Law, code: int, tmp_path: Path) -> None:
    """It exchanges its own token by the rule that the example names, creates, waits, and ends as the candidate does."""
    (tmp_path / "issuer").mkdir()
    with issuing(tmp_path / "issuer") as issuer, server_of(candidate, tmp_path, issuer) as server:
        trust(issuer, tmp_path, "github-rollout.yml")
        with handing_out(issuer) as tokens:
            runner = {
                "GITHUB_SHA": CANDIDATE,
                "GITHUB_SERVER_URL": "https://github.com",
                "GITHUB_REPOSITORY": "acme/claims",
                "GITHUB_RUN_ID": "9001",
                "vars.LOCKGATE_BASELINE": BASELINE,
                "LOCKGATE_URL": server.url,
                "LOCKGATE_AUDIENCE": AUDIENCE,
                **tokens,
            }
            ended = run(github_steps(workflow("github-rollout.yml"), "rollout"), runner, tmp_path)

    assert ended.code == code, ended.said


def trust(issuer: Issuer, folder: Path, example: str) -> None:
    """Declare the rule of an example's first lines, for the numbers and the issuer of this test."""
    issuer.publish(public_jwk())
    issuer.publish(public_jwk(), path="/oauth/discovery/keys")
    text = (CI / example).read_text(encoding="utf-8")
    (command,) = re.findall(r"^# +(lockgate trust create (?:.*\\\n)*.*)$", text, re.MULTILINE)
    words = shlex.split(re.sub(r"\\\n#", " ", command).replace("NUMBER", "74"))
    subprocess.run(
        [OWN, *words[1:], "--issuer", issuer.address],
        env=os.environ | {"LOCKGATE_HOME": str(folder / "home"), "LOCKGATE_STATE": str(folder / "state")},
        stdout=subprocess.DEVNULL,
        check=True,
        timeout=60,
    )


def token_of(issuer: Issuer, audience: str, claims: Mapping[str, str]) -> str:
    """Return a token of a job, with an id of its own."""
    now = int(time.time())
    times = {"iat": now, "nbf": now, "exp": now + 300}
    return issuer.token({"aud": audience, "jti": f"token {next(MADE)}", **times, **claims, "sha": CANDIDATE})


@contextmanager
def handing_out(issuer: Issuer) -> Iterator[dict[str, str]]:
    """Give tokens of the job as GitHub's runner does, and what the job's environment says of them."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            (audience,) = parse_qs(urlsplit(self.path).query)["audience"]
            assert self.headers["authorization"] == "Bearer of the runner"
            token = token_of(issuer, audience, {**PINNED, "sub": "repo:acme/claims", "event_name": "push"})
            body = json.dumps({"value": token}).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{server.server_address[1]}/token?api-version=2.0"
        yield {"ACTIONS_ID_TOKEN_REQUEST_URL": url, "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "of the runner"}
        server.shutdown()
        thread.join(10)
