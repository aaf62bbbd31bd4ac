"""`bench examples`: what captioners wrote beside what people wrote, and what was found for queries."""

from __future__ import annotations

from pathlib import Path

import click

from bench.cli.commands import Command
from bench.cli.film_strips import drawn_strips
from bench.cli.options import WHOLE, config_option
from bench.cli.saying import echo


@click.command(cls=Command)
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--count", type=WHOLE, help="How many of each kind (default: 10 captions, 4 queries).")
@click.option("--metric", help="CIDEr (the default) or ROUGE-L: what captions are ordered by.")
@click.option("--output", "-o", type=click.Path(path_type=Path), help="Where pages go (default: each run's folder).")
@config_option
def examples(
    runs: tuple[Path, ...], count: int | None, metric: str | None, output: Path | None, config: Path | None
) -> None:
    """Write a page of examples for each of RUNS (folders of captioning or retrieval runs): best, worst and usual.

    Each caption stands beside its references, with its own score; each query with the five best videos or texts, their
    scores, and the rank of the right one. Needs the dataset, and no model. Where features are made from videos
    (`videos:` in bench.yaml), frames stand beside them; do not publish a page of videos that you may not publish.
    """
    from bench.catalogue import config as configuration
    from bench.catalogue.lookup import Session
    from bench.errors import UsageError
    from bench.evidence.verified import stored
    from bench.tasks.retrieval import ParagraphVideoRetrieval

    session = Session(configuration.load(config))
    for folder in runs:
        record = stored(folder)
        task = session.catalogue.task(record.result.task.name)
        dataset = session.dataset(task.dataset)
        if isinstance(task, ParagraphVideoRetrieval):
            from bench.analysis.examples import retrieved, retrieved_pages

            if metric:
                raise UsageError(
                    f"--metric {metric}: queries are ordered by the rank of the right answer. Leave it out."
                )
            queries = retrieved.retrieved_by(record, task, dataset, 4 if count is None else count)
            paths = retrieved_pages.write_pages(queries, output or folder, drawn_strips(dataset, queries.videos()))
        else:
            from bench.analysis.examples import choosing, pages

            shown = choosing.examples_of(record, task, dataset, metric or "CIDEr", 10 if count is None else count)
            paths = pages.write_pages(shown, output or folder)
        for path in paths:
            echo(path)
