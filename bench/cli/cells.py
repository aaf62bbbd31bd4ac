"""`bench plan`, and what `bench run` and `bench study` share: cells out of flags or out of a file, and as a table."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bench.cli import completion
from bench.cli.commands import Command
from bench.cli.launching import resource_options
from bench.cli.options import WHOLE, chosen_settings, config_option, parse_seeds, say_default, wide_option
from bench.cli.saying import echo
from bench.errors import UsageError
from bench.reading.numbers import number_of

if TYPE_CHECKING:
    from bench.catalogue.catalogue import Catalogue
    from bench.catalogue.lookup import Session
    from bench.execution import Precision
    from bench.study import StudyCells


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
@click.option("--write", "-w", type=click.Path(path_type=Path), help="The file of cells to write.")
@resource_options
@wide_option
@click.option("--json", "as_json", is_flag=True, help="Print the file of cells.")
@config_option
def plan(
    models: tuple[str, ...], tasks: tuple[str, ...], settings: tuple[str, ...], seeds: tuple[int, ...],
    precision: Precision, batch_size: int, limit: int | None, output: Path | None, write: Path | None,
    resources: dict[str, int], as_json: bool, config: Path | None,
) -> None:  # fmt: skip
    """Show the cells of a command, or write them, for `bench run --cells FILE --cell N` to run wherever you like.

    A cell is a model with its settings on a task under a seed. Names and settings are checked; nothing is opened.
    """
    from bench.catalogue import config as configuration
    from bench.catalogue.lookup import Session
    from bench.study import Asked, StudyCells, expanded
    from bench.study.cells import as_text, write_cells

    session = Session(configuration.load(config))
    say_default(session.config)
    grids = grids_of(session.catalogue, models, settings)
    cells = expanded(Asked(models, tasks, seeds, grids, precision, batch_size, limit), session.catalogue)
    planned = StudyCells.under(session, cells, output)
    if as_json:
        echo(as_text(planned), nl=False)
    elif write is None:
        print_cells(session.catalogue, planned, resources, {})
    if write is None:
        return
    write_cells(planned, write)
    last = len(cells) - 1
    command = shlex.join(["bench", "run", "--cells", str(write), "--cell"])
    echo(f"{write}: {number_of(len(cells), 'cell')}. Next: {command} N, N from 0 to {last:,}", err=as_json)


def print_cells(
    catalogue: Catalogue, cells: StudyCells, resources: Mapping[str, int], ranks: Mapping[str, int]
) -> None:
    """Prints cells: what became of each, which share a fit, and what each needs on a cluster, for its model's ranks."""
    from bench.cli.tables import print_table
    from bench.study import Ledger
    from bench.study.launching import needs
    from bench.study.sharing import shared_fit

    ledger, fits = Ledger(cells.output), [shared_fit(catalogue, cell) for cell in cells.cells]
    numbers = {fit: str(number) for number, fit in enumerate(dict.fromkeys(filter(None, fits)), start=1)}
    rows: list[tuple[str, ...]] = []
    states: Counter[str] = Counter()
    for place, (cell, fit) in enumerate(zip(cells.cells, fits, strict=True)):
        outcome = ledger.outcome(cell)
        state = "left" if outcome is None else "skipped" if outcome.state == "unsupported" else outcome.state
        states[state] += 1
        chosen = " ".join(f"{name}={value}" for name, value in sorted(cell.settings.items()))
        named = (cell.id, cell.model, chosen or "–", cell.task, str(cell.seed))
        several = ranks.get(cell.model, 1)
        need = str(needs(catalogue, cell.model, resources, several)) + (f", {several} ranks" if several > 1 else "")
        rows.append((str(place), *named, numbers.get(fit, "none"), need, state))
    head = ("cell", "id", "model", "settings", "task", "seed", "fit", "needs", "state")
    print_table(head, rows, on_demand=("id", "needs"))
    counted = ", ".join(f"{count:,} {state}" for state, count in states.items())
    echo(f"\n{number_of(len(rows), 'cell')}: {counted}; {number_of(len(numbers), 'fit')}, each made once")


def grids_of(catalogue: Catalogue, models: Sequence[str], settings: tuple[str, ...]) -> dict[str, dict[str, list[str]]]:
    """Returns the values of each setting of each model that flags `--set` name."""
    from bench.study.expanding import values_of

    chosen = chosen_settings(tuple(models), settings)
    return {
        model: {name: values_of(catalogue, model, name, text) for name, text in own.items()}
        for model, own in chosen.items()
    }


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
    """Returns what cells are looked up in. Raises: CatalogueError where other releases planned them."""
    from bench.catalogue import config
    from bench.catalogue.lookup import Session

    session = Session(config.load(cells.config))
    cells.check_installed(session.catalogue)
    return session
