# SPDX-License-Identifier: Apache-2.0
"""Nothing comes in; every variable of the environment that Lockgate reads, or hands on, goes out with its meaning.

This table is the only one: the documentation is made of it, and a test holds the source to it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Setting:
    """One variable: which programs read it, what holds where it is not set, and what it means."""

    name: str
    read_by: str
    default: str
    meaning: str


HERE, RECORDER, CLIENT = "commands and `serve`", "the recorder", "commands, the client and the recorder"

SETTINGS = (
    Setting("LOCKGATE_HOME", HERE, "`~/.lockgate`", "The folder of keys and, without LOCKGATE_STORE, of the store."),
    Setting(
        "LOCKGATE_STORE",
        HERE,
        "the store in LOCKGATE_HOME",
        "The address of a PostgreSQL database, such as `postgresql://role@host/database`, that is the store.",
    ),
    Setting(
        "LOCKGATE_STATE",
        HERE,
        "`$XDG_STATE_HOME/lockgate`",
        "The folder, not within LOCKGATE_HOME, that remembers how far each log had come, or the address of a second "
        "PostgreSQL database that does so for several machines.",
    ),
    Setting(
        "LOCKGATE_WITNESSES",
        HERE,
        "`witnesses.txt` in LOCKGATE_HOME",
        "The file of the witnesses that are asked to cosign checkpoints, a policy of C2SP.",
    ),
    Setting(
        "LOCKGATE_TSA_URL",
        "`serve` and `deliver`",
        "none",
        "The address of a timestamp authority of RFC 3161, which stamps checkpoints.",
    ),
    Setting(
        "LOCKGATE_TSA_CA",
        "`serve`, `deliver` and `fsck`",
        "none",
        "A file of certificates in PEM that timestamp authorities are known by.",
    ),
    Setting(
        "LOCKGATE_KEY_PASSPHRASE_FILE",
        HERE,
        "private keys are not locked",
        "The file whose first line is the passphrase of the private keys; keys that are made are locked by it.",
    ),
    Setting("LOCKGATE_BUSY_SECONDS", HERE, "10", "How many seconds to wait for another process that holds the store."),
    Setting("LOCKGATE_ACTOR", "commands", "the user of this machine", "Who does what receipts name a person for."),
    Setting(
        "LOCKGATE_URL",
        CLIENT,
        "the store of this machine; the recorder sends nothing",
        "The address of `lockgate serve`: commands then work there, and runs are sent there.",
    ),
    Setting("LOCKGATE_API_KEY", CLIENT, "no key", "The token of an API key for LOCKGATE_URL."),
    Setting(
        "LOCKGATE_ID_TOKEN",
        "commands and the client",
        "GitHub's own",
        "The signed token of a job, as GitLab hands it over, which is exchanged for a key where none is named. "
        "LOCKGATE_ID_TOKEN_2 and so on are further ones.",
    ),
    Setting(
        "LOCKGATE_ORG",
        "commands and the client",
        "the default one",
        "The organisation that commands work in, and whose rules a token of a job meets; a key of another is refused.",
    ),
    Setting("LOCKGATE_AUDIENCE", "commands and the client", "LOCKGATE_URL", "The audience of a token of GitHub."),
    Setting(
        "LOCKGATE_INSECURE",
        "commands, the client and the recorder",
        "0",
        "1 sends a key unencrypted to another machine than this one.",
    ),
    Setting("LOCKGATE_RATE", "`serve`", "500", "How many calls a second each key may make; 0 is no limit."),
    Setting("LOCKGATE_RUN_RATE", "`serve`", "256", "How many MiB of runs a second each key may send; 0 is no limit."),
    Setting(
        "LOCKGATE_OIDC_ALLOW",
        "`serve`",
        "none",
        "Private networks, such as `10.1.0.0/16`, in which issuers of tokens of jobs may be.",
    ),
    Setting(
        "LOCKGATE_WEBHOOK_ALLOW",
        HERE,
        "none",
        "Private networks, such as `10.1.0.0/16`, whose receivers may be sent webhooks, also by http and at any port.",
    ),
    Setting(
        "LOCKGATE_WEBHOOK_PORTS", HERE, "443, 8443", "Further ports at which receivers of the internet may be called."
    ),
    Setting(
        "LOCKGATE_WEBHOOK_CA",
        HERE,
        "those of this machine",
        "A file of certificates in PEM that receivers are known by.",
    ),
    Setting(
        "LOCKGATE_RELEASE",
        RECORDER,
        "OpenTelemetry's `service.version`",
        "The release whose runs this process records.",
    ),
    Setting("LOCKGATE_RUNS_FILE", RECORDER, "none", "A file that runs are appended to, in place of a server."),
)
# Of other standards.
FOREIGN = (
    Setting("XDG_STATE_HOME", HERE, "`~/.local/state`", "Where LOCKGATE_STATE is, where that is not set."),
    Setting(
        "OTEL_RESOURCE_ATTRIBUTES",
        RECORDER,
        "none",
        "Its `service.version` is the release, where nothing else says it.",
    ),
    Setting(
        "ACTIONS_ID_TOKEN_REQUEST_URL",
        "commands and the client",
        "no job of GitHub",
        "Where a job of GitHub fetches its token; GitHub sets it where the job has `id-token: write`.",
    ),
    Setting("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "commands and the client", "none", "What it is fetched with."),
    Setting("SSL_CERT_FILE", CLIENT, "those of this machine", "A file of certificates that servers are known by."),
    Setting(
        "PGPASSWORD",
        HERE,
        "`~/.pgpass`, or the file that PGPASSFILE names",
        "The password of LOCKGATE_STORE, where that has none; libpq reads its other variables too.",
    ),
    Setting("PGHOST", HERE, "this machine", "The host of LOCKGATE_STORE, where that has none."),
    Setting("PGPORT", HERE, "5432", "The port of LOCKGATE_STORE, where that has none."),
    Setting("PGDATABASE", HERE, "the name of the role", "The database of LOCKGATE_STORE, where that has none."),
    Setting("TERM", "commands", "set by the terminal", "`dumb`: print no colours, and draw nothing anew."),
    Setting("COLUMNS", "commands", "the terminal's, or 80", "How many characters a line has."),
    Setting("NO_COLOR", "commands", "colours on a terminal", "Anything: print no colours."),
    Setting("FORCE_COLOR", "commands", "colours on a terminal", "Anything: print colours also elsewhere."),
)
# What a program that moves traffic is handed.
HANDED = (
    Setting("LOCKGATE_EVENT", "an actuator", "", "What happened, such as `promote` or `rollback`."),
    Setting("LOCKGATE_APP", "an actuator", "", "The app."),
    Setting("LOCKGATE_ROLLOUT", "an actuator", "", "The rollout's id."),
    Setting("LOCKGATE_WEIGHT", "an actuator", "", "The percent of traffic that the candidate is to have."),
    Setting("LOCKGATE_CANDIDATE", "an actuator", "", "The release on trial."),
    Setting("LOCKGATE_BASELINE", "an actuator", "", "The release that it is compared with."),
    Setting("LOCKGATE_TARGET", "an actuator", "", "The release that has the rest of the traffic."),
    Setting("LOCKGATE_STEP", "an actuator", "", "The step, from 0."),
    Setting("LOCKGATE_REVISION", "an actuator", "", "The rollout's revision."),
    Setting("LOCKGATE_SEQ", "an actuator", "", "The number of the receipt."),
    Setting("LOCKGATE_RECEIPT", "an actuator", "", "The receipt's id."),
)
