"""`bench run` and `bench rescore`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench.cli import completion
from bench.cli.cells import given_cells, grids_of, session_of
from bench.cli.commands import Command
from bench.cli.launching import LaunchChoices, exit_code, launch_options, run_beside
from bench.cli.options import (
    WHOLE,
    WholeRange,
    command_line,
    config_option,
    metric_option,
    parse_seeds,
    say_default,
    say_not_given,
    wide_option,
)
from bench.cli.saying import echo
from bench.cli.several import Several, print_plans
from bench.errors import UnsupportedTask, UsageError

if TYPE_CHECKING:
    from bench.catalogue.lookup import Session
    from bench.execution import Precision
    from bench.results import Evidence, Result
    from bench.runs.progress import Reporter
    from bench.runs.request import Request
    from bench.study import StudyCell


@click.command(cls=Command)
@click.option(
    "--model", "-m", "models", multiple=True, shell_complete=completion.models, help="Model to run; repeatable."
)
@click.option(
    "--task", "-t", "tasks", multiple=True, shell_complete=completion.tasks,
    help="Task, with parameters after ':'; repeatable.",
)  # fmt: skip
@click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", shell_complete=completion.settings,
    help="Model setting; MODEL.KEY=VALUE for one model. Several numbers, parted by commas, are a run each.",
)  # fmt: skip
@click.option(
    "--cells", "planned", type=click.Path(path_type=Path), help="Run cells of this file, in place of -m and -t."
)
@click.option("--cell", "named", multiple=True, help="With --cells: its place, from 0, or its id; repeatable.")
@launch_options
@click.option(
    "--ranks", type=WholeRange(1), default=1, show_default=True,
    help="Processes that fit one model together, a GPU each: docs/several-gpus.md.",
)  # fmt: skip
@click.option("--seed", type=WHOLE, help="Seed (default 0).")
@click.option("--seeds", callback=parse_seeds, metavar="N,N,…", help="Several seeds, one run each.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:I.")
@click.option("--precision", type=click.Choice(["fp32", "bf16"]), default="fp32", show_default=True)
@click.option("--batch-size", type=WHOLE, default=64, show_default=True, help="Videos per batch when predicting.")
@click.option("--limit", type=WHOLE, help="At most N videos of every split; the result is partial and never ranked.")
@click.option("--checkpoint", type=click.Path(path_type=Path), help="Use this model.safetensors instead of fitting.")
@click.option(
    "--output", "-o", type=click.Path(path_type=Path), help="Where runs are written (default: runs of bench.yaml)."
)
@metric_option
@config_option
@click.option("--resume/--no-resume", default=True, show_default=True, help="Reuse what an earlier run left.")
@click.option(
    "--checkpoint-every",
    default="5",
    show_default=True,
    metavar="MINUTES|epoch",
    help="How often an unfinished fit is saved; Ctrl-C saves it too.",
)
@click.option("--extract", is_flag=True, help="Make features first that bench.yaml declares by videos and that lack.")
@wide_option
@click.option("--dry-run", is_flag=True, help="Say what would be done, and stop.")
@click.option("--json", "as_json", is_flag=True, help="Print the records as JSON on stdout.")
def run(
    models: tuple[str, ...],
    tasks: tuple[str, ...],
    settings: tuple[str, ...],
    planned: Path | None,
    named: tuple[str, ...],
    launch: LaunchChoices,
    ranks: int,
    seed: int | None,
    seeds: tuple[int, ...],
    device: str,
    precision: Precision,
    batch_size: int,
    limit: int | None,
    checkpoint: Path | None,
    output: Path | None,
    metrics: tuple[str, ...],
    config: Path | None,
    resume: bool,
    checkpoint_every: str,
    extract: bool,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Run every MODEL on every TASK for every seed: fit, predict, score, save.

    A finished run is reused; an interrupted one goes on from its last checkpoint. A model that cannot do one of the
    tasks is skipped there; the others run, and the command leaves with 5. Any scheduler can run the cells that `bench
    plan` wrote: bench run --cells FILE --cell N.
    """
    from bench.catalogue import config as configuration
    from bench.catalogue.lookup import Session
    from bench.cli.progress import terminal
    from bench.cli.tables import print_results
    from bench.runs.checkpoints import minutes_between
    from bench.runs.children import leave_with_parent
    from bench.runs.request import Request
    from bench.study import Asked, Ledger, StudyCells, expanded, run_cell

    if seed is not None and seeds:
        raise UsageError("--seed and --seeds were both given. Keep one.")
    if launch.beside and not resume:
        raise UsageError("--no-resume with --jobs or --launcher: a cell may be run again there. Leave one of them out.")
    if launch.beside and checkpoint:
        raise UsageError("--checkpoint with --jobs or --launcher: one file is of one model. Leave one of them out.")
    if not launch.beside and (launch.retries or launch.settings):
        flag = "--retries" if launch.retries else "--launcher-set"
        raise UsageError(f"{flag} without --jobs or --launcher: cells then run in this process. Add --jobs 2.")
    leave_with_parent()
    if planned:
        said = {
            "-m": models,
            "-t": tasks,
            "--set": settings,
            "--seed": seed is not None or seeds,
            "--limit": limit,
            "--precision": precision != "fp32",
            "--batch-size": batch_size != 64,
            "--no-resume": not resume,
            "--checkpoint": checkpoint,
            "--output": output,
            "--config": config,
        }
        cells = given_cells(planned, named, said)
        session = session_of(cells)
    else:
        if named:
            raise UsageError("--cell without --cells: it names a cell of a file. Add --cells FILE, or leave it out.")
        if not models or not tasks:
            raise UsageError(
                "--model and --task are needed, such as -m hse -t anet-retrieval; or --cells FILE --cell N."
            )
        session = Session(configuration.load(config))
        say_default(session.config)
        grids = grids_of(session.catalogue, models, settings)
        asked = Asked(models, tasks, seeds or (seed or 0,), grids, precision, batch_size, limit)
        cells = StudyCells.under(session, expanded(asked, session.catalogue), output)
    request = replace(
        Request.under(session.config, output or (cells.output if planned else None)),
        device=device,
        ranks=ranks,
        checkpoint=checkpoint,
        resume=resume,
        checkpoint_minutes=minutes_between(checkpoint_every),
        command=() if planned or launch.beside else command_line(),
    )
    if extract and not dry_run:
        extract_missing(session, [cell.task for cell in cells.cells], device)
    results: list[tuple[Result, Evidence]] = []
    with terminal() as reporter:
        if dry_run:
            return _say_plans(session, cells.cells, request, reporter, as_json=as_json)
        if launch.beside:
            of_each = {cell.model: ranks for cell in cells.cells}
            how = launch.launching(session.catalogue, device, checkpoint_every, {}, of_each)
            ended = run_beside(cells, session.catalogue, how, reporter)
            results += [_stored(request.output / outcome.run, metrics) for _, outcome in ended if outcome.run]
            leave = partial(exit_code, ended)
        else:
            several, ledger = Several(len(cells.cells), reporter), Ledger(request.output) if planned else None
            for cell in cells.cells:
                with several.one(str(cell)):
                    result = run_cell(session, cell, request, reporter, ledger)
                    results.append(with_evidence(result, request.output / result.run, metrics))
            leave = partial(several.exit_code, saved=bool(results))
    print_results(results, as_json=as_json)
    if metrics:
        say_not_given(metrics, _names(results))
    return leave()


def _say_plans(
    session: Session, cells: Sequence[StudyCell], request: Request, reporter: Reporter, *, as_json: bool
) -> int:
    """Prints what each cell would do; returns the exit code."""
    from bench.runs.plan import plan

    plans, several = [], Several(len(cells), reporter)
    for cell in cells:
        with several.one(str(cell), UnsupportedTask):
            plans.append(plan(session.cell(cell.model, cell.task), cell.request(request), reporter))
    print_plans(plans, as_json=as_json)
    return several.exit_code(saved=bool(plans))


def _stored(folder: Path, metrics: Sequence[str]) -> tuple[Result, Evidence]:
    """Returns the record of a run that is finished, with its evidence."""
    from bench.evidence.verified import RESULT
    from bench.results import Result

    return with_evidence(Result.load(folder / RESULT), folder, metrics)


def extract_missing(session: Session, tasks: Sequence[str], device: str) -> None:
    """Makes the features of the tasks' datasets that are declared by their videos and were not made yet."""
    from bench.cli.features import extracted
    from bench.extraction import ExtractionChoices, is_missing

    datasets = dict.fromkeys(session.catalogue.task(task).dataset for task in tasks)
    features = [session.catalogue.dataset(name)[0].features for name in datasets]
    for name in dict.fromkeys(one.name for one in features if is_missing(one)):
        extracted(session, name, ExtractionChoices(device))


@click.command(cls=Command)
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--write", is_flag=True,
    help="Where a record does not hold, write what its predictions give as a new run beside it; nothing is changed.",
)  # fmt: skip
@wide_option
@metric_option
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print the records as JSON on stdout.")
def rescore(runs: tuple[Path, ...], write: bool, metrics: tuple[str, ...], config: Path | None, as_json: bool) -> None:
    """Score the saved predictions of RUNS (folders) again and compare all that their records say of them.

    Of what `bench score` wrote no predictions are kept: its numbers are computed again from its evidence. Leaves with 6
    where a record does not hold. With --write it then gets a successor in the folder <run>-rescored: a record with new
    evidence from the same predictions, which are copied.
    """
    from bench.catalogue import config as configuration
    from bench.catalogue.lookup import Session
    from bench.cli.tables import print_results
    from bench.evidence.verified import RESULT, read_record, stored
    from bench.metrics.captions.meteor.program import started_once
    from bench.results import Result
    from bench.runs.rescore import rescore as score_again
    from bench.runs.rescore import rewrite

    session = Session(configuration.load(config))
    results = []
    with started_once():
        for folder in runs:
            record = Result.load(folder / RESULT)
            if record.predictions is None:
                results.append(with_evidence(read_record(folder).result, folder, metrics))
                echo(f"{folder}: what was scored is not kept; every measurement follows from its evidence", err=True)
                continue
            task = session.catalogue.task(record.task.name)
            dataset = session.dataset(task.dataset)
            written, changes = rewrite(folder, task, dataset) if write else (None, [])
            again = Result.load(written / RESULT) if written else score_again(stored(folder), task, dataset)
            results.append(with_evidence(again, written or folder, metrics))
            if written is None:
                echo(f"{folder}: every measurement is the same when scored again", err=True)
                continue
            echo("\n".join(f"{folder}: {line}" for line in changes), err=True)
            echo(f"{folder}: scored again, written as {written}", err=True)
    print_results(results, as_json=as_json)
    say_not_given(metrics, _names(results))


def with_evidence(result: Result, folder: Path, metrics: Sequence[str]) -> tuple[Result, Evidence]:
    """Returns the record in a run's folder with its evidence, and the further measurements that follow from that."""
    from bench.evidence.kinds import known
    from bench.evidence.verification import measured
    from bench.results import Evidence

    evidence = Evidence.load(folder / result.evidence.file)
    if not metrics or known(evidence) is None:
        return result, evidence
    stated = {measurement.name: measurement for measurement in result.measurements}
    follows = measured(evidence, [*stated, *metrics])
    return result.model_copy(update={"measurements": [stated.get(one.name, one) for one in follows]}), evidence


def _names(shown: Sequence[tuple[Result, Evidence]]) -> set[str]:
    return {measurement.name for result, _ in shown for measurement in result.measurements}
