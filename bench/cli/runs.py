"""`bench list runs`: runs, finished and unfinished, filtered and sorted."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from bench.cli.commands import Command
from bench.cli.completion import models, tasks
from bench.cli.options import config_option, wide_option
from bench.cli.saying import echo

if TYPE_CHECKING:
    from bench.results import Result

Order = Literal["run", "date", "score"]
SIGNATURE = "signature"


@dataclass(frozen=True)
class _ListedRun:
    """A run's folder: what its first file says, and its record where there is one that can be read."""

    name: str
    model: str
    task: str
    status: str
    reason: str = ""
    record: Result | None = None

    def cells(self, spent: Sequence[str]) -> tuple[str, ...]:
        """Returns what a line shows, with figures of these names of what the run took."""
        if self.record is None:
            return self.name, self.status, "", *[""] * len(spent), self.reason
        from bench.results import spent_by, spent_words

        primary, known = self.record[self.record.primary], spent_by(self.record.provenance)
        figures = [spent_words(name, known[name]) if name in known else "–" for name in spent]
        return self.name, self.status, f"{primary.name} {primary.value:.1f}", *figures, self.record.signature


@click.command(cls=Command)
@click.option(
    "--output", "-o", type=click.Path(path_type=Path), help="The folder of runs (default: runs of bench.yaml)."
)
@click.option("--model", "-m", "wanted_models", multiple=True, shell_complete=models, help="Of this model; repeatable.")
@click.option(
    "--task", "-t", "wanted_tasks", multiple=True, shell_complete=tasks,
    help="On this task: with any parameters, or, where some stand behind ':', with these; repeatable.",
)  # fmt: skip
@click.option(
    "--status", "statuses", multiple=True, type=click.Choice(["complete", "partial", "unfinished", "unreadable"]),
    help="Of this status; repeatable.",
)  # fmt: skip
@click.option(
    "--sort", "order", type=click.Choice(["run", "date", "score"]), default="run", show_default=True,
    help="By name; by date, the latest first; by score, the best first among runs that rank together.",
)  # fmt: skip
@config_option
@click.option("--spent", is_flag=True, help="Seconds, tokens, money and the most memory of each, where known.")
@wide_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def runs(
    output: Path | None,
    wanted_models: tuple[str, ...],
    wanted_tasks: tuple[str, ...],
    statuses: tuple[str, ...],
    order: Order,
    config: Path | None,
    spent: bool,
    as_json: bool,
) -> None:
    """List runs, finished and unfinished."""
    from bench.catalogue import config as configuration
    from bench.cli.tables import print_table

    folder = output or configuration.load(config).runs
    listed = [
        run
        for path in sorted(folder.glob("*/config.json"))
        if _is_wanted(run := _read(path), wanted_models, wanted_tasks) and (not statuses or run.status in statuses)
    ]
    figures = _figures() if spent else ()
    head = ("run", "status", "primary", *figures, SIGNATURE)
    rows = [run.cells(figures) for run in _sorted(listed, order)]
    if as_json:
        echo(json.dumps([dict(zip(head, row, strict=True)) for row in rows], indent=2))
        return
    print_table(head, rows, on_demand={SIGNATURE})
    if spent:
        echo("seconds and memory are of the machine that ran it; what was fitted before has no time here")


def _figures() -> tuple[str, ...]:
    from bench.results import SPENT

    return tuple(SPENT)


def _read(path: Path) -> _ListedRun:
    """Returns a run by its first file. One that cannot be read, as nobody's of no task: `bench` did not write it."""
    from bench.errors import InvalidData

    try:
        begun = json.loads(path.read_text(encoding="utf-8"))
        model, task = str(begun["model"]), str(begun["task"])
    except (ValueError, KeyError, TypeError, OSError):
        model, task = "", ""
    name, record = path.parent.name, path.with_name("result.json")
    if not record.exists():
        return _ListedRun(name, model, task, "unfinished")
    from bench.results import Result  # here: without a run nothing has to read records

    try:
        result = Result.load(record)
    except InvalidData as error:
        return _ListedRun(name, model, task, "unreadable", reason=str(error))
    return _ListedRun(result.run, result.model.name, result.task.name, result.status, record=result)


def _is_wanted(run: _ListedRun, models: Sequence[str], tasks: Sequence[str]) -> bool:
    return (not models or run.model in models) and (
        not tasks or run.task in tasks or run.task.partition(":")[0] in tasks
    )


def _sorted(listed: Sequence[_ListedRun], order: Order) -> list[_ListedRun]:
    """Returns the runs in an order; where it asks their records, those without one stand behind the others."""
    if order == "run":
        return list(listed)
    finished = [(run, run.record) for run in listed if run.record is not None]
    if order == "date":
        ordered = sorted(finished, key=lambda one: one[1].provenance.started, reverse=True)
    else:
        ordered = sorted(finished, key=lambda one: _rank(one[1]))
    return [run for run, _ in ordered] + [run for run in listed if run.record is None]


def _rank(result: Result) -> tuple[str, str, str, float]:
    from bench.results import protocol

    primary = result[result.primary]
    return (
        result.task.name,
        protocol(result.signature),
        primary.name,
        -primary.value if primary.higher_is_better else primary.value,
    )
