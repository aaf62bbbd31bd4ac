"""`bench browse`: every query of one run or several side by side, as pages that are searched and filtered."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench.cli.commands import Command
from bench.cli.film_strips import drawn_strips
from bench.cli.options import config_option

if TYPE_CHECKING:
    from bench.analysis.browsing.addresses import VideoAddresses
    from bench.analysis.examples.lists import OpenedRun
    from bench.catalogue.lookup import Session
    from bench.data.dataset import Dataset
    from bench.evidence.verified import Stored
    from bench.tasks.retrieval import ParagraphVideoRetrieval


@click.command(cls=Command)
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--output", "-o", required=True, type=click.Path(path_type=Path), help="A new folder for the pages.")
@click.option(
    "--videos",
    type=click.Path(path_type=Path),
    help="A folder of videos, named {id}.*: times on the pages play them (default: `videos:` in bench.yaml).",
)
@click.option("--film-strips", is_flag=True, help="Frames of every video beside it; decodes them all.")
@config_option
def browse(runs: tuple[Path, ...], output: Path, videos: Path | None, film_strips: bool, config: Path | None) -> None:
    """Write pages of every query of RUNS (folders of retrieval runs on one test set), the worst of the first one first.

    Each query stands with its rank in every run and the five best of what each found. index.html leads to a list of
    each direction, filtered by rank, words, length of the text, class, and by which run is right. From evidence and
    predictions alone; texts and times come from the dataset, and without it ids stand alone.
    """
    from bench.analysis.browsing.addresses import VideoAddresses
    from bench.analysis.browsing.entries import check_alike, entries_of
    from bench.analysis.browsing.pages import prepare, write_pages
    from bench.catalogue import config as configuration
    from bench.catalogue.lookup import Session
    from bench.errors import UsageError
    from bench.evidence.verified import stored

    records = [stored(folder) for folder in runs]
    session = Session(configuration.load(config))
    check_alike([record.result for record in records])
    task, dataset = _data(session, records[0]) or (None, None)
    browsed = entries_of([_opened(session, record, dataset) for record in records], task, dataset)
    if videos is not None and dataset is None:
        raise UsageError("--videos: which file is whose is known with the dataset alone. Leave it out.")
    if film_strips and (dataset is None or dataset.declaration.features.videos is None):
        raise UsageError("--film-strips: bench.yaml names no `videos:` that the features are made from. Leave it out.")
    links, strips = VideoAddresses(), {}
    if dataset is not None:
        links = _links(dataset, videos, output)
        if film_strips:
            shown = [entry.scene.video for entry in browsed.sections[1].entries if entry.scene]
            strips = drawn_strips(dataset, shown)
    prepare(output)
    click.echo(write_pages(browsed, output, links, strips)[0])


def _data(session: Session, record: Stored) -> tuple[ParagraphVideoRetrieval, Dataset] | None:
    """Returns the task of a run and its dataset, or None, saying why, where the dataset is not at hand.

    Raises: UnsupportedTask for a run of no retrieval.
    """
    from bench.errors import DataError, UnknownName

    try:
        task = _task(session, record)
        dataset = session.dataset(task.dataset)
        dataset.columns(task.split)
    except (DataError, UnknownName) as error:
        click.echo(f"no texts, ids stand alone: {error}", err=True)
        return None
    return task, dataset


def _task(session: Session, record: Stored) -> ParagraphVideoRetrieval:
    from bench.errors import UnsupportedTask
    from bench.tasks.retrieval import ParagraphVideoRetrieval

    task = session.catalogue.task(record.result.task.name)
    if not isinstance(task, ParagraphVideoRetrieval):
        raise UnsupportedTask(f"{record.folder}: task {task.name!r} is no retrieval. Name a run of one.")
    return task


def _opened(session: Session, record: Stored, dataset: Dataset | None) -> OpenedRun:
    from bench.analysis.examples.lists import open_run, open_without_texts

    return open_without_texts(record) if dataset is None else open_run(record, _task(session, record), dataset)


def _links(dataset: Dataset, folder: Path | None, pages: Path) -> VideoAddresses:
    """Returns where the videos of a dataset play."""
    from bench.analysis.browsing.addresses import VideoAddresses, addresses
    from bench.extraction.folder import videos_in

    declared = dataset.declaration.features.videos
    public = dataset.declaration.reader == "activitynet" and dataset.kind != "generated"
    if folder is not None:
        return VideoAddresses(addresses(videos_in(folder, declared.pattern if declared else "{id}.*"), pages), public)
    if declared is not None and declared.folder.is_dir():
        return VideoAddresses(addresses(videos_in(declared.folder, declared.pattern), pages), public)
    return VideoAddresses(public=public)
