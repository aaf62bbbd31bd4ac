"""A board as one self-contained HTML page: no script, no font, no request to anywhere."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from bench.leaderboard import published_wording, wording
from bench.leaderboard.board import Board, Cell, Table
from bench.leaderboard.records import Note


@cache
def environment() -> Environment:
    """Returns the templates of all pages: autoescaped, and an unknown name in one is an error."""
    environment = Environment(
        loader=PackageLoader("bench.leaderboard"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["plain"] = wording.plain
    return environment


def page(board: Board) -> str:
    """Returns the HTML page of one task."""
    return (
        environment()
        .get_template("board.html.j2")
        .render(board=board, wording=wording, published_wording=published_wording)
    )


def index(rows: list[tuple[str, str, Board]], left_out: tuple[Note, ...]) -> str:
    """Returns the list of all boards; `rows` holds name, file and board."""
    listed = [(name, file, board, _leader(board)) for name, file, board in rows]
    return environment().get_template("index.html.j2").render(rows=listed, left_out=left_out, wording=wording)


def _leader(board: Board) -> tuple[Table, str, str] | None:
    """Returns the first table of a board with the name and the primary value of its best row that is no control."""
    for section in board.sections:
        for table in section.tables:
            place = next(i for i, column in enumerate(table.columns) if column.name == table.primary)
            for row in table.rows:
                cell: Cell | None = row.cells[place]
                if cell and not row.control:
                    return table, row.model, wording.value(cell, wording.decimals(table)[place])
    return None
