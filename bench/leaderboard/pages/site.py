"""All that a set of pages is made from, with the names of its files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from bench.leaderboard.board import Board, Row, Table
from bench.leaderboard.links import Links
from bench.leaderboard.pages.naming import file_names
from bench.leaderboard.records import Note


@dataclass(frozen=True)
class PaperPage:
    """A table of a paper with our figures beside it: the name of its files, and what they hold."""

    name: str
    title: str
    paper: str
    html: str
    markdown: str


@dataclass(frozen=True)
class Site:
    """What `bench leaderboard build` shows.

    Attributes:
        boards: one for each task, those with real data first.
        papers: tables of papers with our figures beside them.
        left_out: files that are broken, foreign, without their evidence, or repeat a run.
        title: of all of it.
        records: where records lie, seen from the pages, such as `results/`; "" where they lie elsewhere.
        links: of models by their names: to their papers and their code.
    """

    boards: tuple[Board, ...]
    papers: tuple[PaperPage, ...]
    left_out: tuple[Note, ...]
    title: str
    records: str = ""
    links: Mapping[str, Links] = field(default_factory=dict)

    @cached_property
    def tasks(self) -> Mapping[str, str]:
        """Task -> file name of its page, without ending."""
        return file_names(sorted(board.task for board in self.boards))

    @cached_property
    def models(self) -> Mapping[str, str]:
        """Model -> file name of its page in models/, without ending."""
        return file_names(sorted(self.rows), ())

    @cached_property
    def paper_files(self) -> Mapping[str, str]:
        """Name of a paper's table -> file name of its page in papers/, without ending."""
        return file_names((paper.name for paper in self.papers), ())

    @cached_property
    def rows(self) -> Mapping[str, Sequence[tuple[Board, Table, Row]]]:
        """Model -> its rows, each once: not where it is a guest from a table of other segments."""
        by_model: dict[str, list[tuple[Board, Table, Row]]] = {}
        for board in self.boards:
            for table in board.tables:
                for row in table.rows:
                    if not row.from_segments:
                        by_model.setdefault(row.model, []).append((board, table, row))
        return by_model

    @property
    def untested(self) -> tuple[Board, ...]:
        """Tasks without a ranked row: of published figures, or of partial runs."""
        return tuple(board for board in self.boards if not board.sections)

    @property
    def partial(self) -> tuple[Note, ...]:
        """Runs that were not evaluated on all videos; shown apart, never ranked."""
        return tuple(note for board in self.boards for note in board.partial)

    def link(self, file: str) -> str:
        """Returns where a record can be read, seen from the pages; "" where it lies elsewhere."""
        return self.records + file if self.records and file.isascii() and file.isprintable() else ""
