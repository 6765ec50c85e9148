# SPDX-License-Identifier: Apache-2.0
"""The project's Markdown pages come in; their links must lead somewhere and their sentences stand one to a line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
GENERATED = "<!-- Written by"
LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)\s]+)\)")
FENCED = re.compile(r"^(```+)[^\n]*\n.*?^\1$", re.MULTILINE | re.DOTALL)
INLINE_CODE = re.compile(r"`[^`\n]*`")
HEADING = re.compile(r"^#+ +(?P<title>.+?)\s*$", re.MULTILINE)
SENTENCE_END = re.compile(r"(?<![A-Z])(?<! al)(?<!e\.g)(?<!i\.e)(?<! cf)(?<!^\d)[.!?] +[A-Z`\"*\[]")


def _prose(page: Path) -> str:
    """Return the page with its code blanked, line for line."""
    text = FENCED.sub(lambda fence: "\n" * fence[0].count("\n"), page.read_text(encoding="utf-8"))
    return INLINE_CODE.sub("`code`", text)


def _anchors(page: Path) -> set[str]:
    text = FENCED.sub("", page.read_text(encoding="utf-8"))
    titles = [re.sub(r"[`*]", "", match["title"]) for match in HEADING.finditer(text)]
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def _dead_links(page: Path) -> Iterator[str]:
    for match in LINK.finditer(_prose(page)):
        target, _, anchor = match["target"].partition("#")
        if "://" in target or target.startswith("mailto:"):
            continue
        file = (page.parent / target).resolve() if target else page
        if not file.exists() or (anchor and file.suffix == ".md" and anchor not in _anchors(file)):
            yield match["target"]


def _crowded_lines(page: Path) -> Iterator[str]:
    for number, line in enumerate(_prose(page).splitlines(), 1):
        if not line.lstrip().startswith("|") and SENTENCE_END.search(line):
            yield f"{page.name}:{number}: {line}"


@pytest.mark.clause("HO-08")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_leads_somewhere(page: Path) -> None:
    """A link inside the project names a file that is there, and a heading that is in it."""
    assert list(_dead_links(page)) == []


@pytest.mark.parametrize("front", ["README.md", "docs/index.md"])
def test_every_page_for_readers_is_linked_from_the_front(front: str) -> None:
    """A page that no table names is found by nobody."""
    page = ROOT / front
    linked = {(page.parent / match["target"].partition("#")[0]).resolve() for match in LINK.finditer(_prose(page))}

    assert set((ROOT / "docs" / "howto").glob("*.md")) - linked == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_a_line_holds_one_sentence(page: Path) -> None:
    """A changed sentence is a changed line, and nothing else is."""
    generated = page.read_text(encoding="utf-8").startswith(GENERATED)

    assert generated or list(_crowded_lines(page)) == []


@pytest.mark.clause("HO-08")
def test_every_page_of_docs_is_reached_from_the_index() -> None:
    """A reader who starts at docs/index.md or the README finds every page."""
    seen: set[Path] = set()
    queue = [ROOT / "docs" / "index.md", ROOT / "README.md"]
    while queue:
        page = queue.pop()
        if page in seen or page.suffix != ".md" or not page.exists():
            continue
        seen.add(page)
        targets = [match["target"].partition("#")[0] for match in LINK.finditer(_prose(page))]
        queue += [(page.parent / target).resolve() for target in targets if target and "://" not in target]

    assert [page.name for page in PAGES if page not in seen and "template" not in page.name] == []
