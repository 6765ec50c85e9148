# SPDX-License-Identifier: Apache-2.0
"""Calls of `lockgate trust` come in; a rule that would trust too much is refused, and each change is signed."""

from __future__ import annotations

import pytest

from lockgate.operations.soundness.fsck import fsck
from lockgate.wiring import local_house
from tests.doors.line import Door

WHO = ("--name", "deploys", "--audience", "https://lockgate.example.com", "--allow", "ci")
REPOSITORY = ("--claim", "repository_id=74", "--claim", "repository_owner_id=65")
MAIN = ("--claim", "ref=refs/heads/main")
GITHUB = ("trust", "create", "--provider", "github", *WHO, *REPOSITORY)


@pytest.mark.clause("SV-69")
def test_a_rule_is_made_listed_and_deleted_with_receipts(door: Door) -> None:
    """The store is sound after each, and the organisation's own series says who did it and why."""
    made = door.read(*GITHUB, *MAIN, "--app-id", "web", "--reason", "no keys in pipelines", "--by", "ann")
    listed = door.read("trust", "list")["rules"]
    assert door("trust", "list") == 0
    shown = door.out
    sound = fsck(local_house()).flaws
    deleted = door.read("trust", "delete", made["id"])

    assert (listed, deleted) == ([made], made)
    assert made["claims"] == {"repository_id": "74", "repository_owner_id": "65", "ref": "refs/heads/main"}
    assert (made["issuer"], made["life_s"]) == ("https://token.actions.githubusercontent.com", 900)
    assert "repository_id=74" in shown
    assert "only web" in shown
    assert sound == fsck(local_house()).flaws == ()
    assert door.read("trust", "list") == {"rules": []}
    assert door("trust", "delete", made["id"]) == 64


@pytest.mark.clause("SV-965")
def test_who_trusts_an_issuer_that_may_not_be_called_is_warned(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the settings of the call; the rule is made, because those of the server may be others."""
    call = (*GITHUB, *MAIN, "--issuer", "https://10.9.8.7")
    assert door(*call) == 0
    closed = door.err
    monkeypatch.setenv("LOCKGATE_OIDC_ALLOW", "10.9.0.0/16")
    assert door(*call) == 0
    opened = door.err

    assert "warning" in closed
    assert "10.9.8.7 is no address of the internet" in closed
    assert "LOCKGATE_OIDC_ALLOW" in closed
    assert "warning" not in opened
    assert len(door.read("trust", "list")["rules"]) == 2


REFUSED: dict[str, tuple[str, ...]] = {
    "every branch": GITHUB,
    "a repository by its name": (*GITHUB[:-4], "--claim", "repository=acme/web", *MAIN),
    "no owner": (*GITHUB[:-2], *MAIN),
    "a number that is none": (*GITHUB[:-4], "--claim", "repository_id=07x", "--claim", "repository_owner_id=65", *MAIN),
    "digits that look alike": (
        *GITHUB[:-4],
        "--claim",
        "repository_id=\uff17",
        "--claim",
        "repository_owner_id=6",
        *MAIN,
    ),
    "a claim twice": (*GITHUB, *MAIN, *MAIN),
    "a claim that says nothing": (*GITHUB, *MAIN, "--claim", "environment="),
    "a claim without a value": (*GITHUB, *MAIN, "--claim", "environment"),
    "an issuer without TLS": (*GITHUB, *MAIN, "--issuer", "http://gitlab.example.com"),
    "an issuer with a user": (*GITHUB, *MAIN, "--issuer", "https://a@gitlab.example.com"),
    "an issuer with a slash": (*GITHUB, *MAIN, "--issuer", "https://gitlab.example.com/"),
    "an hour": (*GITHUB, *MAIN, "--for", "1h"),
    "an event that is safe anyway": (*GITHUB, *MAIN, "--event", "push"),
    "what is no event": (*GITHUB, *MAIN, "--event", "Issue Comment"),
    "an event of GitLab": (
        *("trust", "create", "--provider", "gitlab", *WHO, "--claim", "project_id=22", "--claim", "ref=main"),
        *("--event", "pipeline"),
    ),
    "keys that outlive the job": (*GITHUB, *MAIN, "--allow", "admin"),
    "an unknown permission": (*GITHUB, *MAIN, "--allow", "root"),
    "a branch that anybody may write to": (
        *("trust", "create", "--provider", "gitlab", *WHO, "--claim", "project_id=22", "--claim", "ref=main"),
        *("--claim", "ref_protected=false"),
    ),
}


@pytest.mark.clause("SV-69")
@pytest.mark.parametrize("words", REFUSED.values(), ids=REFUSED.keys())
def test_a_rule_that_would_trust_too_much_is_refused(door: Door, words: tuple[str, ...]) -> None:
    """It is usage, and nothing is kept or signed."""
    assert door(*words) == 64

    with local_house().store.reading() as seen:
        assert (seen.trust_rules(), seen.latest_receipt()) == ((), None)
