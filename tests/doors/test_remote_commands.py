# SPDX-License-Identifier: Apache-2.0
"""The same command comes in twice, on a store and on a server of an equal one; both say and answer the same."""

from __future__ import annotations

import pytest

from lockgate.cli import exit_codes
from tests.doors.both import Both, Made
from tests.doors.line import APP

WHY = ("--reason", "because of this test")
# What the commands below are about; the ids are put in by name.
LOOKING = (
    ("list",),
    ("list", "--json"),
    ("list", "--app-id", APP, "--active"),
    ("list", "--app-id", "claims-agnt"),
    ("apps",),
    ("apps", "--json"),
    ("apps", "--app-id", "another"),
    ("show", "{good}"),
    ("show", "{good}", "--json"),
    ("show", "{bad}"),
    ("show", ""),
    ("show", "rol_aaaaaaaaaaaaaaaa"),
    ("explain", "{good}"),
    ("explain", "{bad}", "--json"),
    ("runs", "--app-id", APP),
    ("runs", "--app-id", APP, "--release", "abc123", "--limit", "3", "--json"),
    ("runs", "--app-id", APP, "--since", "0s"),
    ("receipts", "{bad}"),
    ("receipts", "{bad}", "--json"),
    ("receipts", "{good}", "--seq", "1"),
    ("receipts", "{good}", "--seq", "999"),
    ("compare", "--app-id", APP, "-b", "v36", "-c", "abc123"),
    ("compare", "--app-id", APP, "-b", "v36", "-c", "worse", "--json"),
    ("compare", "--app-id", APP, "-b", "v36", "-c", "worse", "--markdown", "--metric", "error_rate"),
    ("compare", "--app-id", APP, "-b", "v36", "-c", "worse", "--quiet"),
    ("compare", "--app-id", APP, "-b", "v36", "-c", "nothing"),
    ("watch", "--id", "{bad}", "--no-tick", "--timeout", "0s"),
    ("watch", "--id", "{good}", "--no-tick", "--timeout", "0s"),
    ("keys", "list"),
    ("keys", "list", "--json"),
)
ACTING = (
    ("tick", "--id", "{good}"),
    ("tick", "--id", "{bad}", "--json"),
    ("tick", "--all"),
    ("tick", "--all", "--json"),
    ("tick", "--id", "rol_aaaaaaaaaaaaaaaa"),
    ("watch", "--id", "{good}", "--timeout", "0s"),
    ("watch", "--id", "{good}", "--timeout", "0s", "--on-timeout", "rollback", "--json"),
    ("pause", "--id", "{good}", *WHY),
    ("resume", "--id", "{good}", *WHY, "--json"),
    ("cancel", "--id", "{good}", *WHY),
    ("clear-alarm", "--id", "{good}", *WHY),
    ("approve", "--id", "{good}", *WHY),
    ("approve", "--id", "{good}", *WHY, "--step", "7", "--revision", "77"),
    ("promote", "--id", "{good}", *WHY, "--step", "7", "--revision", "77", "--yes"),
    ("promote", "--id", "{good}", *WHY, "--step", "0", "--revision", "1"),
    ("rollback", "--id", "{good}", *WHY, "--yes"),
    ("rollback", "--id", "{good}", *WHY),
    ("rollback", "--id", "{good}", "--reason", " ", "--yes"),
    ("freeze", "--app-id", APP, *WHY),
    ("unfreeze", "--app-id", APP, *WHY, "--json"),
    ("unfreeze", "--all", *WHY),
    ("kill", "--app-id", APP, *WHY, "--yes"),
    ("kill", "--all", *WHY, "--yes", "--json"),
    ("kill", "--all", *WHY),
    ("kill", "--app-id", "another", *WHY, "--yes"),
    ("create", "--app-id", "billing", "-b", "1", "-c", "2"),
    ("create", "--app-id", "billing", "-b", "1", "-c", "2", "--json", "--mode", "canary"),
    ("create", "--app-id", APP, "-b", "v36", "-c", "next", "--dry-run"),
    ("create", "--app-id", APP, "-b", "v36", "-c", "abc123", "--mode", "canary", "--quiet"),
    ("create", "--app-id", APP, "-b", "v36", "-c", "other", "--mode", "canary"),
    ("create", "--app-id", "billing", "-c", "2"),
    ("create", "--app-id", "billing", "-b", "1", "-c", "2", "--metric", "no such metric"),
    ("create", "-f", "{policy}"),
    ("keys", "revoke", "key_nothing"),
    ("ingest", "{more}"),
    ("ingest", "{more}", "--json"),
    ("ingest", "{table}", "--app-id", "billing"),
    ("ingest", "{broken}"),
    ("ingest", "{first}", "--dedupe", "strict"),
)


@pytest.mark.clause("CL-20")
@pytest.mark.parametrize("words", [*LOOKING, *ACTING], ids=" ".join)
def test_a_command_says_the_same_over_http(both: Both, made: Made, words: tuple[str, ...]) -> None:
    """Standard output and the exit code are those of the same command on the store itself, but for who acted."""
    meant = [word.format_map(made.names) for word in words]

    here, there = both.local(*meant), both.remote(*meant)

    assert there.plain() == here.plain(), there.err
    assert there.code != exit_codes.INTERNAL.code
    assert ("error: " in here.err) == ("error: " in there.err)
