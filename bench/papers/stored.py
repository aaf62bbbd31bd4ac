"""Tables and figures of papers on a board, stored there when `bench reproduce` measured them.

`papers/<paper>-<table>.json` holds a table as the paper has it and names runs by their ids (bench-compared/1): figures
come from the records of the board, so a run that is not on it shows none, and a changed record changes the page. Or it
holds where the videos of a figure were drawn (bench-drawn/1).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from bench.errors import InvalidData
from bench.files import slug, write_atomically
from bench.leaderboard.pages.html import STYLE
from bench.leaderboard.pages.site import PaperPage
from bench.leaderboard.records import Entry
from bench.papers import pages
from bench.papers.figure_pages import StoredFigure, figure_page
from bench.papers.figures import ComparedRow, ComparedTable, compared, measured_on, not_run
from bench.papers.tables import PaperRow, PaperTable
from bench.reading.numbers import number_of
from bench.reading.outside import JSON, read_content
from bench.results import Record, Result

NOT_HERE = "its runs are not on this board"


class StoredTable(Record):
    """A table of a paper and the runs that stand beside its rows."""

    schema_: Literal["bench-compared/1"] = Field(alias="schema", default="bench-compared/1")
    paper: str = Field(min_length=1, max_length=300, description="authors, title, venue and year")
    table: PaperTable
    runs: list[list[str]] = Field(description="for each row the ids of its runs; none where nothing was run")
    changed: dict[str, dict[str, str]] = Field(default_factory=dict, description="settings the user set, by model")

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    @model_validator(mode="after")
    def _rows_have_runs(self) -> StoredTable:
        if len(self.runs) != len(self.table.rows):
            raise ValueError(f"{len(self.runs)} lists of runs for {number_of(len(self.table.rows), 'row')}")
        return self


_STORED: TypeAdapter[StoredTable | StoredFigure] = TypeAdapter(
    Annotated[StoredTable | StoredFigure, Field(discriminator="schema_")]
)


def read_stored(folder: Path) -> dict[str, StoredTable | StoredFigure]:
    """Returns the stored tables and figures in `folder` by name; nothing where the folder does not exist.

    Raises: InvalidData for a file that does not follow its schema.
    """
    stored = {}
    for path in sorted(folder.glob("*.json")):
        try:
            stored[path.stem] = _STORED.validate_json(read_content(path, JSON))
        except ValidationError as error:
            reason = error.errors()[0]["msg"]
            raise InvalidData(
                f"{path} is no bench-compared/1 or bench-drawn/1 file: {reason}. Draw it anew by "
                "`bench reproduce`, or delete it."
            ) from error
    return stored


def save_stored(board: Path, name: str, stored: StoredTable | StoredFigure) -> Path:
    """Writes a table or figure into the `papers` folder of a board; returns its path. Raises: SaveError."""
    path = board / "papers" / f"{slug(name)}.json"
    write_atomically(path, (stored.model_dump_json(by_alias=True, indent=1) + "\n").encode())
    return path


def paper_pages(folder: Path, entries: Sequence[Entry]) -> tuple[PaperPage, ...]:
    """Returns a page for each table or figure stored in `folder`, with numbers from the records that are on the board.

    Raises: InvalidData for a file that does not follow its schema.
    """
    by_run = {entry.result.run: entry for entry in entries}
    return tuple(
        figure_page(name, stored) if isinstance(stored, StoredFigure) else _table_page(name, stored, by_run)
        for name, stored in read_stored(folder).items()
    )


def _table_page(name: str, stored: StoredTable, by_run: dict[str, Entry]) -> PaperPage:
    table = stored.table
    here = [[by_run[run].result for run in runs if run in by_run] for runs in stored.runs]
    rows = tuple(
        _row(table, row, stored, len(runs), results)
        for row, runs, results in zip(table.rows, stored.runs, here, strict=True)
    )
    kind, circumstances = measured_on([(r, by_run[r.run].evidence) for results in here for r in results])
    shown = ComparedTable(
        stored.paper, table.title, tuple(table.columns), rows, kind, circumstances, tuple(table.notes)
    )
    return PaperPage(
        name=name,
        title=table.title,
        paper=stored.paper,
        html=pages.html(shown, root="../", style=f"../{STYLE}"),
        markdown=pages.markdown(shown),
    )


def _row(table: PaperTable, row: PaperRow, stored: StoredTable, runs: int, results: Sequence[Result]) -> ComparedRow:
    if not results:
        return not_run(table, row, f"needs {row.needs}" if row.needs else NOT_HERE)
    return compared(table, row, results, stored.changed.get(row.model or "", {}), runs)
