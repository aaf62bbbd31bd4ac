"""`bench examples`: what captioners wrote beside what people wrote."""

from __future__ import annotations

from pathlib import Path

import click

from bench.cli.options import WHOLE, Command, config_option


@click.command(cls=Command)
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--count", type=WHOLE, default=10, show_default=True, help="How many of each kind.")
@click.option("--metric", default="CIDEr", show_default=True, help="CIDEr or ROUGE-L: what captions are ordered by.")
@click.option("--output", "-o", type=click.Path(path_type=Path), help="Where pages go (default: each run's folder).")
@config_option
def examples(runs: tuple[Path, ...], count: int, metric: str, output: Path | None, config: Path | None) -> None:
    """Write a page of examples for each of RUNS (folders of captioning runs): best, worst and usual captions.

    Each caption stands beside its references, with its own score. Needs the dataset, and no model.
    """
    from bench.analysis.examples.choosing import examples_of
    from bench.analysis.examples.pages import write_pages
    from bench.catalogue import config as configuration
    from bench.catalogue.lookup import Session
    from bench.evidence.verified import stored

    session = Session(configuration.load(config))
    for folder in runs:
        record = stored(folder)
        task = session.catalogue.task(record.result.task.name)
        shown = examples_of(record, task, session.dataset(task.dataset), metric, count)
        for path in write_pages(shown, output or folder):
            click.echo(path)
