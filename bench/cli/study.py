"""`bench study`: the cells of a study file, run, watched and summed up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench.cli.cells import print_cells
from bench.cli.commands import Group
from bench.cli.launching import LaunchChoices, exit_code, launch_options, run_beside
from bench.cli.options import WholeRange, config_option, say_default, wide_option
from bench.cli.saying import echo
from bench.reading.numbers import number_of

if TYPE_CHECKING:
    from bench.catalogue.lookup import Session
    from bench.study.study_file import Study
    from bench.study.summary import StudyRow

file_argument = click.argument("file", type=click.Path(path_type=Path))


@click.group(cls=Group)
def study() -> None:
    """Run a study file: models, grids over settings, tasks and seeds; see how far it is, and what it came to."""


def _opened(file: Path, config: Path | None) -> tuple[Session, Study]:
    from bench.catalogue import config as configuration
    from bench.catalogue.lookup import Session
    from bench.study.study_file import read_study

    session = Session(configuration.load(config))
    say_default(session.config)
    return session, read_study(file, session)


@study.command()
@file_argument
@launch_options
@click.option(
    "--ranks", type=WholeRange(1), help="Processes that fit one model together, of every model (default: as FILE says)."
)
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:I.")
@click.option(
    "--checkpoint-every", default="5", show_default=True, metavar="MINUTES|epoch",
    help="How often an unfinished fit is saved; Ctrl-C saves it too.",
)  # fmt: skip
@wide_option
@click.option("--dry-run", is_flag=True, help="Show the cells, what is done, and which share a fit; stop.")
@config_option
def run(
    file: Path,
    launch: LaunchChoices,
    ranks: int | None,
    device: str,
    checkpoint_every: str,
    dry_run: bool,
    config: Path | None,
) -> int:
    """Run the cells of the study FILE that are not done; the same command goes on after a stop.

    Cells that failed are tried again. The table is printed at the end: `bench study table FILE`.
    """
    from dataclasses import replace

    from bench.cli.progress import terminal
    from bench.runs.checkpoints import minutes_between
    from bench.study.progress import progress

    minutes_between(checkpoint_every)  # what is no time is refused before anything starts
    session, asked = _opened(file, config)
    of_each = asked.ranks if ranks is None else dict.fromkeys(asked.asked.models, ranks)
    how = launch.launching(session.catalogue, device, checkpoint_every, asked.resources, of_each)
    if dry_run:
        print_cells(session.catalogue, asked.cells, how.resources, how.ranks)
        return 0
    left = progress(asked.cells, session).left
    total = len(asked.cells.cells)
    echo(f"{number_of(total, 'cell')}, {total - len(left):,} done", err=True)
    ended = []
    if left:
        with terminal() as reporter:
            ended = run_beside(replace(asked.cells, cells=left), session.catalogue, how, reporter)
    _print_rows(session, asked)
    return exit_code(ended)


@study.command()
@file_argument
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON: every cell with what became of it.")
def status(file: Path, config: Path | None, as_json: bool) -> None:
    """Say how many cells of the study FILE are done, failed or left, with the log of each that failed.

    Cells whose data or models were changed since count as left: `bench study run` runs them again.
    """
    from bench.runs.progress import duration
    from bench.study import Ledger
    from bench.study.progress import progress

    session, asked = _opened(file, config)
    now = progress(asked.cells, session)
    if as_json:
        rows = [
            {
                "id": cell.id,
                **cell.as_json(),
                "outcome": outcome and outcome.model_dump(by_alias=True, mode="json"),
                "changed": cell.id in now.changed,
            }
            for cell, outcome in now.outcomes
        ]
        echo(json.dumps(rows, indent=2))
        return
    counts = {"done": now.count("done"), "failed": now.count("failed"), "skipped": now.count("unsupported")}
    words = ", ".join(f"{count:,} {word}" for word, count in counts.items() if count or word == "done")
    line = f"{number_of(len(now.outcomes), 'cell')}: {words}, {now.waiting:,} left"
    if now.changed:
        line += f" ({len(now.changed):,} of them were done on other data, or with other models, than there are now)"
    if now.waiting and now.seconds_left is not None:
        line += f", about {duration(now.seconds_left)} one after the other"
    echo(line)
    for cell, outcome in now.outcomes:
        if outcome is not None and outcome.state == "failed":
            log = Ledger(asked.cells.output).log(cell)
            echo(f"{cell.id} {cell}: {outcome.error}" + (f" Log: {log}" if log.is_file() else ""))


@study.command()
@file_argument
@wide_option
@config_option
def table(file: Path, config: Path | None) -> None:
    """Print the rows of the study FILE: each model and setting over its seeds, tested against the best."""
    _print_rows(*_opened(file, config))


@study.command()
@file_argument
@click.option("--output", "-o", type=click.Path(path_type=Path), required=True, help="The SVG file to write.")
@click.option("--over", metavar="SETTING", help="The setting along the axis, where several were swept.")
@config_option
def plot(file: Path, output: Path, over: str | None, config: Path | None) -> None:
    """Draw the study FILE over the setting that it sweeps: a panel for each task, a line for each model.

    Points are means over seeds, strokes their 95 % intervals; each is tested against the best, as in the table.
    """
    from bench.errors import UsageError
    from bench.files import write_atomically
    from bench.study.choosing import blind_tasks
    from bench.study.picture import picture
    from bench.study.summary import rows_of

    session, asked = _opened(file, config)
    if output.suffix != ".svg":
        raise UsageError(f"--output {output}: the picture is SVG. Name it so, such as {output.with_suffix('.svg')}.")
    svg = picture(rows_of(asked, blind_tasks(session, asked)), asked.choose_on, over)
    write_atomically(output, svg.encode())
    echo(f"{output}: written")


def _print_rows(session: Session, asked: Study) -> None:
    from bench.cli.tables import print_table
    from bench.study.choosing import blind_tasks
    from bench.study.summary import rows_of

    rows = rows_of(asked, blind_tasks(session, asked))
    if not rows:
        echo("no cell is done, so there is no row; what became of each: `bench study status`", err=True)
    for task in dict.fromkeys(row.task for row in rows):
        of_task = [row for row in rows if row.task == task]
        names = list(dict.fromkeys(name for row in of_task for name in row.settings))
        head = ("model", *names, "seeds", f"{of_task[0].primary} [95 %]", "±", "p", "")
        echo(f"\n{task}" + (", settings are chosen here" if task == asked.choose_on else ""))
        lines = [_line(row, names, task == asked.choose_on) for row in of_task]
        print_table(head, lines, numbers_from=1 + len(names))
    if any(row.p_value is not None for row in rows):
        echo("\np: paired test against the first row, seeds averaged, Holm's correction over the rows below it.")


def _line(row: StudyRow, names: list[str], choosing: bool) -> tuple[str, ...]:
    interval = "" if row.ci95 is None else f" [{row.ci95[0]:.1f}, {row.ci95[1]:.1f}]"
    remark = "chosen" if row.chosen and row.settings else ""
    swept = bool(row.settings)  # else there was nothing to choose from
    if (row.chosen or row.best) and swept and not row.held_out and not choosing:
        remark = f"{remark or 'best'} on the test split: optimistic"
    return (
        row.model,
        *(row.settings.get(name, "–") for name in names),
        str(len(row.records)),
        f"{row.mean:.1f}{interval}",
        "" if row.std is None else f"{row.std:.1f}",
        "" if row.p_value is None else f"{row.p_value:.3f}",
        remark,
    )
