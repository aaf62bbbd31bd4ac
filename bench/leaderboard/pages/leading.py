"""Who leads each task, by kind of data: what the index shows, in HTML and in Markdown alike."""

from __future__ import annotations

from dataclasses import dataclass

from bench.leaderboard.board import KINDS, Board, Row, Table
from bench.leaderboard.pages import wording
from bench.leaderboard.pages.site import Site


@dataclass(frozen=True)
class Leading:
    """The first row of the first table of a task's section.

    Attributes:
        file: name of the task's page, without ending.
        row: the best by the primary measurement, a control or not; None where no row has it.
        rows: how many rows all tables of the section have.
    """

    board: Board
    file: str
    table: Table
    row: Row | None
    rows: int

    @property
    def value(self) -> str:
        """What the leading row has of the primary measurement."""
        return self._value(self.row) if self.row else wording.UNKNOWN

    @property
    def remark(self) -> str:
        """Says that a control leads, and which model comes next; or that a control has as much as the model; or ""."""
        others = [row for row in self.table.rows if row.cells[self.table.place] and row is not self.row]
        if self.row is None:
            return ""
        if self.row.control:
            best = next((row for row in others if not row.control), None)
            return f"a control; best model: {best.model}, {self._value(best)}" if best else "a control; controls only"
        level = next((row for row in others if row.control and self._value(row) == self.value), None)
        return f"level with a control: {level.model}" if level else ""

    def _value(self, row: Row) -> str:
        place = self.table.place
        return wording.value(row.cells[place], wording.decimals(self.table)[place])


def leading(site: Site) -> list[tuple[str, list[Leading]]]:
    """Returns the kinds of data that have tables, real ones first, each with who leads its tasks."""
    found = []
    for kind in KINDS:
        sections = [(board, section) for board in site.boards for section in board.sections if section.kind == kind]
        rows = []
        for board, section in sections:
            table = section.tables[0]
            row = next((row for row in table.rows if row.cells[table.place]), None)
            count = sum(len(one.rows) for one in section.tables)
            rows.append(Leading(board, site.tasks[board.task], table, row, count))
        if rows:
            found.append((kind, rows))
    return found
