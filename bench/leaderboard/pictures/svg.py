"""Drawings by matplotlib as SVG that stands inside a page: the same bytes everywhere, in the page's own colours.

A page may hold no inline style (its Content-Security-Policy), so every style becomes an attribute. Ink and ground
become `currentColor` and classes, so that one drawing serves a light and a dark page. What a point shows when the
pointer rests on it is a `<title>`: escaped as all text in XML is.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self
from xml.etree import ElementTree

from markupsafe import Markup

from bench.leaderboard.pictures.matplotlib_files import settings

if TYPE_CHECKING:
    import numpy as np

PALETTE = ("#0072b2", "#d55e00", "#009e73", "#aa4499", "#b08b00", "#5566cc", "#7f7f7f", "#a0522d")
"""Told apart by people who see few colours (after Okabe and Ito), and readable on white and on near-black."""
INK = "#010203"
"""Stands for the page's ink until the drawing is done."""
_NAMESPACE = "{http://www.w3.org/2000/svg}"
_LINK = "{http://www.w3.org/1999/xlink}href"
_SETTINGS: Any = {
    "svg.fonttype": "none",
    "font.size": 8.5,
    "axes.linewidth": 0.6,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "axes.grid": True,
    "grid.color": INK,
    "grid.alpha": 0.12,
    "grid.linewidth": 0.6,
    "lines.linewidth": 1.4,
    "path.simplify": False,
}


class Drawing:
    """A pair of axes; nothing but numbers and our own words is drawn on them. Its settings hold inside `with`."""

    def __init__(self, name: str, height: float = 2.5) -> None:
        self._name = name
        self._titles: dict[str, list[str]] = {}
        self._size = 4.2, height
        self._ours = settings(_SETTINGS)

    def __enter__(self) -> Self:
        from matplotlib.figure import Figure

        self._ours.__enter__()
        width, height = self._size
        self._figure = Figure(figsize=self._size)
        self._axes = self._figure.add_subplot()
        # Margins in inches, set once: to fit them to the text, matplotlib would draw everything twice.
        self._figure.subplots_adjust(
            left=0.55 / width, right=1 - 0.1 / width, bottom=0.45 / height, top=1 - 0.12 / height
        )
        return self

    def __exit__(self, *error: object) -> None:
        self._ours.__exit__(None, None, None)

    def axes(self, across: str, upwards: str) -> None:
        """Names the axes."""
        self._axes.set_xlabel(across)
        self._axes.set_ylabel(upwards)

    def line(
        self, across: np.ndarray, upwards: np.ndarray, color: int, number: int, titles: Mapping[int, str]
    ) -> None:  # fmt: skip
        """Draws a curve with its number where it begins, and a dot with a title at each place that `titles` names."""
        axes, ink = self._axes, PALETTE[color % len(PALETTE)]
        axes.plot(across, upwards, color=ink)
        self._dots([across[i] for i in titles], [upwards[i] for i in titles], color, list(titles.values()))
        if len(across):
            axes.annotate(
                str(number), (across[0], upwards[0]), xytext=(-5, 0), textcoords="offset points", color=ink,
                va="center", ha="right", fontweight="bold",
            )  # fmt: skip

    def points(
        self, across: Sequence[float], upwards: Sequence[float], color: int, number: int,
        titles: Sequence[str],
    ) -> None:  # fmt: skip
        """Draws dots with titles, the first with its number beside it."""
        self._dots(across, upwards, color, titles, size=36)
        self._axes.annotate(
            str(number), (across[0], upwards[0]), xytext=(6, 0), textcoords="offset points",
            color=PALETTE[color % len(PALETTE)], va="center", fontweight="bold",
        )  # fmt: skip

    def strip(self, place: int, values: Sequence[float], color: int, titles: Sequence[str]) -> None:
        """Draws values along a horizontal line, with a stroke at their mean."""
        axes, ink = self._axes, PALETTE[color % len(PALETTE)]
        mean = sum(values) / len(values)
        axes.plot([mean, mean], [place - 0.25, place + 0.25], color=ink)
        self._dots(values, [float(place)] * len(values), color, titles, size=26)

    def group(self, across: np.ndarray, upwards: np.ndarray, color: int, titles: Sequence[str]) -> None:
        """Draws the dots of a class with titles, and its number, from 1, in their middle."""
        import numpy as np

        self._dots(across.tolist(), upwards.tolist(), color, titles, size=12)
        middle = float(np.median(across)), float(np.median(upwards))
        self._axes.annotate(str(color + 1), middle, ha="center", va="center", fontweight="bold", zorder=4)

    def bars(self, values: Sequence[float], titles: Sequence[str]) -> None:
        """Draws numbered horizontal bars with titles, the first at the top."""
        axes = self._axes
        for i, (value, title) in enumerate(zip(values, titles, strict=True)):
            (bar,) = axes.barh(len(values) - i, value, height=0.6, color=PALETTE[0])
            self._titles[f"bar{i}"] = [title]
            bar.set_gid(f"bar{i}")
        self.rows([(len(values) - i, i + 1) for i in range(len(values))])
        axes.set_xlim(0, 1.05 * max(values))

    def bare(self) -> None:
        """Takes the axes away where coordinates mean nothing."""
        axes = self._axes
        axes.set_axis_off()
        axes.set_aspect("equal", adjustable="datalim")

    def _dots(
        self, across: Sequence[float], upwards: Sequence[float], color: int, titles: Sequence[str],
        size: float = 14,
    ) -> None:  # fmt: skip
        gid = f"dots{len(self._titles)}"
        self._titles[gid] = list(titles)
        ink = PALETTE[color % len(PALETTE)]
        dots = self._axes.scatter(across, upwards, s=size, color=ink, linewidths=0, zorder=3)
        dots.set_gid(gid)

    def rows(self, numbers: Sequence[tuple[int, int]]) -> None:
        """Names horizontal lines by the numbers of their rows."""
        axes = self._axes
        axes.set_yticks([place for place, _ in numbers], [str(number) for _, number in numbers])
        axes.set_ylim(0.4, len(numbers) + 0.6)

    def limits(self, across: tuple[float, float], upwards: tuple[float, float], *, logarithmic: bool = False) -> None:
        """Sets the ends of the axes."""
        axes = self._axes
        if logarithmic:
            axes.set_xscale("log")
            ticks = [k for k in (1, 2, 5, 10, 20, 50) if across[0] <= k <= across[1]]
            axes.set_xticks(ticks, [str(k) for k in ticks])
            axes.set_xticks([], minor=True)
        axes.set_xlim(*across)
        axes.set_ylim(*upwards)

    def spread_out(self) -> None:
        """Gives times a logarithmic axis with room at its ends, and values room above and below."""
        axes = self._axes
        axes.set_xscale("log")
        axes.margins(0.2, 0.15)
        low, high = axes.get_xlim()
        ticks = [m * 10.0**e for e in range(-3, 13) for m in (1, 2, 5) if low <= m * 10.0**e <= high]
        if len(ticks) > 6:
            ticks = [tick for tick in ticks if f"{tick:e}".startswith("1")]
        if len(ticks) < 2:
            ticks = sorted({float(f"{tick:.2g}") for tick in (1.1 * low, (low * high) ** 0.5, high / 1.1)})
        axes.set_xticks(ticks, [_short(tick) for tick in ticks])
        axes.set_xticks([], minor=True)

    def svg(self, label: str) -> Markup:
        """Returns the drawing as an element for a page, called `label` by a screen reader."""
        out = io.StringIO()
        self._figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None}, transparent=True)
        return Markup(inlined(out.getvalue(), self._name, label, self._titles))  # noqa: S704 (serialised from a tree)


def _short(number: float) -> str:
    """Returns a number of any size in few characters: 2500000 is 2.5M."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:g}{letter}"
    return f"{number:g}"


def inlined(text: str, name: str, label: str, titles: Mapping[str, Sequence[str]]) -> str:
    """Returns an SVG document of matplotlib as an element for a page.

    Args:
        name: goes in front of every id, so that many drawings can stand in one page.
        titles: for a group's id the titles of its dots, or of its bar, in their order.
    """
    root = ElementTree.fromstring(text)  # noqa: S314 (drawn here a moment ago)
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in {f"{_NAMESPACE}metadata", f"{_NAMESPACE}style"} or (
                child.tag == f"{_NAMESPACE}defs" and not len(child)
            ):
                parent.remove(child)
    for group, found in titles.items():
        element = next(e for e in root.iter(f"{_NAMESPACE}g") if e.get("id") == group)
        shapes = list(element.iter(f"{_NAMESPACE}use")) or list(element.iter(f"{_NAMESPACE}path"))
        for shape, title in zip(shapes, found, strict=True):
            ElementTree.SubElement(shape, f"{_NAMESPACE}title").text = title
    used = set(re.findall(r"(?:url\(#|href=\"#)([^)\"]+)", text))
    for element in root.iter():
        _clean(element, name, used)
        element.tag = element.tag.removeprefix(_NAMESPACE)  # inside a page, a drawing needs no namespace
    for unwanted in ("width", "height", "version"):
        root.attrib.pop(unwanted, None)
    root.set("role", "img")
    root.set("aria-label", label)
    root.set("stroke-linejoin", "round")
    text = ElementTree.tostring(root, encoding="unicode")
    text = re.sub(r"(?<=[ \"(])-?\d+\.\d{3,}", lambda m: f"{float(m[0]):.2f}".rstrip("0").rstrip("."), text)
    return re.sub(r"\n\s*", "\n", text)


def _clean(element: ElementTree.Element, name: str, used: set[str]) -> None:
    """Turns the style of an element into attributes, its link into a plain one, and drops ids nothing refers to."""
    style = element.attrib.pop("style", "")
    for declaration in filter(None, (part.strip() for part in style.split(";"))):
        key, _, value = declaration.partition(":")
        if key.strip() == "font":  # such as `bold 8.5px 'DejaVu Sans'`: the page's own font in that size
            size = re.search(r"([\d.]+)px", value)
            element.set("font-size", size[1] if size else "8.5")
            if re.match(r"\s*(?:bold|700)", value):
                element.set("font-weight", "bold")
        elif key.strip() not in {"text-align", "font-family", "font-stretch"}:
            element.set(key.strip(), value.strip())
    link = element.attrib.pop(_LINK, None)
    if link is not None:
        element.set("href", f"#{name}-{link.removeprefix('#')}")
    for key, value in list(element.attrib.items()):
        if key == "id":
            del element.attrib["id"]
            if value in used:
                element.set("id", f"{name}-{value}")
        elif "url(#" in value:
            element.set(key, value.replace("url(#", f"url(#{name}-"))
        elif value == INK:
            element.set(key, "currentColor")
