"""`bench run` and `bench rescore`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bench.errors import BenchError, Interrupted, PartialFailure, UsageError

if TYPE_CHECKING:
    from bench.catalogue.lookup import Session
    from bench.results import Result
    from bench.runs.plan import Plan, Request

config_option = click.option(
    "--config", "-C", type=click.Path(path_type=Path), help="bench.yaml to use (default: nearest upwards)."
)


def parse_seeds(_: click.Context, __: click.Parameter, text: str | None) -> tuple[int, ...]:
    """Returns the seeds that `0,1,2` names; none for no text."""
    try:
        return tuple(int(part) for part in text.split(",")) if text else ()
    except ValueError:
        raise click.BadParameter(f"{text!r} is not a list of whole numbers such as 0,1,2.") from None


@click.command()
@click.option("--model", "-m", "models", multiple=True, required=True, help="Model to run; repeatable.")
@click.option(
    "--task", "-t", "tasks", multiple=True, required=True, help="Task, with parameters after ':'; repeatable."
)
@click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", help="Model setting; MODEL.KEY=VALUE for one model."
)
@click.option("--seed", type=int, help="Seed (default 0).")
@click.option("--seeds", callback=parse_seeds, metavar="N,N,…", help="Several seeds, one run each.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:I.")
@click.option("--precision", type=click.Choice(["fp32", "bf16"]), default="fp32", show_default=True)
@click.option("--batch-size", type=int, default=64, show_default=True, help="Videos per batch when predicting.")
@click.option("--limit", type=int, help="At most N videos of every split; the result is partial and never ranked.")
@click.option("--checkpoint", type=click.Path(path_type=Path), help="Use this model.safetensors instead of fitting.")
@click.option(
    "--output", "-o", type=click.Path(path_type=Path), help="Where runs are written (default: runs of bench.yaml)."
)
@config_option
@click.option("--resume/--no-resume", default=True, show_default=True, help="Reuse what an earlier run left.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and stop.")
@click.option("--json", "as_json", is_flag=True, help="Print the records as JSON on stdout.")
def run(models: tuple[str, ...], tasks: tuple[str, ...], **options: Any) -> int:
    """Run every MODEL on every TASK for every seed: fit, predict, score, save.

    A finished run is reused; an interrupted one goes on from its last checkpoint.
    """
    from bench.catalogue import config
    from bench.catalogue.lookup import Session

    if options["seed"] is not None and options["seeds"]:
        raise UsageError("--seed and --seeds were both given. Keep one.")
    seeds = options["seeds"] or (options["seed"] or 0,)
    session = Session(config.load(options["config"]))
    for name in models:
        session.catalogue.model(name)
    chosen = chosen_settings(models, options["settings"])
    if session.config.path is None:
        click.echo("no bench.yaml found: using the packaged default (the generated sample)", err=True)
    cells = [(model, task, seed) for task in dict.fromkeys(tasks) for model in dict.fromkeys(models) for seed in seeds]
    plan_one = Planner(session, options, chosen)
    if options["dry_run"]:
        print_plans([plan_one(*cell) for cell in cells], as_json=options["as_json"])
        return 0
    return _run_all(cells, plan_one, as_json=options["as_json"])


class Planner:
    """Turns a model, task and seed into a plan under the options of one command."""

    def __init__(self, session: Session, options: dict[str, Any], chosen: Mapping[str, Mapping[str, object]]) -> None:
        self._session = session
        self._options = options
        self._chosen = chosen

    def __call__(self, model: str, task: str, seed: int) -> Plan:
        from bench.runs import plan as planning

        return planning.plan(self._session.cell(model, task), self._request(model, seed))

    def _request(self, model: str, seed: int) -> Request:
        from bench.runs.plan import Request

        options = self._options
        return Request(
            output=options["output"] or self._session.config.runs,
            settings=self._chosen[model],
            seed=seed,
            device=options["device"],
            precision=options["precision"],
            batch_size=options["batch_size"],
            limit=options["limit"],
            checkpoint=options["checkpoint"],
            word_vectors=self._session.config.word_vectors,
            resume=options["resume"],
            command=("bench", *sys.argv[1:]),
        )


def chosen_settings(models: tuple[str, ...], texts: tuple[str, ...]) -> dict[str, dict[str, str]]:
    """Returns the chosen settings of each model: KEY=VALUE for all of them, MODEL.KEY=VALUE for one.

    base.KEY is a setting of the model that a model builds on.
    """
    from bench.runs.plan import BASE

    chosen: dict[str, dict[str, str]] = {model: {} for model in models}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise UsageError(f"--set {text!r}: write KEY=VALUE, such as --set hidden=256.")
        owner = next((model for model in models if key.startswith(f"{model}.")), "")
        name = key.removeprefix(f"{owner}.") if owner else key
        stranger = name.removeprefix(BASE).rpartition(".")[0]
        if stranger:
            raise UsageError(f"--set {text!r}: model {stranger!r} is not run here. Models: {', '.join(models)}.")
        for model in [owner] if owner else models:
            chosen[model][name] = value
    return chosen


def _run_all(cells: list[tuple[str, str, int]], plan_one: Planner, *, as_json: bool) -> int:
    from bench.cli.tables import print_results

    jobs = {f"{model} on {task} (seed {seed})": partial(plan_one, model, task, seed) for model, task, seed in cells}
    results, failures = execute_all(jobs)
    print_results(results, as_json=as_json)
    return say_failures(failures, len(cells), saved=bool(results))


def execute_all(jobs: Mapping[str, Callable[[], Plan]]) -> tuple[list[Result], list[BenchError]]:
    """Returns the results of what could be run, and why the others failed, which is also said as it happens.

    Raises: Interrupted; the error itself where there is a single job.
    """
    from bench.cli.progress import terminal
    from bench.runs import execute as runner

    results: list[Result] = []
    failures: list[BenchError] = []
    with terminal() as reporter:
        for name, planned in jobs.items():
            try:
                results.append(runner.execute(planned(), reporter))
            except Interrupted:
                raise
            except BenchError as error:
                if len(jobs) == 1:
                    raise
                failures.append(error)
                reporter.say(f"{name} failed. {type(error).__name__}: {error}")
    return results, failures


def say_failures(failures: list[BenchError], total: int, *, saved: bool) -> int:
    """Returns the exit code of several runs. Raises: PartialFailure when some failed and others are saved."""
    if failures and saved:
        raise PartialFailure(f"{len(failures)} of {total} runs failed, the others are saved; reasons are above.")
    if failures:
        click.echo(f"all {total} runs failed; reasons are above.", err=True)
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


@click.command()
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path))
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print the records as JSON on stdout.")
def rescore(runs: tuple[Path, ...], config: Path | None, as_json: bool) -> None:
    """Score the saved predictions of RUNS (folders) again and compare with their records."""
    from bench.catalogue import config as configuration
    from bench.catalogue.lookup import Session
    from bench.cli.tables import print_results
    from bench.metrics.captions.meteor import started_once
    from bench.runs.rescore import load_record
    from bench.runs.rescore import rescore as score_again

    session = Session(configuration.load(config))
    results = []
    with started_once():
        for folder in runs:
            task = session.catalogue.task(load_record(folder).task.name)
            results.append(score_again(folder, task, session.dataset(task.dataset)))
            click.echo(f"{folder}: every measurement is the same when scored again", err=True)
    print_results(results, as_json=as_json)
