"""docs/writing-a-plugin.md does what it says: its files are written as they stand there, and its commands are run."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
DOCUMENT = (PROJECT / "docs" / "writing-a-plugin.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", DOCUMENT, re.MULTILINE | re.DOTALL))
RUN = ("In 25 lines", "A package", "A torch model that trains", "A captioner", "A dataset", "An encoder")


def blocks(text: str) -> Iterator[tuple[str, str, str]]:
    """Yields language, file name or '', and content of each fenced block."""
    for head, content in re.findall(r"^```([^\n]*)\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        language, _, name = head.partition(" ")
        yield language, name, content


def write(text: str, folder: Path) -> Path:
    """Writes the files of a section; returns the folder in which its plugin is installed, as pip would."""
    site = folder / "site"
    site.mkdir()
    for language, name, content in blocks(text):
        if not name:
            continue
        path = (site if language == "python" else folder) / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content, encoding="utf-8")
        if language == "python" and (path.name == "plugin.py" or path.parent == site):
            plugin = path.parent.name if path.name == "plugin.py" else path.stem
            module = f"{plugin}.plugin" if path.name == "plugin.py" else plugin
            about = site / f"{plugin}-1.0.dist-info"
            about.mkdir()
            (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {plugin}\nVersion: 1.0\n")
            (about / "entry_points.txt").write_text(f"[bench]\n{plugin} = {module}\n")
    return site


def commands(text: str) -> list[list[str]]:
    return [
        shlex.split(line)
        for language, _, content in blocks(text)
        if language == "sh"
        for line in content.splitlines()
        if line
    ]


@pytest.mark.parametrize("title", RUN)
def test_a_section_does_what_it_says(bench_command, tmp_path, title):
    site = write(SECTIONS[title], tmp_path)

    for program, *arguments in commands(SECTIONS[title]):
        assert program == "bench"
        bench_command(*arguments, path=site)

    assert SHOWN[title](tmp_path)


SHOWN = {
    "In 25 lines": lambda folder: "counts" in (folder / "board" / "anet-retrieval.md").read_text(encoding="utf-8"),
    "A package": lambda folder: (folder / "vtbench-my-model" / "pyproject.toml").exists(),
    "A torch model that trains": lambda folder: list(folder.glob("runs/pooled--*/result.json")),
    "A captioner": lambda folder: list(folder.glob("runs/parrot--*/result.json")),
    "A dataset": lambda folder: list(folder.glob("runs/random--mine-*/result.json")),
    "An encoder": lambda folder: "embed_frames 4, embed_texts 4" in (folder / "report.md").read_text(encoding="utf-8"),
}


def test_every_block_with_a_file_name_is_in_a_section_that_is_run():
    outside = [title for title, text in SECTIONS.items() if title not in RUN and any(n for _, n, _ in blocks(text))]
    unnamed = [content for language, name, content in blocks(DOCUMENT) if language == "python" and not name]

    assert outside == []
    assert unnamed == []


def test_a_row_on_a_board_takes_25_lines():
    files = [c for language, _, c in blocks(SECTIONS["In 25 lines"]) if language in ("python", "toml")]

    assert sum(len([line for line in content.splitlines() if line.strip()]) for content in files) <= 25
