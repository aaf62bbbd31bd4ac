"""A table of a paper whose columns are points of a curve, drawn: recall against the share of an input that is kept."""

from __future__ import annotations

import re
from collections import defaultdict

from bench.evidence.kinds.wording import head_of
from bench.leaderboard.pages import wording
from bench.leaderboard.pictures.charts import Chart
from bench.leaderboard.pictures.svg import PALETTE, Drawing
from bench.papers.figures import ComparedRow, ComparedTable

POINT = re.compile(r"(.+)\[keep=(0\.\d|1\.0)\]")
"""A column that is a point of a curve: the measurement, and the share that is kept."""


def curves(table: ComparedTable) -> list[Chart]:
    """Returns a picture for each measurement of which the table has the points; each row measured is a curve."""
    shares: dict[str, dict[int, float]] = defaultdict(dict)
    for place, column in enumerate(table.columns):
        if point := POINT.fullmatch(column):
            shares[point[1]][place] = 100 * float(point[2])
    return [chart for name, places in shares.items() if (chart := _chart(table, name, places)) is not None]


def _chart(table: ComparedTable, name: str, places: dict[int, float]) -> Chart | None:
    drawing = Drawing()
    legend = []
    for number, row in enumerate(table.rows, 1):
        color = (number - 1) % len(PALETTE)
        points = [(x, figure.mean) for place, x in places.items() if (figure := row.figures[place].ours) is not None]
        if points:
            titles = {i: f"{_name(row)}: {height:.1f} at {x:.0f} %" for i, (x, height) in enumerate(points)}
            drawing.line(points, color, number, titles)
            legend.append((number, _name(row), color))
    if not legend:
        return None
    way, _, measured = head_of(next(table.columns[place] for place in places))[0].partition(", ")
    drawing.axes("kept, in percent", f"{measured} in percent")
    drawing.percents()
    svg = drawing.svg(f"{measured} against the share that is kept, {way}")
    caption = "Ours, mean over seeds; the share of clips or sentences that is kept, at 100 % nothing is missing."
    return Chart(f"{measured}, {way[:1].lower() + way[1:]}", caption, svg, tuple(legend))


def _name(row: ComparedRow) -> str:
    """Returns what a row is called in legends and titles."""
    parts = filter(None, (row.row.system, row.row.variant, row.row.features))
    return wording.plain(", ".join(parts))
