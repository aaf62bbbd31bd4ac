"""The documentation as a site: every link leads somewhere, every public name and every command is there, and nothing is
asked of another machine.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from importlib import import_module
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from test_documents import BUILD_SITE, PROJECT
from test_public_surface import DOORS

UNDER_ANOTHER_NAME = {"leaderboard": "leaderboard.opened.open_board"}
"""`bench.leaderboard` is a package that is a function as well."""

pytestmark = pytest.mark.extra("docs")


class Page(HTMLParser):
    """What a page links to, what it loads, and what its links may name."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("id", "name") and value:
                self.anchors.add(value)
            elif name == "href" and tag == "a":
                self.links.append(value or "")
            elif (name == "src" or (name == "href" and tag != "base")) and value:
                self.loaded.append(value)


@cache
def page_at(path: Path) -> Page:
    return Page(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Builds the site, links as for a repository that is published; a warning of any kind fails."""
    place = tmp_path_factory.mktemp("built") / "site"
    command = [sys.executable, str(PROJECT / "docs" / "build_site.py"), str(place)]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No issues found" in done.stdout + done.stderr
    assert "griffe" not in done.stdout + done.stderr
    return place


def own_pages(site: Path) -> Iterator[Path]:
    """Yields the pages of the documentation, which the boards below it are not: they have tests of their own."""
    return (path for path in sorted(site.rglob("*.html")) if path.relative_to(site).parts[0] != "leaderboards")


def test_every_link_of_every_page_leads_somewhere(site: Path) -> None:
    broken, followed = [], 0
    for path in own_pages(site):
        page = page_at(path)
        for link in [*page.links, *page.loaded]:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc or path.name == "404.html":
                continue
            place = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            place = place / "index.html" if place.is_dir() else place
            followed += 1
            known = page_at(place).anchors if place.suffix == ".html" and place.is_file() else {parts.fragment}
            if not place.is_file() or (parts.fragment and unquote(parts.fragment) not in known):
                broken.append(f"{path.relative_to(site)}: {link}")
    assert broken == []
    assert followed > 1000


def test_blocks_are_blocks_and_show_the_file_that_they_are(site: Path) -> None:
    for path in own_pages(site):
        assert "```" not in path.read_text(encoding="utf-8"), path
    assert '<span class="filename">bench.yaml</span>' in (site / "docs" / "tutorial.html").read_text(encoding="utf-8")


def test_pages_load_nothing_from_another_machine(site: Path) -> None:
    for path in own_pages(site):
        assert [each for each in page_at(path).loaded if urlsplit(each).netloc] == [], path
    for path in site.rglob("*.css"):
        text = path.read_text(encoding="utf-8")
        assert "url(http" not in text, path
        assert "@import" not in text, path


@pytest.mark.parametrize("door", [door for door in DOORS if door != "bench.testing"])
def test_every_public_name_is_in_the_reference(site: Path, door: str) -> None:
    page = page_at(site / "docs" / "reference" / f"{door.removeprefix('bench.')}.html")
    promised = {name for name in import_module(door).__all__ if not name.startswith("__")}
    anchors = {name: f"{door}.{UNDER_ANOTHER_NAME.get(name, name)}" for name in promised}
    assert {name for name, anchor in anchors.items() if anchor not in page.anchors} == set()


def test_every_command_is_in_the_reference(site: Path) -> None:
    text = (site / "docs" / "reference" / "commands.html").read_text(encoding="utf-8")
    headings = [line.split(" ", 1)[1].split("\n")[0] for line in BUILD_SITE["commands"]()]
    assert "bench leaderboard build" in headings
    for heading in headings:
        assert f"Usage: {heading} " in text.replace("<span></span>", ""), heading


def test_files_of_code_link_to_the_repository_where_it_has_an_address() -> None:
    as_page = BUILD_SITE["as_page"]
    text = "See [`cli`](../bench/cli), [boards](../leaderboards/index.md), [home](../README.md) and `[x](y)`."
    said = as_page("docs/x.md", text, "https://forge.example/bench")
    assert "[`cli`](https://forge.example/bench/blob/HEAD/bench/cli)" in said
    assert "[boards](../leaderboards/index.html), [home](../index.md) and `[x](y)`" in said
    assert as_page("docs/x.md", text, "").startswith("See `cli`, ")
