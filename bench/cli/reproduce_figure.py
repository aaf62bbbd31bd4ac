"""What `bench reproduce` does for a figure of video embeddings, once its runs are there."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bench.cli.saying import echo
from bench.errors import MissingData

if TYPE_CHECKING:
    from bench.papers.embedded_videos import DrawnFigure
    from bench.papers.tables import PaperFigure, PaperRow
    from bench.results import Result
    from bench.runs.plan import RunPlan


def with_classes(plans: list[RunPlan] | str) -> list[RunPlan] | str:
    """Returns the plans of a row, or that its test set needs classes: before anything is run for it."""
    from bench.data.video_classes import classed_videos

    try:
        for plan in () if isinstance(plans, str) else plans:
            classed_videos(plan.cell.dataset, plan.cell.task.split)
    except MissingData as error:
        return f"needs classes: {error}"
    return plans


def show_figure(
    paper: str,
    figure: PaperFigure,
    planned: Sequence[tuple[PaperRow, list[RunPlan] | str]],
    results: Sequence[Result],
    written: tuple[Path, str],
    *,
    as_json: bool,
) -> None:
    """Draws the finished runs, writes the figure to a folder and a name there, and prints what it is made from."""
    from bench.papers.embedded_videos import as_json as record
    from bench.papers.embedded_videos import draw, embedded_videos, write_figure

    finished = {result.run for result in results}
    for row, plans in planned:
        if isinstance(plans, str):
            echo(f"{row.title}: not run: {plans}", err=as_json)
    runs = [
        embedded_videos(plan, row)
        for row, plans in planned
        for plan in ([] if isinstance(plans, str) else plans)
        if plan.run in finished
    ]
    if not runs:
        return
    drawn = draw(paper, figure, runs)
    if as_json:
        echo(json.dumps(record(drawn), indent=2))
    else:
        _print(drawn)
    for path in write_figure(drawn, *written):
        echo(f"written: {path}", err=True)


def _print(drawn: DrawnFigure) -> None:
    from bench.cli.tables import print_table

    echo(f"\n{drawn.figure.title}\n{drawn.measured_on()[1]}")
    echo(f"classes: {', '.join(f'{name} ({count})' for name, count in drawn.classes.items())}")
    head = ["run", "videos", "perplexity", "same class of nearest", "in the picture", "chance"]
    print_table(
        head,
        [
            [
                one.run.title,
                f"{len(one.classes):,}",
                f"{one.projection.perplexity:.3g}",
                *(
                    f"{share:.1f} %"
                    for share in (one.agreement.in_space, one.agreement.in_picture, one.agreement.chance)
                ),
            ]
            for one in drawn.runs
        ],
        numbers_from=1,
    )
