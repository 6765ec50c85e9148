# SPDX-License-Identifier: Apache-2.0
"""One store, and servers whose keys folders differ: docs/spec.md, Webhooks."""

from __future__ import annotations

from pathlib import Path
from shutil import copytree

import pytest

from lockgate.adapters.webhooks.secret_box import KEY_FILE, make_key
from lockgate.core.endpoint import Kind
from lockgate.errors import NotPermittedError
from lockgate.operations.create import create
from lockgate.operations.webhooks.deliver import deliver
from lockgate.operations.webhooks.webhooks import list_webhooks, rotate_secret, sealed_by_another
from lockgate.wiring import local_house
from tests.spec.line import created, order, world
from tests.spec.operators import ANN
from tests.spec.routing import EVERYTHING
from tests.spec.webhooked import hooked, listening, sender

DAY_S, URL = 86_400, "http://127.0.0.1:9/"


@pytest.mark.clause("WH-90")
def test_the_key_is_made_with_those_that_sign_and_never_after(tmp_path: Path) -> None:
    """A first start makes it; where something was signed a folder without it stays so."""
    local_house(tmp_path)
    made = (tmp_path / "keys" / KEY_FILE).read_bytes()
    create(order(), local_house(tmp_path))
    (tmp_path / "keys" / KEY_FILE).unlink()

    local_house(tmp_path)

    assert len(made) == 32
    assert not (tmp_path / "keys" / KEY_FILE).exists()


@pytest.mark.clause("WH-90")
def test_a_server_without_the_key_seals_nothing_and_makes_none(tmp_path: Path) -> None:
    """It is told to copy the key of the server that made the store."""
    here = world()
    second = sender(here, tmp_path)
    (tmp_path / KEY_FILE).unlink()

    with pytest.raises(NotPermittedError, match=KEY_FILE):
        hooked(here, second, URL)

    assert not (tmp_path / KEY_FILE).exists()
    assert list_webhooks(here.house) == ()


@pytest.mark.clause("WH-90")
def test_a_server_with_another_key_seals_nothing(tmp_path: Path) -> None:
    """Neither a new webhook nor a new secret; with a copy of the key it does both."""
    here = world()
    first, second = sender(here, tmp_path / "n1"), sender(here, tmp_path / "n2")
    made = hooked(here, first, URL)

    with pytest.raises(NotPermittedError, match="cannot be opened"):
        hooked(here, second, URL)
    with pytest.raises(NotPermittedError, match="cannot be opened"):
        rotate_secret(made.endpoint.id, 0, ANN, here.house, second)
    is_refused = sealed_by_another(list_webhooks(here.house), second) == (made.endpoint.id,)
    copytree(tmp_path / "n1", tmp_path / "n2", dirs_exist_ok=True)

    assert is_refused
    assert sealed_by_another((hooked(here, second, URL).endpoint, made.endpoint), second) == ()


@pytest.mark.clause("WH-91")
def test_a_secret_of_a_lost_key_is_rotated_by_force_and_signs_at_once(tmp_path: Path) -> None:
    """The older one, which nobody can open, does not keep the new one from signing, whatever the grace."""
    here = world()
    with listening() as listener:
        receivers = sender(here, tmp_path)
        made = hooked(here, receivers, listener.url)
        (tmp_path / KEY_FILE).unlink()
        make_key(tmp_path)

        rotate_secret(made.endpoint.id, DAY_S, ANN, here.house, receivers, is_forced=True)
        created(here)
        deliver(here.house, {Kind.WEBHOOK: receivers}, EVERYTHING)

        assert len(listener.waited(1)[0].headers["webhook-signature"].split()) == 1
