"""`bench leaderboard`: records that were checked go in, static pages come out."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench.cli.commands import Group
from bench.cli.export import export
from bench.cli.options import WholeRange, config_option, metric_option, say_not_given
from bench.cli.saying import echo
from bench.reading.numbers import number_of

if TYPE_CHECKING:
    from bench.errors import BenchError
    from bench.leaderboard.building import Sources
    from bench.submission import RecordFinding

board_option = click.option(
    "--board", type=click.Path(path_type=Path), help="The leaderboard's folder (default: of bench.yaml)."
)
results_option = click.option(
    "--results", "folders", multiple=True, type=click.Path(path_type=Path),
    help="Folder of records, searched with its subfolders; repeatable (default: results/ of the leaderboard).",
)  # fmt: skip
output_option = click.option(
    "--output", "-o", type=click.Path(path_type=Path), help="Where pages are (default: the leaderboard's folder)."
)
published_option = click.option(
    "--published", type=click.Path(path_type=Path), help="Folder of published figures (default: published/ of it)."
)


@click.group(cls=Group)
def leaderboard() -> None:
    """Add runs to the leaderboard, build its pages, and check both."""


leaderboard.add_command(export)


@leaderboard.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--title", help="What the board is called (default: the folder's name).")
@click.option("--space", is_flag=True, help="For a Hugging Face static Space, in place of GitHub Pages.")
def init(folder: Path, title: str | None, space: bool) -> None:
    """Write the repository of a board of your own into FOLDER, which may be a fresh clone.

    bench.yaml, results, README and, for GitHub, workflows that publish the pages and check pull requests.
    """
    from bench.scaffolding import write_board

    for path in write_board(folder, folder.resolve().name if title is None else title, space=space):
        echo(path)
    echo(
        f"\nNext: cd {shlex.quote(str(folder))}, then what README.md says: run, `bench leaderboard add`, commit, push."
    )


@leaderboard.command()
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path))
@board_option
@click.option(
    "--predictions/--no-predictions", default=True, show_default=True,
    help="Store what the models said, so that anyone can score it again; without, a row is `consistent` at most.",
)  # fmt: skip
@config_option
def add(runs: tuple[Path, ...], board: Path | None, predictions: bool, config: Path | None) -> int:
    """Score RUNS (folders) again and, where every number holds, copy record and evidence to the leaderboard.

    Of several runs, one that is unfinished, partial or does not hold is named and left out, and the others are added;
    leaves with 5 then, or, where none was added, as the first of them would.
    """
    from bench import submission
    from bench.catalogue import config as configuration
    from bench.catalogue.lookup import Session
    from bench.errors import BenchError, Interrupted
    from bench.metrics.captions.meteor.program import started_once

    session = Session(configuration.load(config))
    place = board or session.config.leaderboard
    failures: list[BenchError] = []
    with started_once():
        for folder in runs:
            try:
                added = submission.add(folder, place, session, keep_predictions=predictions)
            except Interrupted:
                raise
            except BenchError as error:
                if len(runs) == 1:
                    raise
                failures.append(error)
                echo(f"left out: {folder}: {str(error).removeprefix(f'{folder}: ')}", err=True)
                continue
            if added.new:
                checked = "scored again" if added.status != "consistent" else "verified against its evidence"
                echo(f"{folder}: {checked}, added as {added.target} ({added.status})")
            else:
                echo(f"{folder}: on the leaderboard already, as {added.target} ({added.status})")
    return _say_left_out(failures, len(runs))


def _say_left_out(failures: list[BenchError], total: int) -> int:
    """Returns the exit code of adding several runs. Raises: PartialFailure when some could not be added."""
    from bench.errors import PartialFailure

    if 0 < len(failures) < total:
        raise PartialFailure(
            f"{len(failures)} of {number_of(total, 'run')} are not added, the others are; reasons are above."
        )
    if failures:
        echo(f"none of {number_of(total, 'run')} is added; reasons are above.", err=True)
    return failures[0].exit_code if failures else 0


@leaderboard.command()
@results_option
@output_option
@published_option
@metric_option
@config_option
def build(
    folders: tuple[Path, ...], output: Path | None, published: Path | None, metrics: tuple[str, ...],
    config: Path | None,
) -> None:  # fmt: skip
    """Build Markdown and HTML pages from records. Needs no model, no dataset and no GPU."""
    from bench.leaderboard.building import build as build_pages

    sources, target = _sources(folders, output, published, config)
    sources = replace(sources, metrics=metrics)
    report = build_pages(sources, target)
    for note in report.left_out:
        echo(f"left out: {note.file}: {note.reason}", err=True)
    shown = {column.name for board in report.boards for table in board.tables for column in table.columns}
    say_not_given(metrics, shown)
    if report.partial:
        echo(f"{number_of(len(report.partial), 'partial run')} (--limit) shown apart, never ranked", err=True)
    echo(f"{number_of(report.rows, 'row')} in {number_of(report.tables, 'table')}: {report.index}")


def _sources(
    folders: tuple[Path, ...], output: Path | None, published: Path | None, config: Path | None
) -> tuple[Sources, Path]:
    """Returns what pages are built from, and where they go."""
    from bench.catalogue import config as configuration
    from bench.errors import UsageError
    from bench.leaderboard.building import Sources
    from bench.leaderboard.links import FILE
    from bench.papers.stored import paper_pages

    loaded = configuration.load(config)
    default = loaded.leaderboard
    if published is not None and not published.is_dir():
        raise UsageError(f"--published {published}: no such folder.")
    sources = Sources(
        results=folders or (default / "results",),
        published=published or default / "published",
        papers=((output or default) / "papers", paper_pages),
        links=(output or default) / FILE,
        title=loaded.title,
    )
    return sources, output or default


@leaderboard.command()
@results_option
@output_option
@published_option
@metric_option
@click.option("--strict", is_flag=True, help="A record whose references are not here is an error as well.")
@click.option("--records-only", is_flag=True, help="Leave the pages out: a submission does not bring them.")
@config_option
def check(
    folders: tuple[Path, ...], output: Path | None, published: Path | None, metrics: tuple[str, ...], strict: bool,
    records_only: bool, config: Path | None,
) -> None:  # fmt: skip
    """Score every record again where its predictions and references are here, and compare pages byte for byte.

    Runs no code of a model. Leaves with 6 when something failed.
    """
    from bench import submission
    from bench.catalogue import config as configuration
    from bench.catalogue.lookup import Session
    from bench.errors import VerificationError
    from bench.leaderboard.records import read
    from bench.metrics.captions.meteor.program import started_once

    sources, target = _sources(folders, output, published, config)
    sources = replace(sources, metrics=metrics)
    session = Session(configuration.load(config))
    records = read(sources.results, sources.metrics)
    findings = []
    with started_once():
        for finding in submission.check_records(records, session):
            findings.append(finding)
            _say(finding)
    for finding in () if records_only else submission.check_published(sources.published):
        findings.append(finding)
        _say(finding)
    pages = [] if records_only else list(submission.check_pages(sources, target, records))
    for finding in pages:
        _say(finding)
    counts = {word: sum(one.outcome == word for one in findings) for word in ("re-scored", "invariants only", "failed")}
    echo(", ".join(f"{count} {word}" for word, count in counts.items()) + f"; {len(pages)} pages out of date")
    failures = counts["failed"] + len(pages) + (sum(one.unproved for one in findings) if strict else 0)
    if failures:
        raise VerificationError(f"{failures} record(s) or page(s) failed the check; each is named above.")


def _say(finding: RecordFinding) -> None:
    echo(f"{finding.outcome}: {finding.file}" + (f": {finding.reason}" if finding.reason else ""))


@leaderboard.command()
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
def diff(old: Path, new: Path) -> int:
    """Say what changed between two builds: rows that came, went or moved, values, statuses. Leaves with 1 if any."""
    from bench.leaderboard.changes import changes

    lines = changes(old, new)
    for line in lines:
        echo(line)
    if not lines:
        echo("no row, value or status changed")
    return 1 if lines else 0


@leaderboard.command()
@output_option
@click.option("--port", type=WholeRange(0, 65535), default=8000, show_default=True, help="0 takes a free one.")
@config_option
def serve(output: Path | None, port: int, config: Path | None) -> None:
    """Show the built pages at an address of this machine, for nobody else, until Ctrl-C."""
    from bench.catalogue import config as configuration
    from bench.errors import UsageError
    from bench.leaderboard.serving import server

    folder = output or configuration.load(config).leaderboard
    if not (folder / "index.html").is_file():
        raise UsageError(f"{folder} holds no index.html. Build it first: `bench leaderboard build`.")
    with server(folder, port) as running:
        echo(f"http://localhost:{running.server_port}/ shows {folder}; Ctrl-C stops")
        running.serve_forever()
