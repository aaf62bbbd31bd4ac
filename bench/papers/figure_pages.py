"""A paper's figure of video embeddings on a board: where its videos were drawn, kept with their names, and its page."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from typing import Literal

from markupsafe import Markup
from pydantic import ConfigDict, Field, model_validator

from bench.files import slug
from bench.leaderboard.pages import wording
from bench.leaderboard.pages.html import STYLE, environment
from bench.leaderboard.pages.markdown import escape
from bench.leaderboard.pages.site import PaperPage
from bench.leaderboard.pictures.charts import Chart
from bench.leaderboard.pictures.svg import PALETTE, Drawing, mark_of
from bench.reading.numbers import number_of
from bench.reading.outside import Form, read_text, reading
from bench.results import Finite, Record

READING = "Near videos are similar; sizes of groups, and distances between them, mean nothing."


DRAW = "Draw it again by `bench reproduce`."
FIGURE = Form("a figure of `bench reproduce`", ("json",), DRAW)


class StoredPanel(Record):
    """The videos of one run, as they were drawn."""

    title: str
    subtitle: str
    videos: list[str] = Field(description="ids")
    classes: list[int] = Field(description="for each video its place among the names of classes")
    x: list[Finite]
    y: list[Finite]

    @model_validator(mode="after")
    def _one_place_for_each_video(self) -> StoredPanel:
        if len({len(self.videos), len(self.classes), len(self.x), len(self.y)}) > 1:
            raise ValueError("videos, classes and coordinates differ in number")
        return self


class StoredFigure(Record):
    """A figure of video embeddings."""

    schema_: Literal["bench-drawn/1"] = Field(alias="schema", default="bench-drawn/1")
    paper: str = Field(min_length=1, max_length=300)
    title: str
    kind: Literal["real", "simulated", "generated"]
    circumstances: str
    classes: list[str]
    panels: list[StoredPanel] = Field(min_length=1)

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    @model_validator(mode="after")
    def _classes_are_named(self) -> StoredFigure:
        if any(not 0 <= number < len(self.classes) for panel in self.panels for number in panel.classes):
            raise ValueError("a video is of a class without a name")
        return self


def figure_in(folder: Path, name: str) -> StoredFigure:
    """Returns a figure that `bench reproduce` wrote as `<name>.json` and `<name>.csv`.

    Raises: MissingData when they are not there; InvalidData when they hold something else.
    """
    source = folder / f"{slug(name)}.json"
    text, table = read_text(source, FIGURE, DRAW), read_text(source.with_suffix(".csv"), FIGURE, DRAW)
    with reading(source, FIGURE):
        made = json.loads(text)
        rows = list(csv.DictReader(StringIO(table, newline="")))
        classes = [one["name"] for one in made["classes"]]
        return StoredFigure(
            paper=made["paper"],
            title=made["title"],
            kind=made["data"],
            circumstances=made["circumstances"],
            classes=classes,
            panels=[_stored_panel(panel, rows, classes) for panel in made["panels"]],
        )


def _stored_panel(panel: dict[str, object], rows: Sequence[dict[str, str]], classes: Sequence[str]) -> StoredPanel:
    own = [row for row in rows if row["run"] == panel["run"] and row["system"] == panel["system"]]
    same = panel["same_class"]
    agreement = same if isinstance(same, dict) else {}
    return StoredPanel(
        title=f"{panel['system']}, seed {panel['seed']}",
        subtitle=f"of the {agreement['neighbours']} nearest videos {agreement['in_space']:.0f} % are of the same class "
        f"(chance {agreement['chance']:.0f} %)",
        videos=[row["video_id"] for row in own],
        classes=[classes.index(row["class"]) for row in own],
        x=[float(row["x"]) for row in own],
        y=[float(row["y"]) for row in own],
    )


def figure_page(name: str, stored: StoredFigure) -> PaperPage:
    """Returns the page of a figure: a picture for each run, its classes numbered."""
    template = environment().get_template("figure.html.j2")
    pictures = [_picture(stored, panel) for panel in stored.panels]
    lines = [f"# {escape(stored.title)}", "", escape(stored.paper), "", escape(stored.circumstances), ""]
    if warning := wording.KIND_WARNINGS[stored.kind]:
        lines += [f"> {warning}", ""]
    lines += [f"- {escape(panel.title)}: {escape(panel.subtitle)}" for panel in stored.panels]
    return PaperPage(
        name=name,
        title=stored.title,
        paper=stored.paper,
        html=template.render(root="../", style=f"../{STYLE}", stored=stored, pictures=pictures),
        markdown="\n".join([*lines, "", READING, ""]),
    )


def _picture(stored: StoredFigure, panel: StoredPanel) -> Chart:
    drawing = Drawing(height=259)
    for number in sorted(set(panel.classes)):
        own = [i for i, one in enumerate(panel.classes) if one == number]
        titles = [f"{wording.plain(panel.videos[i])}: {wording.plain(stored.classes[number])}" for i in own]
        drawing.group([(panel.x[i], panel.y[i]) for i in own], number, titles)
    drawing.bare()
    legend = tuple(
        (number + 1, f"{mark_of(number)} {wording.plain(one)}", number % len(PALETTE))
        for number, one in enumerate(stored.classes)
    )
    svg: Markup = drawing.svg(f"Videos of {number_of(len(stored.classes), 'class')}, near where they are similar")
    return Chart(panel.title, f"{panel.subtitle}. {READING}", svg, legend)
