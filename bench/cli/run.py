"""`bench run` and `bench rescore`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench.cli.options import WHOLE, Command, chosen_settings, config_option, parse_seeds
from bench.errors import BenchError, Interrupted, PartialFailure, UnsupportedTask, UsageError

if TYPE_CHECKING:
    from bench.catalogue.lookup import Session
    from bench.execution import Precision
    from bench.results import Result
    from bench.runs.plan import Plan, Request
    from bench.runs.progress import Reporter


@click.command(cls=Command)
@click.option("--model", "-m", "models", multiple=True, required=True, help="Model to run; repeatable.")
@click.option(
    "--task", "-t", "tasks", multiple=True, required=True, help="Task, with parameters after ':'; repeatable."
)
@click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", help="Model setting; MODEL.KEY=VALUE for one model."
)
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
@config_option
@click.option("--resume/--no-resume", default=True, show_default=True, help="Reuse what an earlier run left.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and stop.")
@click.option("--json", "as_json", is_flag=True, help="Print the records as JSON on stdout.")
def run(
    models: tuple[str, ...],
    tasks: tuple[str, ...],
    settings: tuple[str, ...],
    seed: int | None,
    seeds: tuple[int, ...],
    device: str,
    precision: Precision,
    batch_size: int,
    limit: int | None,
    checkpoint: Path | None,
    output: Path | None,
    config: Path | None,
    resume: bool,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Run every MODEL on every TASK for every seed: fit, predict, score, save.

    A finished run is reused; an interrupted one goes on from its last checkpoint. A model that cannot do one of the
    tasks is skipped there; the others run, and the command leaves with 5.
    """
    from bench.catalogue import config as configuration
    from bench.catalogue.lookup import Session
    from bench.runs.plan import Request

    if seed is not None and seeds:
        raise UsageError("--seed and --seeds were both given. Keep one.")
    session = Session(configuration.load(config))
    for name in models:
        session.catalogue.model(name)
    request = Request(
        output=output or session.config.runs,
        device=device,
        precision=precision,
        batch_size=batch_size,
        limit=limit,
        checkpoint=checkpoint,
        word_vectors=session.config.word_vectors,
        resume=resume,
        command=("bench", *sys.argv[1:]),
    )
    plan_one = Planner(session, request, chosen_settings(models, settings))
    if session.config.path is None:
        click.echo("no bench.yaml found: using the packaged default (the generated sample)", err=True)
    jobs = {
        f"{model} on {task} (seed {each})": partial(plan_one, model, task, each)
        for task in dict.fromkeys(tasks)
        for model in dict.fromkeys(models)
        for each in seeds or (seed or 0,)
    }
    return _plan_all(jobs, as_json=as_json) if dry_run else _run_all(jobs, as_json=as_json)


class Planner:
    """Turns a model, task and seed into a plan: what one command asks for, under each model's own settings."""

    def __init__(self, session: Session, request: Request, chosen: Mapping[str, Mapping[str, object]]) -> None:
        self._session = session
        self._request = request
        self._chosen = chosen

    def __call__(self, model: str, task: str, seed: int, reporter: Reporter) -> Plan:
        from bench.runs import plan as planning

        request = replace(self._request, settings=self._chosen[model], seed=seed)
        return planning.plan(self._session.cell(model, task), request, reporter)


def _plan_all(jobs: Mapping[str, Callable[[Reporter], Plan]], *, as_json: bool) -> int:
    """Prints what would be done for every job. Raises: the error of one that could not be started."""
    from bench.cli.progress import terminal

    plans, skipped = [], []
    with terminal() as reporter:
        for name, planned in jobs.items():
            try:
                plans.append(planned(reporter))
            except UnsupportedTask as error:
                if len(jobs) == 1:
                    raise
                skipped.append(error)
                reporter.say(_without(name, error))
    print_plans(plans, as_json=as_json)
    return say_failures(skipped, len(jobs), saved=bool(plans))


def _run_all(jobs: Mapping[str, Callable[[Reporter], Plan]], *, as_json: bool) -> int:
    from bench.cli.tables import print_results

    results, failures = execute_all(jobs)
    print_results(results, as_json=as_json)
    return say_failures(failures, len(jobs), saved=bool(results))


def execute_all(jobs: Mapping[str, Callable[[Reporter], Plan]]) -> tuple[list[Result], list[BenchError]]:
    """Returns the results of what could be run, and why the others could not, which is also said as it happens.

    Raises: Interrupted; the error itself where there is a single job.
    """
    from bench.cli.progress import terminal
    from bench.runs import execute as runner

    results: list[Result] = []
    failures: list[BenchError] = []
    with terminal() as reporter:
        for name, planned in jobs.items():
            try:
                results.append(runner.execute(planned(reporter), reporter))
            except Interrupted:
                raise
            except BenchError as error:
                if len(jobs) == 1:
                    raise
                failures.append(error)
                reporter.say(_without(name, error))
    return results, failures


def _without(name: str, error: BenchError) -> str:
    what = "skipped" if isinstance(error, UnsupportedTask) else "failed"
    return f"{name} {what}. {type(error).__name__}: {error}"


def say_failures(failures: Sequence[BenchError], total: int, *, saved: bool) -> int:
    """Returns the exit code of several runs, the first error's where none could be run.

    Raises: PartialFailure when some failed or were skipped and others were not.
    """
    skipped = sum(isinstance(error, UnsupportedTask) for error in failures)
    counts = {"failed": len(failures) - skipped, "were skipped, as a model cannot do a task": skipped}
    what = " and ".join(f"{count} of {total} runs {happened}" for happened, count in counts.items() if count)
    if failures and saved:
        raise PartialFailure(f"{what}; the others are in order. Reasons are above.")
    if failures:
        click.echo(f"{what}; reasons are above.", err=True)
        return failures[0].exit_code
    return 0


def print_plans(plans: list[Plan], *, as_json: bool) -> None:
    """Prints what each plan would do."""
    import json

    if as_json:
        rows = [
            {
                "run": plan.run,
                "folder": str(plan.folder),
                "state": _state(plan),
                "settings": dict(plan.settings),
                "signature": plan.signature,
            }
            for plan in plans
        ]
        click.echo(json.dumps(rows, indent=2))
        return
    for plan in plans:
        click.echo(f"{plan.run}: {_state(plan)}")
        click.echo(f"  folder     {plan.folder}")
        click.echo(f"  signature  {plan.signature}")
        click.echo("  settings   " + " ".join(f"{key}={value}" for key, value in plan.settings.items()))


def _state(plan: Plan) -> str:
    if plan.finished:
        return "complete already, would be reused"
    if plan.request.checkpoint:
        return f"would predict and score with {plan.request.checkpoint}"
    if plan.checkpoints is None:
        return "would predict and score"
    if plan.checkpoints.model.exists():
        return "fitted already, would predict and score"
    return "would fit, predict and score"


@click.command(cls=Command)
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--write", is_flag=True,
    help="Where a record does not hold, write what its predictions give as a new run beside it; nothing is changed.",
)  # fmt: skip
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print the records as JSON on stdout.")
def rescore(runs: tuple[Path, ...], write: bool, config: Path | None, as_json: bool) -> None:
    """Score the saved predictions of RUNS (folders) again and compare all that their records say of them.

    Leaves with 6 where a record does not hold. With --write it then gets a successor in the folder <run>-rescored:
    a record with new evidence from the same predictions, which are copied.
    """
    from bench.catalogue import config as configuration
    from bench.catalogue.lookup import Session
    from bench.cli.tables import print_results
    from bench.metrics.captions.meteor.program import started_once
    from bench.results import Result
    from bench.runs.plan import RESULT
    from bench.runs.rescore import rescore as score_again
    from bench.runs.rescore import rewrite

    session = Session(configuration.load(config))
    results = []
    with started_once():
        for folder in runs:
            task = session.catalogue.task(Result.load(folder / RESULT).task.name)
            dataset = session.dataset(task.dataset)
            written, changes = rewrite(folder, task, dataset) if write else (None, [])
            results.append(Result.load(written / RESULT) if written else score_again(folder, task, dataset))
            if written is None:
                click.echo(f"{folder}: every measurement is the same when scored again", err=True)
                continue
            click.echo("\n".join(f"{folder}: {line}" for line in changes), err=True)
            click.echo(f"{folder}: scored again, written as {written}", err=True)
    print_results(results, as_json=as_json)
