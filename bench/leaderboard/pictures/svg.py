"""Drawings as SVG that stands inside a page: equal records give equal bytes, in the page's own colours and font.

A page may hold no inline style (its Content-Security-Policy), so every style is an attribute. Ink is `currentColor`, so
that one drawing serves a light and a dark page. What a mark shows when the pointer rests on it is a `<title>`: escaped
as all text in XML is. Lengths are points, 72 in an inch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from markupsafe import Markup

from bench.leaderboard.pictures.axes import Axis, around, linear, logarithmic

PALETTE = ("#0072b2", "#d55e00", "#009e73", "#aa4499", "#b08b00", "#5566cc", "#7f7f7f", "#a0522d")
"""Told apart by people who see few colours (after Okabe and Ito), and readable on white and on near-black."""
MARKS = ("●", "■", "▲", "◆", "✚")
"""The shapes of marks: the classes of a figure have the first with each colour, then the second, and so on."""
CROSS = ((-1, -3), (1, -3), (1, -1), (3, -1), (3, 1), (1, 1), (1, 3), (-1, 3), (-1, 1), (-3, 1), (-3, -1), (-1, -1))
WIDTH, LEFT, RIGHT, TOP, BOTTOM = 302.4, 39.6, 7.2, 8.64, 32.4
"""Of a drawing, and what lies around its axes."""
SIZE, THIN, THICK, TICK = 8.5, 0.6, 1.4, 3.5
"""Of letters; of the lines of axes and of curves; the length of a tick."""


@dataclass(frozen=True)
class _Place:
    """Where values stand in a drawing: both axes, and the rectangle between them."""

    across: Axis
    upwards: Axis
    height: float

    @property
    def bottom(self) -> float:
        return self.height - BOTTOM

    def x(self, value: float) -> float:
        return LEFT + self.across.share(value) * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        return self.bottom - self.upwards.share(value) * (self.bottom - TOP)


@dataclass(frozen=True)
class _Label:
    """A number beside a point; `beside` points to its right, to its left where negative, in its middle for 0."""

    text: str
    point: tuple[float, float]
    beside: float = 0.0
    ink: str = "currentColor"

    def at(self, x: float, y: float) -> Element:
        anchor = "end" if self.beside < 0 else "start" if self.beside else "middle"
        return _text(self.text, x, y + 0.35 * SIZE, anchor, {"font-weight": "bold", "fill": self.ink})


class Drawing:
    """A pair of axes; nothing but numbers and our own words is drawn on them, names of records stand in titles."""

    def __init__(self, height: float = 180.0) -> None:
        self._height = height
        self._names = "", ""
        self._across: list[float] = []
        self._upwards: list[float] = []
        self._marks: list[Callable[[_Place], Sequence[Element]]] = []
        self._horizontal: Axis | None = None
        self._vertical: Axis | None = None
        self._bare = False
        self._labels: list[_Label] = []

    def axes(self, across: str, upwards: str) -> None:
        """Names the axes."""
        self._names = across, upwards

    def line(self, points: Sequence[tuple[float, float]], color: int, number: int, titles: Mapping[int, str]) -> None:
        """Draws a curve with its number where it begins, and a dot with a title at each place that `titles` names."""
        if not points:
            return
        self._stroke(points, color)
        self._dots([points[i] for i in titles], color, list(titles.values()))
        self._labels.append(_Label(str(number), points[0], -5, _ink(color)))

    def points(self, points: Sequence[tuple[float, float]], color: int, number: int, titles: Sequence[str]) -> None:
        """Draws dots with titles, the first with its number beside it."""
        self._dots(points, color, titles, radius=3)
        self._labels.append(_Label(str(number), points[0], 6, _ink(color)))

    def strip(self, place: int, values: Sequence[float], color: int, titles: Sequence[str]) -> None:
        """Draws values along a horizontal line, with a stroke at their mean."""
        mean = fmean(values)
        self._stroke([(mean, place - 0.25), (mean, place + 0.25)], color)
        self._dots([(value, float(place)) for value in values], color, titles, radius=2.5)

    def group(self, points: Sequence[tuple[float, float]], look: int, titles: Sequence[str]) -> None:
        """Draws the marks of a class with titles, and its number, from 1, near their middle.

        Args:
            points: where they are.
            look: the place of the class; its colour and its mark follow from it, see `mark_of`.
            titles: one for each point.
        """
        self._see(points)
        shape, ink = MARKS.index(mark_of(look)), _ink(look)
        self._marks.append(
            lambda place: [
                _titled("path", {"d": _mark(shape, place.x(x), place.y(y)), "fill": ink}, title)
                for (x, y), title in zip(points, titles, strict=True)
            ]
        )
        middle = median(x for x, _ in points), median(y for _, y in points)
        self._labels.append(_Label(str(look + 1), middle))

    def bars(self, values: Sequence[float], titles: Sequence[str]) -> None:
        """Draws numbered horizontal bars with titles, the first at the top."""
        for i, (value, title) in enumerate(zip(values, titles, strict=True)):
            self._bar(len(values) - i, value, title)
        self.rows([(len(values) - i, i + 1) for i in range(len(values))])
        self._horizontal = linear(0.0, 1.05 * max(values))

    def bare(self) -> None:
        """Takes the axes away where coordinates mean nothing: only distances do, equal in both directions."""
        self._bare = True
        wide, tall = WIDTH - LEFT - RIGHT, self._height - TOP - BOTTOM
        ends = [(axis.low, axis.high) for axis in (around(self._across), around(self._upwards))]
        scale = max((ends[0][1] - ends[0][0]) / wide, (ends[1][1] - ends[1][0]) / tall)
        self._horizontal, self._vertical = (
            Axis((low + high - scale * length) / 2, (low + high + scale * length) / 2)
            for (low, high), length in zip(ends, (wide, tall), strict=True)
        )

    def rows(self, numbers: Sequence[tuple[int, int]]) -> None:
        """Names horizontal lines by the numbers of their rows."""
        ticks = tuple((float(place), str(number)) for place, number in numbers)
        self._vertical = Axis(0.4, len(numbers) + 0.6, ticks)

    def percents(self) -> None:
        """Makes the vertical axis that of percents."""
        self._vertical = Axis(0.0, 102.0, tuple((float(tick), str(tick)) for tick in range(0, 101, 20)))

    def depths(self, marked: Sequence[int]) -> None:
        """Makes the horizontal axis logarithmic, from 1 to the last of what is drawn, and marks these depths."""
        last = max(self._across)
        ticks = tuple((float(k), str(k)) for k in marked if k <= last)
        self._horizontal = Axis(0.8, 1.1 * last, ticks, logarithmic=True)

    def spread_out(self) -> None:
        """Gives times a logarithmic axis with room at its ends, and values room above and below."""
        self._horizontal = logarithmic(self._across, 0.2)
        self._vertical = around(self._upwards, 0.15)

    def svg(self, label: str) -> Markup:
        """Returns the drawing as an element for a page, called `label` by a screen reader."""
        place = _Place(
            self._horizontal or around(self._across), self._vertical or around(self._upwards), self._height
        )  # fmt: skip
        root = Element("svg", {"viewBox": f"0 0 {WIDTH:g} {self._height:g}", "role": "img", "aria-label": label})
        root.attrib |= {"font-size": f"{SIZE:g}", "fill": "currentColor", "stroke-linejoin": "round"}
        if not self._bare:
            root.extend(_frame(place, self._names))
        for mark in self._marks:
            root.extend(mark(place))
        root.extend(_spread(self._labels, place))
        return Markup(ElementTree.tostring(root, encoding="unicode"))  # noqa: S704 (serialised from a tree)

    def _see(self, points: Sequence[tuple[float, float]]) -> None:
        self._across += [float(x) for x, _ in points]
        self._upwards += [float(y) for _, y in points]

    def _stroke(self, points: Sequence[tuple[float, float]], color: int) -> None:
        self._see(points)
        style = {"fill": "none", "stroke": _ink(color), "stroke-width": f"{THICK:g}"}
        self._marks.append(
            lambda place: [Element("path", {"d": _path([(place.x(x), place.y(y)) for x, y in points]), **style})]
        )

    def _dots(
        self, points: Sequence[tuple[float, float]], color: int, titles: Sequence[str], radius: float = 1.9
    ) -> None:
        self._see(points)
        style = {"r": f"{radius:g}", "fill": _ink(color)}
        self._marks.append(
            lambda place: [
                _titled("circle", {"cx": _written(place.x(x)), "cy": _written(place.y(y)), **style}, title)
                for (x, y), title in zip(points, titles, strict=True)
            ]
        )

    def _bar(self, row: int, value: float, title: str) -> None:
        def mark(place: _Place) -> list[Element]:
            top, bottom = place.y(row + 0.3), place.y(row - 0.3)
            box = {"x": _written(LEFT), "y": _written(top), "width": _written(place.x(value) - LEFT)}
            return [_titled("rect", {**box, "height": _written(bottom - top), "fill": _ink(0)}, title)]

        self._marks.append(mark)


def _frame(place: _Place, names: tuple[str, str]) -> list[Element]:
    """Returns the axes with their grid, ticks, numbers and names."""
    right, bottom = WIDTH - RIGHT, place.bottom
    columns = [(place.x(value), text) for value, text in place.across.ticks]
    lines = [(place.y(value), text) for value, text in place.upwards.ticks]
    ink = {"fill": "none", "stroke": "currentColor", "stroke-width": f"{THIN:g}"}
    grid = "".join(
        [_path([(x, bottom), (x, TOP)]) for x, _ in columns] + [_path([(LEFT, y), (right, y)]) for y, _ in lines]
    )
    axes = _path([(LEFT, TOP), (LEFT, bottom), (right, bottom)]) + "".join(
        [_path([(x, bottom), (x, bottom + TICK)]) for x, _ in columns]
        + [_path([(LEFT - TICK, y), (LEFT, y)]) for y, _ in lines]
    )
    across, upwards = names
    middle = (TOP + bottom) / 2
    turned = {"transform": f"rotate(-90 {SIZE + 2:g} {_written(middle)})"}
    return [
        Element("path", {"d": grid, **ink, "stroke-opacity": "0.12"}),
        Element("path", {"d": axes, **ink}),
        *(_text(text, x, bottom + 2 * TICK + 0.75 * SIZE, "middle") for x, text in columns),
        *(_text(text, LEFT - 2 * TICK, y + 0.35 * SIZE, "end") for y, text in lines),
        *([_text(across, (LEFT + right) / 2, place.height - 6, "middle")] if across else []),
        *([_text(upwards, SIZE + 2, middle, "middle", turned)] if upwards else []),
    ]


def mark_of(look: int) -> str:
    """Returns the mark of a class: with a colour of `PALETTE` it tells 40 classes apart, more by their number alone."""
    return MARKS[look // len(PALETTE) % len(MARKS)]


def _mark(shape: int, x: float, y: float, r: float = 1.9) -> str:
    """Returns the outline of a mark of `MARKS` around a point, each of about the same area."""
    corners = {
        1: [(-0.88, -0.88), (0.88, -0.88), (0.88, 0.88), (-0.88, 0.88)],
        2: [(0, -1.25), (1.2, 0.9), (-1.2, 0.9)],
        3: [(0, -1.35), (1.15, 0), (0, 1.35), (-1.15, 0)],
        4: [(0.4 * i, 0.4 * j) for i, j in CROSS],
    }
    if shape:
        return _path([(x + r * dx, y + r * dy) for dx, dy in corners[shape]]) + "Z"
    half = f"a{_written(r)} {_written(r)} 0 1 0"
    return f"M{_written(x - r)} {_written(y)}{half} {_written(2 * r)} 0{half} {_written(-2 * r)} 0"


def _spread(labels: Sequence[_Label], place: _Place) -> list[Element]:
    """Returns labels near where they belong, moved apart until none stands on another: those beside a point upwards."""
    boxes = [[place.x(label.point[0]) + label.beside, place.y(label.point[1])] for label in labels]
    widths = [0.62 * SIZE * len(label.text) + 2 for label in labels]
    for _ in range(60):
        moved = [_push(boxes, widths, i, j, labels[i].beside != 0) for i in range(len(boxes)) for j in range(i)]
        if not any(moved):
            break
    return [label.at(*box) for label, box in zip(labels, boxes, strict=True)]


def _push(boxes: list[list[float]], widths: Sequence[float], i: int, j: int, upright: bool) -> bool:
    """Moves two labels apart by what they share; returns whether they shared anything."""
    across = (widths[i] + widths[j]) / 2 - abs(boxes[i][0] - boxes[j][0])
    upwards = SIZE + 0.5 - abs(boxes[i][1] - boxes[j][1])
    if min(across, upwards) <= 0.01:
        return False
    axis, move = (1, upwards) if upright or upwards <= across else (0, across)
    ahead = move / 2 if boxes[i][axis] >= boxes[j][axis] else -move / 2
    boxes[i][axis] += ahead
    boxes[j][axis] -= ahead
    return True


def _ink(color: int) -> str:
    return PALETTE[color % len(PALETTE)]


def _written(length: float) -> str:
    """Returns a length to a hundredth of a point, in few characters and without a minus before zero."""
    return f"{round(length, 2) + 0.0:.2f}".rstrip("0").rstrip(".")


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{_written(x)} {_written(y)}" for x, y in points)


def _text(text: str, x: float, y: float, anchor: str, more: Mapping[str, str] | None = None) -> Element:
    element = Element("text", {"x": _written(x), "y": _written(y), "text-anchor": anchor, **(more or {})})
    element.text = text
    return element


def _titled(name: str, attributes: Mapping[str, str], title: str) -> Element:
    element = Element(name, dict(attributes))
    ElementTree.SubElement(element, "title").text = title
    return element
