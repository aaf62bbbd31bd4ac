"""A figure of embeddings as SVG and PNG; equal figures give equal bytes under one version of matplotlib.

Classes are told apart by colour (Okabe and Ito's, made for colour-blind readers) and by marker. In the SVG a point
shows its class and its video when the pointer rests on it, and ink and ground follow the reader's light or dark scheme;
the PNG has a white ground of its own.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.leaderboard.pages.wording import plain
from bench.leaderboard.pictures.matplotlib_files import (
    INK,
    QUIET,
    SVG,
    element,
    file_settings,
    groups_of,
    parsed,
    written,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#56b4e9")
MARKERS = ("o", "^", "s", "D")
LINE = "#d9dee3"
DARK = {INK: "#e4e8ec", QUIET: "#98a3ad", LINE: "#323a42", "#ffffff": "#14181c"}
"""What the colours of ink and ground become where the reader prefers dark."""
STYLE = {"font.size": 9, "axes.edgecolor": LINE, "axes.facecolor": "none"}
PANEL, KEY, LINE_HEIGHT = 4.2, 2.3, 0.19
"""Width and height of a panel, width of the key, height of a line of text, in inches."""
LONGEST_NAME = 26


@dataclass(frozen=True)
class Panel:
    """The points of one run.

    Attributes:
        title, subtitle: the lines above it.
        coordinates: (n, 2).
        classes: (n,) int64, numbers of classes.
        video_ids: (n,) what a point is called.
    """

    title: str
    subtitle: str
    coordinates: np.ndarray
    classes: np.ndarray
    video_ids: tuple[str, ...]


@dataclass(frozen=True)
class EmbeddingPicture:
    """Panels with one key.

    Attributes:
        title: the heading.
        class_names: the key, by number of class; at most 24.
        panels: left to right, then the next row.
        columns: panels in a row.
        notes: lines below, wrapped.
    """

    title: str
    class_names: tuple[str, ...]
    panels: tuple[Panel, ...]
    columns: int
    notes: tuple[str, ...]


def png(picture: EmbeddingPicture) -> bytes:
    """Returns the picture as PNG, 150 dots an inch."""
    return _drawn(picture, "png", {"Software": None})


def svg(picture: EmbeddingPicture) -> bytes:
    """Returns the picture as SVG with what is shown on hover, for light and dark."""
    root = parsed(_drawn(picture, "svg", {"Date": None, "Creator": None}), picture.title)
    root.insert(1, element("style", _dark_style()))
    groups = groups_of(root)
    for number, panel in enumerate(picture.panels):
        for kind in np.unique(panel.classes).tolist():
            videos = [panel.video_ids[i] for i in np.flatnonzero(panel.classes == kind)]
            points = list(groups[f"panel-{number}-class-{kind}"].iter(f"{{{SVG}}}use"))
            for point, video in zip(points, videos, strict=True):
                point.append(element("title", f"{plain(picture.class_names[kind])} · {plain(video)}"))
    return written(root)


def _dark_style() -> str:
    """Returns rules that match what matplotlib writes into style attributes; other programs show the light colours."""
    rules = [
        f'[style*="{what}: {light}"] {{ {what}: {dark} !important }}'
        for light, dark in DARK.items()
        for what in ("fill", "stroke")
    ]
    return f"@media (prefers-color-scheme: dark) {{ {' '.join(rules)} }}"


def _drawn(picture: EmbeddingPicture, kind: str, metadata: dict[str, str | None]) -> bytes:
    from matplotlib.figure import Figure

    out = BytesIO()
    with file_settings(STYLE):
        rows = -(-len(picture.panels) // picture.columns)
        width = PANEL * picture.columns + KEY
        notes = [line for note in picture.notes for line in textwrap.wrap(plain(note), int(width * 14.5))]
        below = LINE_HEIGHT * (len(notes) + 1)
        height = (PANEL + 0.55) * rows + 0.5 + below
        figure = Figure(figsize=(width, height))
        _text(figure, 0.15, height - 0.32, picture.title, size=12, weight="bold")
        for number, panel in enumerate(picture.panels):
            row, column = divmod(number, picture.columns)
            left, top = 0.15 + PANEL * column, height - 0.5 - (PANEL + 0.55) * row
            _text(figure, left, top - 0.22, panel.title, size=10, weight="bold")
            _text(figure, left, top - 0.42, panel.subtitle, size=8, color=QUIET)
            side = PANEL - 0.2
            axes = figure.add_axes((left / width, (top - 0.5 - side) / height, side / width, side / height))
            _points(axes, panel, number)
        axes = figure.add_axes(
            (1 - (KEY - 0.1) / width, (height - 0.75 - PANEL) / height, (KEY - 0.1) / width, PANEL / height)
        )
        _key(axes, picture.class_names)
        for i, line in enumerate(notes):
            _text(figure, 0.15, below - LINE_HEIGHT * (i + 1), line, size=8, color=QUIET)
        figure.savefig(out, format=kind, metadata=metadata, dpi=150)
    return out.getvalue()


def _text(figure: Figure, left: float, bottom: float, text: str, **looks: Any) -> None:
    """Writes a line; `left` and `bottom` in inches."""
    width, height = figure.get_size_inches()
    figure.text(left / width, bottom / height, plain(text), **looks)


def _points(axes: Axes, panel: Panel, number: int) -> None:
    axes.set(xticks=[], yticks=[], aspect="equal", adjustable="datalim")
    axes.margins(0.04)
    for kind in np.unique(panel.classes).tolist():
        x, y = panel.coordinates[panel.classes == kind].T
        drawn = axes.scatter(x, y, s=20, linewidths=0, alpha=0.85, **_look(kind))
        drawn.set_gid(f"panel-{number}-class-{kind}")


def _key(axes: Axes, class_names: Sequence[str]) -> None:
    axes.set(xlim=(0, KEY - 0.1), ylim=(-PANEL, 0))
    axes.axis("off")
    for kind, name in enumerate(class_names):
        axes.scatter([0.15], [-LINE_HEIGHT * (kind + 1)], s=26, linewidths=0, **_look(kind))
        axes.text(
            0.3, -LINE_HEIGHT * (kind + 1), textwrap.shorten(plain(name), LONGEST_NAME, placeholder="…"),
            va="center_baseline", size=8,
        )  # fmt: skip


def _look(kind: int) -> dict[str, Any]:
    return {"color": COLOURS[kind % len(COLOURS)], "marker": MARKERS[kind // len(COLOURS)]}
