"""Builds the documentation as a site: `make docs`, or `python docs/build_site.py build/site` with the extra `docs`.

Pages are the Markdown of this repository as it lies, so a link holds on the site, in an editor and on the web page of a
repository alike. The site has the tree's shape; the README is its first page. What is no page keeps its link too: a
board leads to its HTML page, a file of code to its place below `$REPOSITORY`, where that is the repository's address.
The commands are written down by asking each for its help.
"""

from __future__ import annotations

import os
import posixpath
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import yaml

from bench.cli import bench

PROJECT = Path(__file__).resolve().parent.parent
SETTINGS = PROJECT / "docs" / "site.yml"
PAGES = (
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "docs/**/*.md",
    "examples/**/README.md",
    "benchmarks/README.md",
    "findings/README.md",
)
BOARDS = "leaderboards"
COMMANDS = "<!-- commands -->"
LINK = re.compile(
    r"(?P<code>^```.*?^```|`[^`\n]+`)|\[(?P<text>[^\[\]]*)\]\((?P<target>[^()\s#]+)(?P<anchor>#[^()\s]*)?\)",
    re.MULTILINE | re.DOTALL,
)

FILE = re.compile(r"^(```\w+) ([\w./-]+).*$", re.MULTILINE)
"""The first line of a block that is a file, such as `bench.yaml`, or a part of one."""


def pages() -> list[str]:
    """Returns the pages of the site by their place in the tree."""
    found = {path for pattern in PAGES for path in PROJECT.glob(pattern)}
    return sorted(path.relative_to(PROJECT).as_posix() for path in found)


def navigation() -> list[dict[str, object]]:
    """Returns the navigation of site.yml; a folder stands for all its pages, its README first."""

    def opened(entry: object) -> object:
        if isinstance(entry, list):
            return [opened(each) for each in entry]
        if isinstance(entry, dict):
            return {title: opened(below) for title, below in entry.items()}
        if str(entry).endswith("/"):
            own = [page for page in pages() if posixpath.dirname(page) + "/" == entry]
            return sorted(own, key=lambda page: (not page.endswith("README.md"), page))
        return entry

    entries = yaml.safe_load(SETTINGS.read_text(encoding="utf-8"))["nav"]
    return [{str(title): opened(below) for title, below in entry.items()} for entry in entries]


def as_page(page: str, text: str, repository: str) -> str:
    """Returns a page with its links, and the file names of its blocks, as the site needs them.

    Raises: ValueError for a link to nothing.
    """
    folder = posixpath.dirname(page)

    def linked(match: re.Match[str]) -> str:
        target, anchor = match["target"], match["anchor"] or ""
        if match["code"] or ":" in target:
            return match[0]
        place = posixpath.normpath(posixpath.join(folder, target))
        if not (PROJECT / place).exists():
            raise ValueError(f"{page}: {match[0]} leads to nothing: {place}")
        if (PROJECT / place / "README.md").is_file():
            place += "/README.md"
        if place.startswith(f"{BOARDS}/"):
            place = re.sub(r"\.md$", ".html", place)
        elif place == "README.md":
            place = "index.md"
        elif place not in pages() and not (PROJECT / place).is_relative_to(PROJECT / "docs"):
            return f"[{match['text']}]({repository}/blob/HEAD/{place})" if repository else match["text"]
        return f"[{match['text']}]({posixpath.relpath(place, folder or '.')}{anchor})"

    return FILE.sub(r'\1 title="\2"', LINK.sub(linked, text))


def commands(command: click.Command = bench, above: click.Context | None = None) -> Iterator[str]:
    """Yields a section for a command, and one for each below it, in the order of its own help."""
    width, name = {"terminal_width": 100, "max_content_width": 100}, command.name or "bench"
    context = click.Context(command, parent=above, info_name=name, **width, **command.context_settings)
    heading = "###" if above and above.parent else "##"
    yield f"{heading} {context.command_path}\n\n```text\n{command.get_help(context)}\n```\n"
    for below in command.list_commands(context) if isinstance(command, click.Group) else ():
        if (found := command.get_command(context, below)) is not None and not found.hidden:
            yield from commands(found, context)


def stage(source: Path, repository: str) -> None:
    """Writes pages, and what lies beside them in docs/, into an empty folder."""
    for page in pages():
        place = source / ("index.md" if page == "README.md" else page)
        place.parent.mkdir(parents=True, exist_ok=True)
        text = as_page(page, (PROJECT / page).read_text(encoding="utf-8"), repository)
        place.write_text(text.replace(COMMANDS, "\n".join(commands())), encoding="utf-8")
    for path in (PROJECT / "docs").iterdir():
        if path.suffix in (".css", ".ipynb", ".png"):
            shutil.copy(path, source / "docs")


def build(site: Path, repository: str = "") -> None:
    """Builds the site with the boards below it. Raises: CalledProcessError where a link or an anchor is broken."""
    work = site.with_name(f"{site.name}-source")
    shutil.rmtree(work, ignore_errors=True)
    shutil.rmtree(site, ignore_errors=True)
    stage(work / "pages", repository)
    settings = yaml.safe_load(SETTINGS.read_text(encoding="utf-8"))
    settings |= {"docs_dir": "pages", "site_dir": "html", "nav": navigation()}
    settings |= {"repo_url": repository} if repository else {}
    (work / "mkdocs.yml").write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
    command = [sys.executable, "-m", "zensical", "build", "--strict", "--clean", "-f", "mkdocs.yml"]
    subprocess.run(command, cwd=work, check=True)
    (work / "html").rename(site)
    shutil.rmtree(work)
    shutil.copytree(PROJECT / BOARDS, site / BOARDS)


if __name__ == "__main__":
    build(Path(sys.argv[1]).resolve(), os.environ.get("REPOSITORY", ""))
