"""A study as a picture: what is measured over the setting that was swept, a panel for each task, a line for each model.

A file of its own, so that it names its rows itself: below each panel stand the numbers of its lines, with the paired
test of each point against the best. Values stand in order, equally far apart: 0 has no place on a logarithmic axis.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from bench.errors import UsageError
from bench.leaderboard.pages import wording
from bench.leaderboard.pictures.axes import Axis
from bench.leaderboard.pictures.svg import PALETTE, SIZE, THIN, WIDTH, Drawing
from bench.reading.numbers import real_in
from bench.study.summary import StudyRow, chosen_on

HEIGHT = 180.0
LETTERS = 64
"""Letters of a line below a panel."""
MARGIN = 10.0
ASIDE = 0.03
"""By how much of the distance of two values each line stands to the right of the one before."""
INDENT = "  "
LINE = 1.35 * SIZE


class Sweep(Drawing):
    """Axes with values in order, and a stroke for an interval."""

    def interval(self, x: float, ends: tuple[float, float], color: int) -> None:
        """Draws an interval around a point."""
        self._see([(x, ends[0]), (x, ends[1])])
        self._marks.append(
            lambda place: [
                Element(
                    "path",
                    {
                        "d": f"M{place.x(x):.2f} {place.y(ends[0]):.2f}V{place.y(ends[1]):.2f}",
                        "stroke": PALETTE[color % len(PALETTE)],
                        "stroke-width": f"{THIN:g}",
                    },
                )
            ]
        )

    def values(self, names: Sequence[str]) -> None:
        """Makes the horizontal axis one of names, equally far apart, with the numbers of the lines before the first."""
        ticks = tuple((float(place), name) for place, name in enumerate(names))
        self._horizontal = Axis(-0.4, len(names) - 0.6, ticks)


@dataclass(frozen=True)
class _Line:
    """The rows of one model that differ in the swept setting alone; one row where it does not have that setting."""

    name: str
    rows: tuple[StudyRow, ...]


def picture(rows: Sequence[StudyRow], choose_on: str, over: str | None = None) -> str:
    """Returns a study's rows as the text of an SVG file.

    Args:
        rows: as `bench.study.summary.rows_of` returns them.
        choose_on: the task on which settings are chosen, or "".
        over: the setting along the axis; needed where several were swept.

    Raises: UsageError where there is no row, nothing was swept, or it is not said which of several to draw.
    """
    setting = _swept(rows, over)
    root = Element(
        "svg", {"xmlns": "http://www.w3.org/2000/svg", "font-family": "sans-serif", "font-size": f"{SIZE:g}"}
    )
    root.attrib |= {"color": "#222222", "fill": "#222222"}
    ElementTree.SubElement(root, "rect", {"width": "100%", "height": "100%", "fill": "#ffffff"})
    top = MARGIN
    for task in dict.fromkeys(row.task for row in rows):
        top = _panel(root, [row for row in rows if row.task == task], setting, choose_on, top) + MARGIN
    size = f"{WIDTH + 2 * MARGIN:g}", f"{top:g}"
    root.attrib |= {"width": size[0], "height": size[1], "viewBox": f"0 0 {size[0]} {size[1]}"}
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def _swept(rows: Sequence[StudyRow], over: str | None) -> str:
    """Returns the setting along the axis."""
    swept = sorted({name for row in rows for name in row.settings})
    if not rows:
        raise UsageError("no cell of the study is done, so there is nothing to draw. Run it first: `bench study run`.")
    if over in swept:
        return str(over)
    if over is None and len(swept) == 1:
        return swept[0]
    if not swept:
        raise UsageError(
            "no setting has several values in the study, so there is no sweep to draw: `bench study table`."
        )
    asked = "" if over is None else f"--over {over}: not one of them. "
    raise UsageError(f"{asked}The study sweeps {', '.join(swept)}. Choose the one along the axis: --over {swept[0]}.")


def _panel(root: Element, rows: Sequence[StudyRow], setting: str, choose_on: str, top: float) -> float:
    """Draws one task; returns where its last line ends."""
    values = sorted({row.settings[setting] for row in rows if setting in row.settings}, key=_order)
    drawing, first = Sweep(HEIGHT), rows[0]
    below = [f"{chosen_on(rows, choose_on)}"]
    for number, line in enumerate(_lines(rows, setting), 1):
        _draw(drawing, line, number, values, setting)
        below += _told(number, line, setting)
    drawing.values(values)
    drawing.axes(setting, first.primary)
    top = _write(root, [first.task], top, {"font-weight": "bold"})
    drawn = ElementTree.fromstring(str(drawing.svg(f"{first.primary} over {setting}, {first.task}")))  # noqa: S314 (ours)
    drawn.attrib |= {"x": f"{MARGIN:g}", "y": f"{top:g}", "width": f"{WIDTH:g}", "height": f"{HEIGHT:g}"}
    root.append(drawn)
    return _write(root, below, top + HEIGHT)


def _lines(rows: Sequence[StudyRow], setting: str) -> list[_Line]:
    grouped: dict[str, list[StudyRow]] = {}
    for row in rows:
        others = "".join(f" {name}={value}" for name, value in sorted(row.settings.items()) if name != setting)
        grouped.setdefault(f"{row.model}{others}", []).append(row)
    return [
        _Line(name, tuple(sorted(found, key=lambda row: _order(row.settings.get(setting, "")))))
        for name, found in sorted(grouped.items())
    ]


def _draw(drawing: Sweep, line: _Line, number: int, values: Sequence[str], setting: str) -> None:
    places = {value: float(place) for place, value in enumerate(values)}
    flat = line.rows[0] if setting not in line.rows[0].settings else None
    rows = [(x, flat) for x in places.values()] if flat else [(places[row.settings[setting]], row) for row in line.rows]
    rows = [(x + ASIDE * (number - 1), row) for x, row in rows]  # else intervals of several lines hide one another
    titles = {i: f"{line.name}: {_figure(row)}" for i, (_, row) in enumerate(rows)}
    drawing.line([(x, row.mean) for x, row in rows], number - 1, number, titles)
    for x, row in rows:
        if row.ci95 is not None:
            drawing.interval(x, row.ci95, number - 1)


def _told(number: int, line: _Line, setting: str) -> list[str]:
    """Returns what stands below a panel on one line of it."""
    parts = []
    for row in line.rows:
        value = f"{setting}={row.settings[setting]} " if setting in row.settings else ""
        remark = ", chosen" if row.chosen and row.settings else ""
        parts.append(f"{value}{_figure(row)}{remark}")
    text, written = f"{number} {line.name}: ", []
    for place, part in enumerate(parts):
        end = "; " if place + 1 < len(parts) else ""
        if len(text) + len(part) > LETTERS and text.strip():
            written.append(text.rstrip())
            text = INDENT
        text += part + end
    return [*written, text]


def _figure(row: StudyRow) -> str:
    interval = "" if row.ci95 is None else f" [{row.ci95[0]:.1f}, {row.ci95[1]:.1f}]"
    test = "best" if row.best else "not compared" if row.p_value is None else f"p = {row.p_value:.3f}"
    return f"{row.mean:.1f}{interval}, {test}"


def _order(value: str) -> tuple[bool, float, str]:
    """Returns where a value stands among others: numbers by size, then words."""
    number = real_in(value)
    return number is None, number or 0.0, value


def _write(root: Element, lines: Sequence[str], top: float, more: dict[str, str] | None = None) -> float:
    for line in lines:
        top += LINE
        left = MARGIN + (1.2 * SIZE if line.startswith(INDENT) else 0.0)
        text = ElementTree.SubElement(root, "text", {"x": f"{left:g}", "y": f"{top:g}", **(more or {})})
        text.text = wording.plain(line)
    return top + 0.35 * SIZE
