"""Documents and committed text agree with the code: every command they show exists, every link leads somewhere, no path
of one machine is named.
"""

from __future__ import annotations

import re
import runpy
import shlex
import subprocess
from os.path import normpath
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import click
import pytest
from markdown_it import MarkdownIt

from bench.cli import bench

PROJECT = Path(__file__).resolve().parent.parent


def committed() -> list[Path]:
    """Returns the files under version control; skips the test in an unpacked source distribution."""
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=PROJECT, capture_output=True, text=True, check=False)
    if listing.returncode:
        pytest.skip("needs a git checkout")
    return [PROJECT / name for name in listing.stdout.split("\0") if name and (PROJECT / name).is_file()]


def test_no_committed_text_names_a_path_of_one_machine() -> None:
    place = re.compile(r"(?<![\w.$}~])/(?:" + "|".join(["work", "tmp", "root", "home"]) + r")/[\w.-]")
    for path in committed():
        if b"\0" in (content := path.read_bytes()):
            continue
        for number, line in enumerate(content.decode("utf-8").splitlines(), 1):
            assert not place.search(line), f"{path.relative_to(PROJECT)}:{number}: {line.strip()}"


def shell_lines(document: str) -> list[list[str]]:
    """Returns the words of every line of the fenced blocks marked `sh`, `bash` or `console`; comments are dropped."""
    text = (PROJECT / document).read_text(encoding="utf-8")
    blocks = re.findall(r"^```(?:sh|bash|shell|console)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    return [words for line in lines if (words := shlex.split(line.removeprefix("$ "), comments=True))]


WITH_COMMANDS = [
    "README.md",
    "CONTRIBUTING.md",
    *(str(page.relative_to(PROJECT)) for page in PROJECT.glob("docs/*.md")),
]


@pytest.mark.parametrize("document", sorted(WITH_COMMANDS))
def test_commands_in_a_document_exist(document: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for words in shell_lines(document):
        if words[0] == "make":
            asked = [word for word in words[1:] if "=" not in word and not word.startswith("-")]
            assert set(asked) <= targets, f"{document}: {' '.join(words)}"
        elif words[0].endswith("bench"):
            check_command(words[1:], f"{document}: {' '.join(words)}")


def check_command(words: list[str], shown: str) -> None:
    """Asserts that the command line has these subcommands and flags."""
    command: click.Command = bench
    flags = set(flags_of(command))
    while words and isinstance(command, click.Group):
        word, *words = words
        if not word.startswith("-"):
            found = command.get_command(click.Context(command), word)
            assert found is not None, f"{shown}: no command {word!r}"
            command = found
            flags |= set(flags_of(command))
    for word in words:
        if word.startswith("-") and len(word) > 1:
            assert word.split("=")[0] in flags, f"{shown}: no flag {word!r}"


def flags_of(command: object) -> list[str]:
    """Returns the flags of a command, with click's own --help."""
    return ["--help", *[flag for parameter in command.params for flag in [*parameter.opts, *parameter.secondary_opts]]]


@pytest.mark.parametrize(
    "document",
    [
        "README.md",
        "docs/features.md",
        "docs/own-data.md",
        "docs/own-videos.md",
        "docs/thumos14.md",
        "examples/conse/README.md",
    ],
)
def test_what_stands_in_a_document_is_a_bench_yaml(document: str, bench_command: Any) -> None:
    """Each block can be copied as it is."""
    blocks = re.findall(
        r"^```yaml[^\n]*\n(.*?)^```", (PROJECT / document).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    assert blocks
    for block in blocks:
        (bench_command.folder / "bench.yaml").write_text(block, encoding="utf-8")
        bench_command("list", "features")


BUILD_SITE = runpy.run_path(str(PROJECT / "docs" / "build_site.py"))


def parsed(path: Path) -> tuple[list[str], set[str]]:
    """Returns what a page links to, and the anchors of its headings as GitHub and the site make them."""
    links, anchors, heading = [], set(), False
    for token in MarkdownIt("commonmark").enable("table").parse(path.read_text(encoding="utf-8")):
        heading = token.type == "heading_open" or (heading and token.type == "inline")
        for child in token.children or ():
            links += [str(child.attrs[name]) for name in ("href", "src") if name in child.attrs]
        if token.type == "inline" and heading:
            title = "".join(child.content for child in token.children or ())
            anchors.add(re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-"))
    return links, anchors


def test_every_link_in_a_committed_page_leads_somewhere() -> None:
    files = set(committed())
    places = files | {folder for path in files for folder in path.parents}
    pages = {path: parsed(path) for path in sorted(files) if path.suffix == ".md"}
    broken = []
    for path, (links, _) in pages.items():
        for link in links:
            target, _, anchor = unquote(link).partition("#")
            place = Path(normpath(path.parent / target)) if target else path
            if ":" in link.partition("/")[0]:
                continue
            if place not in places or (anchor and place in pages and anchor not in pages[place][1]):
                broken.append(f"{path.relative_to(PROJECT)}: {link}")
    assert broken == []
    assert sum(len(links) for links, _ in pages.values()) > 100


def test_the_navigation_of_the_site_has_every_page_once() -> None:
    def listed(entry: Any) -> list[str]:
        below = entry.values() if isinstance(entry, dict) else entry if isinstance(entry, list) else ()
        return [entry] if isinstance(entry, str) else [page for each in below for page in listed(each)]

    found = ["README.md" if page == "index.md" else page for page in listed(BUILD_SITE["navigation"]())]
    assert len(found) == len(set(found))
    examples = {page for page in BUILD_SITE["pages"]() if page.startswith("examples/") and page.count("/") > 1}
    assert set(found) == set(BUILD_SITE["pages"]()) - examples, "a page of docs/ belongs into docs/site.yml"


def test_a_link_to_nothing_stops_the_site() -> None:
    with pytest.raises(ValueError, match=r"docs/x\.md: \[gone\]\(gone\.md\) leads to nothing: docs/gone\.md"):
        BUILD_SITE["as_page"]("docs/x.md", "[gone](gone.md)", "")
