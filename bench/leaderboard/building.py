"""Builds all pages from folders of records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench.files import digest, slug, write_atomically
from bench.leaderboard import html, markdown
from bench.leaderboard.board import Board
from bench.leaderboard.published import PublishedTask, read_published
from bench.leaderboard.records import Note, read
from bench.leaderboard.tables import boards


@dataclass(frozen=True)
class Report:
    """What was built from what.

    Attributes:
        index: the HTML page that links to all others.
        pages: every file written.
        boards: one for each task.
        partial: runs that were not evaluated on all videos; shown apart, never ranked.
        left_out: files that are broken, foreign, without their evidence, or repeat a run.
    """

    index: Path
    pages: tuple[Path, ...]
    boards: tuple[Board, ...]
    partial: tuple[Note, ...]
    left_out: tuple[Note, ...]

    @property
    def tables(self) -> int:
        return sum(len(section.tables) for board in self.boards for section in board.sections)

    @property
    def rows(self) -> int:
        return sum(len(t.rows) for board in self.boards for section in board.sections for t in section.tables)


def build(results_dirs: Sequence[Path], output: Path, published: Path | None = None) -> Report:
    """Writes `index` and one page per task, each as HTML and Markdown; equal records give equal bytes.

    Args:
        published: folder of published figures; tasks that have some get a page also without a record.

    Raises: UsageError when a results folder does not exist, InvalidData for published figures that cannot be read,
    SaveError when a page cannot be written.
    """
    entries, unreadable = read(results_dirs)
    measured, repeated = boards(entries)
    built = _with_published(measured, read_published(published) if published else {})
    left_out = tuple(sorted([*unreadable, *repeated], key=lambda note: (note.file, note.reason)))
    partial = tuple(note for board in built for note in board.partial)
    names = _file_names([board.task for board in built])
    contents: dict[str, str] = {}
    for board in built:
        contents[f"{names[board.task]}.html"] = html.page(board)
        contents[f"{names[board.task]}.md"] = markdown.page(board)
    contents["index.html"] = html.index([(b.task, f"{names[b.task]}.html", b) for b in built], left_out)
    contents["index.md"] = markdown.index([(b.task, f"{names[b.task]}.md", b) for b in built], left_out)
    for name, content in contents.items():
        write_atomically(output / name, content.encode())
    return Report(
        index=output / "index.html",
        pages=tuple(output / name for name in contents),
        boards=built,
        partial=partial,
        left_out=left_out,
    )


def _with_published(measured: Sequence[Board], published: Mapping[str, PublishedTask]) -> tuple[Board, ...]:
    found = {board.task: board for board in measured}
    tasks = sorted({*found, *published})
    return tuple(replace(found.get(task, Board(task, (), ())), published=published.get(task)) for task in tasks)


def _file_names(tasks: Sequence[str]) -> dict[str, str]:
    """Returns a file name without ending for each task; task names are untrusted and may look alike."""
    taken = {"index"}
    names = {}
    for task in tasks:
        name = slug(task)
        if name.lower() in taken:
            name = f"{name}-{digest(task)[:8]}"
        taken.add(name.lower())
        names[task] = name
    return names
