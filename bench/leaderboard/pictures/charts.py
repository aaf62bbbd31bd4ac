"""Pictures of a table: recall at K, accuracy against time, incomplete videos, spread over seeds.

Which pictures a table gets follows from what its records hold. Rows are told apart by number and colour; the names that
belong to the numbers stand in the page, not in the picture, so nothing a record says is ever drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.evidence.kinds.wording import direction_in_words
from bench.leaderboard.board import Row, Table
from bench.leaderboard.pages import wording
from bench.leaderboard.pictures.svg import Drawing
from bench.metrics.rank_statistics import KS

if TYPE_CHECKING:
    from markupsafe import Markup

MOST_PAIRS = 12
"""Pairs of classes in a picture of confusions."""
MOST = 8
"""Rows in a picture: the first that are no controls, then controls."""


Numbered = list[tuple[int, Row]]
"""Rows with their numbers in the table, from 1."""


@dataclass(frozen=True)
class Chart:
    """A picture for the page.

    Attributes:
        title: its heading.
        caption: how to read it.
        svg: the drawing.
        legend: number, name and place in the palette of each row in it.
    """

    title: str
    caption: str
    svg: Markup
    legend: tuple[tuple[int, str, int], ...]


def pictures(table: Table) -> list[Chart]:
    """Returns the pictures that the records of a table allow."""
    rows = _shown(table)
    if len(rows) < 2:
        return []
    return [picture for name in table.kind.pictures for picture in MAKERS[name](table, rows)]


def _shown(table: Table) -> Numbered:
    """Returns the rows in the pictures with their numbers in the table, from 1."""
    numbered = list(enumerate(table.rows, 1))
    chosen = [pair for pair in numbered if not pair[1].control] + [pair for pair in numbered if pair[1].control]
    return sorted(chosen[:MOST], key=lambda pair: pair[0])


def _legend(rows: Sequence[tuple[int, Row]]) -> tuple[tuple[int, str, int], ...]:
    return tuple((number, name_of(row), color) for color, (number, row) in enumerate(rows))


def name_of(row: Row) -> str:
    """Returns what a row is called in legends and titles."""
    return wording.plain(" ".join([row.model, *(f"({wording.shortened(remark)})" for remark in row.remarks)]))


def recalls(table: Table, rows: Numbered) -> list[Chart]:
    """Returns recall against K, a picture for each direction that all records have."""
    charts = []
    for name, of_rows in _curves(table, rows).items():
        drawing = Drawing()
        drawing.axes("K", f"{_ascii(name.partition('/')[2])} in percent")
        for color, ((number, row), curve) in enumerate(zip(rows, of_rows, strict=True)):
            points = [(k, height) for k, height in curve.items() if k <= table.n]
            titles = {i: f"{name_of(row)}: R@{k} = {height:.1f}" for i, (k, height) in enumerate(points) if k in KS}
            drawing.line(points, color, number, titles)
        drawing.percents()
        drawing.depths((1, 2, 5, 10, 20, 50))
        caption = "Mean over seeds, ties in expectation. A curve above another is better at every K."
        charts.append(_of_direction(table, rows, name, drawing, ("Recall at K", "Recall at K", caption)))
    return charts


def incomplete(table: Table, rows: Numbered) -> list[Chart]:
    """Returns the curves of incomplete videos or paragraphs, for the recall of the primary measurement."""
    charts = []
    for name, of_rows in _curves(table, rows).items():
        drawing = Drawing()
        drawing.axes("kept, in percent", f"{_ascii(name.partition('/')[2])} in percent")
        for color, ((number, row), curve) in enumerate(zip(rows, of_rows, strict=True)):
            points = [(100 * keep, height) for keep, height in curve.items()]
            titles = {i: f"{name_of(row)}: {height:.1f} at {keep:.0f} %" for i, (keep, height) in enumerate(points)}
            drawing.line(points, color, number, titles)
        drawing.percents()
        caption = "The share of clips or sentences that is kept; at 100 % nothing is missing."
        titled = ("Incomplete input", "Recall against the share that is kept", caption)
        charts.append(_of_direction(table, rows, name, drawing, titled))
    return charts


def _curves(table: Table, rows: Numbered) -> dict[str, list[dict[float, float]]]:
    """Returns name -> a curve for each row, the mean over its seeds; those that all records have."""
    known = [[table.kind.curves(entry.evidence, table.primary) for entry in row.entries] for _, row in rows]
    shared = [name for name in known[0][0] if all(name in seed for seeds in known for seed in seeds)]
    return {
        name: [{x: float(np.mean([seed[name][x] for seed in seeds])) for x in seeds[0][name]} for seeds in known]
        for name in shared
    }


def _of_direction(table: Table, rows: Numbered, name: str, drawing: Drawing, titled: tuple[str, str, str]) -> Chart:
    """Returns a picture of curves; `titled` is its heading, what its description says, and its caption."""
    heading, described, caption = titled
    way = direction_in_words(name.partition("/")[0], table.parts.get("text", ""))
    return Chart(f"{heading}, {way[:1].lower() + way[1:]}", caption, drawing.svg(f"{described}, {way}"), _legend(rows))


def costs(table: Table, rows: Numbered) -> list[Chart]:
    """Returns the primary measurement against the time to encode the test set, and against the size of models."""
    return [picture for make in (_against_time, _against_size) for picture in make(table, rows)]


def _against_time(table: Table, rows: Numbered) -> list[Chart]:
    """Rows on other hardware than most are left out and counted: seconds on two machines do not compare."""
    by_hardware: dict[str, list[Placed]] = {}
    for color, (number, row) in enumerate(rows):
        stated = {_hardware(entry.result.provenance.hardware, entry.result.provenance.device) for entry in row.entries}
        seconds = [entry.result.provenance.seconds.get("predict", 0.0) for entry in row.entries]
        if len(stated) == 1 and min(seconds) > 0 and "" not in stated:
            by_hardware.setdefault(stated.pop(), []).append(Placed(color, number, row, float(np.mean(seconds))))
    if not by_hardware:
        return []
    hardware, placed = max(by_hardware.items(), key=lambda item: (len(item[1]), item[0]))
    apart = _left_out(len(rows) - len(placed), "timed elsewhere, or not at all")
    caption = f"Up and left is better. Measured on {wording.plain(hardware)}.{apart}"
    return _against(table, placed, ("time", "seconds to encode and compare the test set", "{:.1f} s"), caption)


def _against_size(table: Table, rows: Numbered) -> list[Chart]:
    placed = []
    for color, (number, row) in enumerate(rows):
        made = [entry.result.provenance.checkpoint for entry in row.entries]
        sizes = {one.parameters for one in made if one is not None and one.parameters}
        if len(sizes) == 1 and all(made):
            placed.append(Placed(color, number, row, float(sizes.pop())))
    caption = f"Up and left is better.{_left_out(len(rows) - len(placed), 'without, or with an unknown number')}"
    return _against(table, placed, ("parameters", "parameters", "{:,.0f} parameters"), caption)


def _left_out(count: int, why: str) -> str:
    return f" {count} row{'s' if count > 1 else ''} {why}, left out." if count else ""


@dataclass(frozen=True)
class Placed:
    """A row with its cost, its number in the table and its place in the palette."""

    color: int
    number: int
    row: Row
    cost: float


def _against(table: Table, rows: Sequence[Placed], what: tuple[str, str, str], caption: str) -> list[Chart]:
    """Returns the primary measurement against a cost; `what` is its name, that of its axis, and how one is written."""
    name, axis, written = what
    shown = [(one, cell) for one in rows if (cell := one.row.cells[table.place]) is not None]
    if len(shown) < 2:
        return []
    drawing = Drawing()
    drawing.axes(axis, _ascii(table.primary))
    for one, cell in shown:
        title = f"{name_of(one.row)}: {cell.mean:.1f} with {written.format(one.cost)}"
        drawing.points([(one.cost, cell.mean)], one.color, one.number, [title])
    drawing.spread_out()
    svg = drawing.svg(f"Accuracy against {name}")
    legend = tuple((one.number, name_of(one.row), one.color) for one, _ in shown)
    return [Chart(f"Accuracy against {name}", caption, svg, legend)]


def _hardware(hardware: dict[str, str] | object, device: str) -> str:
    stated = hardware if isinstance(hardware, dict) else {}
    chip = stated.get("gpu") if device.startswith("cuda") else stated.get("cpu")
    return f"{chip} ({device})" if chip else ""


def _ascii(text: str) -> str:
    """Returns a measurement's name in plain letters, at most 40."""
    return "".join(c if c.isascii() and c.isprintable() else "?" for c in text)[:40]


def seeds(table: Table, rows: Numbered) -> list[Chart]:
    """Returns each seed's primary value with its interval; none where no row has several seeds."""
    if all(len(row.seeds) < 2 for _, row in rows):
        return []
    drawing = Drawing(height=36 + 23 * len(rows))
    drawing.axes(_ascii(table.primary), "")
    for color, (_, row) in enumerate(rows):
        measurements = [entry.result[table.primary] for entry in row.entries]
        titles = [
            f"{name_of(row)}, seed {entry.result.seed}: {one.value:.1f}"
            for entry, one in zip(row.entries, measurements, strict=True)
        ]
        drawing.strip(len(rows) - color, [one.value for one in measurements], color, titles)
    drawing.rows([(len(rows) - color, number) for color, (number, _) in enumerate(rows)])
    caption = "One dot for each training seed: what a second training would have given."
    return [Chart("Spread over seeds", caption, drawing.svg("The primary measurement by seed"), _legend(rows))]


def confused(table: Table, rows: Numbered) -> list[Chart]:
    """Returns the pairs of classes that the first row that is no control confuses most."""
    row = next((row for _, row in rows if not row.control), None)
    if row is None:
        return []
    pairs = (table.kind.confusions(row.entries[0].evidence) or [])[:MOST_PAIRS]
    if not pairs:
        return []
    names = [f"{wording.plain(one.true, 60)} → {wording.plain(one.predicted, 60)}" for one in pairs]
    drawing = Drawing(height=43 + 16 * len(pairs))
    drawing.axes("videos", "")
    titles = [f"{name}: {one.videos} of {one.of}" for name, one in zip(names, pairs, strict=True)]
    drawing.bars([float(one.videos) for one in pairs], titles)
    caption = f"Of {name_of(row)}, seed {row.seeds[0]}. A video counts for its main class."
    legend = tuple((i, name, 0) for i, name in enumerate(names, 1))
    return [Chart("Most confused classes", caption, drawing.svg("Most confused classes"), legend)]


MAKERS: dict[str, Callable[[Table, Numbered], list[Chart]]] = {
    "recall": recalls,
    "incomplete": incomplete,
    "costs": costs,
    "seeds": seeds,
    "confusions": confused,
}
"""How each kind of picture that a kind of evidence names is drawn (`bench.evidence.kinds.kind.Kind.pictures`)."""
