"""`bench browse`: every query, caption or video of one run or several, as pages that are searched and filtered."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench.cli.commands import Command
from bench.cli.film_strips import drawn_strips
from bench.cli.options import WHOLE, config_option
from bench.cli.saying import echo
from bench.errors import MissingData
from bench.reading.numbers import number_of

if TYPE_CHECKING:
    from bench.analysis.browsing.addresses import VideoAddresses
    from bench.analysis.judging.drawing import DrawnSample
    from bench.catalogue.lookup import Session
    from bench.data.dataset import Dataset


@click.command(cls=Command)
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--output", "-o", required=True, type=click.Path(path_type=Path), help="A new folder for the pages.")
@click.option(
    "--videos",
    type=click.Path(path_type=Path),
    help="A folder of videos, named {id}.*: times on the pages play them (default: `videos:` in bench.yaml).",
)
@click.option("--film-strips", is_flag=True, help="Frames of every video beside it; decodes them all.")
@click.option("--judge", type=WHOLE, help="A page on which so many wrong answers of the first run are judged.")
@click.option("--seed", type=WHOLE, help="Of the draw of --judge (default: 0).")
@config_option
def browse(
    runs: tuple[Path, ...],
    output: Path,
    videos: Path | None,
    film_strips: bool,
    judge: int | None,
    seed: int | None,
    config: Path | None,
) -> None:
    """Write pages of all that RUNS were asked (folders of runs on one test set), the worst of the first one first.

    Queries of retrieval with their rank in every run and the five best of what each found; captions beside their
    references, matched words marked; videos of recognition with their likeliest classes, and confusions that lead to
    them. index.html leads to lists that are filtered. From evidence and predictions; texts and times come from the
    dataset, and without it ids stand alone.
    """
    from bench.analysis.browsing.opening import open_runs
    from bench.analysis.browsing.pages import prepare, write_pages
    from bench.catalogue import config as configuration
    from bench.catalogue.lookup import Session
    from bench.errors import UsageError
    from bench.evidence.verified import stored

    session = Session(configuration.load(config))
    opened = open_runs(session, [stored(folder) for folder in runs], lambda line: echo(line, err=True))
    dataset = opened.dataset
    if seed is not None and judge is None:
        raise UsageError("--seed: draws what is judged. Say how many by --judge, or leave it out.")
    samples = {} if judge is None else _samples(session, runs[0], judge, seed or 0)
    if videos is not None and dataset is None:
        raise UsageError("--videos: which file is whose is known with the dataset alone. Leave it out.")
    if film_strips and (dataset is None or dataset.declaration.features.videos is None):
        raise UsageError("--film-strips: bench.yaml names no `videos:` that the features are made from. Leave it out.")
    links = None if dataset is None else _links(dataset, videos, output, opened.browsed.videos())
    strips = drawn_strips(dataset, opened.browsed.videos()) if film_strips and dataset else {}
    prepare(output)
    echo(write_pages(opened.browsed, output, links, strips, samples)[0])


def _samples(session: Session, run: Path, count: int, seed: int) -> dict[str, DrawnSample]:
    """Returns the wrong answers of each direction that are judged."""
    from bench.analysis.browsing.opening import retrieval_run
    from bench.analysis.examples.lists import WAYS
    from bench.analysis.judging.drawing import SampleDraw, drawn
    from bench.evidence.verified import stored

    opened = retrieval_run(session, stored(run), lambda _: None)  # why there are no texts was said
    return {way: drawn(opened, SampleDraw(way, count, seed)) for way in WAYS}


def _links(dataset: Dataset, folder: Path | None, pages: Path, shown: Sequence[str]) -> VideoAddresses:
    """Returns where the videos of a dataset play. Raises: MissingData for a folder with none of those shown."""
    from bench.analysis.browsing.addresses import VideoAddresses, addresses
    from bench.data.video_folders import videos_in

    declared = dataset.declaration.features.videos
    public = dataset.declaration.reader == "activitynet" and dataset.kind != "generated"
    if folder is not None:
        if not folder.is_dir():
            raise MissingData(
                f"--videos {folder}: no such folder. Name the one that holds the videos, or leave it out."
            )
        found = videos_in(folder, declared.pattern if declared else "{id}.*")
        if found.keys().isdisjoint(shown):
            raise MissingData(
                f"--videos {folder}: holds {number_of(len(found), 'video')}, such as {next(iter(found))[:60]!r}, and "
                f"none of those shown, such as {next(iter(shown))[:60]!r}. Name the folder of these, or leave it out."
            )
        return VideoAddresses(addresses(found, pages), public)
    if declared is not None and declared.folder.is_dir():
        return VideoAddresses(addresses(videos_in(declared.folder, declared.pattern), pages), public)
    return VideoAddresses(public=public)
