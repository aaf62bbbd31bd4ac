"""`bench plan`, and what `bench run` and `bench study` share: cells out of flags, and cells run beside each other."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bench.cli import completion
from bench.cli.commands import Command
from bench.cli.options import WHOLE, WholeRange, chosen_settings, config_option, parse_seeds, say_default
from bench.errors import PartialFailure, UsageError
from bench.reading.numbers import number_of

if TYPE_CHECKING:
    from bench.catalogue.catalogue import Catalogue
    from bench.catalogue.lookup import Session
    from bench.execution import Precision
    from bench.runs.progress import Reporter
    from bench.runs.request import Request
    from bench.study import CellOutcome, StudyCell, StudyCells

jobs_option = click.option(
    "--jobs", "-j", type=WholeRange(1), default=1, show_default=True,
    help="Cells run beside each other on this machine, in processes that share its cores.",
)  # fmt: skip
retries_option = click.option(
    "--retries", type=WholeRange(0), default=0, show_default=True,
    help="With --jobs: how often a cell is tried again that failed for a reason that may pass, as a kill does.",
)  # fmt: skip


@click.command(cls=Command)
@click.option(
    "--model", "-m", "models", multiple=True, required=True, shell_complete=completion.models, help="Repeatable."
)
@click.option(
    "--task", "-t", "tasks", multiple=True, required=True, shell_complete=completion.tasks, help="Repeatable."
)
@click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE[,VALUE…]", shell_complete=completion.settings,
    help="Model setting, MODEL.KEY=… for one model; several numbers or switches make a grid.",
)  # fmt: skip
@click.option("--seeds", callback=parse_seeds, metavar="N,N,…", default="0", show_default=True)
@click.option("--precision", type=click.Choice(["fp32", "bf16"]), default="fp32", show_default=True)
@click.option("--batch-size", type=WHOLE, default=64, show_default=True, help="Videos per batch when predicting.")
@click.option("--limit", type=WHOLE, help="At most N videos of every split; the results are partial.")
@click.option("--output", "-o", type=click.Path(path_type=Path), help="Where runs will be written (default: runs).")
@click.option("--write", "-w", type=click.Path(path_type=Path), help="The file of cells to write (default: print it).")
@config_option
def plan(
    models: tuple[str, ...], tasks: tuple[str, ...], settings: tuple[str, ...], seeds: tuple[int, ...],
    precision: Precision, batch_size: int, limit: int | None, output: Path | None, write: Path | None,
    config: Path | None,
) -> None:  # fmt: skip
    """Write the cells of a command, which `bench run --cells FILE --cell N` runs one by one wherever you like.

    A cell is a model with its settings on a task under a seed. Names and settings are checked; nothing is opened.
    """
    from bench.catalogue import config as configuration
    from bench.catalogue.catalogue import discover
    from bench.study import Asked, StudyCells, expanded
    from bench.study.cells import as_text, write_cells

    loaded = configuration.load(config)
    say_default(loaded)
    catalogue = discover(loaded.datasets)
    grids = grids_of(catalogue, models, settings)
    cells = expanded(Asked(models, tasks, seeds, grids, precision, batch_size, limit), catalogue)
    planned = StudyCells.under(loaded, cells, output)
    if write is None:
        click.echo(as_text(planned), nl=False)
        return
    write_cells(planned, write)
    last = len(cells) - 1
    command = shlex.join(["bench", "run", "--cells", str(write), "--cell"])
    click.echo(f"{write}: {number_of(len(cells), 'cell')}. Next: {command} N, N from 0 to {last:,}")


def grids_of(catalogue: Catalogue, models: Sequence[str], settings: tuple[str, ...]) -> dict[str, dict[str, list[str]]]:
    """Returns the values of each setting of each model that flags `--set` name."""
    from bench.study.expanding import values_of

    chosen = chosen_settings(tuple(models), settings)
    return {
        model: {name: values_of(catalogue, model, name, text) for name, text in own.items()}
        for model, own in chosen.items()
    }


def run_beside(
    cells: StudyCells, base: Request, reporter: Reporter, *, jobs: int, retries: int
) -> list[tuple[StudyCell, CellOutcome]]:
    """Runs cells in several processes and says of each what became of it; returns them as they ended."""
    from bench.study.local import Options, run_cells, threads_each

    total, ended = len(cells.cells), []
    reporter.say(
        f"{number_of(total, 'cell')} on {number_of(jobs, 'process')}, {number_of(threads_each(jobs), 'thread')} each"
    )
    for cell, outcome in run_cells(cells.cells, cells, Options(jobs, retries, base)):
        ended.append((cell, outcome))
        reporter.say(f"[{len(ended)} of {total}] {in_words(cell, outcome)}")
        reporter.step("cells", len(ended), total, {})
    return ended


def in_words(cell: StudyCell, outcome: CellOutcome) -> str:
    """Returns one line on a cell that ended."""
    if outcome.state == "done":
        return f"{cell}: " + ("complete already" if outcome.reused else f"done in {outcome.seconds:.0f} s")
    return f"{cell}: {'skipped' if outcome.state == 'unsupported' else 'failed'}. {outcome.error}"


def exit_code(ended: Sequence[tuple[StudyCell, CellOutcome]]) -> int:
    """Returns the exit code of cells that ended, the first error's where none is done.

    Raises: PartialFailure when some are done and others failed or were skipped.
    """
    bad = [outcome for _, outcome in ended if outcome.state != "done"]
    if bad and len(bad) < len(ended):
        skipped = sum(outcome.state == "unsupported" for outcome in bad)
        raise PartialFailure(
            f"{len(bad) - skipped} of {len(ended)} cells failed, {skipped} were skipped, as a model cannot do a task; "
            "the others are in order. Reasons are above."
        )
    return bad[0].exit_code if bad else 0


def given_cells(path: Path, names: Sequence[str], refused: Mapping[str, Any]) -> StudyCells:
    """Returns the cells of a file that were named, all where none was.

    Raises: UsageError where flags say beside it what the cells say, or bench.yaml was changed since they were planned.
    """
    from dataclasses import replace

    from bench.study import read_cells

    if beside := [flag for flag, value in refused.items() if value]:
        raise UsageError(f"{' and '.join(beside)} beside --cells: cells say that themselves. Leave it out.")
    cells = read_cells(path)
    cells.check_config()
    return replace(cells, cells=tuple(cells.find(name) for name in names)) if names else cells


def session_of(cells: StudyCells) -> Session:
    """Returns what cells are looked up in."""
    from bench.catalogue import config
    from bench.catalogue.lookup import Session

    return Session(config.load(cells.config))
