"""A board for Python: its tables as its pages rank them, which pandas, notebooks and matplotlib take as they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from bench.errors import UsageError
from bench.leaderboard.board import KINDS, Cell, Row, Table
from bench.leaderboard.loaded import load_results
from bench.leaderboard.records import Note
from bench.leaderboard.tables import boards
from bench.reading.numbers import number_of
from bench.results.shown import Interval, as_frame, as_html, draw, in_words

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from pandas import DataFrame


@dataclass(frozen=True)
class RankedTable:
    """Rows of a task that were made in one way, best first.

    Attributes:
        task: its name, without parameters.
        table: the table as the pages have it, see `bench.board_api`.
    """

    task: str
    table: Table

    def to_pandas(self, *, long: bool = False) -> DataFrame:
        """Returns a data frame with a row for each row and a column for each measurement, its mean over seeds.

        Args:
            long: a row for each figure instead, with deviation over seeds and interval.
        """
        rows: list[dict[str, Any]] = []
        for place, row in enumerate(self.table.rows, 1):
            about, figures = _about(self.task, self.table, row, place), zip(self.table.columns, row.cells, strict=True)
            if long:
                rows += [
                    about | {"measurement": column.name, "unit": column.unit} | _figure(cell)
                    for column, cell in figures
                    if cell is not None
                ]
            else:
                rows.append(about | {column.name: None if cell is None else cell.mean for column, cell in figures})
        return as_frame(rows, ["task", "place", "model"])

    def _repr_html_(self) -> str:
        table, place = self.table, self.table.place
        others = [i for i, column in enumerate(table.columns) if i != place]
        head = ["", "model", "seeds", "status", f"{table.primary} [95 %]", *(table.columns[i].name for i in others)]
        rows = []
        for number, row in enumerate(table.rows, 1):
            said = [str(number), _called(row), ", ".join(map(str, row.seeds)), row.status]
            rows.append([*said, _words(row.cells[place], interval=True), *(_words(row.cells[i]) for i in others)])
        title = f"{self.task} on {table.label}, {table.tested}"
        return as_html(title, head, rows, numbers_from=4, notes=[table.signature, *table.certain])

    def plot(self, measurement: str = "", *, ax: Axes | None = None) -> Axes:
        """Draws a measurement of every row with its 95 % interval, by default the primary one; returns the axes.

        Raises: UsageError for a measurement that the table has not.
        """
        names, name = [column.name for column in self.table.columns], measurement or self.table.primary
        if name not in names:
            raise UsageError(f"the table has no measurement {name!r}. It has {', '.join(names)}.")
        cells = [(row, row.cells[names.index(name)]) for row in self.table.rows]
        intervals = [Interval(_called(row), cell.mean, cell.ci95, quiet=row.control) for row, cell in cells if cell]
        return draw(intervals, name, f"{self.task} on {self.table.label}", ax)


@dataclass(frozen=True)
class Leaderboard(Sequence[RankedTable]):
    """The tables of a board, by task.

    Attributes:
        tables: in the order of the pages: real data first, then simulated, then generated.
        left_out: records that stand in none, and why.
    """

    tables: tuple[RankedTable, ...]
    left_out: tuple[Note, ...] = ()

    def __len__(self) -> int:
        return len(self.tables)

    def __iter__(self) -> Iterator[RankedTable]:
        return iter(self.tables)

    @overload
    def __getitem__(self, place: int) -> RankedTable: ...
    @overload
    def __getitem__(self, place: slice) -> Leaderboard: ...
    def __getitem__(self, place: int | slice) -> RankedTable | Leaderboard:
        return Leaderboard(self.tables[place], self.left_out) if isinstance(place, slice) else self.tables[place]

    def where(self, *, task: str = "", data: str = "") -> Leaderboard:
        """Returns the tables of a task, and of one kind of data: real, simulated or generated."""
        kept = (one for one in self.tables if task in ("", one.task) and data in ("", one.table.parts["data"]))
        return Leaderboard(tuple(kept), self.left_out)

    def to_pandas(self, *, long: bool = False) -> DataFrame:
        """Returns the rows of all tables in one data frame; rows rank within one `signature` only."""
        from pandas import concat

        return concat([one.to_pandas(long=long) for one in self.tables], ignore_index=True)

    def _repr_html_(self) -> str:
        head, rows = ["task", "", "data", "tested on", "rows", "first", "measured by", "value [95 %]"], []
        for one in self.tables:
            first = one.table.rows[0]
            about = [one.task, self._apart(one), one.table.label, one.table.tested]
            said = [*about, str(len(one.table.rows)), _called(first)]
            rows.append([*said, one.table.primary, _words(first.cells[one.table.place], interval=True)])
        notes = [f"left out: {note.file}: {note.reason}" for note in self.left_out]
        return as_html(number_of(len(self), "table"), head, rows, numbers_from=7, notes=notes)

    def _apart(self, table: RankedTable) -> str:
        """Returns what tells a table from the others of its task: the parts of its signature in which they differ."""
        others = [one.table.parts for one in self.tables if one.task == table.task]
        named = table.table.parts.items()
        return ", ".join(f"{key}={value}" for key, value in named if any(part.get(key) != value for part in others))


def open_board(folder: Path) -> Leaderboard:
    """Returns the tables of a board's folder, or of any folder of runs, as `bench leaderboard build` would rank them.

    Raises: UsageError, InvalidData.
    """
    results = load_results([folder])
    ranked, repeated = boards(results.entries)
    notes = [*results.left_out, *repeated, *(note for board in ranked for note in board.partial)]
    tables = [RankedTable(board.task, table) for board in ranked for table in board.tables]
    return Leaderboard(tuple(sorted(tables, key=lambda one: KINDS.index(one.table.parts["data"]))), tuple(notes))


def _called(row: Row) -> str:
    """Returns what a row is called: its model, and what tells it from others of the same model."""
    remarks = f" ({', '.join(row.remarks)})" if row.remarks else ""
    return row.model + remarks + (" – control" if row.control else "")


def _about(task: str, table: Table, row: Row, place: int) -> dict[str, Any]:
    return {
        "task": task,
        "place": place,
        "model": row.model,
        "remarks": ", ".join(row.remarks),
        "control": row.control,
        "tier": row.tier,
        "seeds": row.seeds,
        "status": row.status,
        "data": table.parts["data"],
        "signature": table.signature,
    }


def _figure(cell: Cell) -> dict[str, float | None]:
    low, high = cell.ci95 or (None, None)
    return {"mean": cell.mean, "std": cell.std, "low": low, "high": high}


def _words(cell: Cell | None, *, interval: bool = False) -> str:
    return "–" if cell is None else in_words(cell.mean, cell.ci95 if interval else None)
