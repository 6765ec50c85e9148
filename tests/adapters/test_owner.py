# SPDX-License-Identifier: Apache-2.0
"""Folders of others, and links that are swapped while root works in them, come in; nothing of root is given away."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from lockgate.adapters.owner import make_beside, make_file, make_folder

# Nobody's, and nobody needs to be known by it.
SERVER = 7300


class Swap:
    """A link to one folder, that its owner puts to another right after something was made by it, or asked of it."""

    def __init__(self, root: Path) -> None:
        self.roots, self.mine, self.link = root / "roots", root / "mine", root / "home"
        for folder in (self.roots, self.mine):
            folder.mkdir()
        with suppress(OSError):
            os.chown(self.mine, SERVER, SERVER)
        self.link.symlink_to(self.roots)

    def after(self, call: Callable[..., object], to: Path) -> Callable[..., object]:
        """Return a call after which the link leads elsewhere."""

        def swapped(*given: object, **named: object) -> object:
            answer = call(*given, **named)
            self.link.unlink()
            self.link.symlink_to(to)
            return answer

        return swapped


def owners(folder: Path) -> set[int]:
    """Return to whom belongs what is in a folder."""
    return {path.stat().st_uid for path in folder.rglob("*")}


@pytest.mark.clause("LI-715")
@pytest.mark.parametrize("make", [make_file, make_folder, make_beside])
@pytest.mark.parametrize("swapped", ["open", "mkdir"])
def test_what_is_made_in_roots_folder_is_not_given_to_who_swaps_a_link(
    tmp_path: Path, make: Callable[[Path], object], swapped: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The owner who counts is that of the folder in which it was made, whatever has its name by then."""
    swap = Swap(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(os, swapped, swap.after(getattr(os, swapped), swap.mine))
        make(swap.link / "made")

    assert len([*swap.roots.iterdir()]) + len([*swap.mine.iterdir()]) == 1
    assert owners(swap.roots) <= {os.geteuid()}
    assert owners(swap.mine) <= {swap.mine.stat().st_uid}


@pytest.mark.clause("LI-715")
def test_a_folder_that_was_there_is_not_given_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where a link leads to it once root has made another by that name."""
    swap = Swap(tmp_path)
    swap.link.unlink()
    swap.link.symlink_to(swap.mine)
    (swap.roots / "keys").mkdir()
    monkeypatch.setattr(os, "mkdir", swap.after(os.mkdir, swap.roots))

    make_folder(swap.link / "keys")

    assert owners(swap.roots) == {os.geteuid()}
    assert owners(swap.mine) == {swap.mine.stat().st_uid}


@pytest.mark.clause("LI-715")
def test_a_folder_that_took_the_place_of_the_one_made_is_given_away_only_if_it_is_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it holds came from elsewhere."""
    swap = Swap(tmp_path)
    (swap.mine / "full").mkdir()
    (swap.mine / "full" / "secret").touch()
    mkdir: Callable[..., None] = os.mkdir

    def replaced(*given: object, **named: object) -> None:
        mkdir(*given, **named)
        (swap.mine / "keys").rmdir()
        (swap.mine / "full").rename(swap.mine / "keys")

    monkeypatch.setattr(os, "mkdir", replaced)
    make_folder(swap.mine / "keys")

    assert {path.name: path.stat().st_uid for path in swap.mine.rglob("*")} == dict.fromkeys(
        ("keys", "secret"), os.geteuid()
    )


@pytest.mark.clause("LI-716")
@pytest.mark.parametrize("number", [errno.EPERM, errno.EINVAL])
def test_root_that_cannot_give_it_away_keeps_what_it_made(
    tmp_path: Path, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root of a container may lack the right, or not know that owner."""

    def refused(handle: int, *owner: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fchown", refused)
    make_folder(tmp_path / "one" / "two")
    make_file(tmp_path / "one" / "file")
    handle, beside = make_beside(tmp_path / "one" / "key", 0o644)
    os.close(handle)

    assert {*(tmp_path / "one").iterdir()} == {tmp_path / "one" / "two", tmp_path / "one" / "file", beside}


@pytest.mark.clause("LI-716")
@pytest.mark.parametrize("name", [".", "..", "one", "one/link"])
def test_a_folder_that_is_there_is_left_as_it_is(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By whatever name it is called, also that of a link."""
    (tmp_path / "one").mkdir(mode=0o755)
    (tmp_path / "one" / "link").symlink_to(tmp_path)
    monkeypatch.chdir(tmp_path / "one")
    before = [(path.lstat().st_mode, path) for path in tmp_path.rglob("*")]

    make_folder(Path(name) if name.startswith(".") else tmp_path / name)

    assert [(path.lstat().st_mode, path) for path in tmp_path.rglob("*")] == before
