"""Boards as HTML pages: one style sheet, one small script allowed by its hash, no request to anywhere else."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from bench.leaderboard.board import Board, Cell, Column, Row, Table
from bench.leaderboard.comparisons import ComparedRows
from bench.leaderboard.pages import how_made as making
from bench.leaderboard.pages import published_wording, resolution_wording, wording
from bench.leaderboard.pages.leading import leading
from bench.leaderboard.pages.site import Site
from bench.leaderboard.pictures.charts import Chart
from bench.leaderboard.published_sets import by_set
from bench.reading.numbers import number_of

STYLE = "style.css"


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
    environment.globals.update(
        wording=wording, published_wording=published_wording, resolution_wording=resolution_wording, by_set=by_set,
        making=making, cells=_cells, number_of=number_of, style=None, root="",
        style_text=style(), style_hash=integrity(style()), script=text_of("board.js"),
        script_hash=integrity(text_of("board.js")), further_style="", further_hash="",
    )  # fmt: skip
    return environment


@cache
def text_of(name: str) -> str:
    """Returns a file beside the templates: a style sheet or the script."""
    return files("bench.leaderboard").joinpath("templates", name).read_text(encoding="utf-8").strip() + "\n"


def style() -> str:
    """Returns the style sheet that all pages share."""
    return text_of(STYLE)


def integrity(text: str) -> str:
    """Returns the hash by which a page allows a style sheet or a script inside it."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _page(template: str, root: str, **values: Any) -> str:
    return environment().get_template(template).render(root=root, style=root + STYLE, **values)


def index(site: Site) -> str:
    """Returns the list of all boards by kind of data, with who leads each."""
    return _page("index.html.j2", "", site=site, sections=leading(site), untested=site.untested)


def task(site: Site, board: Board, pictures: dict[str, list[Chart]]) -> str:
    """Returns the page of one task; `pictures` by the key of a table."""
    return _page("task.html.j2", "", site=site, board=board, pictures=pictures, file=site.tasks[board.task])


def model(site: Site, name: str, rows: list[tuple[Board, Table, Row]]) -> str:
    """Returns the page of one model: where it stands, and what made each of its rows."""
    return _page("model.html.j2", "../", site=site, name=name, rows=rows)


def compare(site: Site, tables: list[tuple[Board, Table, ComparedRows]]) -> str:
    """Returns the page that sets rows against one another."""
    return _page("compare.html.j2", "", site=site, tables=tables)


def _cells(table: Table) -> list[list[Markup]]:
    """Returns the cells of each row: the value, its deviation over seeds, its interval as a bar and as numbers."""
    places, scales = wording.decimals(table), [_scale(table, i) for i in range(len(table.columns))]
    first = {place for place, _ in _groups(table)}
    return [
        [
            _cell(cell, places[i], scales[i], ("first " if i in first else "", i == table.place))
            for i, cell in enumerate(row.cells)
        ]
        for row in table.rows
    ]


def _groups(table: Table) -> list[tuple[int, str]]:
    place, groups = 0, []
    for group, names in wording.heads(table):
        groups.append((place, group))
        place += len(names)
    return groups


def _scale(table: Table, place: int) -> float | None:
    """Returns the right end of a column's bars: the highest end of an interval, for percent 100 at least.

    CIDEr in percent passes 100. Ranks have none: between 1 and some thousand, a straight scale shows nothing.
    """
    column: Column = table.columns[place]
    if column.unit == "rank":
        return None
    ends = [cell.ci95[1] for row in table.rows if (cell := row.cells[place]) and cell.ci95]
    return max(ends, default=0.0) or None if column.unit == "score" else max(100.0, *ends, 0.0)


def _cell(cell: Cell | None, places: int, scale: float | None, place: tuple[str, bool]) -> Markup:
    """Returns a cell; `place` says whether it begins a group of columns and whether it is the primary measurement's."""
    begins, primary = place
    if cell is None:
        return Markup('<td class="{}none">{}</td>').format(begins, wording.UNKNOWN)
    bounds = wording.bounds(cell, places)
    parts = [
        Markup('<td class="{}"{} data-v="{}">{}').format(
            (begins + ("best" if cell.best else "")).strip(),
            Markup(' title="95 % interval {}"').format(bounds) if bounds else "",
            repr(cell.mean),
            wording.value(cell, places),
        )
    ]
    if spread := wording.spread(cell):
        parts.append(Markup("<i>{}</i>").format(spread))
    if bounds and scale and cell.ci95:
        low, high, mean = (max(0.0, min(100.0, 100 * v / scale)) for v in (*cell.ci95, cell.mean))
        parts.append(
            Markup(
                '<svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true"><path d="M0 4H100"/>'
                '<path d="M{:.1f} 4H{:.1f}"/><path d="M{:.1f} 0V8"/></svg>'
            ).format(low, high, mean)
        )
    if bounds:
        parts.append(Markup("<small{}>{}</small>").format(Markup(' class="shown"') if primary else "", bounds))
    return Markup("").join(parts) + Markup("</td>")
