"""`bench reproduce`: a table of a paper with our figures beside it, or a figure of the paper drawn from our runs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bench.cli import completion
from bench.cli.commands import Command
from bench.cli.options import WHOLE, chosen_settings, command_line, config_option, parse_seeds, say_default, wide_option
from bench.cli.saying import echo
from bench.cli.several import Several, print_plans
from bench.errors import UnknownName, UnsupportedTask, UsageError, unknown_name

if TYPE_CHECKING:
    from bench.catalogue.lookup import Session
    from bench.papers.figures import ComparedRow, ComparedTable
    from bench.papers.tables import PaperFigure, PaperRow, PaperTable
    from bench.results import Result
    from bench.runs.plan import RunPlan
    from bench.runs.progress import Reporter
    from bench.runs.request import Request


@click.command(cls=Command)
@click.argument("paper", shell_complete=completion.papers)
@click.argument("table", shell_complete=completion.paper_tables)
@click.option("--seeds", callback=parse_seeds, metavar="N,N,…", help="One run of every row for each (default: 0).")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Setting; MODEL.KEY=VALUE for one model.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:I.")
@click.option("--limit", type=WHOLE, help="At most N videos of every split; every verdict then says so.")
@click.option(
    "--output", "-o", type=click.Path(path_type=Path),
    help="Folder of runs (default: runs of bench.yaml); the pages go to reproduce/ in it.",
)  # fmt: skip
@click.option(
    "--board", type=click.Path(path_type=Path),
    help="Leaderboard that gets a page of it; its runs go there by `bench leaderboard add`.",
)  # fmt: skip
@config_option
@wide_option
@click.option("--dry-run", is_flag=True, help="Say what would be run or reused, and stop.")
@click.option("--json", "as_json", is_flag=True, help="Print the table as JSON on stdout.")
def reproduce(
    paper: str,
    table: str,
    seeds: tuple[int, ...],
    settings: tuple[str, ...],
    device: str,
    limit: int | None,
    output: Path | None,
    board: Path | None,
    config: Path | None,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Set our figures beside TABLE of PAPER, such as hse2018 table1; run what is missing, reuse what is there.

    Rows that cannot be run keep their place and say what they need. `bench info PAPER` names the tables. A figure of
    embeddings, such as hse2018 tsne, is drawn from our runs: SVG, PNG, coordinates as CSV, and a record as JSON.
    """
    from bench.catalogue import config as configuration
    from bench.catalogue.lookup import Session
    from bench.cli.progress import terminal
    from bench.cli.reproduce_figure import show_figure, with_classes
    from bench.papers.figure_pages import figure_in
    from bench.papers.stored import StoredTable, save_stored
    from bench.papers.tables import PaperFigure, read_paper
    from bench.runs.execute import execute
    from bench.runs.request import Request

    session = Session(configuration.load(config))
    publication = session.catalogue.paper(paper)
    say_default(session.config)
    entries = read_paper(publication)
    if table not in entries:
        raise unknown_name("table", table, entries)
    entry = entries[table]
    chosen = _chosen(entry, settings)
    request = replace(  # the rest as `bench run` takes it by default: so its runs are found here, and ours there
        Request.under(session.config, output), device=device, limit=limit, command=command_line()
    )
    with terminal() as reporter:
        asked = _Overrides(request, seeds or (0,), chosen, reporter)
        planned = [_plans(session, entry, row, asked) for row in entry.rows]
    if isinstance(entry, PaperFigure):
        planned = [with_classes(plans) for plans in planned]
    plans = {plan.run: plan for row in planned if not isinstance(row, str) for plan in row}
    if dry_run:
        _print_dry_run(entry, planned, list(plans.values()), as_json=as_json)
        return 0
    results = []
    with terminal() as reporter:
        several = Several(len(plans), reporter)
        for run, plan in plans.items():
            with several.one(run):
                results.append(execute(plan, reporter))
    written = request.output / "reproduce", f"{paper}-{table}"
    if isinstance(entry, PaperFigure):
        rows = list(zip(entry.rows, planned, strict=True))
        show_figure(publication.title, entry, rows, results, written, as_json=as_json)
        if board and results:
            _say_stored(save_stored(board, written[1], figure_in(*written)))
    else:
        compared = _compared(publication.title, entry, planned, results, chosen)
        _print(compared, as_json=as_json)
        _write(compared, *written)
        if board:
            runs = [[] if isinstance(row, str) else [plan.run for plan in row] for row in planned]
            stored = StoredTable(paper=publication.title, table=entry, runs=runs, changed=chosen)
            _say_stored(save_stored(board, written[1], stored))
    return several.exit_code(saved=bool(results))


def _say_stored(path: Path) -> None:
    echo(f"stored for the board: {path}; `bench leaderboard build` makes its page", err=True)


def _chosen(table: PaperTable | PaperFigure, texts: tuple[str, ...]) -> dict[str, dict[str, str]]:
    """Returns the user's settings by model. Raises: UsageError for one that tells the table's own rows apart."""
    chosen = chosen_settings(tuple(dict.fromkeys(row.model for row in table.rows if row.model)), texts)
    for row in table.rows:
        for name in sorted(set(row.settings) & set(chosen.get(row.model or "", {}))):
            raise UsageError(f"--set {name}: the table sets {name} itself, in row {row.title!r}. Leave it out.")
    return chosen


@dataclass(frozen=True)
class _Overrides:
    """What the user asked for beside the table: the same for every row, and settings by model."""

    request: Request
    seeds: tuple[int, ...]
    chosen: Mapping[str, dict[str, str]]
    reporter: Reporter


def _plans(
    session: Session,
    table: PaperTable | PaperFigure,
    row: PaperRow,
    asked: _Overrides,
) -> list[RunPlan] | str:
    """Returns the plans of a row, one for each task and seed, or what it needs before it can be run."""
    from bench.runs.plan import plan

    if row.model is None or not row.all_tasks:
        return f"needs {row.needs}"
    try:
        cells = [session.cell(row.model, task) for task in row.all_tasks]
    except UnknownName as error:
        return f"needs what is not there: {error}"
    dataset = cells[0].dataset
    if dataset.kind == "real" and row.extractor:
        own = dataset.features.identity(()).extractor
        if own != row.extractor and own in {other.extractor for other in table.rows}:
            return f"needs {row.extractor} features"
    settings: dict[str, object] = {**row.settings, **asked.chosen[row.model]}
    requests = [replace(asked.request, settings=settings, seed=seed) for seed in asked.seeds]
    try:
        return [plan(cell, request, asked.reporter) for cell in cells for request in requests]
    except UnsupportedTask as error:
        return f"needs another model: {error}"


def _compared(
    paper: str,
    table: PaperTable,
    planned: Sequence[list[RunPlan] | str],
    results: Sequence[Result],
    chosen: Mapping[str, dict[str, str]],
) -> ComparedTable:
    from bench.papers.figures import ComparedTable, measured_on
    from bench.results import Evidence

    folders = {plan.run: plan.folder for plans in planned if not isinstance(plans, str) for plan in plans}
    by_run = {result.run: result for result in results}
    rows = tuple(_row(table, row, plans, by_run, chosen) for row, plans in zip(table.rows, planned, strict=True))
    kind, circumstances = measured_on([(r, Evidence.load(folders[r.run] / r.evidence.file)) for r in results])
    return ComparedTable(paper, table.title, tuple(table.columns), rows, kind, circumstances, tuple(table.notes))


def _row(
    table: PaperTable,
    row: PaperRow,
    plans: list[RunPlan] | str,
    by_run: Mapping[str, Result],
    chosen: Mapping[str, dict[str, str]],
) -> ComparedRow:
    from bench.papers.figures import compared, not_run

    if isinstance(plans, str):
        return not_run(table, row, plans)
    finished = [by_run[plan.run] for plan in plans if plan.run in by_run]
    if not finished:
        return not_run(table, row, "it failed; the reason is above the table and in its log")
    return compared(table, row, finished, chosen[row.model or ""], len(plans))


def _print_dry_run(
    table: PaperTable | PaperFigure, planned: Sequence[list[RunPlan] | str], plans: list[RunPlan], *, as_json: bool
) -> None:
    print_plans(plans, as_json=as_json)
    for row, plan in zip(table.rows, planned, strict=True):
        if isinstance(plan, str):
            echo(f"{row.title}: not run: {plan}", err=as_json)


def _print(table: ComparedTable, *, as_json: bool) -> None:
    from bench.cli.tables import print_table
    from bench.papers import pages

    if as_json:
        echo(json.dumps(_as_json(table), indent=2))
        return
    echo(f"\n{table.title}\n{table.circumstances or 'nothing could be run'}")
    lines = []
    for row in table.rows:
        shown = {"published": pages.published} if table.has_published or not row.runs else {}
        if row.runs:
            shown |= {"ours": pages.ours, "95 %": pages.interval}
        if any(figure.difference is not None for figure in row.figures):
            shown["difference"] = pages.difference
        for i, (what, words) in enumerate(shown.items()):
            lines.append(["" if i else row.row.title, what, *map(words, row.figures)])
    print_table(["system", "", *table.columns], lines, numbers_from=2)
    for row in table.rows:
        echo(f"{row.row.title}: {row.verdict}")


def _as_json(table: ComparedTable) -> dict[str, Any]:
    return {
        "paper": table.paper,
        "title": table.title,
        "data": table.kind or None,
        "circumstances": table.circumstances,
        "rows": [
            {
                "system": row.row.system,
                "variant": row.row.variant,
                "features": row.row.features,
                "model": row.row.model,
                "tasks": list(row.row.all_tasks),
                "settings": row.row.settings,
                "verdict": row.verdict,
                "runs": list(row.runs),
                "figures": [
                    {
                        "name": figure.column,
                        "published": figure.published,
                        "mean": figure.ours.mean if figure.ours else None,
                        "std": figure.ours.std if figure.ours else None,
                        "ci95": figure.ours.ci95 if figure.ours else None,
                        "difference": figure.difference,
                    }
                    for figure in row.figures
                ],
            }
            for row in table.rows
        ],
    }


def _write(table: ComparedTable, folder: Path, name: str) -> None:
    from bench.papers.pages import write_pages

    for path in write_pages(table, folder, name):
        echo(f"written: {path}", err=True)
