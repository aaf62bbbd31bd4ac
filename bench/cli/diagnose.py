"""`bench diagnose`: does a hierarchical model use its hierarchy?"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench.cli import completion
from bench.cli.commands import Command
from bench.cli.options import WHOLE, chosen_settings, command_line, config_option, wide_option
from bench.cli.saying import echo
from bench.errors import UsageError

if TYPE_CHECKING:
    from bench.analysis.diagnose import DiagnosedNumber, Diagnosis
    from bench.catalogue.lookup import Session
    from bench.runs.plan import RunPlan
    from bench.runs.progress import Reporter


@dataclass(frozen=True)
class _NamedModel:
    """What says which model is meant; the record of a run says all of it."""

    task: str | None
    settings: tuple[str, ...]
    seed: int | None
    limit: int | None
    checkpoint: Path | None
    output: Path | None


@click.command(cls=Command)
@click.argument("model", shell_complete=completion.models)
@click.option(
    "--task", "-t", shell_complete=completion.tasks,
    help="Retrieval task, with parameters after ':'; needed for a model's name.",
)  # fmt: skip
@click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", shell_complete=completion.settings, help="Model setting."
)
@wide_option
@click.option("--seed", type=WHOLE, help="Seed of the model (default 0).")
@click.option("--shuffle-seed", type=WHOLE, default=0, show_default=True, help="Draws orders and swapped sentences.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:I.")
@click.option("--limit", type=WHOLE, help="At most N videos of every split.")
@click.option("--checkpoint", type=click.Path(path_type=Path), help="Use this model.safetensors instead of fitting.")
@click.option(
    "--output", "-o", type=click.Path(path_type=Path), help="Where runs are written (default: runs of bench.yaml)."
)
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON on stdout.")
def diagnose(
    model: str,
    task: str | None,
    settings: tuple[str, ...],
    seed: int | None,
    shuffle_seed: int,
    device: str,
    limit: int | None,
    checkpoint: Path | None,
    output: Path | None,
    config: Path | None,
    as_json: bool,
) -> None:
    """Ask one fitted MODEL on one retrieval task whether it uses its hierarchy.

    MODEL is a model's name, with --task: its run is reused, or done first, as by `bench run`. Or it is the folder of a
    finished run, whose record names model, settings, task and checkpoint.

    Measured with 95 % intervals: sentences find clips and clips find sentences, in their video and in the whole pool
    (segments=gt and models that embed them); retrieval with clips, then with sentences, in another order; and how often
    the true paragraph is preferred to one with a single sentence swapped. The report is diagnosis.json in the run's
    folder; `python -m pydoc bench.analysis.diagnose` is the protocol in full.
    """
    from bench.analysis.diagnose import REPORT
    from bench.analysis.diagnose import diagnose as ask
    from bench.catalogue import config as configuration
    from bench.catalogue.lookup import Session
    from bench.cli.progress import terminal
    from bench.files import write_json

    session = Session(configuration.load(config))
    asked = _NamedModel(task, settings, seed, limit, checkpoint, output)
    with terminal() as reporter:
        if _is_run(model):
            plan = _of_run(session, Path(model), asked, device)
        else:
            plan = _of_model(session, model, asked, device, reporter)
        diagnosis = ask(plan, shuffle_seed, reporter)
    report = diagnosis.as_json()
    write_json(plan.folder / REPORT, report)
    echo(f"the report is {plan.folder / REPORT}", err=True)
    if as_json:
        echo(json.dumps(report, indent=2))
    else:
        _print(diagnosis)


def _is_run(text: str) -> bool:
    return (Path(text) / "result.json").is_file()


def _of_run(session: Session, folder: Path, asked: _NamedModel, device: str) -> RunPlan:
    from bench.analysis.diagnose import check_task
    from bench.evidence.verified import stored
    from bench.runs.rerun import plan_of_run

    given = [f"--{name.replace('settings', 'set')}" for name, value in vars(asked).items() if value not in (None, ())]
    if given:
        raise UsageError(f"{', '.join(given)}: the record in {folder} says this. Leave it out, or name a model.")
    record = stored(folder).result
    cell = session.cell(record.model.name, record.task.name)
    check_task(cell)
    return plan_of_run(folder, record, cell, device)


def _of_model(session: Session, model: str, asked: _NamedModel, device: str, reporter: Reporter) -> RunPlan:
    from bench.analysis.diagnose import check_task
    from bench.runs import execute as runner
    from bench.runs import plan as planning
    from bench.runs.request import Request

    session.catalogue.model(model)
    if asked.task is None:
        raise UsageError(f"on which task shall {model!r} be diagnosed? Add --task, such as --task anet-retrieval.")
    cell = session.cell(model, asked.task)
    check_task(cell)
    request = replace(
        Request.under(session.config, asked.output),
        settings=chosen_settings((model,), asked.settings)[model],
        seed=asked.seed or 0,
        device=device,
        limit=asked.limit,
        checkpoint=asked.checkpoint,
        command=command_line(),
    )
    plan = planning.plan(cell, request, reporter)
    runner.execute(plan, reporter)
    return plan


def _print(diagnosis: Diagnosis) -> None:
    from bench.cli.tables import print_table
    from bench.evidence.kinds.wording import tested_by_queries

    record = diagnosis.result
    echo(f"\n{record.model.name} on {record.task.name}, {record.data.label}, {tested_by_queries(record)}")
    head = ["part", "measurement, in percent", "value", "95 %", "chance", "queries", "p"]
    print_table(head, [_row(finding) for finding in diagnosis.findings], numbers_from=2)
    for part, reason in diagnosis.left_out.items():
        echo(f"left out of {part}: {reason}")
    echo(f"{record.signature} (seed {record.seed}, shuffle seed {diagnosis.shuffle_seed})")


def _row(finding: DiagnosedNumber) -> list[str]:
    change = finding.p_value is not None
    number = "{:+.1f}" if change else "{:.1f}"
    bounds = f"[{', '.join(number.format(bound) for bound in finding.ci95)}]" if finding.ci95 else "–"
    chance = "" if finding.chance is None else f"{finding.chance:.2f}"
    p_value = "" if finding.p_value is None else f"{finding.p_value:.3g}"
    return [finding.part, finding.name, number.format(finding.value), bounds, chance, f"{finding.n:,}", p_value]
