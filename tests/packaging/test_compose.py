# SPDX-License-Identifier: Apache-2.0
"""The compose file comes in; done on this machine with a real PostgreSQL, it must be a server that answers."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.packaging.running import running
from tests.packaging.steps import stages, words
from tests.postgresql import SUPERUSER, Cluster, cluster

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "container"
COMPOSE: dict[str, Any] = yaml.safe_load((FOLDER / "compose.yaml").read_text(encoding="utf-8"))
SERVER, DATABASE = COMPOSE["services"]["lockgate"], COMPOSE["services"]["database"]
PASSWORD = "a password'; DROP ROLE postgres; --"  # noqa: S105 -- of a database that ends with the test


@pytest.mark.clause("PK-03")
def test_what_the_compose_file_names_is_there() -> None:
    """Each volume is declared and each file beside it; only this machine reaches it, and only volumes are written."""
    mounted = [volume.split(":")[0] for service in (SERVER, DATABASE) for volume in service["volumes"]]

    assert {name for name in mounted if not name.startswith("./")} == set(COMPOSE["volumes"])
    assert all((FOLDER / name).is_file() for name in mounted if name.startswith("./"))
    assert (FOLDER / SERVER["build"]["context"] / SERVER["build"]["dockerfile"]).resolve().is_file()
    assert SERVER["ports"] == ["127.0.0.1:7300:7300"]
    assert (SERVER["read_only"], SERVER["cap_drop"]) == (True, ["ALL"])


@pytest.mark.postgres
@pytest.mark.clause("PK-03")
def test_the_composed_server_answers_on_its_database(tmp_path: Path) -> None:
    """The script makes an ordinary role from any password, and the image's command serves on what it made."""
    _, image = stages((FOLDER / "Containerfile").read_text(encoding="utf-8"))
    command = [str(Path(sys.executable).parent / "lockgate"), *words(image, "CMD")]

    with cluster(auth="scram-sha-256") as database:
        database.run("DROP ROLE lockgate")
        make_roles(database)
        environment = filled(SERVER["environment"], database) | {
            "LOCKGATE_HOME": str(tmp_path / "home"),
            "LOCKGATE_STATE": str(tmp_path / "state"),
        }
        with running(command, environment, tmp_path) as server:
            ready = httpx.get(f"{server.url}/readyz", timeout=30, trust_env=False)
            apps = httpx.get(
                f"{server.url}/api/v1/apps",
                headers={"authorization": f"Bearer {server.key}"},
                timeout=30,
                trust_env=False,
            )

    assert (ready.status_code, apps.status_code) == (200, 200), (ready.text, apps.text)
    assert not (tmp_path / "home" / "lockgate.db").exists()


@pytest.mark.postgres
@pytest.mark.clause("SV-1022")
def test_the_database_is_healthy_when_the_server_can_reach_it() -> None:
    """While PostgreSQL answers at its socket alone, as its image does until the role is made, it is not ready."""
    _, program, *options = DATABASE["healthcheck"]["test"]
    with cluster(has_fsync=False) as database:
        asked = [str(database.bin / program), *options]
        # As in the image, where the socket is where a client looks for it.
        environment = os.environ | {"PGHOST": str(database.folder), "PGPORT": str(database.port)}
        ready = subprocess.run(asked, env=environment, check=False, timeout=60)
        database.run("ALTER SYSTEM SET listen_addresses = ''")
        database.restart_immediate()
        prepared = subprocess.run(asked, env=environment, check=False, timeout=60)

    assert (ready.returncode, prepared.returncode) == (0, 2)


def make_roles(database: Cluster) -> None:
    """Run the script that PostgreSQL's image runs, as that image does."""
    environment = {
        "PATH": f"{database.bin}:{os.environ['PATH']}",
        "PGHOST": "127.0.0.1",
        "PGPORT": str(database.port),
        "PGPASSWORD": database.password,
        "POSTGRES_USER": SUPERUSER,
        "LOCKGATE_PASSWORD": PASSWORD,
    }
    subprocess.run(["sh", FOLDER / "roles.sh"], env=os.environ | environment, check=True, timeout=60)


def filled(stated: dict[str, str], database: Cluster) -> dict[str, str]:
    """Return an environment of the compose file with what its own file of settings and its network would fill in."""
    known = {name: re.sub(r"\$\{LOCKGATE_PASSWORD[^}]*\}", PASSWORD, text) for name, text in stated.items()}
    return {name: text.replace("@database/", f"@127.0.0.1:{database.port}/") for name, text in known.items()}
