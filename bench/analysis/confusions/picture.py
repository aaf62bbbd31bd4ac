"""The most confused pairs of classes as bars, in an SVG of equal bytes for equal records under one matplotlib."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from io import BytesIO

from bench.leaderboard.pages.wording import plain
from bench.leaderboard.pictures.matplotlib_files import QUIET, element, file_settings, groups_of, parsed, written
from bench.metrics.confusions import Confusion
from bench.reading.numbers import number_of

BAR = "#0072b2"
LONGEST_NAME = 34
WIDTH, NAMES, LINE_HEIGHT = 8.6, 5.4, 0.24
"""Width of the picture and of the names in it, height of a line, in inches."""


def svg(confused: Sequence[Confusion], title: str, note: str) -> bytes:
    """Returns the picture: a line for each pair, its bar as long as the number of videos; whole names show on hover."""
    root = parsed(_drawn(confused, title, note), title)
    groups = groups_of(root)
    for number, one in enumerate(confused):
        said = (
            f"{one.videos} of {number_of(one.of, 'video')} of {plain(one.true)} were taken for {plain(one.predicted)}"
        )
        groups[f"pair-{number}"].insert(0, element("title", plain(said)))
    return written(root)


def _drawn(confused: Sequence[Confusion], title: str, note: str) -> bytes:
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

    out = BytesIO()
    with file_settings({"font.size": 8.5}):
        notes = textwrap.wrap(plain(note), 105)
        height = 0.75 + LINE_HEIGHT * (len(confused) + len(notes) + 0.5)
        figure = Figure(figsize=(WIDTH, height))
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set(xlim=(0, WIDTH), ylim=(0, height))
        axes.axis("off")
        axes.text(0.2, height - 0.4, plain(title), size=11, weight="bold")
        largest = max((one.videos for one in confused), default=1)
        for number, one in enumerate(confused):
            bottom = height - 0.75 - LINE_HEIGHT * (number + 1)
            names = f"{_short(one.true)}  →  {_short(one.predicted)}"
            axes.text(NAMES - 0.1, bottom + 0.06, names, ha="right")
            length = (WIDTH - NAMES - 1.3) * one.videos / largest
            bar = Rectangle((NAMES, bottom + 0.03), length, LINE_HEIGHT - 0.08, facecolor=BAR, linewidth=0)
            bar.set_gid(f"pair-{number}")
            axes.add_patch(bar)
            axes.text(NAMES + length + 0.08, bottom + 0.06, f"{one.videos} of {one.of}", color=QUIET)
        for number, line in enumerate(notes):
            axes.text(0.2, LINE_HEIGHT * (len(notes) - number - 0.6), line, size=7.5, color=QUIET)
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    return out.getvalue()


def _short(name: str) -> str:
    name = plain(name)
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1].rstrip() + "…"
