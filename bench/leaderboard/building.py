"""Builds all pages from folders of records."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from bench.errors import DataError
from bench.files import write_atomically
from bench.leaderboard.board import KINDS, Board
from bench.leaderboard.links import read_links
from bench.leaderboard.pages.contents import MANIFEST, contents
from bench.leaderboard.pages.site import PaperPage, Site
from bench.leaderboard.published import PublishedTask, read_published
from bench.leaderboard.records import Entry, Note, ReadRecords, read
from bench.leaderboard.tables import boards
from bench.reading.outside import JSON, read_text, reading

PaperPages = Callable[[Path, Sequence[Entry]], tuple[PaperPage, ...]]


@dataclass(frozen=True)
class Sources:
    """What pages are built from.

    Attributes:
        results: folders of records, searched with their subfolders.
        published: folder of published figures; tasks that have some get a page also without a record.
        papers: folder of tables of papers that were measured, and what makes pages of them.
        links: file that says where papers and code of models are.
        metrics: measurements shown beyond those of the records, in every table to which they apply.
        title: of the pages.
    """

    results: tuple[Path, ...]
    published: Path | None = None
    papers: tuple[Path, PaperPages] | None = None
    links: Path | None = None
    metrics: tuple[str, ...] = ()
    title: str = "Leaderboards"


@dataclass(frozen=True)
class BuildReport:
    """What was built from what.

    Attributes:
        index: the HTML page that links to all others.
        pages: every file written.
        boards: one for each task.
        partial: runs that were not evaluated on all videos; shown apart, never ranked.
        left_out: records and published figures that are broken, foreign, without their evidence, or repeat a run.
    """

    index: Path
    pages: tuple[Path, ...]
    boards: tuple[Board, ...]
    partial: tuple[Note, ...]
    left_out: tuple[Note, ...]

    @property
    def tables(self) -> int:
        return sum(len(board.tables) for board in self.boards)

    @property
    def rows(self) -> int:
        return sum(len(table.rows) for board in self.boards for table in board.tables)


def site_of(sources: Sources, output: Path, records: ReadRecords | None = None) -> Site:
    """Returns all that pages in `output` show.

    Args:
        records: those of `sources`, where they have been read already.

    Raises: UsageError when a results folder does not exist.
    """
    entries, unreadable = records or read(sources.results, sources.metrics)
    measured, repeated = boards(entries)
    published, unusable = read_published(sources.published) if sources.published else ({}, [])
    links, unread = read_links(sources.links) if sources.links else ({}, [])
    built = _with_published(measured, published)
    folder, make = sources.papers or (None, None)
    return Site(
        boards=built,
        papers=make(folder, entries) if folder and make else (),
        left_out=tuple(sorted([*unreadable, *repeated, *unusable, *unread], key=lambda note: (note.file, note.reason))),
        title=sources.title,
        records=_below(sources.results, output),
        links=links,
    )


def build(sources: Sources, output: Path) -> BuildReport:
    """Writes every page and table; equal records give equal bytes. Pages of an earlier build that are no more go away.

    Raises: UsageError, InvalidData; SaveError when a page cannot be written.
    """
    site = site_of(sources, output)
    files = contents(site)
    earlier = files_of_build(output)
    for name, content in files.items():
        if not (output / name).is_file() or (output / name).read_bytes() != content:
            write_atomically(output / name, content, durable=False)
    for name in earlier - files.keys():
        (output / name).unlink(missing_ok=True)
    return BuildReport(
        index=output / "index.html",
        pages=tuple(output / name for name in files),
        boards=site.boards,
        partial=site.partial,
        left_out=site.left_out,
    )


def files_of_build(output: Path) -> frozenset[str]:
    """Returns the files that an earlier build wrote below `output`; none where there was no build.

    The list is a file as any other and not trusted: only what a build could have written counts.
    """
    path = output / MANIFEST
    try:
        text = read_text(path, JSON)
        with reading(path, JSON):
            named = [name for name in json.loads(text)["files"] if isinstance(name, str)]
    except DataError:
        return frozenset()
    return frozenset(filter(_could_be_built, named))


def _could_be_built(name: str) -> bool:
    path = PurePosixPath(name)
    folders = [] if len(path.parts) == 1 else ["models", "papers", "tables"]
    return (
        len(path.parts) <= 2
        and (not folders or path.parts[0] in folders)
        and ".." not in path.parts
        and path.suffix
        in {".html", ".md", ".csv", ".tex", ".css"} | ({".json"} if path.parts[0] == "tables" else set())
    ) or name == MANIFEST


def _below(results: Sequence[Path], output: Path) -> str:
    """Returns where records are, seen from `output`; "" where they are not below it, or in several folders."""
    if len(results) != 1 or not results[0].resolve().is_relative_to(output.resolve()):
        return ""
    relative = results[0].resolve().relative_to(output.resolve()).as_posix()
    return "" if relative == "." else f"{relative}/"


def _with_published(measured: Sequence[Board], published: Mapping[str, PublishedTask]) -> tuple[Board, ...]:
    """Returns a board for each task, measured or published: those with real data first, then by name."""
    by_task = {board.task: board for board in measured}
    tasks = sorted({*by_task, *published})
    built = [replace(by_task.get(task, Board(task, (), ())), published=published.get(task)) for task in tasks]
    return tuple(sorted(built, key=_most_real))


def _most_real(board: Board) -> int:
    return KINDS.index(board.sections[0].kind) if board.sections else len(KINDS)
