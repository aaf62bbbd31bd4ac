"""`bench leaderboard`: records that were checked go in, static pages come out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench.cli.run import config_option

if TYPE_CHECKING:
    from bench.leaderboard.building import Sources


@click.group()
def leaderboard() -> None:
    """Add runs to the leaderboard and build its pages."""


@leaderboard.command()
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--board", type=click.Path(path_type=Path), help="The leaderboard's folder (default: of bench.yaml).")
@config_option
def add(runs: tuple[Path, ...], board: Path | None, config: Path | None) -> None:
    """Score RUNS (folders) again and, where every number holds, copy record and evidence to the leaderboard."""
    from bench import config as configuration
    from bench.errors import SaveError, UsageError
    from bench.files import slug, write_atomically
    from bench.planning import RESULT
    from bench.records import read_record
    from bench.rescoring import load_record, rescore
    from bench.session import Session

    session = Session(configuration.load(config))
    for folder in runs:
        record = load_record(folder)
        if record.status != "complete":
            raise UsageError(f"{folder} is {record.status}: it is never ranked. Run it without --limit.")
        read_record(folder)  # the invariants, also where nothing can be scored again
        if record.predictions is not None:
            task = session.catalogue.task(record.task.name)
            rescore(folder, task, session.dataset(task.dataset))
        target = (board or session.config.leaderboard) / "results" / slug(record.task.name) / f"{record.run}.json"
        content = (folder / RESULT).read_bytes()
        if target.exists() and target.read_bytes() == content:
            click.echo(f"{folder}: on the leaderboard already, as {target}")
            continue
        if target.exists():
            raise SaveError(f"{target} exists with other content and is never overwritten. Run with --no-resume.")
        # The record comes last: where it is, its evidence is.
        write_atomically(target.with_name(record.evidence.file), (folder / record.evidence.file).read_bytes())
        write_atomically(target, content, overwrite=False)
        checked = "verified against its evidence" if record.predictions is None else "scored again"
        click.echo(f"{folder}: {checked}, added as {target}")


@leaderboard.command()
@click.option(
    "--results", "folders", multiple=True, type=click.Path(path_type=Path),
    help="Folder of records, searched with its subfolders; repeatable (default: results/ of the leaderboard).",
)  # fmt: skip
@click.option(
    "--output", "-o", type=click.Path(path_type=Path), help="Where pages go (default: the leaderboard's folder)."
)
@click.option(
    "--published", type=click.Path(path_type=Path), help="Folder of published figures (default: published/ of it)."
)
@config_option
def build(folders: tuple[Path, ...], output: Path | None, published: Path | None, config: Path | None) -> None:
    """Build Markdown and HTML pages from records. Needs no model, no dataset and no GPU."""
    from bench.leaderboard.building import build as build_pages

    sources, target = _sources(folders, output, published, config)
    report = build_pages(sources, target)
    for note in report.left_out:
        click.echo(f"left out: {note.file}: {note.reason}", err=True)
    click.echo(f"{report.rows} rows in {report.tables} tables: {report.index}")


def _sources(
    folders: tuple[Path, ...], output: Path | None, published: Path | None, config: Path | None
) -> tuple[Sources, Path]:
    """Returns what pages are built from, and where they go."""
    from bench import config as configuration
    from bench.errors import UsageError
    from bench.leaderboard.building import Sources
    from bench.reproduction.stored import paper_pages

    default = configuration.load(config).leaderboard
    if published is not None and not published.is_dir():
        raise UsageError(f"--published {published}: no such folder.")
    sources = Sources(
        results=folders or (default / "results",),
        published=published or default / "published",
        papers=(default / "papers", paper_pages),
    )
    return sources, output or default
