# SPDX-License-Identifier: Apache-2.0
"""The environment of a CI job comes in; a key that was got for its token goes out, for all commands of the job."""

from __future__ import annotations

import os

import click

from lockgate.cli import exit_codes, local, output
from lockgate.errors import UsageError

EPILOG = (
    "Exit codes: 0 done; 64 no server is named, or the job has no token; 69 nobody answered; 75 try again; "
    "77 no rule is for this job, or its tokens were exchanged before."
)
DECLARED = (
    "GitHub needs `permissions: {id-token: write}`, GitLab `id_tokens: {LOCKGATE_ID_TOKEN: {aud: ...}}`: "
    "see docs/howto/oidc.md."
)


@click.command("exchange", epilog=EPILOG)
@click.option("--json", "as_json", is_flag=True, help="Print the key and its token as JSON.")
def exchange(*, as_json: bool) -> int:
    """Exchange the token of this CI job once, and print the key, which opens what a trust rule allows for some minutes.

    LOCKGATE_URL names the server. Take it into LOCKGATE_API_KEY, where every later command of the job finds it.
    """
    from lockgate.bearer import INSECURE
    from lockgate.cli.remote_door import ANSWER_S, AWAY_S, TOTAL_S, explained
    from lockgate.client.environment import keys_of_job
    from lockgate.client.transport import ProblemError, Timing, Transport

    url = os.environ.get(local.URL)
    if not url:
        raise UsageError("no server is named", advice=f"Set {local.URL}.")
    keys = keys_of_job(url, is_insecure=os.environ.get(INSECURE) == "1")
    if keys is None:
        raise UsageError("this is no CI job that has a token", advice=DECLARED)
    try:
        made = keys.fetch(Timing(ANSWER_S, TOTAL_S, AWAY_S), local.tell)
    except ProblemError as error:
        raise explained(error, Transport(url, None)) from error
    if as_json:
        output.emit_json(made)
    else:
        output.say(f"{made['token']}\n")
    local.tell(
        f"{made['id']} is this job's key until {made['expires_at']}; a job that takes longer needs another token"
    )
    return exit_codes.OK.code
