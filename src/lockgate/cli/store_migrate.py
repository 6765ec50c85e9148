# SPDX-License-Identifier: Apache-2.0
"""The database that LOCKGATE_STORE names comes in; it has the tables of this version when the command ends."""

from __future__ import annotations

import click

from lockgate.cli import exit_codes, local, output
from lockgate.errors import UsageError

EPILOG = (
    "Exit codes: 0 its tables are those of this version, 64 no database is named, 65 it is of a later version or of "
    "another program, 69 it cannot be reached, 75 it is held, 77 the role may not."
)


@click.command(epilog=EPILOG)
def migrate() -> int:
    """Make the tables of a PostgreSQL store, or bring them to this version.

    LOCKGATE_STORE names the database, with the role that owns them. A store in LOCKGATE_HOME needs no such call.
    """
    from lockgate import wiring

    local.check_here()
    url = wiring.store_url()
    if url is None:
        raise UsageError(
            "LOCKGATE_STORE names no database",
            advice="Set it to postgresql://OWNER@HOST/DATABASE; a store in LOCKGATE_HOME is brought up by itself.",
        )
    wiring.postgres_store(url)
    output.say("The tables of the store are those of this version.\n")
    return exit_codes.OK.code
